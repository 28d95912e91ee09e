import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnType } from '../../model/column-type.ts'
import { DecodeError, InvariantError } from '../../model/errors.ts'
import { decodeKey, encodeKey } from '../../model/key.ts'
import type { Value } from '../../model/value.ts'
import { powerOfTen, toInteger } from '../../model/value.ts'
import { anyScalar, anyText, anyValue, column, compareBytes, compareKeys, sign } from './samples.ts'

const int = { kind: 'int' } as const
const bigint = { kind: 'bigint' } as const
const string = { kind: 'string' } as const
const binary = { kind: 'binary' } as const
const double = { kind: 'double' } as const
const decimal = (precision: number, scale: number) =>
  ({ kind: 'decimal', precision, scale }) as const

const keyOf = (type: ColumnType, value: Value): string => encodeKey([column('k', type)], [value])

function compareNumbers(a: number | bigint, b: number | bigint): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Order of keys against order of values, for every pair. */
function expectSameOrder<T extends Value>(
  type: ColumnType,
  values: readonly T[],
  compare: (a: T, b: T) => number,
): void {
  const keys = values.map(value => keyOf(type, value))
  const wrong = values.flatMap((a, i) =>
    values.flatMap((b, j) =>
      compareKeys(keys[i]!, keys[j]!) === compare(a, b) ? [] : [[a, b] as const],
    ),
  )
  expect(wrong).toEqual([])
}

/** As `decodeKey` gives it back: no minus zero, one NaN, and text without halves of pairs. */
function canonical(value: Value): Value {
  if (typeof value === 'number' && Object.is(value, -0)) return 0
  return typeof value === 'string' ? value.toWellFormed() : value
}

describe('a key gives its values back', () => {
  it('of any types, several together, nulls among them', () => {
    const sample = fc.array(anyScalar, { minLength: 1, maxLength: 5 }).chain(types =>
      fc.record({
        types: fc.constant(types),
        values: fc.tuple(...types.map(type => fc.option(anyValue(type)))) as fc.Arbitrary<Value[]>,
      }),
    )
    fc.assert(
      fc.property(sample, ({ types, values }) => {
        const columns = types.map((type, index) => column(`c${index}`, type))
        const key = encodeKey(columns, values)
        expect(Array.from(key).every(char => char <= '\xff')).toBe(true)
        expect(decodeKey(columns, key)).toEqual(values.map(canonical))
      }),
      { numRuns: 1000 },
    )
  })

  it('a key with too many or too few bytes is refused', () => {
    const columns = [column('a', string), column('b', int)]
    const key = encodeKey(columns, ['x', 300])
    expect(() => decodeKey(columns, `${key}\0`)).toThrow(InvariantError)
    for (let end = 0; end < key.length; end += 1) {
      expect(() => decodeKey(columns, key.slice(0, end))).toThrow(InvariantError)
    }
  })

  it('an array is no key, and the error names the column', () => {
    const type = { kind: 'array', element: int } as const
    expect(() => encodeKey([column('tags', type)], [[1]])).toThrow(DecodeError)
    expect(() => encodeKey([column('tags', type)], [[1]])).toThrow(/tags/)
  })
})

