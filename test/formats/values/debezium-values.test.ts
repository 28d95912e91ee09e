import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bitsText,
  bytesOf,
  decimalOf,
  integerOf,
  jsonTextOf,
  textOf,
  timestampOf,
  timeText,
  unscaledOf,
  variableScaleText,
} from '../../../formats/values/debezium-values.ts'
import { zonedTimestamp } from '../../../formats/values/iso-times.ts'
import { DecodeError } from '../../../model/errors.ts'
import { toInteger } from '../../../model/value.ts'
import { timestampText } from '../../../model/value-text.ts'

const milli = 1 / 1000
const nano = 1000

/** Two's complement in as few bytes as hold it, as Java's BigInteger writes it. */
function base64Of(value: bigint): string {
  let size = 1
  while (BigInt.asIntN(size * 8, value) !== value) size += 1
  const hex = BigInt.asUintN(size * 8, value)
    .toString(16)
    .padStart(size * 2, '0')
  return Buffer.from(hex, 'hex').toString('base64')
}

describe('decimals in base64', () => {
  it('any integer of up to 38 digits is read back, with leading bytes too', () => {
    const limit = 10n ** 38n - 1n
    fc.assert(
      fc.property(fc.bigInt(-limit, limit), fc.nat(4), (value, padding) => {
        const bytes = Buffer.from(base64Of(value), 'base64')
        const padded = Buffer.concat([Buffer.alloc(padding, value < 0n ? 0xff : 0), bytes])
        expect(unscaledOf(padded.toString('base64'))).toBe(toInteger(value))
      }),
      { numRuns: 1000 },
    )
  })

  it('at the edges of bytes, both signs', () => {
    for (let bits = 7; bits <= 127; bits += 8) {
      const power = 2n ** BigInt(bits)
      for (const value of [power - 1n, power, -power, -power - 1n]) {
        expect(unscaledOf(base64Of(value))).toBe(toInteger(value))
      }
    }
    expect(unscaledOf('AA==')).toBe(0)
    expect(unscaledOf('/w==')).toBe(-1)
  })

  it('are held to the precision of their column', () => {
    const type = { precision: 4, scale: 2 }
    expect(decimalOf(base64Of(-9999n), type)).toBe(-9999)
    expect(() => decimalOf(base64Of(10_000n), type)).toThrow(DecodeError)
  })

  it('of a scale of their own are exact text', () => {
    const text = (scale: number, unscaled: bigint): string =>
      variableScaleText({ scale, value: base64Of(unscaled) })
    expect(text(0, 5n)).toBe('5')
    expect(text(3, -5n)).toBe('-0.005')
    expect(text(-3, 5n)).toBe('5000')
    expect(text(50, 10n ** 60n)).toBe(`10000000000.${'0'.repeat(50)}`)
    // Recorded: numeric without a scale.
    expect(variableScaleText({ scale: 35, value: 'PIE/ZjbZhPJZW2o3KlPQ' })).toBe(
      '3.14159265358979323846264338327950288',
    )
  })

  it('are read from bytes as from their base64', () => {
    const bytes = (value: bigint) => new Uint8Array(Buffer.from(base64Of(value), 'base64'))
    expect(unscaledOf(bytes(-12_345n))).toBe(-12_345)
    expect(decimalOf(bytes(1234n), { precision: 4, scale: 2 })).toBe(1234)
    expect(variableScaleText({ scale: 3, value: bytes(-5n) })).toBe('-0.005')
    expect(bitsText(bytes(5n), 4)).toBe('0101')
    const given = bytes(7n)
    expect(bytesOf(given)).toBe(given)
  })

  it('what is no base64 of a number is refused', () => {
    for (const json of ['', 'a-b', '12.5', 5, null, {}, 'a b']) {
      expect(() => unscaledOf(json)).toThrow(DecodeError)
    }
    for (const scale of [9_999_999, -9_999_999, 1.5, Number.NaN]) {
      expect(() => variableScaleText({ scale, value: 'AQ==' })).toThrow(DecodeError)
    }
    for (const json of [null, {}, { scale: '2', value: 'AA==' }, { scale: 2 }, 7, 'AA==']) {
      expect(() => variableScaleText(json)).toThrow(DecodeError)
    }
  })
})

describe('times', () => {
  it('in each unit, negative, longer than a day, without trailing zeros', () => {
    for (const [json, unit, text] of [
      [0, milli, '00:00:00'],
      [45_296_789, milli, '12:34:56.789'],
      [45_296_789_012, 1, '12:34:56.789012'],
      [45_296_789_012_345, nano, '12:34:56.789012'],
      [86_400_000_000, 1, '24:00:00'],
      [3_020_399_000_000, 1, '838:59:59'],
      [-3_020_399_000_000, 1, '-838:59:59'],
      [-1, 1, '-00:00:00.000001'],
      [-1_500_000, 1, '-00:00:01.5'],
      [100_000, 1, '00:00:00.1'],
    ] as const) {
      expect(timeText(json, unit)).toBe(text)
    }
  })

  it('what is no whole number is refused', () => {
    for (const json of ['12:00:00', 1.5, null, {}, true]) {
      expect(() => timeText(json, 1)).toThrow(DecodeError)
    }
  })
})

