import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromJson, toJson } from '../../model/json.ts'

const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true }).map(value => (Object.is(value, -0) ? 0 : value)),
  fc.bigInt(),
  fc.string({ unit: 'binary' }),
  fc.uint8Array().map(bytes => Buffer.from(bytes)),
)

describe('internal JSON', () => {
  it('keeps bigints and bytes, wherever they are', () => {
    const name = fc
      .string()
      .filter(key => !['$int', '$bytes', '$double', '__proto__'].includes(key))
    const { tree } = fc.letrec(tie => ({
      tree: fc.oneof(
        { weight: 3, arbitrary: leaf },
        { weight: 1, arbitrary: fc.array(tie('tree'), { maxLength: 4 }) },
        { weight: 1, arbitrary: fc.dictionary(name, tie('tree'), { noNullPrototype: true }) },
      ),
    }))
    fc.assert(
      fc.property(tree, value => {
        expect(fromJson(toJson(value))).toEqual(value)
      }),
      { numRuns: 1000 },
    )
  })

  it('keeps a bigint a bigint and a number a number', () => {
    expect(fromJson(toJson({ a: 1n, b: 1, c: 2n ** 64n }))).toStrictEqual({
      a: 1n,
      b: 1,
      c: 2n ** 64n,
    })
  })

  it('keeps what a double can be and JSON cannot: a default of NaN is not null', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0]) {
      expect(fromJson(toJson({ value }))).toStrictEqual({ value })
    }
  })

  it('an array of bytes and a buffer are the same bytes', () => {
    expect(toJson(Uint8Array.of(0, 255))).toBe('{"$bytes":"AP8="}')
    expect(toJson(Buffer.from([0, 255]))).toBe('{"$bytes":"AP8="}')
    expect(toJson([new Uint8Array(Buffer.from([9, 0, 255]).subarray(1))])).toBe(
      '[{"$bytes":"AP8="}]',
    )
  })

  it('text that looks like a bigint stays text', () => {
    expect(fromJson(toJson('{"$int":"1"}'))).toBe('{"$int":"1"}')
  })
})
