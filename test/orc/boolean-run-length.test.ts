import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BooleanRunLengthReader, BooleanRunLengthWriter } from '../../orc/boolean-run-length.ts'
import { ByteBuffer } from '../../orc/byte-buffer.ts'
import { ByteInput } from '../../orc/byte-input.ts'
import { StreamOutput } from '../../orc/stream-output.ts'

const chunking = { codec: null, blockBytes: 1000 }

function encode(groups: readonly (readonly boolean[])[]): { bytes: Buffer; positions: number[][] } {
  const output = new StreamOutput(chunking)
  const writer = new BooleanRunLengthWriter(output, new ByteBuffer())
  const positions = groups.map(group => {
    const position = writer.position()
    const isAllTrue = group.every(Boolean)
    writer.append(isAllTrue ? null : Uint8Array.from(group, Number), group.length)
    return position
  })
  writer.finish()
  return { bytes: Buffer.concat(output.finish()), positions }
}

function decode(bytes: Uint8Array, count: number): boolean[] {
  const reader = new BooleanRunLengthReader(new ByteInput(bytes, chunking, 'test'))
  const target = new Uint8Array(count)
  expect(reader.read(target, count)).toBe(target.reduce((sum, bit) => sum + bit, 0))
  return [...target].map(bit => bit === 1)
}

it('a true and seven false are one byte, the first in the highest bit', () => {
  expect(encode([[true, ...Array(7).fill(false)]]).bytes.toString('hex')).toBe('ff80')
})

it('what misses to a whole byte is padded with zeros', () => {
  expect(encode([[true, true, true]]).bytes.toString('hex')).toBe('ffe0')
})

it('every sequence of groups is read back, from the start of each group too', () => {
  const group = fc.array(fc.boolean(), { maxLength: 80 })
  fc.assert(
    fc.property(fc.array(group, { maxLength: 8 }), groups => {
      const { bytes, positions } = encode(groups)
      const all = groups.flat()
      expect(decode(bytes, all.length)).toEqual(all)
      groups.forEach((_, index) => {
        const [offset, bytesToSkip, bitsToSkip] = positions[index]!
        expect(bytesToSkip).toBe(0)
        const rest = groups.slice(index).flat()
        const read = decode(bytes.subarray(offset), bitsToSkip! + rest.length)
        expect(read.slice(bitsToSkip)).toEqual(rest)
      })
    }),
  )
})

it('a writer is as new after it finished a stream', () => {
  const output = new StreamOutput(chunking)
  const writer = new BooleanRunLengthWriter(output, new ByteBuffer())
  for (let stripe = 0; stripe < 2; stripe++) {
    writer.append(Uint8Array.of(1, 0, 1), 3)
    writer.finish()
    expect(Buffer.concat(output.finish()).toString('hex')).toBe('ffa0')
  }
})
