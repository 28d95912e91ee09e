/**
 * Values that Hive has no equal for and that are written as another one: zero dates as null, infinity as the
 * first or the last day or moment. They are counted, so that nothing is replaced in silence. What a connector
 * replaced itself looks like any other value.
 */
import type { Value } from '../../model/value.ts'
import type { Replaced } from '../decoder.ts'
import { firstDay, firstMoment, isInfiniteNumber, lastDay, lastMoment } from './debezium-values.ts'
import { isStruct } from './structured-times.ts'

type Row = Readonly<Record<string, unknown>>

/** By reason; undefined when there are none. `given` is as it was sent, `row` what was read of it. */
export function replacedIn(
  given: Row | null,
  row: Readonly<Record<string, Value>> | null,
): Replaced | undefined {
  if (given === null || row === null) return undefined
  let zeroDates = 0
  let infinities = 0
  for (const name of Object.keys(row)) {
    const value = row[name]!
    if (value === null) zeroDates += (given[name] ?? null) === null ? 0 : 1
    else infinities += infinitiesIn(given[name], value)
  }
  return replaced(zeroDates, infinities)
}

/** How many infinities were read as something else: of an array several. */
export function infinitiesIn(given: unknown, value: Value): number {
  if (value === lastMoment || value === firstMoment || value === lastDay || value === firstDay) {
    return isInfinity(given) ? 1 : 0
  }
  if (!Array.isArray(value) || !Array.isArray(given)) return 0
  return value.reduce<number>((sum, one: Value, at) => sum + infinitiesIn(given[at], one), 0)
}

export function replaced(zeroDates: number, infinities: number): Replaced | undefined {
  if (zeroDates === 0 && infinities === 0) return undefined
  return {
    ...(zeroDates > 0 && { zero_date: zeroDates }),
    ...(infinities > 0 && { infinity: infinities }),
  }
}

/** Both of several rows. */
export function bothReplaced(
  a: Replaced | undefined,
  b: Replaced | undefined,
): Replaced | undefined {
  const sum = (reason: keyof Replaced): number => (a?.[reason] ?? 0) + (b?.[reason] ?? 0)
  return replaced(sum('zero_date'), sum('infinity'))
}

/** Of what was read as the first or last day or moment, which the source may have by itself. */
function isInfinity(given: unknown): boolean {
  // In ISO form it is the word, or a year beyond those of the others.
  if (typeof given === 'string') return /infinity$|^[+-]\d{5,}/.test(given)
  if (isStruct(given)) return (given.specialValue ?? null) !== null
  return isInfiniteNumber(given)
}
