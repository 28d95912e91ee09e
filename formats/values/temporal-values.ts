/**
 * Dates and times of columns whose type says nothing of their form: messages without schemas. Text is ISO
 * 8601, a struct has the parts, and a number counts in the unit that the connector's settings say.
 */
import type { Value } from '../../model/value.ts'
import { dateOf, intervalOf, timestampOf, timeText } from './debezium-values.ts'
import { isoDate, isoInterval, isoTime, isoTimestamp, zonedTimestamp } from './iso-times.ts'
import {
  isStruct,
  structuredDate,
  structuredElapsedTime,
  structuredInterval,
  structuredTime,
  structuredTimestamp,
  structuredZonedTimestamp,
} from './structured-times.ts'

export function anyDate(json: unknown): Value {
  if (typeof json === 'string') return isoDate(json)
  return isStruct(json) ? structuredDate(json) : dateOf(json)
}

export function anyTimestamp(json: unknown, unitsPerMicro: number): Value {
  if (typeof json === 'string') return isoTimestamp(json)
  return isStruct(json) ? structuredTimestamp(json) : timestampOf(json, unitsPerMicro)
}

export function anyZonedTimestamp(json: unknown): Value {
  return isStruct(json) ? structuredZonedTimestamp(json) : zonedTimestamp(json)
}

export function anyTime(json: unknown, unitsPerMicro: number): Value {
  if (typeof json === 'string') return isoTime(json)
  if (!isStruct(json)) return timeText(json, unitsPerMicro)
  return 'hours' in json ? structuredElapsedTime(json) : structuredTime(json)
}

export function anyInterval(json: unknown): Value {
  if (typeof json === 'string') return isoInterval(json)
  return isStruct(json) ? structuredInterval(json) : intervalOf(json, 1)
}

/** Units of a number per microsecond, by `time.precision.mode`; the other modes depend on the column. */
export const unitsPerMicroOf: Readonly<Record<string, number>> = {
  connect: 1 / 1000,
  microseconds: 1,
  nanoseconds: 1000,
}