describe('the order of keys is the order of their values', () => {
  const edges = Array.from({ length: 127 }, (_, bit) => 2n ** BigInt(bit)).flatMap(power =>
    [power - 1n, power, power + 1n].flatMap(value => [value, -value]),
  )

  it('integers, beside every power of two up to 2^126', () => {
    const sorted = [...new Set(edges)].sort(compareNumbers).map(toInteger)
    const keys = sorted.map(value => keyOf(decimal(38, 0), value))
    for (let index = 1; index < keys.length; index += 1) {
      expect(compareKeys(keys[index - 1]!, keys[index]!)).toBe(-1)
    }
    expect(sorted.length).toBeGreaterThan(700)
  })

  it('any two integers and decimals of one scale', () => {
    const pair = fc
      .record({ precision: fc.integer({ min: 1, max: 38 }), scale: fc.nat(38) })
      .filter(({ precision, scale }) => scale <= precision)
      .chain(({ precision, scale }) => {
        const value = anyValue(decimal(precision, scale))
        return fc.tuple(fc.constant(decimal(precision, scale)), value, value)
      })
    fc.assert(
      fc.property(pair, ([type, a, b]) => {
        const [left, right] = [a, b] as (number | bigint)[]
        const order = compareKeys(keyOf(type, a), keyOf(type, b))
        expect(order).toBe(compareNumbers(left!, right!))
      }),
      { numRuns: 2000 },
    )
  })

  it('small decimals around zero, where the whole part and the fraction differ in sign', () => {
    const values = Array.from({ length: 501 }, (_, index) => index - 250)
    expectSameOrder(decimal(5, 2), values, compareNumbers)
    expectSameOrder(decimal(5, 1), values.slice(200, 300), compareNumbers)
    expectSameOrder(decimal(5, 5), values.slice(200, 300), compareNumbers)
  })

  it('text by code point, binary by byte, zeros inside', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        const order = compareBytes(Buffer.from(a), Buffer.from(b))
        expect(compareKeys(keyOf(string, a), keyOf(string, b))).toBe(order)
      }),
      { numRuns: 1000 },
    )
    const some = fc.array(fc.constantFrom(0, 1, 2, 0xfe, 0xff), { maxLength: 4 })
    fc.assert(
      fc.property(some, some, (a, b) => {
        const [left, right] = [Buffer.from(a), Buffer.from(b)]
        expect(compareKeys(keyOf(binary, left), keyOf(binary, right))).toBe(
          compareBytes(left, right),
        )
      }),
      { numRuns: 1000 },
    )
    expectSameOrder(
      string,
      ['', '\0', '\0\0', '\0a', '\x01', 'a', 'a\0', 'aa', '\u{ffff}', '😀'],
      (a, b) => compareBytes(Buffer.from(a), Buffer.from(b)),
    )
  })

  it('doubles: infinities, subnormals, both zeros as one, NaN behind all', () => {
    const values = [
      Number.NEGATIVE_INFINITY,
      -Number.MAX_VALUE,
      -1.5,
      -1,
      -Number.MIN_VALUE,
      -0,
      0,
      Number.MIN_VALUE,
      1,
      1.5,
      Number.MAX_VALUE,
      Number.POSITIVE_INFINITY,
      Number.NaN,
    ]
    const rank = (value: number): number => (Number.isNaN(value) ? 2 : 1)
    const compare = (a: number, b: number): number => {
      if (rank(a) !== rank(b)) return sign(rank(a) - rank(b))
      return Number.isNaN(a) ? 0 : compareNumbers(a + 0, b + 0)
    }
    expectSameOrder(double, values, compare)
    fc.assert(
      fc.property(fc.double(), fc.double(), (a, b) => {
        expect(compareKeys(keyOf(double, a), keyOf(double, b))).toBe(compare(a, b))
      }),
    )
  })

  it('null comes first, in every type', () => {
    fc.assert(
      fc.property(
        anyScalar.chain(type => fc.tuple(fc.constant(type), anyValue(type))),
        ([type, value]) => {
          expect(compareKeys(keyOf(type, null), keyOf(type, value))).toBe(-1)
        },
      ),
    )
  })

  it('composite keys compare column by column, whatever the lengths of the first', () => {
    const columns = [column('a', string), column('b', decimal(6, 2)), column('c', binary)]
    const a = fc.option(fc.string({ unit: fc.constantFrom('\0', 'a', 'ÿ'), maxLength: 3 }))
    const b = fc.option(fc.integer({ min: -400, max: 400 }))
    const c = fc.option(
      fc.array(fc.constantFrom(0, 1, 0xff), { maxLength: 2 }).map(bytes => Buffer.from(bytes)),
    )
    const row = fc.tuple(a, b, c)
    const compare = (x: Value, y: Value): number => {
      if (x === null || y === null) return sign(Number(x !== null) - Number(y !== null))
      if (typeof x === 'number') return compareNumbers(x, y as number)
      return compareBytes(Buffer.from(x as string), Buffer.from(y as string))
    }
    fc.assert(
      fc.property(row, row, (x, y) => {
        const expected = x.map((value, index) => compare(value, y[index]!)).find(one => one !== 0)
        expect(compareKeys(encodeKey(columns, x), encodeKey(columns, y))).toBe(expected ?? 0)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('a key is of the logical value, not of the type', () => {
  const integers = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)

  it('int, bigint, ubigint and decimals without a fraction share a key', () => {
    fc.assert(
      fc.property(integers, fc.integer({ min: 1, max: 18 }), (value, scale) => {
        const key = keyOf(bigint, toInteger(value))
        expect(keyOf(decimal(19, 0), toInteger(value))).toBe(key)
        expect(keyOf(decimal(38, scale), toInteger(value * powerOfTen(scale)))).toBe(key)
        if (value >= 0n) expect(keyOf({ kind: 'ubigint' }, toInteger(value))).toBe(key)
        if (Math.abs(Number(value)) < 2 ** 31) expect(keyOf(int, Number(value))).toBe(key)
      }),
    )
  })

  it('a number and a bigint of one value share a key, zero too', () => {
    for (const value of [0, 1, -1, 255, 256, 65_536, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      expect(keyOf(bigint, BigInt(value))).toBe(keyOf(bigint, value))
    }
    expect(keyOf(bigint, -0)).toBe(keyOf(bigint, 0))
  })

  it('a decimal keeps its key when its scale grows', () => {
    fc.assert(
      fc.property(integers, fc.nat(10), fc.integer({ min: 1, max: 8 }), (value, scale, more) => {
        const wider = toInteger(value * powerOfTen(more))
        const key = keyOf(decimal(30, scale), toInteger(value))
        expect(keyOf(decimal(38, scale + more), wider)).toBe(key)
      }),
    )
  })

  it('varchar, char and string share a key, and a key of text is no key of bytes', () => {
    expect(keyOf({ kind: 'varchar', length: 3 }, 'abc')).toBe(keyOf(string, 'abc'))
    expect(keyOf({ kind: 'char', length: 3 }, 'abc')).toBe(keyOf(string, 'abc'))
    expect(keyOf(binary, Buffer.from('abc'))).not.toBe(keyOf(string, 'abc'))
  })

  it('a float has one key, whether its decimal text or its stored bits were read', () => {
    // A connector sends 0.1; a file of floats gives back 0.10000000149011612.
    expect(keyOf({ kind: 'float' }, 0.1)).toBe(keyOf({ kind: 'float' }, Math.fround(0.1)))
  })

  it('different values never share a key', () => {
    const values: readonly (readonly [ColumnType, Value])[] = [
      [string, null],
      [string, ''],
      [binary, Buffer.alloc(0)],
      [int, 0],
      [int, 1],
      [decimal(3, 1), 1],
      [double, 1],
      [double, 0],
      [string, '\0'],
      [binary, Buffer.from([0])],
    ]
    expect(new Set(values.map(([type, value]) => keyOf(type, value))).size).toBe(values.length)
  })
})
