import { expect, it } from 'vitest'
import { ByteInput } from '../../orc/byte-input.ts'
import { IntegerReader } from '../../orc/integer-reader.ts'

function decode(hex: string, count: number, isSigned: boolean): (number | bigint)[] {
  const input = new ByteInput(Buffer.from(hex, 'hex'), { codec: null, blockBytes: 0 }, 'test')
  return [
    ...new IntegerReader(input, 'run-length-v1', isSigned).readLongs(
      new Float64Array(count),
      count,
    ),
  ]
}

it('a run of a hundred falling values is a control byte, a step and a first value', () => {
  expect(decode('61ff64', 100, false)).toEqual(Array.from({ length: 100 }, (_, k) => 100 - k))
})

it('literals are a control byte and their values', () => {
  expect(decode('fb020306070b', 5, false)).toEqual([2, 3, 6, 7, 11])
})

it('signed values are in zig-zag form', () => {
  expect(decode('000103fc01020304', 7, true)).toEqual([-2, -1, 0, -1, 1, -2, 2])
})

it('the first and the last int64 are read as bigints', () => {
  const ends = 'fe' + 'feffffffffffffffff01' + 'ffffffffffffffffff01'
  expect(decode(ends, 2, true)).toEqual([2n ** 63n - 1n, -(2n ** 63n)])
})

it('runs are read in pieces of any size', () => {
  const input = new ByteInput(
    Buffer.from('61ff64fb020306070b', 'hex'),
    { codec: null, blockBytes: 0 },
    'test',
  )
  const reader = new IntegerReader(input, 'run-length-v1', false)
  const read: (number | bigint)[] = []
  for (const count of [1, 7, 60, 0, 35, 2])
    read.push(...reader.readLongs(new Float64Array(count), count))
  expect(read).toEqual([...Array.from({ length: 100 }, (_, k) => 100 - k), 2, 3, 6, 7, 11])
})
