import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteBuffer } from '../../orc/byte-buffer.ts'
import { ByteInput } from '../../orc/byte-input.ts'
import { OrcError } from '../../orc/errors.ts'
import { IntegerBuffer } from '../../orc/integer-buffer.ts'
import { IntegerReader } from '../../orc/integer-reader.ts'
import { writeRunLengthV2 } from '../../orc/run-length-v2-writer.ts'
import { toInteger } from '../../orc/zigzag.ts'
import { fromInt64, normal, Random } from './samples.ts'

type Integer = number | bigint

const modes = ['SHORT_REPEAT', 'DIRECT', 'PATCHED_BASE', 'DELTA']

function encode(values: readonly Integer[], isSigned = true): Buffer {
  const buffer = new IntegerBuffer()
  for (const value of values) {
    if (typeof value === 'number') buffer.push(value)
    else buffer.pushWide(value)
  }
  const output = new ByteBuffer()
  writeRunLengthV2(buffer, isSigned, output)
  return Buffer.from(output.view())
}

function decode(bytes: Uint8Array, count: number, isSigned = true): Integer[] {
  const input = new ByteInput(bytes, { codec: null, blockBytes: 0 }, 'test')
  const values = new IntegerReader(input, 'run-length-v2', isSigned).readLongs(
    new Float64Array(count),
    count,
  )
  expect(input.isAtEnd).toBe(true)
  return Array.from<number | bigint, Integer>(values, value => toInteger(BigInt(value)))
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}

/** The mode of the first run. */
function firstMode(bytes: Uint8Array): string {
  return modes[bytes[0]! >> 6]!
}

const patched = [
  2030,
  2000,
  2020,
  1_000_000,
  ...Array.from({ length: 16 }, (_, k) => 2040 + 10 * k),
]

describe('the examples of the specification', () => {
  const examples = [
    { name: 'SHORT_REPEAT', values: [10_000, 10_000, 10_000, 10_000, 10_000], bytes: '0a 27 10' },
    {
      name: 'DIRECT',
      values: [23_713, 43_806, 57_005, 48_879],
      bytes: '5e 03 5c a1 ab 1e de ad be ef',
    },
  ]
  const primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]

  it.each(examples)('$name is written and read as given', ({ values, bytes }) => {
    expect(encode(values, false)).toEqual(hex(bytes))
    expect(decode(hex(bytes), values.length, false)).toEqual(values)
  })

  it('DELTA is read as given, and written in steps of three bits instead of four', () => {
    expect(decode(hex('c6 09 02 02 22 42 42 46'), 10, false)).toEqual(primes)
    expect(encode(primes, false)).toEqual(hex('c4 09 02 02 4a 28 a6'))
  })

  it('PATCHED_BASE is read as given', () => {
    const bytes = hex(
      '8e 13 2b 21 07 d0 1e 00 14 70 28 32 3c 46 50 5a 64 6e 78 82 8c 96 a0 aa b4 be fc e8',
    )
    expect(decode(bytes, 20, false)).toEqual(patched)
  })

  it('a sequence of equal steps needs no steps', () => {
    expect(encode([0, 2, 4, 6, 8, 10])).toEqual(hex('c0 05 00 04'))
    expect(encode([100, 99, 98, 97])).toEqual(hex('c0 03 c8 01 01'))
  })
})

describe('the choice of the form', () => {
  it('three to ten equal values are a short repeat, eleven a delta run', () => {
    for (const count of [3, 10])
      expect(firstMode(encode(Array(count).fill(5)))).toBe('SHORT_REPEAT')
    for (const count of [11, 512]) expect(firstMode(encode(Array(count).fill(5)))).toBe('DELTA')
    expect(firstMode(encode([5, 5]))).toBe('DIRECT')
  })

  it('a few outliers among many small values are patched', () => {
    const random = new Random(1)
    const values = Array.from({ length: 500 }, (_, k) =>
      k % 100 === 7 ? 10 ** 9 + k : random.below(64),
    )
    const bytes = encode(values)
    expect(firstMode(bytes)).toBe('PATCHED_BASE')
    expect(bytes.length).toBeLessThan(430)
    expect(decode(bytes, 500)).toEqual(values)
  })

  it('sorted values with duplicates are delta runs, wherever the runs start', () => {
    const values = Array.from({ length: 2000 }, (_, k) => 10 ** 12 + Math.floor(k / 2) * 3)
    expect(encode(values).length).toBeLessThan(2000 / 3)
  })

  it('sorted values beyond the numbers that are safe are delta runs', () => {
    const values = Array.from(
      { length: 512 },
      (_, k) => 2n ** 62n + BigInt(k) * 4096n + BigInt(k % 3),
    )
    const bytes = encode(values)
    expect(firstMode(bytes)).toBe('DELTA')
    expect(bytes.length).toBeLessThan(512 * 2)
  })

  it('short repeats among narrow values stay in the run when a cut would cost more', () => {
    const random = new Random(2)
    const values = Array.from({ length: 512 }, () => random.below(2))
    expect(encode(values, false).length).toBe(2 + 512 / 8)
  })

  it('a repeat among wide values gets a run of its own', () => {
    const random = new Random(3)
    const wide = Array.from({ length: 100 }, () => random.below(2 ** 31))
    const bytes = encode([...wide, ...Array(60).fill(2 ** 30), ...wide])
    expect(bytes.length).toBeLessThan(2 * (2 + 400) + 10)
  })
})

