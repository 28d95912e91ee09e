/**
 * Values of Maxwell's rows: by the type that the operator states, else by that of its schema changes, else
 * as they are (`inferred-types.ts`).
 */
import { DecodeError } from '../../model/errors.ts'
import type { StatedType } from '../../model/stated-type.ts'
import { misfit } from '../../model/value.ts'
import type { TableHints } from '../decoder.ts'
import { DecimalText } from '../json/lossless-json.ts'
import { mysqlTextConverter } from '../mysql/mysql-text.ts'
import type { MySqlType } from '../mysql/mysql-type.ts'
import type { Converter } from '../values/converter.ts'
import type { TypedRow, TypedValue } from '../values/inferred-types.ts'
import { inferJson, textOfJson } from '../values/inferred-types.ts'
import { statedType } from '../values/row-reader.ts'
import { statedConverter } from '../values/stated-types.ts'
import type { DdlColumns } from './maxwell-ddl.ts'

type JsonRow = Readonly<Record<string, unknown>>

/** Maxwell writes what the binlog has, which is UTC; of a bootstrap in the zone that it runs in. */
const form = { binary: 'base64', choices: 'label', geometry: 'text', timeZone: 'UTC' } as const

/** How the values of a column are read; null: as they are. */
type Read = ((json: unknown) => TypedValue) | null

/** Of one table, whose hints are always the same. */
export class MaxwellRowReader {
  readonly #hints: TableHints
  /** By name, under the version of the table that the row had. */
  readonly #reads = new WeakMap<DdlColumns, Map<string, Read>>()

  constructor(hints: TableHints) {
    this.#hints = hints
  }

  /** Throws DecodeError that names the column. */
  read(row: JsonRow, columns: DdlColumns | null): TypedRow {
    const of = columns ?? noColumns
    const reads = this.#reads.get(of) ?? new Map<string, Read>()
    this.#reads.set(of, reads)
    const typed = Object.entries(row).map(([name, json]) => {
      try {
        let read = reads.get(name)
        if (read === undefined) {
          read = readOf(of.get(name) ?? null, statedType(this.#hints, name) ?? null)
          reads.set(name, read)
        }
        return [name, read === null ? inferJson(json) : read(json)] as const
      } catch (error) {
        throw error instanceof DecodeError ? error.at({ column: name }) : error
      }
    })
    return Object.fromEntries(typed)
  }
}

const noColumns: DdlColumns = new Map()

/** Reads values of a column that a schema change declared. */
export function maxwellConverter(type: MySqlType): Converter {
  const { type: columnType } = converterOf(type, null)
  const read = readOf(type, null)!
  return { type: columnType, convert: json => read(json).value }
}

function readOf(type: MySqlType | null, stated: StatedType | null): Read {
  if (type === null && stated === null) return null
  const { type: columnType, convert } = converterOf(type, stated)
  const isList = type?.name === 'SET' || stated?.kind === 'array'
  const isJson = type?.name === 'JSON'
  return json => {
    if (json === null) return { type: columnType, value: null, isDeclared: true }
    const given = isJson ? textOfJson(json) : plain(json, isList)
    return { type: columnType, value: convert(given), isDeclared: true }
  }
}

const unknown: MySqlType = { name: '', length: null, scale: null, isUnsigned: false, labels: [] }

function converterOf(type: MySqlType | null, stated: StatedType | null): Converter {
  const named = type === null ? namedBy(stated) : null
  if (named !== null) return mysqlTextConverter(named, form)
  if (stated?.kind === 'array') return statedConverter(stated)
  return mysqlTextConverter(type ?? unknown, form, stated)
}

/** What the operator states is the type of the source itself, whose values have a form of their own. */
function namedBy(stated: StatedType | null): MySqlType | null {
  switch (stated?.kind) {
    case 'binary':
      return { ...unknown, name: 'VARBINARY' }
    case 'bit':
      // Debezium has a boolean for the one bit: `boolean` is what states that.
      return stated.length === 1 ? null : { ...unknown, name: 'BIT', length: stated.length }
    case 'time':
      return { ...unknown, name: 'TIME' }
    default:
      return null
  }
}

/** What JSON alone would round by its digits, objects as their text. */
function plain(json: unknown, isList: boolean): unknown {
  if (json instanceof DecimalText) return json.text
  if (typeof json !== 'object') return json
  return isList && Array.isArray(json) ? json.map(item => plain(item, false)) : textOfJson(json)
}

/** What is read as null, a zero date, would make one row of several. */
export function checkKey(key: readonly string[], row: JsonRow, typed: TypedRow): void {
  const zero = key.find(name => (row[name] ?? null) !== null && typed[name]?.value === null)
  if (zero === undefined) return
  const error = misfit({ kind: 'date' }, row[zero])
  throw new DecodeError(
    'value-invalid',
    `${error.message}: state \`string\` as the type of the key`,
    {
      context: { column: zero },
    },
  )
}
