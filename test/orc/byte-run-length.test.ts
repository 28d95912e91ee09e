import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ByteBuffer } from '../../orc/byte-buffer.ts'
import { ByteInput } from '../../orc/byte-input.ts'
import { ByteRunLengthReader, writeByteRunLength } from '../../orc/byte-run-length.ts'

function encode(bytes: readonly number[]): Buffer {
  const output = new ByteBuffer()
  writeByteRunLength(Uint8Array.from(bytes), output)
  return Buffer.from(output.view())
}

function decode(bytes: Uint8Array, count: number): number[] {
  const input = new ByteInput(bytes, { codec: null, blockBytes: 0 }, 'test')
  const target = new Uint8Array(count)
  new ByteRunLengthReader(input).read(target, count)
  return [...target]
}

it('a hundred zeros are a run of two bytes', () => {
  expect(encode(Array(100).fill(0)).toString('hex')).toBe('6100')
})

it('two different bytes are literals', () => {
  expect(encode([0x44, 0x45]).toString('hex')).toBe('fe4445')
})

it('a run holds at most 130 bytes, literals at most 128', () => {
  expect(encode(Array(131).fill(7)).toString('hex')).toBe('7f07ff07')
  const different = Array.from({ length: 129 }, (_, k) => k)
  expect(encode(different)[0]).toBe(128)
  expect(encode(different).length).toBe(1 + 128 + 1 + 1)
})

it('every sequence of bytes is read back', () => {
  const piece = fc.oneof(
    fc.array(fc.nat({ max: 255 }), { maxLength: 300 }),
    fc.array(fc.nat({ max: 1 }), { maxLength: 300 }),
    fc
      .tuple(fc.nat({ max: 255 }), fc.constantFrom(1, 2, 3, 129, 130, 131, 260))
      .map(([byte, count]) => Array<number>(count).fill(byte)),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), pieces => {
      const bytes = pieces.flat()
      expect(decode(encode(bytes), bytes.length)).toEqual(bytes)
    }),
  )
})
