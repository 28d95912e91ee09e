/**
 * What `docs/types.md` is made of: types of a database, and the ways in which a connector may send each.
 * Only what arrives is written down here; what becomes of it is seen by running the converters.
 */

import type { ConnectorSettings } from '../../formats/connector-settings.ts'
import type { ConnectSchema } from '../../formats/debezium/connect-schema.ts'
import type { DatabaseColumn } from '../../formats/mysql/debezium-column-types.ts'

/** One way to send it: a setting of the connector, the schema, and values as JSON has them. */
export interface TypeForm {
  /** Setting and value, as `time.precision.mode=connect`; absent: there is one way. */
  readonly when?: string
  readonly schema: ConnectSchema
  readonly values: readonly SampleValue[]
}

/** A value as JSON has it; one that needs a name is `Named`. */
export type SampleValue = unknown

export interface Named {
  readonly is: string
  readonly json: unknown
}

export interface TypeRow {
  /** As the database names them. */
  readonly types: readonly string[]
  readonly forms: readonly TypeForm[]
  /** The first of them, as schema-change events describe it; absent where there are none. */
  readonly column?: Omit<DatabaseColumn, 'name'>
}

export function named(is: string, json: unknown): Named {
  return { is, json }
}

/** The setting of a form, for a converter that needs to be told it. */
export function settingsOf({ when }: TypeForm): ConnectorSettings {
  const [name, value] = when?.split('=') ?? []
  return name === undefined || value === undefined ? {} : { [name]: value }
}

export const plain = (type: string): ConnectSchema => ({ type })

export function logical(
  type: string,
  name: string,
  parameters?: Readonly<Record<string, string>>,
): ConnectSchema {
  return { type, name: `io.debezium.${name}`, ...(parameters === undefined ? {} : { parameters }) }
}

export function ofConnect(
  type: string,
  name: string,
  parameters?: Readonly<Record<string, string>>,
): ConnectSchema {
  return {
    type,
    name: `org.apache.kafka.connect.data.${name}`,
    ...(parameters === undefined ? {} : { parameters }),
  }
}

export function decimal(precision: number, scale: number): ConnectSchema {
  return ofConnect('bytes', 'Decimal', {
    scale: String(scale),
    'connect.decimal.precision': String(precision),
  })
}

/** One way only. */
export function row(
  types: readonly string[],
  schema: ConnectSchema,
  values: readonly SampleValue[],
): TypeRow {
  return { types, forms: [{ schema, values }] }
}

const dateParts = { year: 2024, month: 2, day: 29 }
const clockParts = { hour: 12, minute: 34, second: 56, picoseconds: 789_012_000_000 }
const finite = { ...dateParts, specialValue: null }

const time = 'time.precision.mode'

/** The forms that a date has in every connector; the first without a mode. */
export function dateForms(special: readonly Named[], structured: readonly Named[]): TypeForm[] {
  return [
    { schema: logical('int32', 'time.Date'), values: [19_782, ...special] },
    { when: `${time}=connect`, schema: ofConnect('int32', 'Date'), values: [19_782] },
    {
      when: `${time}=isostring`,
      schema: logical('string', 'time.IsoDate'),
      values: ['2024-02-29Z'],
    },
    {
      when: `${time}=structured`,
      schema: logical('struct', 'time.StructuredDate'),
      values: [finite, ...structured],
    },
  ]
}

/** The forms of a local date and time beside its own. */
export function timestampForms(structured: readonly Named[] = []): TypeForm[] {
  return [
    {
      when: `${time}=connect`,
      schema: ofConnect('int64', 'Timestamp'),
      values: [1_709_210_096_789],
    },
    {
      when: `${time}=microseconds`,
      schema: logical('int64', 'time.MicroTimestamp'),
      values: [1_709_210_096_789_012],
    },
    {
      when: `${time}=nanoseconds`,
      schema: logical('int64', 'time.NanoTimestamp'),
      values: [1_709_210_096_789_012_345n],
    },
    {
      when: `${time}=isostring`,
      schema: logical('string', 'time.IsoTimestamp'),
      values: ['2024-02-29T12:34:56.789012Z'],
    },
    {
      when: `${time}=structured`,
      schema: logical('struct', 'time.StructuredTimestamp'),
      values: [{ ...finite, ...clockParts }, ...structured],
    },
  ]
}

/** The forms of a time of day beside its own; MySQL's structured one is another. */
export function timeForms(structured: TypeForm): TypeForm[] {
  return [
    { when: `${time}=connect`, schema: ofConnect('int32', 'Time'), values: [45_296_789] },
    {
      when: `${time}=microseconds`,
      schema: logical('int64', 'time.MicroTime'),
      values: [45_296_789_012],
    },
    {
      when: `${time}=nanoseconds`,
      schema: logical('int64', 'time.NanoTime'),
      values: [45_296_789_012_345],
    },
    {
      when: `${time}=isostring`,
      schema: logical('string', 'time.IsoTime'),
      values: ['12:34:56.789012Z'],
    },
    { ...structured, when: `${time}=structured` },
  ]
}

export const structuredTimeForm: TypeForm = {
  schema: logical('struct', 'time.StructuredTime'),
  values: [clockParts],
}

/** Of a moment with its zone. */
export function zonedForms(
  values: readonly SampleValue[],
  structured: readonly Named[] = [],
): TypeForm[] {
  return [
    { schema: logical('string', 'time.ZonedTimestamp'), values },
    {
      when: `${time}=structured`,
      schema: logical('struct', 'time.StructuredZonedTimestamp'),
      values: [{ ...finite, ...clockParts, offsetSeconds: 3600 }, ...structured],
    },
  ]
}

/** Of a decimal(12,2). */
export function decimalForms(special: readonly Named[] = []): TypeForm[] {
  const mode = 'decimal.handling.mode'
  return [
    { when: `${mode}=precise`, schema: decimal(12, 2), values: ['AJY='] },
    { when: `${mode}=string`, schema: plain('string'), values: ['1.50', ...special] },
    { when: `${mode}=double`, schema: plain('double'), values: [1.5] },
  ]
}

export function binaryForms(): TypeForm[] {
  const mode = 'binary.handling.mode'
  return [
    { when: `${mode}=bytes`, schema: plain('bytes'), values: ['AP8Q/g=='] },
    { when: `${mode}=base64`, schema: plain('string'), values: ['AP8Q/g=='] },
    { when: `${mode}=base64-url-safe`, schema: plain('string'), values: ['AP8Q_g=='] },
    { when: `${mode}=hex`, schema: plain('string'), values: ['00ff10fe'] },
  ]
}

export const pointForm: TypeForm = {
  schema: logical('struct', 'data.geometry.Point'),
  values: [{ x: 1.5, y: -2.5, wkb: 'AQEAAAA=', srid: null }],
}

const zeroParts = { year: 0, month: 0, day: 0, specialValue: null }
const zeroClock = { hour: 0, minute: 0, second: 0, picoseconds: 0 }
const endlessParts = { year: null, month: null, day: null, specialValue: 'POSITIVE_INFINITY' }
const noClock = { hour: null, minute: null, second: null, picoseconds: null }

export const noDay = named('zero date', zeroParts)
export const noMoment = named('zero date', { ...zeroParts, ...zeroClock })
export const endlessDay = named('infinity', endlessParts)
export const endlessMoment = named('infinity', { ...endlessParts, ...noClock })
