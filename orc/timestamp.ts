/**
 * Timestamps as ORC stores them: seconds since the start of 2015 (UTC here, always), and
 * nanoseconds with their trailing zeros taken out.
 *
 * The format has a scar. Its first writer rounded seconds towards zero, so for times before 1970
 * with a fraction of at least a millisecond the stored second is one too high, and every reader
 * takes one off again, going by the sign of the result. The last second before 1970 is the case
 * this cannot tell from the first one after: 1969-12-31 23:59:59.5 is read as 1970-01-01 00:00:00.5
 * by all.
 *
 * Source: ORC v1, "Timestamp Columns"; ORC-645, ORC-763.
 */

/** 2015-01-01 00:00:00 UTC. */
export const baseSeconds = 1_420_070_400

export const maxNanos = 999_999_999

/** Nanoseconds from which the stored second of times before 1970 is one too high. */
const leastShiftedNanos = 1_000_000

/**
 * What the DATA stream holds for a time of whole seconds since 1970, rounded down, and nanoseconds.
 */
export function storedSeconds(seconds: number, nanos: number): number {
  const shift = seconds < 0 && nanos >= leastShiftedNanos ? 1 : 0
  return seconds + shift - baseSeconds
}

/** The reverse, as all readers do it. */
export function secondsOfStored(stored: number, nanos: number): number {
  const seconds = stored + baseSeconds
  return hasShiftedSecond(seconds, nanos) ? seconds - 1 : seconds
}

export function hasShiftedSecond(seconds: number, nanos: number): boolean {
  return seconds < 0 && nanos >= leastShiftedNanos
}

/** The value of the SECONDARY stream: in the low three bits one less than the zeros taken out. */
export function encodeNanos(nanos: number): number {
  // As an int32, because the remainder of doubles costs ten times as much.
  let digits = nanos | 0
  if (digits === 0) return 0
  if (digits % 100 !== 0) return digits * 8
  digits = (digits / 100) | 0
  let code = 1
  while (digits % 10 === 0 && code < 7) {
    digits = (digits / 10) | 0
    code++
  }
  return digits * 8 + code
}

const powersOfTen = [1, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]

export function decodeNanos(encoded: number): number {
  const code = encoded & 7
  return ((encoded - code) / 8) * powersOfTen[code]!
}
