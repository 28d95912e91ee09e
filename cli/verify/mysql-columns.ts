/**
 * Columns of MariaDB and MySQL: what Forager makes of each (`formats/mysql/debezium-column-types.ts`), how it
 * is selected, and how its values are read.
 */
import type { ConnectorSettings } from '../../formats/connector-settings.ts'
import { databaseConverter } from '../../formats/mysql/debezium-column-types.ts'
import type { ColumnType } from '../../model/column-type.ts'
import { isText } from '../../model/column-type.ts'
import { DecodeError } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import type { SourceColumn } from './source-database.ts'
import { timeOf, toMillis, valueOfText } from './value-texts.ts'

/** A row of `information_schema.COLUMNS`. */
export interface MysqlColumn {
  readonly name: string
  /** `COLUMN_TYPE`. */
  readonly declared: string
  readonly nullable: boolean
}

export function quoteMysql(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

const geometries =
  /^(geometry|point|linestring|polygon|multi(point|linestring|polygon)|geometrycollection)$/
const binaries = /^(tiny|medium|long)?blob$|^(var)?binary$|^bit$/

/** Whether its values are bytes, by the first word of its type. */
export function isMysqlBinary(declared: string): boolean {
  return binaries.test(wordOf(declared))
}

function wordOf(declared: string): string {
  return /^\w+/.exec(declared.toLowerCase())?.[0] ?? ''
}

export function mysqlColumn(column: MysqlColumn, settings: ConnectorSettings): SourceColumn {
  const { name, declared, nullable } = column
  const word = wordOf(declared)
  const quoted = quoteMysql(name)
  const known = typeOf(column, settings)
  const shared = { name, declared, nullable, type: known.type, select: quoted }
  const isMillis = settings['time.precision.mode'] === 'connect'
  if (known.whyNot !== undefined) {
    return { ...shared, whyNot: known.whyNot, order: null, read: String }
  }
  switch (word) {
    case 'float':
      // In text it has six digits: as a double it has all.
      return {
        ...shared,
        select: `CAST(${quoted} AS DOUBLE)`,
        order: quoted,
        read: textReader(known.type),
        form: 'six-digits',
      }
    case 'bit':
      return { ...shared, order: quoted, read: raw => bitsOf(raw, known.type, declared) }
    case 'time':
      return { ...shared, order: null, read: raw => timeTextOf(String(raw), isMillis) }
    case 'date':
    case 'datetime':
    case 'timestamp': {
      const read = dateReader(known.type, nullable, isMillis && word === 'datetime')
      return { ...shared, order: quoted, read }
    }
    case 'json':
      return { ...shared, order: null, read: String, form: 'json' }
    default:
      return { ...shared, order: orderOf(quoted, known.type), read: textReader(known.type) }
  }
}

function typeOf(
  { declared }: MysqlColumn,
  settings: ConnectorSettings,
): { readonly type: ColumnType; readonly whyNot?: string } {
  const text = { kind: 'string' } as const
  if (geometries.test(wordOf(declared)))
    return { type: text, whyNot: 'geometries are not compared' }
  const [, word = '', inner = '', rest = ''] = /^(\w+)(?:\((.*)\))?(.*)$/.exec(declared) ?? []
  const [length, scale] = /^[\d,]+$/.test(inner) ? inner.split(',').map(Number) : []
  const typeName = `${word} ${rest.trim()}`.trim()
  try {
    const converter = databaseConverter(
      { name: '', typeName, length: length ?? null, scale: scale ?? null },
      settings,
    )
    return { type: converter.type }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return { type: text, whyNot: error.message }
  }
}

/** Hive compares the bytes of UTF-8; a collation would not, and would pad. */
function orderOf(quoted: string, type: ColumnType): string {
  return isText(type) ? `CAST(CONVERT(${quoted} USING utf8mb4) AS BINARY)` : quoted
}

function textReader(type: ColumnType): SourceColumn['read'] {
  return raw => (typeof raw === 'string' ? valueOfText(type, raw) : raw)
}

function timeTextOf(text: string, isMillis: boolean): string {
  return timeOf(isMillis ? text.replace(/(\.\d{3})\d+$/, '$1') : text)
}

/** Debezium sends a day that there is not as null, and where null cannot be, as the epoch. */
function dateReader(type: ColumnType, nullable: boolean, isMillis: boolean): SourceColumn['read'] {
  return raw => {
    const text = String(raw)
    if (/^0000-|-00(?=-)|-00(?= |$)/.test(text)) return nullable ? null : 0
    const value = valueOfText(type, text)
    return isMillis ? toMillis(value as number | bigint) : value
  }
}

/** The highest bit first. */
function bitsOf(raw: string | Uint8Array, type: ColumnType, declared: string): Value {
  const bytes = typeof raw === 'string' ? Buffer.from(raw, 'latin1') : raw
  const bits = [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('')
  if (type.kind === 'boolean') return bits.endsWith('1')
  const length = Number(/\((\d+)\)/.exec(declared)?.[1] ?? 1)
  return bits.slice(-length).padStart(length, '0')
}