describe('timestamps', () => {
  it('in each unit are the same microseconds, before 1970 too', () => {
    fc.assert(
      fc.property(fc.bigInt(-62_135_596_800_000n, 253_402_300_799_999n), ms => {
        const micros = toInteger(ms * 1000n)
        expect(timestampOf(toInteger(ms), milli)).toBe(micros)
        expect(timestampOf(micros, 1)).toBe(micros)
        expect(timestampOf(toInteger(ms * 1_000_000n), nano)).toBe(micros)
      }),
    )
  })

  it('nanoseconds are cut to the microsecond that has begun, before 1970 too', () => {
    expect(timestampOf(1999, nano)).toBe(1)
    expect(timestampOf(-1, nano)).toBe(-1)
    expect(timestampOf(-1000, nano)).toBe(-1)
    expect(timestampOf(-1001, nano)).toBe(-2)
    expect(timestampOf(1_795_249_100_379_024_592n, nano)).toBe(1_795_249_100_379_024)
  })

  it('infinity is the first and the last moment that Hive has, in either unit', () => {
    const last = '9999-12-31 23:59:59.999999'
    const first = '0001-01-01 00:00:00'
    for (const [json, unit, text] of [
      [9_223_372_036_825_200_000n, 1, last],
      [-9_223_372_036_832_400_000n, 1, first],
      [9_223_372_036_854_775_807n, nano, last],
      [-9_223_372_036_854_775_808n, nano, first],
    ] as const) {
      expect(timestampText(timestampOf(json, unit))).toBe(text)
    }
    expect(timestampText(zonedTimestamp('infinity'))).toBe(last)
    expect(timestampText(zonedTimestamp('-infinity'))).toBe(first)
    // In the one form that an integer has: beyond 2^53 a bigint.
    for (const json of ['infinity', '-infinity']) expect(zonedTimestamp(json)).toBeTypeOf('bigint')
  })

  it('what is no whole number is refused', () => {
    for (const json of ['2024-01-01', 1.5, null, [], Number.NaN]) {
      expect(() => timestampOf(json, 1)).toThrow(DecodeError)
    }
  })
})

describe('zoned timestamps', () => {
  it('with any offset are the instant that they name', () => {
    for (const [json, text] of [
      ['2024-02-29T12:34:56.789012Z', '2024-02-29 12:34:56.789012'],
      ['2024-02-29T12:34:56.789012+08:00', '2024-02-29 04:34:56.789012'],
      ['2024-02-29T12:34:56-03:30', '2024-02-29 16:04:56'],
      ['2024-02-29T00:00:00+0530', '2024-02-28 18:30:00'],
      ['2024-02-29T00:00:00+05', '2024-02-28 19:00:00'],
      ['1890-01-01T00:00:00+00:19:32', '1889-12-31 23:40:28'],
      ['2024-02-29T12:34Z', '2024-02-29 12:34:00'],
      ['2024-02-29T12:34:56.1Z', '2024-02-29 12:34:56.1'],
      ['2024-02-29T12:34:56.123456789Z', '2024-02-29 12:34:56.123456'],
      ['1969-12-31T23:59:59.999999Z', '1969-12-31 23:59:59.999999'],
      ['1500-02-28T00:00:00Z', '1500-02-28 00:00:00'],
      ['0001-01-01T00:00:00Z', '0001-01-01 00:00:00'],
      ['9999-12-31T23:59:59.999999Z', '9999-12-31 23:59:59.999999'],
      ['+10000-01-01T00:00:00Z', '+10000-01-01 00:00:00'],
      ['-0043-03-15T00:00:00Z', '-0043-03-15 00:00:00'],
      ['0044-03-15T00:00:00Z BC', '-0043-03-15 00:00:00'],
      ['2000-02-29T00:00:00Z', '2000-02-29 00:00:00'],
    ] as const) {
      expect([json, timestampText(zonedTimestamp(json))]).toEqual([json, text])
    }
  })

  it('are as JavaScript reads them, to the millisecond', () => {
    const parts = fc.record({
      ms: fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
      micros: fc.nat(999),
      offset: fc.integer({ min: -1079, max: 1079 }),
    })
    fc.assert(
      fc.property(parts, ({ ms, micros, offset }) => {
        const shown = new Date(ms).toISOString().slice(0, -1)
        const minutes = Math.abs(offset)
        const clock = [Math.floor(minutes / 60), minutes % 60]
        const zone = (offset < 0 ? '-' : '+') + clock.map(n => String(n).padStart(2, '0')).join(':')
        const json = `${shown}${String(micros).padStart(3, '0')}${zone}`
        const expected = BigInt(ms - offset * 60_000) * 1000n + BigInt(micros)
        expect(BigInt(zonedTimestamp(json))).toBe(expected)
      }),
      { numRuns: 500 },
    )
  })

  it('a day, an hour or an offset that does not exist is refused, and never rolls over', () => {
    for (const json of [
      '0000-00-00T00:00:00Z',
      '2024-00-01T00:00:00Z',
      '2024-13-01T00:00:00Z',
      '2024-02-30T00:00:00Z',
      '2023-02-29T00:00:00Z',
      '1900-02-29T00:00:00Z',
      '2024-04-31T00:00:00Z',
      '2024-01-32T00:00:00Z',
      '2024-01-01T24:00:00Z',
      '2024-01-01T00:60:00Z',
      '2024-01-01T00:00:60Z',
      '2024-01-01T00:00:00+19:00',
      '2024-01-01T00:00:00+01:60',
    ]) {
      expect(() => zonedTimestamp(json), json).toThrow(DecodeError)
    }
  })

  it('what has another form is refused', () => {
    const bad = [
      '',
      '2024-01-01',
      '2024-01-01 00:00:00Z',
      '2024-01-01T00:00:00',
      'now',
      5,
      null,
      {},
    ]
    for (const json of bad) expect(() => zonedTimestamp(json)).toThrow(DecodeError)
  })
})

