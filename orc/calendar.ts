/**
 * The hybrid calendar of older writers: Julian up to 1582-10-04, Gregorian from 1582-10-15 on. The
 * same day number means another date in it than in the proleptic Gregorian calendar, which this
 * folder uses throughout; what has to stay the same is the date that people read.
 */

/** 1582-10-15, the first Gregorian day, in days since 1970-01-01. */
export const firstGregorianDay = -141_427

const secondsPerDay = 86_400

/** The day whose proleptic date reads like the hybrid date of `day`. */
export function hybridToProlepticDay(day: number): number {
  if (day >= firstGregorianDay) return day
  // Julian day numbers count from noon of 4713 BC; this inverts the Julian calendar's own rule.
  const shifted = day + 2_440_588 + 32_082
  const cycle = Math.floor((4 * shifted + 3) / 1461)
  const dayOfYear = shifted - Math.floor((1461 * cycle) / 4)
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const dayOfMonth = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = cycle - 4800 + (monthFromMarch < 10 ? 0 : 1)
  return prolepticDay(year, month, dayOfMonth)
}

/** The same for seconds since 1970-01-01 00:00:00: the time of day stays. */
export function hybridToProlepticSeconds(seconds: number): number {
  const day = Math.floor(seconds / secondsPerDay)
  return day >= firstGregorianDay
    ? seconds
    : seconds + (hybridToProlepticDay(day) - day) * secondsPerDay
}

function prolepticDay(year: number, month: number, dayOfMonth: number): number {
  // Years that start in March, so that the leap day is the last.
  const shiftedYear = month > 2 ? year : year - 1
  const monthFromMarch = month > 2 ? month - 3 : month + 9
  const leapDays =
    Math.floor(shiftedYear / 4) - Math.floor(shiftedYear / 100) + Math.floor(shiftedYear / 400)
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + dayOfMonth - 1
  return shiftedYear * 365 + leapDays + dayOfYear - 719_468
}
