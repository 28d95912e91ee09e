import { describe, expect, it } from 'vitest'
import { TimePrecision } from '../../../formats/debezium/debezium-time-precision.ts'
import { DecodeError } from '../../../model/errors.ts'

const columns = [
  { name: 'dt6', typeName: 'DATETIME', length: 6 },
  { name: 'dt', typeName: 'DATETIME' },
  { name: 't', typeName: 'TIME' },
  { name: 't6', typeName: 'TIME', length: 6 },
  { name: 'n', typeName: 'BIGINT' },
]

const connect = 'connect'
const byDefault = 'adaptive_time_microseconds'

const read = (precision: TimePrecision, row: Readonly<Record<string, unknown>>, name = 'm2') =>
  precision.modeFor(name, columns, row)

/** What one row alone shows. */
const shown = (row: Readonly<Record<string, unknown>>) => read(new TimePrecision(undefined), row)

const now = 1_709_210_096_789
const nowMicros = 1_709_210_096_789_012

describe('the unit of times, from the values', () => {
  it('what is stated is not inferred', () => {
    expect(read(new TimePrecision('microseconds'), { dt6: now })).toBe('microseconds')
  })

  it('a timestamp of this age shows it, in either unit', () => {
    expect(shown({ dt6: now })).toBe(connect)
    expect(shown({ dt6: nowMicros })).toBe(byDefault)
    expect(shown({ dt6: BigInt(nowMicros) })).toBe(byDefault)
    expect(shown({ dt6: -now })).toBe(connect)
  })

  it('a time that is negative, or longer than a day, cannot be milliseconds', () => {
    expect(shown({ t: -1_000_000 })).toBe(byDefault)
    expect(shown({ t: 86_400_000 })).toBe(byDefault)
    expect(shown({ t6: 86_399_999_999 })).toBe(byDefault)
  })

  it('a time with more digits than its column has cannot be microseconds', () => {
    expect(shown({ t: 45_296_789 })).toBe(connect)
    // A whole number of seconds in either unit: assumed.
    expect(shown({ t: 45_000_000 })).toBe(byDefault)
    expect(shown({ t6: 45_296_789 })).toBe(byDefault)
  })

  it('what shows nothing is read by the default and does not bind', () => {
    const precision = new TimePrecision(undefined)
    for (const row of [{}, { dt6: 0 }, { dt6: null }, { dt: now }, { n: now }, { dt6: 'x' }]) {
      expect(read(precision, row)).toBe(byDefault)
    }
    expect(precision.save()).toBe('')
    expect(read(precision, { dt6: now })).toBe(connect)
  })

  it('a conclusion holds for the rows that show nothing', () => {
    const precision = new TimePrecision(undefined)
    expect(read(precision, { dt6: now })).toBe(connect)
    expect(read(precision, { t: 45_000_000 })).toBe(connect)
    expect(read(precision, {})).toBe(connect)
    // Of another connector nothing is known.
    expect(read(precision, { t: 45_000_000 }, 'm9')).toBe(byDefault)
  })

  it('a row that contradicts what was read before is an error that names the setting', () => {
    for (const [first, second] of [
      [{ dt6: nowMicros }, { t: 45_296_789 }],
      [{ t: 45_296_789 }, { dt6: nowMicros }],
      // Assumed from one row, and the next one shows the other.
      [{ t: 45_000_000 }, { t: 45_296_789 }],
      [{ t: 45_000_000 }, { dt6: now }],
      [{ dt6: now }, { dt6: nowMicros }],
    ]) {
      const precision = new TimePrecision(undefined)
      read(precision, first!)
      expect(() => read(precision, second!)).toThrow(DecodeError)
      expect(() => read(precision, second!)).toThrow(/time\.precision\.mode.*"m2"/)
    }
  })

  it('a weaker sign never overrules a stronger one', () => {
    const precision = new TimePrecision(undefined)
    expect(read(precision, { dt6: nowMicros })).toBe(byDefault)
    expect(read(precision, { dt6: now })).toBe(byDefault)
    const other = new TimePrecision(undefined)
    expect(read(other, { t: 45_296_789 })).toBe(connect)
    expect(read(other, { t6: 45_296_789 })).toBe(connect)
  })

  it('what was learned is kept: a restart reads the same rows the same way', () => {
    const precision = new TimePrecision(undefined)
    read(precision, { dt6: now })
    read(precision, { dt6: nowMicros }, 'm3')
    const later = new TimePrecision(undefined)
    later.restore(precision.save())
    expect(later.save()).toBe(precision.save())
    expect(read(later, {})).toBe(connect)
    expect(() => read(later, { dt6: nowMicros })).toThrow(DecodeError)
    expect(read(later, {}, 'm3')).toBe(byDefault)
    later.restore('')
    expect(read(later, {})).toBe(connect)
  })
})