describe('bits', () => {
  it('come lowest byte first, and are text with the highest bit first', () => {
    expect(bitsText('gQ==', 8)).toBe('10000001')
    expect(bitsText('BQ==', 16)).toBe('0000000000000101')
    expect(bitsText(Buffer.from([0x34, 0x12]).toString('base64'), 16)).toBe('0001001000110100')
    expect(bitsText(Buffer.from([0xff, 0x01]).toString('base64'), 9)).toBe('111111111')
    expect(bitsText('AA==', 1)).toBe('0')
    expect(bitsText('/////////wE=', 64)).toBe(`00000001${'1'.repeat(56)}`)
  })

  it('without a length of their own are not padded to the longest that there is', () => {
    // PostgreSQL's `bit varying` without a length.
    expect(bitsText('BQ==', 2_147_483_647)).toBe('00000101')
  })
})

describe('the other forms', () => {
  it('bytes are base64, and nothing else is taken for it', () => {
    expect(bytesOf('AP8Q/g==')).toEqual(Buffer.from([0, 255, 16, 254]))
    expect(bytesOf('')).toEqual(Buffer.alloc(0))
    for (const json of ['a-b_', '=AA=', 'AA===', 1, null, ['AA==']]) {
      expect(() => bytesOf(json)).toThrow(DecodeError)
    }
  })

  it('integers are whole and fit', () => {
    expect(integerOf({ kind: 'bigint' }, 2n ** 63n - 1n)).toBe(2n ** 63n - 1n)
    for (const json of [1.5, '1', true, null, 2n ** 63n, Number.NaN]) {
      expect(() => integerOf({ kind: 'bigint' }, json)).toThrow(DecodeError)
    }
  })

  it('text is text; anything else is a data error, with long integers in it too', () => {
    expect(textOf('😀')).toBe('😀')
    for (const json of [1, true, null, { a: 2n ** 64n }, [2n ** 64n], 2n ** 64n]) {
      expect(() => textOf(json)).toThrow(DecodeError)
    }
  })

  it('bits beyond the length of their column are refused, and so is a length without end', () => {
    expect(bitsText('/w==', 8)).toBe('11111111')
    expect(bitsText('Dw==', 4)).toBe('1111')
    expect(() => bitsText('Hw==', 4)).toThrow(DecodeError)
    expect(() => bitsText('AQ==', 2 ** 30)).toThrow(DecodeError)
  })

  it('a struct is JSON text', () => {
    expect(jsonTextOf({ x: 1.5, wkb: 'AQ==', srid: null })).toBe(
      '{"x":1.5,"wkb":"AQ==","srid":null}',
    )
    expect(jsonTextOf([2n ** 64n, Number.NaN, undefined, 'a"b', true])).toBe(
      '[18446744073709551616,"NaN",null,"a\\"b",true]',
    )
    expect(jsonTextOf({ b: Buffer.from([1]), a: { c: [] } })).toBe('{"b":"AQ==","a":{"c":[]}}')
  })

  it('a struct that is nested without end is refused', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
    expect(() => jsonTextOf(deep)).toThrow('nested deeper than 200 levels')
  })
})
