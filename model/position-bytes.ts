/** A position in Forager's binary forms: as much of it as others are compared with. */
import type { ByteReader, ByteWriter } from './bytes.ts'
import { assert } from './errors.ts'
import type { ComparablePosition } from './position.ts'

/** What a position has; 0 is no position. */
const flags = { isThere: 1, isSnapshot: 2, hasServer: 4, hasTransaction: 8 } as const
const allFlags = 15

export function writePosition(writer: ByteWriter, position: ComparablePosition | null): void {
  if (position === null) {
    writer.byte(0)
    return
  }
  const { connector, name, log, server, transaction, order, isSnapshot } = position
  writer.byte(
    flags.isThere |
      (isSnapshot ? flags.isSnapshot : 0) |
      (server === null ? 0 : flags.hasServer) |
      (transaction === null ? 0 : flags.hasTransaction),
  )
  writer.text(connector)
  writer.text(name)
  writer.text(log)
  if (server !== null) writer.text(server)
  if (transaction !== null) writer.text(transaction)
  writer.count(order.length)
  for (const part of order) {
    writer.byte(part === null ? 0 : 1)
    if (part !== null) writer.integer(part)
  }
}

export function readPosition(reader: ByteReader): ComparablePosition | null {
  const found = reader.byte()
  if (found === 0) return null
  assert(found <= allFlags, () => `a position has the unknown flags ${found}`)
  const has = (flag: number): boolean => (found & flag) !== 0
  return {
    connector: reader.text(),
    name: reader.text(),
    log: reader.text(),
    server: has(flags.hasServer) ? reader.text() : null,
    transaction: has(flags.hasTransaction) ? reader.text() : null,
    order: Array.from({ length: reader.count() }, () =>
      reader.byte() === 0 ? null : reader.integer(),
    ),
    isSnapshot: has(flags.isSnapshot),
  }
}
