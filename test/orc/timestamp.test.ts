import { expect, it } from 'vitest'
import { hybridToProlepticDay, hybridToProlepticSeconds } from '../../orc/calendar.ts'
import { decodeNanos, encodeNanos, secondsOfStored, storedSeconds } from '../../orc/timestamp.ts'

it('nanoseconds lose their trailing zeros', () => {
  expect(encodeNanos(0)).toBe(0)
  expect(encodeNanos(1000)).toBe(0x0a)
  expect(encodeNanos(100_000)).toBe(0x0c)
  expect(encodeNanos(999_999_999)).toBe(999_999_999 * 8)
  expect(encodeNanos(10)).toBe(80)
})

it('nanoseconds are read back, whatever their zeros', () => {
  for (let zeros = 1; zeros <= 1e8; zeros *= 10) {
    for (const digits of [1, 2, 7, 9, 10, 12, 99]) {
      const nanos = (digits * zeros) % 1e9
      expect(decodeNanos(encodeNanos(nanos))).toBe(nanos)
    }
  }
})

it('seconds before 1970 with a millisecond and more are stored one too high', () => {
  expect(storedSeconds(-5, 999_999)).toBe(-5 - 1_420_070_400)
  expect(storedSeconds(-5, 1_000_000)).toBe(-4 - 1_420_070_400)
  for (const nanos of [0, 999_999, 1_000_000, 999_999_999]) {
    for (const seconds of [-1e9, -2, 0, 5]) {
      expect(secondsOfStored(storedSeconds(seconds, nanos), nanos)).toBe(seconds)
    }
  }
})

it('dates of the hybrid calendar keep their reading', () => {
  // 1582-10-15 and the day before it, 1582-10-04 in the Julian calendar.
  expect(hybridToProlepticDay(-141_427)).toBe(-141_427)
  expect(hybridToProlepticDay(-141_428)).toBe(day('1582-10-04'))
  // The Julian 0001-01-01 is two days before the proleptic one.
  expect(hybridToProlepticDay(day('0001-01-01') - 2)).toBe(day('0001-01-01'))
  // 1500 was a leap year in the Julian calendar: its 29 February has no equal, and reads as 1
  // March.
  expect(hybridToProlepticDay(day('1500-03-01') + 9)).toBe(day('1500-03-01'))
  expect(hybridToProlepticDay(day('1500-03-01') + 10)).toBe(day('1500-03-01'))
  expect(hybridToProlepticDay(0)).toBe(0)
})

it('times of the hybrid calendar keep their time of day', () => {
  const seconds = (day('0001-01-01') - 2) * 86_400 + 12_345
  expect(hybridToProlepticSeconds(seconds)).toBe(day('0001-01-01') * 86_400 + 12_345)
  expect(hybridToProlepticSeconds(-1)).toBe(-1)
})

function day(iso: string): number {
  return Date.parse(`${iso}T00:00:00Z`) / 86_400_000
}
