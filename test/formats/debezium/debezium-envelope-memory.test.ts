import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { EnvelopeReader } from '../../../formats/debezium/debezium-envelope.ts'

const kibi = 1024

function messageOf(version: number): Buffer {
  const field = { type: 'string', optional: true, field: `added_${version}` }
  const schema = { type: 'struct', fields: [field], optional: false }
  return Buffer.from(JSON.stringify({ schema, payload: { text: 'x'.repeat(512 * kibi) } }))
}

it('of a message with a schema that is new the schema is kept, and not the message', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const reader = new EnvelopeReader()
  collect()
  const before = process.memoryUsage().heapUsed
  const versions = Array.from({ length: 64 }, (_, version) => version)
  for (const version of versions) {
    const { schema } = reader.read('shop', messageOf(version))
    expect(schema?.fields?.[0]?.field).toBe(`added_${version}`)
  }
  collect()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * kibi * kibi)
  // It is known: the same object comes again.
  const [first, again] = [0, 0].map(version => reader.read('shop', messageOf(version)).schema)
  expect(again).toBe(first)
})
