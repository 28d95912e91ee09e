/** A process that takes a megabyte and a file at each message; with `leak` it keeps them. */
import { closeSync, openSync } from 'node:fs'

const keeps = process.argv[2] === 'leak'
const kept: Buffer[] = []
const buffer = Buffer.alloc(1024 * 1024, 1)
process.on('message', () => {
  const file = openSync(import.meta.filename, 'r')
  if (keeps) kept.push(Buffer.alloc(1024 * 1024, 1))
  else {
    buffer.fill(2)
    closeSync(file)
  }
  process.send!(kept.length)
})
process.on('disconnect', () => process.exit())
