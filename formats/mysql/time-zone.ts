/**
 * From what the clock on a wall showed to the instant, for producers that write instants as text in
 * their own time zone.
 */
import { ConfigError, DecodeError } from '../../model/errors.ts'

/** From seconds as the wall clock counts them, as if it were in UTC, to seconds since the epoch. */
export type ToInstant = (wallSeconds: number) => number

const secondsPerDay = 86_400
/** No zone is further from UTC. */
const maxOffset = secondsPerDay
/** Days whose offset is kept: those of 27 years. */
const maxDays = 10_000

export function isTimeZone(zone: string): boolean {
  try {
    offsetsOf(zone)
    return true
  } catch (error) {
    if (error instanceof ConfigError) return false
    throw error
  }
}

/**
 * Throws ConfigError `config-invalid` for a zone that is not known. What it returns throws DecodeError:
 * `value-ambiguous` for an hour that the clock showed twice, `value-invalid` for one that it left out.
 */
export function instantsIn(zone: string): ToInstant {
  const offsetAt = offsetsOf(zone)
  if (offsetAt === null) return wallSeconds => wallSeconds
  const byDay = new Map<number, number | null>()
  return wallSeconds => {
    const day = Math.floor(wallSeconds / secondsPerDay)
    let offset = byDay.get(day)
    if (offset === undefined) {
      if (byDay.size >= maxDays) byDay.clear()
      offset = steadyOffset(offsetAt, day)
      byDay.set(day, offset)
    }
    return offset === null ? instantAt(wallSeconds, zone, offsetAt) : wallSeconds - offset
  }
}

/** The offset of a whole day of the wall clock; null when the clock was turned near it. */
function steadyOffset(offsetAt: (seconds: number) => number, day: number): number | null {
  const start = day * secondsPerDay
  const first = offsetAt(start - maxOffset)
  const isSteady = [start, start + secondsPerDay, start + secondsPerDay + maxOffset].every(
    seconds => offsetAt(seconds) === first,
  )
  return isSteady ? first : null
}

function instantAt(
  wallSeconds: number,
  zone: string,
  offsetAt: (seconds: number) => number,
): number {
  const offsets = new Set([offsetAt(wallSeconds - maxOffset), offsetAt(wallSeconds + maxOffset)])
  const instants = [...offsets]
    .map(offset => wallSeconds - offset)
    .filter(seconds => seconds + offsetAt(seconds) === wallSeconds)
  if (instants.length === 1) return instants[0]!
  const time = new Date(wallSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
  throw instants.length === 0
    ? new DecodeError('value-invalid', `the time ${time} was left out by the clocks of ${zone}`)
    : new DecodeError(
        'value-ambiguous',
        `the time ${time} came twice in ${zone}: have the producer run in UTC, and say so by ` +
          '`user.timezone`',
      )
}

/** How far the clock is ahead of UTC, in seconds; null where that is nothing. */
function offsetsOf(zone: string): ((seconds: number) => number) | null {
  let format: Intl.DateTimeFormat
  try {
    // Java names fixed offsets `GMT+08:00`.
    const timeZone = zone.replace(/^(?:GMT|UTC)(?=[+-])/, '')
    format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  } catch (cause) {
    throw new ConfigError('config-invalid', `the time zone ${zone} is not known`, { cause })
  }
  if (format.resolvedOptions().timeZone === 'UTC') return null
  return seconds => {
    const parts = format.formatToParts(seconds * 1000)
    const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const match = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name)
    if (match === null) throw new ConfigError('config-invalid', `${zone} has no offset from UTC`)
    const [, sign, hours = 0, minutes = 0, rest = 0] = match
    const offset = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest)
    return sign === '-' ? -offset : offset
  }
}
