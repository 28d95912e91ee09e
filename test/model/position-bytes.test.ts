import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ByteReader, ByteWriter } from '../../model/bytes.ts'
import { comparePositions } from '../../model/position.ts'
import { readPosition, writePosition } from '../../model/position-bytes.ts'

const part = fc.oneof(fc.constant(null), fc.nat(), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))

const position = fc.record({
  connector: fc.constantFrom('mysql', 'postgresql'),
  name: fc.string({ unit: 'grapheme' }),
  server: fc.option(fc.string()),
  log: fc.string(),
  order: fc.array(part, { maxLength: 4 }),
  transaction: fc.option(fc.string()),
  isSnapshot: fc.boolean(),
})

it('a position comes back as another one that compares the same', () => {
  fc.assert(
    fc.property(position, position, (a, b) => {
      const writer = new ByteWriter()
      writePosition(writer, a)
      writePosition(writer, null)
      const reader = new ByteReader(writer.take())
      const read = readPosition(reader)!
      expect(readPosition(reader)).toBe(null)
      expect(reader.isAtEnd).toBe(true)
      const bare = { ...read, order: [] }
      expect(bare).toEqual({ ...a, order: [] })
      // A number may come back as a bigint of the same value.
      expect(read.order.map(String)).toEqual(a.order.map(String))
      const likeA = { ...b, connector: a.connector, name: a.name, log: a.log, server: a.server }
      expect(comparePositions(read, likeA)).toBe(comparePositions(a, likeA))
    }),
  )
})

it('a position of an unknown form is refused', () => {
  expect(() => readPosition(new ByteReader(Buffer.from([16])))).toThrow('unknown flags 16')
})
