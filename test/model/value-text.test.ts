import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnType } from '../../model/column-type.ts'
import type { Value } from '../../model/value.ts'
import {
  civilFromDays,
  dateText,
  daysFromCivil,
  jsonText,
  plainText,
  splitDays,
  timestampText,
  yearMonthText,
} from '../../model/value-text.ts'
import { anyType, anyValue } from './samples.ts'

const msPerDay = 86_400_000

/** JavaScript's own calendar, which is proleptic Gregorian as well. */
function isoDate(days: number): string {
  const text = new Date(days * msPerDay).toISOString()
  return text.slice(0, text.indexOf('T'))
}

describe('dates', () => {
  it('days of all the years 0 to 9999 are as JavaScript has them', () => {
    const first = Date.UTC(2000, 0, 1) / msPerDay - 730_485
    expect(isoDate(first)).toBe('0000-01-01')
    let wrong = 0
    for (let days = first; days <= 2_932_896; days += 29) {
      if (dateText(days) !== isoDate(days)) wrong += 1
    }
    expect(wrong).toBe(0)
    expect(dateText(2_932_896)).toBe('9999-12-31')
  })

  it('around the change of calendars, the first years and the ends', () => {
    for (const [text, days] of [
      ['1970-01-01', 0],
      ['1969-12-31', -1],
      ['1582-10-15', -141_427],
      ['1582-10-14', -141_428],
      ['1582-10-04', -141_438],
      ['1500-02-28', -171_606],
      ['1500-03-01', -171_605],
      ['0001-01-01', -719_162],
      ['0000-12-31', -719_163],
      ['0000-02-29', -719_469],
      ['-0001-12-31', -719_529],
      ['-0043-03-15', -735_160],
      ['+10000-01-01', 2_932_897],
    ] as const) {
      expect(dateText(days)).toBe(text)
    }
  })

  it('a day and its year, month and day are each other’s inverse, for any year', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), days => {
        const { year, month, day } = civilFromDays(days)
        expect(daysFromCivil(year, month, day)).toBe(days)
        if (Math.abs(days) < 90_000_000) {
          const date = new Date(days * msPerDay)
          expect([year, month, day]).toEqual([
            date.getUTCFullYear(),
            date.getUTCMonth() + 1,
            date.getUTCDate(),
          ])
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('a month is the beginning of its dates', () => {
    fc.assert(
      fc.property(fc.integer({ min: -3_000_000, max: 4_000_000 }), days => {
        expect(dateText(days).slice(0, -3)).toBe(yearMonthText(days))
      }),
    )
  })
})

describe('timestamps', () => {
  it('the fraction has no trailing zeros, and there is none when it is zero', () => {
    for (const [micros, text] of [
      [0, '1970-01-01 00:00:00'],
      [1, '1970-01-01 00:00:00.000001'],
      [100_000, '1970-01-01 00:00:00.1'],
      [1_000_001, '1970-01-01 00:00:01.000001'],
      [-1, '1969-12-31 23:59:59.999999'],
      [-1_000_000, '1969-12-31 23:59:59'],
      [-86_400_000_000, '1969-12-31 00:00:00'],
      [-12_219_292_800_000_000n, '1582-10-15 00:00:00'],
      [-12_219_292_800_000_001n, '1582-10-14 23:59:59.999999'],
      [-62_135_596_800_000_000n, '0001-01-01 00:00:00'],
      [253_402_300_799_999_999n, '9999-12-31 23:59:59.999999'],
      [253_402_300_800_000_000n, '+10000-01-01 00:00:00'],
    ] as const) {
      expect(timestampText(micros)).toBe(text)
    }
  })

  it('any microsecond is as JavaScript has its millisecond', () => {
    const micros = fc.bigInt(-62_167_219_200_000_000n, 253_402_300_799_999_999n)
    fc.assert(
      fc.property(micros, value => {
        const floor = value / 1000n - (value < 0n && value % 1000n !== 0n ? 1n : 0n)
        const iso = new Date(Number(floor)).toISOString().replace('T', ' ').slice(0, 23)
        const rest = (value - floor * 1000n).toString().padStart(3, '0')
        const expected = `${iso}${rest}`.replace(/\.?0*$/, '')
        const small = Number.isSafeInteger(Number(value)) ? Number(value) : value
        expect(timestampText(small)).toBe(expected)
      }),
      { numRuns: 1000 },
    )
  })

  it('a number and a bigint are split alike, and the rest is never negative', () => {
    const micros = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
    fc.assert(
      fc.property(micros, value => {
        const [days, rest] = splitDays(value)
        expect(splitDays(BigInt(value))).toEqual([days, rest])
        expect(rest >= 0 && rest < 86_400_000_000).toBe(true)
        expect(BigInt(days) * 86_400_000_000n + BigInt(rest)).toBe(BigInt(value))
      }),
    )
  })
})

describe('floating point', () => {
  const float: ColumnType = { kind: 'float' }
  const double: ColumnType = { kind: 'double' }

  it('a float is the shortest text that reads back as it', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), value => {
        const text = jsonText(float, value)
        expect(Math.fround(Number(text))).toBe(value)
        const digits = (one: string): number =>
          one.replace(/e.*$/, '').replaceAll(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '')
            .length
        for (let fewer = 1; fewer < digits(text); fewer += 1) {
          expect(Math.fround(Number(value.toPrecision(fewer)))).not.toBe(value)
        }
      }),
      { numRuns: 2000 },
    )
    expect(jsonText(float, Math.fround(0.1))).toBe('0.1')
    expect(jsonText(float, Math.fround(16_777_217))).toBe('16777216')
    expect(jsonText(float, 2 ** -149)).toBe('1e-45')
  })

  it('a double reads back as itself, minus zero too', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), value => {
        expect(JSON.parse(jsonText(double, value))).toBe(value)
      }),
    )
  })

  it('what JSON has no number for is text', () => {
    for (const type of [float, double]) {
      expect(jsonText(type, Number.NaN)).toBe('"NaN"')
      expect(jsonText(type, Number.POSITIVE_INFINITY)).toBe('"Infinity"')
      expect(jsonText(type, Number.NEGATIVE_INFINITY)).toBe('"-Infinity"')
    }
  })
})

