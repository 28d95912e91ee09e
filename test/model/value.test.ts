import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DecodeError } from '../../model/errors.ts'
import {
  checkInteger,
  misfit,
  parseDecimal,
  powerOfTen,
  rescale,
  toInteger,
  unscaledText,
} from '../../model/value.ts'
import { anyValue } from './samples.ts'

const sizes = fc
  .record({ precision: fc.integer({ min: 1, max: 38 }), scale: fc.nat(38) })
  .filter(({ precision, scale }) => scale <= precision)

const decimal = sizes.chain(to =>
  fc.record({
    to: fc.constant(to),
    value: anyValue({ kind: 'decimal', ...to }) as fc.Arbitrary<number | bigint>,
  }),
)

describe('integers', () => {
  it('are numbers up to 2^53 − 1 and bigints beyond', () => {
    expect(toInteger(2n ** 53n - 1n)).toBe(2 ** 53 - 1)
    expect(toInteger(-(2n ** 53n) + 1n)).toBe(-(2 ** 53) + 1)
    expect(toInteger(2n ** 53n)).toBe(2n ** 53n)
    expect(toInteger(-(2n ** 53n))).toBe(-(2n ** 53n))
  })

  it('are held to the range of their type, at both ends', () => {
    for (const [kind, min, max] of [
      ['tinyint', -(2n ** 7n), 2n ** 7n - 1n],
      ['smallint', -(2n ** 15n), 2n ** 15n - 1n],
      ['int', -(2n ** 31n), 2n ** 31n - 1n],
      ['bigint', -(2n ** 63n), 2n ** 63n - 1n],
      ['ubigint', 0n, 2n ** 64n - 1n],
    ] as const) {
      for (const fitting of [min, max]) {
        expect(checkInteger({ kind }, toInteger(fitting))).toBe(toInteger(fitting))
      }
      for (const beyond of [min - 1n, max + 1n]) {
        expect(() => checkInteger({ kind }, toInteger(beyond))).toThrow(DecodeError)
      }
    }
  })
})

describe('decimals', () => {
  it('any unscaled integer is read back from its text', () => {
    fc.assert(
      fc.property(decimal, ({ to, value }) => {
        expect(parseDecimal(unscaledText(value, to.scale), to)).toBe(value)
      }),
      { numRuns: 1000 },
    )
  })

  it('are written with all digits of their scale', () => {
    for (const [unscaled, scale, text] of [
      [0, 0, '0'],
      [0, 2, '0.00'],
      [-5, 2, '-0.05'],
      [-150, 2, '-1.50'],
      [1, 38, `0.${'0'.repeat(37)}1`],
      [-(10n ** 38n) + 1n, 38, `-0.${'9'.repeat(38)}`],
      [10n ** 38n - 1n, 0, '9'.repeat(38)],
    ] as const) {
      expect(unscaledText(unscaled, scale)).toBe(text)
    }
  })

  it('are read in every form that a number is written in', () => {
    const to = { precision: 10, scale: 2 }
    for (const [text, unscaled] of [
      ['12.34', 1234],
      ['+12.34', 1234],
      ['-12.34', -1234],
      [' 12.34 ', 1234],
      ['12', 1200],
      ['12.', 1200],
      ['.5', 50],
      ['-.5', -50],
      ['12.3400000', 1234],
      ['1234e-2', 1234],
      ['1.234E+1', 1234],
      ['0.0', 0],
      ['-0', 0],
      ['00012.30', 1230],
      ['99999999.99', 9_999_999_999],
    ] as const) {
      expect([text, parseDecimal(text, to)]).toEqual([text, unscaled])
    }
  })

  it('what is no number, or does not fit, is refused and never rounded', () => {
    const to = { precision: 4, scale: 2 }
    const bad = [
      '',
      '.',
      '-',
      'e5',
      '1e',
      '1,5',
      '1 2',
      'NaN',
      'Infinity',
      '0x10',
      '12.345',
      '100',
      '-100.00',
      '1e-3',
      '1e9999',
      '1e99999',
    ]
    for (const text of bad) expect(() => parseDecimal(text, to), text).toThrow(DecodeError)
  })

  it('rescaling is exact or refused', () => {
    fc.assert(
      fc.property(decimal, sizes, ({ to: from, value }, to) => {
        const shifted = BigInt(value) * powerOfTen(38)
        const exact = shifted / powerOfTen(38 + from.scale - to.scale)
        const isExact = exact * powerOfTen(38 + from.scale - to.scale) === shifted
        const magnitude = exact < 0n ? -exact : exact
        if (isExact && magnitude < powerOfTen(to.precision)) {
          expect(rescale(value, from.scale, to)).toBe(toInteger(exact))
        } else {
          expect(() => rescale(value, from.scale, to)).toThrow(DecodeError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a misfit', () => {
  it('shows the value, cut short, whatever it is', () => {
    const int = { kind: 'int' } as const
    expect(misfit(int, 'x'.repeat(500)).message.length).toBeLessThan(100)
    expect(misfit(int, 2n ** 64n).message).toContain('18446744073709551616')
    expect(misfit(int, undefined).message).toContain('undefined')
    // JSON has no bigints: the message of an error must not become another error.
    expect(misfit(int, { a: [2n ** 64n] })).toBeInstanceOf(DecodeError)
    expect(misfit(int, [2n ** 64n]).message).toContain('18446744073709551616')
    expect(misfit(int, null).code).toBe('value-invalid')
  })
})