describe('every sequence of int64 is read back', () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(normal)
  const corner = fc.constantFrom<Integer>(
    0,
    -1,
    1,
    127,
    128,
    -128,
    2 ** 24,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    2 ** 48,
    2 ** 52 - 1,
    2 ** 52,
    -(2 ** 52),
    2 ** 53 - 1,
    -(2 ** 53 - 1),
    2n ** 53n,
    -(2n ** 63n),
    2n ** 63n - 1n,
  )
  const small = fc.integer({ min: -40, max: 40 })
  const piece = fc.oneof(
    fc.array(int64, { maxLength: 40 }),
    fc.array(corner, { maxLength: 40 }),
    fc.array(small, { maxLength: 700 }),
    fc
      .tuple(fc.oneof(int64, small), fc.constantFrom(1, 2, 3, 9, 10, 11, 511, 512, 513))
      .map(([value, count]) => Array<Integer>(count).fill(value)),
    fc
      .tuple(
        fc.maxSafeInteger(),
        fc.integer({ min: -1000, max: 1000 }),
        fc.integer({ min: 1, max: 600 }),
      )
      .map(([first, step, count]) =>
        Array.from({ length: count }, (_, k) =>
          fromInt64(BigInt(first) + BigInt(step) * BigInt(k)),
        ),
      ),
  )
  const sequence = fc.array(piece, { maxLength: 6 }).map(pieces => pieces.flat())

  it('signed', () => {
    fc.assert(
      fc.property(sequence, values => {
        expect(decode(encode(values), values.length)).toEqual(values)
      }),
      { numRuns: 400 },
    )
  })

  it('unsigned', () => {
    fc.assert(
      fc.property(sequence, values => {
        const unsigned = values.map(value => (value < 0 ? normal(-(BigInt(value) + 1n)) : value))
        expect(decode(encode(unsigned, false), unsigned.length, false)).toEqual(unsigned)
      }),
      { numRuns: 200 },
    )
  })

  it('in wide fields, whether all of them hold numbers or one does not', () => {
    const edge = [5, 2 ** 52 - 1, -(2 ** 52), 7, 2 ** 51, -1, -3, 2 ** 50]
    for (const values of [edge, [...edge, 2 ** 52], [...edge, 2 ** 53 - 1], [...edge, 2n ** 60n]]) {
      expect(firstMode(encode(values))).toBe('DIRECT')
      expect(decode(encode(values), values.length)).toEqual(values)
    }
    // Other writers take 64 bits also for what needs less.
    const fields = ['001fffffffffffff', '0020000000000000', '0000000000000007']
    for (const taken of [fields.slice(0, 1), fields]) {
      const run = hex(`7e 0${taken.length - 1} ${taken.join(' ')}`)
      const numbers = [2 ** 53 - 1, 2n ** 53n, 7].slice(0, taken.length)
      expect(decode(run, taken.length, false)).toEqual(numbers)
    }
  })

  it('every width of direct and delta runs', () => {
    for (let bits = 1; bits <= 52; bits++) {
      const random = new Random(bits)
      const values = Array.from({ length: 70 }, () => Math.floor(random.next() * 2 ** bits))
      expect(decode(encode(values, false), 70, false)).toEqual(values)
      expect(decode(encode(values), 70)).toEqual(values)
      const sorted = values.toSorted((a, b) => b - a)
      expect(decode(encode(sorted), 70)).toEqual(sorted)
    }
  })

  it('every width of direct runs of every length up to 40, with nothing behind the last field', () => {
    for (let bits = 1; bits <= 32; bits++) {
      const random = new Random(bits)
      // The first one has all bits set, so that the run has this width.
      const all = Array.from({ length: 40 }, (_, k) => random.below(2 ** bits) || k % 2)
      for (let count = 1; count <= all.length; count++) {
        const values = [2 ** bits - 1, ...all.slice(1, count)]
        expect(decode(encode(values, false), count, false)).toEqual(values)
      }
    }
  })

  it('by each way to read, in any amounts and with any gaps', () => {
    const amounts = fc.array(
      fc.constantFrom(-600, -5, -1, 1, 2, 16, 17, 100, 511, 512, 513, 2000),
      {
        minLength: 1,
      },
    )
    fc.assert(
      fc.property(sequence, amounts, fc.boolean(), (values, parts, isSigned) => {
        const int32 = values.map(value => Number(BigInt.asIntN(isSigned ? 32 : 31, BigInt(value))))
        const own = isSigned ? int32 : int32.map(value => Math.abs(value))
        const bytes = encode(own, isSigned)
        const open = (): IntegerReader => {
          const input = new ByteInput(bytes, { codec: null, blockBytes: 0 }, 'test')
          return new IntegerReader(input, 'run-length-v2', isSigned)
        }
        const readers = [open(), open(), open()] as const
        for (let at = 0, turn = 0; at < own.length; turn++) {
          const part = parts[turn % parts.length]!
          const count = Math.min(Math.abs(part), own.length - at)
          const expected = own.slice(at, at + count)
          at += count
          if (part < 0) {
            for (const reader of readers) reader.skip(count)
            continue
          }
          const [integers, numbers] = [new Int32Array(count), new Float64Array(count)]
          readers[0].readInt32(integers, count)
          readers[1].readNumbers(numbers, count)
          expect(Array.from(integers)).toEqual(expected)
          expect(Array.from(numbers)).toEqual(expected)
          const longs = readers[2].readLongs(numbers, count)
          expect(longs).toEqual(Float64Array.from(expected))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('a patch at every place of a run, and gaps of 255, 256, 510 and 511', () => {
    for (const places of [
      [0],
      [1],
      [254],
      [255],
      [256],
      [510],
      [511],
      [0, 511],
      [0, 255],
      [1, 511],
      [0, 256, 511],
    ]) {
      const random = new Random(4)
      const values = Array.from({ length: 512 }, (_, k) =>
        places.includes(k) ? 2 ** 40 + k : 1000 + random.below(16),
      )
      const bytes = encode(values)
      expect(firstMode(bytes)).toBe('PATCHED_BASE')
      expect(decode(bytes, 512)).toEqual(values)
    }
  })

  it('a patched run with a negative base', () => {
    const random = new Random(5)
    const values = Array.from({ length: 300 }, (_, k) =>
      k === 100 ? 2 ** 30 : random.below(50) - 100_000,
    )
    const bytes = encode(values)
    expect(firstMode(bytes)).toBe('PATCHED_BASE')
    expect(decode(bytes, 300)).toEqual(values)
  })
})

describe('runs that other writers make', () => {
  it('a patched run of 56-bit patches is read', () => {
    // Width 8, base 0 in 1 byte, patch width 56 (code 30), gap width 1, one patch at index 0.
    const bytes = Buffer.concat([
      hex('8e 02'),
      Buffer.from([(0 << 5) | 30, (0 << 5) | 1]),
      hex('00'),
      hex('01 02 03'),
      hex('00 ff ff ff ff ff ff ff'),
    ])
    // The patch is shifted over 64 bits only in part: 0x7fffffffffffff << 8 | 1 would not fit.
    expect(decode(bytes, 3)[1]).toBe(2)
    expect(decode(bytes, 3)[2]).toBe(3)
  })

  it('delta runs wrap around like 64-bit integers', () => {
    // Base 2^63 − 1, step 1: the next value is −2^63.
    const bytes = Buffer.concat([hex('c0 01'), hex('fe ff ff ff ff ff ff ff ff 01'), hex('02')])
    expect(decode(bytes, 2)).toEqual([2n ** 63n - 1n, -(2n ** 63n)])
  })
})

describe('damaged runs', () => {
  const damaged = [
    { name: 'nothing', bytes: '' },
    { name: 'a header that is cut off', bytes: '5e' },
    { name: 'a payload that is cut off', bytes: '5e 03 5c a1' },
    { name: 'a base without end', bytes: `c0 05 ${'ff '.repeat(30)}` },
    { name: 'a patch outside of its run', bytes: '8e 01 00 e1 00 00 00 ff ff' },
    {
      name: 'patches wider than 64 bits',
      bytes: '8e 01 1f e1 00 00 00 ff ff ff ff ff ff ff ff ff ff',
    },
  ]

  it('integers beyond an int32 where there may be none give an OrcError, and negative lengths', () => {
    const read = (values: readonly Integer[], isSigned: boolean): Int32Array => {
      const target = new Int32Array(values.length)
      const bytes = encode(values, isSigned)
      const input = new ByteInput(bytes, { codec: null, blockBytes: 0 }, 'test')
      new IntegerReader(input, 'run-length-v2', isSigned).readInt32(target, values.length)
      return target
    }
    const [least, greatest] = [-(2 ** 31), 2 ** 31 - 1]
    expect([...read([least, greatest], true)]).toEqual([least, greatest])
    expect([...read([5, greatest], false)]).toEqual([5, greatest])
    for (const value of [least - 1, greatest + 1, 2 ** 40, 2n ** 60n, -(2n ** 63n)]) {
      for (const values of [
        [value],
        [value, 7],
        [0, 1, 2, value],
        Array<Integer>(20).fill(value),
      ]) {
        expect(() => read(values, true)).toThrow(OrcError)
      }
    }
    expect(() => read([7, greatest + 1], false)).toThrow(OrcError)
    // From 2 on in steps of −1: the fourth one is −1.
    const falling = new ByteInput(hex('c0 03 02 01'), { codec: null, blockBytes: 0 }, 'test')
    const lengths = new IntegerReader(falling, 'run-length-v2', false)
    expect(() => lengths.readInt32(new Int32Array(4), 4)).toThrow('-1 is out of range')
  })

  it.each(damaged)('$name gives an OrcError', ({ bytes }) => {
    expect(() => decode(hex(bytes), 2)).toThrow(OrcError)
  })
})