describe('values as JSON', () => {
  it('any value of any type is valid JSON of one line', () => {
    const sample = anyType.chain(type =>
      fc.record({ type: fc.constant(type), value: fc.option(anyValue(type)) }),
    )
    fc.assert(
      fc.property(sample, ({ type, value }) => {
        const text = jsonText(type, value)
        expect(() => JSON.parse(text)).not.toThrow()
        expect(text).not.toMatch(/[\n\r]/)
      }),
      { numRuns: 1000 },
    )
  })

  it('each type has the form that is promised', () => {
    const cases: readonly (readonly [ColumnType, Value | undefined, string])[] = [
      [{ kind: 'ubigint' }, 2n ** 64n - 1n, '18446744073709551615'],
      [{ kind: 'bigint' }, -(2n ** 63n), '-9223372036854775808'],
      [{ kind: 'decimal', precision: 5, scale: 2 }, 10, '"0.10"'],
      [{ kind: 'boolean' }, false, 'false'],
      [{ kind: 'binary' }, Buffer.from([0, 255]), '"AP8="'],
      [{ kind: 'date' }, -1, '"1969-12-31"'],
      [{ kind: 'timestamp' }, 1, '"1970-01-01 00:00:00.000001"'],
      [{ kind: 'timestamptz' }, 0, '"1970-01-01 00:00:00"'],
      [{ kind: 'string' }, '😀"\n', '"😀\\"\\n"'],
      [{ kind: 'string' }, '\ud83d', '"\\ud83d"'],
      [{ kind: 'char', length: 2 }, 'ab', '"ab"'],
      [{ kind: 'array', element: { kind: 'date' } }, [0, null], '["1970-01-01",null]'],
      [{ kind: 'int' }, null, 'null'],
      [{ kind: 'int' }, undefined, 'null'],
    ]
    for (const [type, value, text] of cases) expect(jsonText(type, value)).toBe(text)
  })

  it('plain text has no quotes, and null is empty', () => {
    expect(plainText({ kind: 'string' }, 'a"b')).toBe('a"b')
    expect(plainText({ kind: 'boolean' }, true)).toBe('true')
    expect(plainText({ kind: 'decimal', precision: 3, scale: 1 }, -5)).toBe('-0.5')
    expect(plainText({ kind: 'int' }, null)).toBe('')
  })
})
