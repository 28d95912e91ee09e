/**
 * Time zones of other writers. A timestamp without a zone is stored as the instant at which the clock on
 * the writer's wall showed it; what people read is the clock.
 */
import { OrcError } from './errors.ts'
import { baseSeconds, hasShiftedSecond } from './timestamp.ts'

/** Time zones that are UTC; the first for files that do not say. */
const utcNames = ['', 'UTC', 'GMT', 'Etc/UTC', 'Etc/GMT', 'Z', 'Etc/UCT', 'UCT', 'Zulu']

const secondsPerDay = 86_400

/**
 * From stored seconds and nanoseconds to the seconds that the writer's wall clock showed; null where that
 * is UTC. Throws `feature-unsupported` for a zone that is not known.
 */
export function wallClock(
  zone: string,
  path: string,
): ((stored: number, nanos: number) => number) | null {
  if (utcNames.includes(zone)) return null
  const offsets = zoneOffsets(zone, path)
  // Seconds count from the moment at which 2015 began there.
  const base = baseSeconds - offsets(baseSeconds - offsets(baseSeconds))
  return (stored, nanos) => {
    const rounded = stored + base
    const seconds = hasShiftedSecond(rounded, nanos) ? rounded - 1 : rounded
    return seconds + offsets(seconds)
  }
}

/** Those of 27 years. */
const maxDays = 10_000

const known = new Map<string, (seconds: number) => number>()

function zoneOffsets(zone: string, path: string): (seconds: number) => number {
  const found = known.get(zone)
  if (found !== undefined) return found
  const made = cachedByDay(formatOf(zone, path))
  known.set(zone, made)
  return made
}

/** Asking costs microseconds: days on which nothing changes are asked twice in all. */
function cachedByDay(offsetAt: (seconds: number) => number): (seconds: number) => number {
  const byDay = new Map<number, number>()
  const changing = Number.NaN
  let lastDay = Number.NaN
  let lastOffset = 0
  return seconds => {
    const day = Math.floor(seconds / secondsPerDay)
    if (day === lastDay) return lastOffset
    let offset = byDay.get(day)
    if (offset === undefined) {
      const start = offsetAt(day * secondsPerDay)
      offset = start === offsetAt((day + 1) * secondsPerDay) ? start : changing
      if (byDay.size >= maxDays) byDay.clear()
      byDay.set(day, offset)
    }
    if (Number.isNaN(offset)) return offsetAt(seconds)
    lastDay = day
    lastOffset = offset
    return offset
  }
}

/** How far the clock is ahead of UTC, in seconds. */
function formatOf(zone: string, path: string): (seconds: number) => number {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zoneName(zone),
      calendar: 'gregory',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (cause) {
    const message = `timestamps written in the time zone ${zone}, which is not known`
    throw new OrcError('feature-unsupported', message, `column ${path}`, { cause })
  }
  const offsetAt = (asked: number): number => {
    const parts: Record<string, string> = {}
    for (const { type, value } of format.formatToParts(asked * 1000)) parts[type] = value
    const { year, month, day, hour, minute, second } = parts
    const wall = Date.UTC(
      Number(year),
      Number(month) - 1,
      Number(day),
      Number(hour),
      Number(minute),
      Number(second),
    )
    return Math.round(wall / 1000 - asked)
  }
  const standard = Math.min(...halfYears.map(offsetAt))
  return seconds => {
    // Java, which wrote nearly all such files, knows no local mean time: before 1900 it has today's offset.
    if (seconds < start1900) return standard
    // Rules of the years to come repeat each 400 years; a Date holds 275,000.
    return offsetAt(seconds <= lastOfDate ? seconds : 0)
  }
}

/** 1900-01-01. */
const start1900 = -2_208_988_800

/** 2025-01-01 and 2025-07-01: in one of them no clock on earth is put forward. */
const halfYears = [1_735_689_600, 1_751_328_000]

/** The last second that a Date can hold. */
const lastOfDate = 8.64e12

/** Java names fixed offsets `GMT+02:00`. */
function zoneName(zone: string): string {
  const fixed = /^(?:GMT|UTC)([+-]\d\d?:?\d\d)$/.exec(zone)
  return fixed === null ? zone : fixed[1]!
}
