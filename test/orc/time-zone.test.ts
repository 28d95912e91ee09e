import { describe, expect, it } from 'vitest'
import { wallClock } from '../../orc/time-zone.ts'
import { baseSeconds } from '../../orc/timestamp.ts'

const seconds = (text: string): number => Date.parse(`${text}Z`) / 1000

describe('the clock on the wall of a writer', () => {
  it.each(['', 'UTC', 'GMT', 'Etc/UTC'])('(%s) is that of UTC', zone => {
    expect(wallClock(zone, 'v')).toBeNull()
  })

  it.each([
    // The instant, as other software shows it, and what a clock there showed.
    ['America/New_York', '2024-03-10T06:59:59', '2024-03-10T01:59:59'],
    ['America/New_York', '2024-03-10T07:00:00', '2024-03-10T03:00:00'],
    ['America/New_York', '2024-11-03T05:59:59', '2024-11-03T01:59:59'],
    ['America/New_York', '2024-11-03T06:00:00', '2024-11-03T01:00:00'],
    ['Europe/Berlin', '1945-05-24T00:00:00', '1945-05-24T03:00:00'],
    ['Asia/Kolkata', '1969-12-31T18:30:00', '1970-01-01T00:00:00'],
    ['Asia/Kathmandu', '2024-01-01T00:00:00', '2024-01-01T05:45:00'],
    ['GMT+02:00', '2024-01-01T00:00:00', '2024-01-01T02:00:00'],
    ['Australia/Lord_Howe', '2024-04-06T14:59:59', '2024-04-07T01:59:59'],
    ['Australia/Lord_Howe', '2024-04-06T15:00:00', '2024-04-07T01:30:00'],
  ])('%s at %s showed %s', (zone, instant, wall) => {
    const toWall = wallClock(zone, 'v')!
    // Stored are seconds since 2015 began there.
    expect(toWall(0, 0)).toBe(baseSeconds)
    const base = baseOf(zone)
    expect(toWall(seconds(instant) - base, 0)).toBe(seconds(wall))
  })

  it('takes off the second that writers round up before 1970', () => {
    const toWall = wallClock('Asia/Kolkata', 'v')!
    const stored = seconds('1960-01-01T00:00:01') - baseOf('Asia/Kolkata')
    expect(toWall(stored, 500_000_000)).toBe(seconds('1960-01-01T05:30:00'))
    expect(toWall(stored, 999_999)).toBe(seconds('1960-01-01T05:30:01'))
  })
})

/** When 2015 began in a zone, found by asking which instant its clock shows as that. */
function baseOf(zone: string): number {
  const found = Array.from({ length: 27 * 4 }, (_, quarter) => baseSeconds + (quarter - 56) * 900)
  const offset = /^GMT([+-]\d\d):(\d\d)$/.exec(zone)
  if (offset !== null) return baseSeconds - Number(offset[1]) * 3600 - Number(offset[2]) * 60
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  })
  return found.find(at => format.format(at * 1000) === '2015-01-01 00:00:00')!
}
