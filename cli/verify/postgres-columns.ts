/**
 * Columns of PostgreSQL: what Debezium's connector and Forager make of each by default, how it is
 * selected, and how its values are read.
 */
import type { ConnectorSettings } from '../../formats/connector-settings.ts'
import type { ColumnType } from '../../model/column-type.ts'
import { isText, maxDecimalPrecision } from '../../model/column-type.ts'
import { misfit } from '../../model/value.ts'
import type { SourceColumn } from './source-database.ts'
import { timeOf, toMillis, valueOfText } from './value-texts.ts'

/** A row of the catalogue. */
export interface PostgresColumn {
  readonly name: string
  /** `format_type`, of a domain that of its base. */
  readonly declared: string
  /** `pg_type.typname`: `_int4` of an array of `int4`. */
  readonly typeName: string
  /** `pg_type.typtype`: `e` of an enum, `r` of a range. */
  readonly typeType: string
  readonly nullable: boolean
  readonly isGenerated: boolean
}

export function quotePostgres(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

type Parts = Omit<SourceColumn, 'name' | 'declared' | 'nullable'>

export function postgresColumn(column: PostgresColumn, settings: ConnectorSettings): SourceColumn {
  const { name, declared, nullable, isGenerated } = column
  const parts = isGenerated
    ? notCompared('generated columns are not in the change events of PostgreSQL')
    : partsOf(column, settings)
  return { select: quotePostgres(name), name, declared, nullable, ...parts }
}

function notCompared(whyNot: string): Omit<Parts, 'select'> {
  return { type: { kind: 'string' }, whyNot, order: null, read: String }
}

const simpleTypes: Readonly<Record<string, ColumnType>> = {
  bool: { kind: 'boolean' },
  int2: { kind: 'smallint' },
  int4: { kind: 'int' },
  int8: { kind: 'bigint' },
  oid: { kind: 'bigint' },
  float4: { kind: 'float' },
  float8: { kind: 'double' },
  date: { kind: 'date' },
  timestamptz: { kind: 'timestamptz' },
}

const textTypes: ReadonlySet<string> = new Set(
  (
    'text varchar bpchar char name uuid json jsonb xml citext ltree inet cidr macaddr macaddr8 tsvector' +
    ' int4range int8range numrange tsrange tstzrange daterange'
  ).split(' '),
)

function partsOf(
  column: PostgresColumn,
  settings: ConnectorSettings,
): Omit<Parts, 'select'> & { readonly select?: string } {
  const { name, typeName, typeType, declared } = column
  const quoted = quotePostgres(name)
  const isMillis = settings['time.precision.mode'] === 'connect'
  if (typeName.startsWith('_')) return arrayParts(column, settings)
  if (textTypes.has(typeName) || typeType === 'e' || typeType === 'r') {
    return { type: { kind: 'string' }, order: `${quoted}::text COLLATE "C"`, read: String }
  }
  const simple = simpleTypes[typeName]
  if (simple !== undefined) return plain(simple, quoted)
  switch (typeName) {
    case 'numeric':
      return numericParts(numericType(declared, settings), quoted)
    case 'money':
      return {
        ...plain({ kind: 'decimal', precision: maxDecimalPrecision, scale: 2 }, quoted),
        select: `${quoted}::numeric`,
      }
    case 'bytea':
      return { type: { kind: 'binary' }, order: quoted, read: raw => bytesOf(String(raw)) }
    case 'timestamp':
      return {
        type: { kind: 'timestamp' },
        order: quoted,
        read: raw => {
          const micros = valueOfText({ kind: 'timestamp' }, String(raw)) as number | bigint
          return isMillis ? toMillis(micros) : micros
        },
      }
    default:
      return rareParts(column, isMillis)
  }
}

function plain(type: ColumnType, quoted: string): Omit<Parts, 'select'> {
  const order = isText(type) ? `${quoted}::text COLLATE "C"` : quoted
  return { type, order, read: raw => valueOfText(type, String(raw)) }
}

/** Types that no key has in their own order. */
function rareParts(
  { name, typeName, declared }: PostgresColumn,
  isMillis: boolean,
): Omit<Parts, 'select'> & { readonly select?: string } {
  const quoted = quotePostgres(name)
  const text = { type: { kind: 'string' }, order: null } as const
  switch (typeName) {
    case 'time':
      return {
        ...text,
        read: raw => timeOf(isMillis ? String(raw).replace(/(\.\d{3})\d+$/, '$1') : String(raw)),
      }
    case 'timetz':
      return {
        ...text,
        select: `(${quoted} AT TIME ZONE 'UTC')::time`,
        read: raw => timeOf(String(raw)),
      }
    case 'interval':
      return { type: { kind: 'bigint' }, order: null, read: raw => microsOf(String(raw)) }
    case 'bit':
      return declared === 'bit(1)'
        ? plain({ kind: 'boolean' }, quoted)
        : { ...text, read: raw => bitsOf(String(raw), declared) }
    case 'varbit':
      return { ...text, read: raw => bitsOf(String(raw), declared) }
    default:
      return notCompared(`values of the type ${declared} are not compared`)
  }
}

/** Of a number that is kept as text Debezium leaves zeros out at the end. */
function numericParts(type: ColumnType, quoted: string): Omit<Parts, 'select'> {
  return isText(type) ? { type, order: null, read: String, form: 'number' } : plain(type, quoted)
}

function numericType(declared: string, settings: ConnectorSettings): ColumnType {
  if (settings['decimal.handling.mode'] === 'double') return { kind: 'double' }
  const match = /^numeric\((\d+),(-?\d+)\)$/.exec(declared)
  const [precision, scale] = match === null ? [0, 0] : [Number(match[1]), Number(match[2])]
  // Where the digits are not limited, or more than Hive has, the number is kept as text.
  if (match === null || precision > maxDecimalPrecision || scale < 0 || scale > precision) {
    return { kind: 'string' }
  }
  return { kind: 'decimal', precision, scale }
}

function arrayParts(
  column: PostgresColumn,
  settings: ConnectorSettings,
): Omit<Parts, 'select'> & { readonly select?: string } {
  const item = {
    ...column,
    typeName: column.typeName.slice(1),
    declared: column.declared.replace(/\[\]$/, ''),
  }
  const element = partsOf(item, settings)
  const isPlain = textTypes.has(item.typeName) || simpleTypes[item.typeName] !== undefined
  if (element.whyNot !== undefined || (!isPlain && item.typeName !== 'numeric')) {
    return notCompared(`values of the type ${column.declared} are not compared`)
  }
  const type: ColumnType = { kind: 'array', element: element.type }
  return {
    type,
    select: `to_json(${quotePostgres(column.name)}::text[])`,
    order: null,
    read: raw => valueOfText(type, String(raw)),
  }
}

function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex.slice(2), 'hex')
}

/** As Debezium has it: to the length of the column, and without one to whole bytes. */
function bitsOf(bits: string, declared: string): string {
  const length = Number(/\((\d+)\)/.exec(declared)?.[1] ?? 0)
  return bits.padStart(length === 0 ? Math.ceil(bits.length / 8) * 8 : length, '0')
}

/** As Debezium counts months: a twelfth of 365.25 days. */
const daysPerMonth = 365.25 / 12
const iso =
  /^P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?[\d.]+)S)?)?$/

/** `interval.handling.mode: numeric`: microseconds. */
function microsOf(text: string): number {
  const match = iso.exec(text)
  if (match === null) throw misfit({ kind: 'bigint' }, text)
  const [years, months, days, hours, minutes, seconds] = match
    .slice(1)
    .map(part => Number(part ?? 0)) as [number, number, number, number, number, number]
  const allDays = (years * 12 + months) * daysPerMonth + days
  return Math.round((((allDays * 24 + hours) * 60 + minutes) * 60 + seconds) * 1e6)
}
