/**
 * Rows of MySQL whose columns and types come with each message, as text: the readers of rows, kept by
 * what they were made from, and the events of a row.
 */
import type { ChangeEvent } from '../../model/change-event.ts'
import { DecodeError } from '../../model/errors.ts'
import { internSchema } from '../../model/table-schema.ts'
import type { Row } from '../../model/value.ts'
import type { TableHints } from '../decoder.ts'
import type { Converter } from '../values/converter.ts'
import type { RowReader } from '../values/row-reader.ts'
import { checkColumnNames, isSameKey, keyOf, readRow, statedType } from '../values/row-reader.ts'
import type { MySqlTextForm } from './mysql-text.ts'
import { mysqlTextConverter } from './mysql-text.ts'
import { parseMySqlType } from './mysql-type.ts'

export type JsonRow = Readonly<Record<string, unknown>>

/** A column and its type in MySQL's words; null where the message does not tell it. */
export type TypedColumn = readonly [name: string, type: string | null]

/** What every event of a message has in common. */
export type EventBase = Omit<
  ChangeEvent,
  'op' | 'key' | 'before' | 'after' | 'schema' | 'oldKey' | 'isBeforeWhole'
>

interface KnownReader {
  readonly columns: readonly TypedColumn[]
  readonly key: readonly string[]
  readonly reader: RowReader
}

/** A table that changes is rare; a producer of ever new types must not fill the memory. */
const maxReadersOfTable = 16

export class MySqlRowReaders {
  readonly #form: MySqlTextForm
  /** The one that was used last comes first. */
  readonly #known = new Map<string, KnownReader[]>()

  constructor(form: MySqlTextForm) {
    this.#form = form
  }

  /** Throws DecodeError; the hints of a table are always the same. */
  readerOf(
    table: string,
    columns: readonly TypedColumn[],
    key: readonly string[],
    hints: TableHints,
  ): RowReader {
    const all = this.#known.get(table) ?? []
    const index = all.findIndex(known => isSame(known, columns, key))
    if (index === 0) return all[0]!.reader
    const found = all[index] ?? {
      columns,
      key,
      reader: makeReader(columns, key, hints, this.#form),
    }
    const others = all.filter(known => known !== found).slice(0, maxReadersOfTable - 1)
    this.#known.set(table, [found, ...others])
    return found.reader
  }
}

function isSame(
  known: KnownReader,
  columns: readonly TypedColumn[],
  key: readonly string[],
): boolean {
  return (
    known.columns.length === columns.length &&
    known.key.length === key.length &&
    known.columns.every(([name, type], index) => {
      const column = columns[index]!
      return column[0] === name && column[1] === type
    }) &&
    known.key.every((name, index) => key[index] === name)
  )
}

function makeReader(
  columns: readonly TypedColumn[],
  key: readonly string[],
  hints: TableHints,
  form: MySqlTextForm,
): RowReader {
  const missing = key.find(name => !columns.some(column => column[0] === name))
  if (missing !== undefined) {
    throw new DecodeError(
      'key-column-missing',
      `the key column ${missing} is not in the row (${columns.map(([name]) => name).join(', ')}): ` +
        'MySQL has to log whole rows (`binlog_row_image=FULL`)',
      { context: { column: missing } },
    )
  }
  checkColumnNames(columns.map(([name]) => name))
  const convert = new Map(
    columns.map(([name, type]) => {
      const converter = converterOf(name, type, hints, form)
      return [name, key.includes(name) ? ofKey(converter) : converter]
    }),
  )
  const typed = [...convert].map(([name, { type }]) => ({ id: name, name, type, nullable: true }))
  return { schema: internSchema({ columns: typed, key: [...key] }), convert }
}

function converterOf(
  name: string,
  type: string | null,
  hints: TableHints,
  form: MySqlTextForm,
): Converter {
  const stated = statedType(hints, name) ?? null
  try {
    if (type !== null) return mysqlTextConverter(parseMySqlType(type), form, stated)
    if (stated !== null) return mysqlTextConverter(parseMySqlType('unknown'), form, stated)
    throw new DecodeError('type-unknown', 'the message has no type for the column')
  } catch (error) {
    throw error instanceof DecodeError ? error.at({ column: name }) : error
  }
}

/** What is read as null, a zero date, would make one row of several. */
function ofKey({ type, convert }: Converter): Converter {
  return {
    type,
    convert: json => {
      const value = convert(json)
      if (value !== null) return value
      throw new DecodeError(
        'value-invalid',
        `the value ${String(json)} of a key column is null in Hive: state \`string\` as its type`,
      )
    },
  }
}

/** The row of a message: it may lack a column, but has none that the reader does not know. */
export function readNewRow(json: unknown, reader: RowReader): Row {
  const row = readChangedColumns(json, reader)
  // What every object has would be taken for the value of a column that is called so.
  const inherited = reader.schema.columns.find(({ name }) => {
    return name in Object.prototype && !Object.hasOwn(row, name)
  })
  if (inherited === undefined) return row
  throw new DecodeError('row-missing', 'the row has no value for a column', {
    context: { column: inherited.name },
  })
}

/** The same of the columns that have changed. */
export function readChangedColumns(json: unknown, reader: RowReader): Row {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new DecodeError('message-unknown', 'a row of the message is not an object of columns')
  }
  const unknown = Object.keys(json).find(name => !reader.convert.has(name))
  if (unknown !== undefined) {
    throw new DecodeError('type-unknown', 'the message has no type for a column of its row', {
      context: { column: unknown },
    })
  }
  return readRow(json as JsonRow, reader)!
}

export function insertEvent(base: EventBase, after: Row, reader: RowReader): ChangeEvent {
  const { schema } = reader
  const key = keyOf(after, reader)
  return { ...base, op: 'c', key, before: null, after, schema, oldKey: null, isBeforeWhole: false }
}

/** An update of which only the row after is known; its key is as it was. */
export function changedEvent(base: EventBase, after: Row, reader: RowReader): ChangeEvent {
  return { ...insertEvent(base, after, reader), op: 'u' }
}

export function deleteEvent(
  base: EventBase,
  before: Row,
  reader: RowReader,
  hints: TableHints,
): ChangeEvent {
  const { schema } = reader
  const isBeforeWhole = isWhole(before, reader, hints)
  const key = keyOf(before, reader)
  return { ...base, op: 'd', key, before, after: null, schema, oldKey: null, isBeforeWhole }
}

/** `old` has what changed, and may have what did not. A changed key is the delete and the insert that it is. */
export function updateEvents(
  base: EventBase,
  after: Row,
  old: Row,
  reader: RowReader,
  hints: TableHints,
): ChangeEvent[] {
  const { schema } = reader
  const before = { ...after, ...old }
  const key = keyOf(after, reader)
  const isBeforeWhole = isWhole(before, reader, hints)
  const event = {
    ...base,
    op: 'u',
    key,
    before,
    after,
    schema,
    oldKey: null,
    isBeforeWhole,
  } as const
  const previous = key === null ? null : keyOf(before, reader)
  if (key === null || previous === null || isSameKey(previous, key)) return [event]
  return changedKeyEvents(event, key, previous)
}

/** An update that changes the key is the delete and the insert that it is, and may have left out what it kept. */
export function changedKeyEvents(event: ChangeEvent, key: Row, previous: Row): ChangeEvent[] {
  const { schema, after } = event
  const isPartial = schema.columns.some(({ name }) => {
    return !Object.hasOwn(after!, name) || after![name] === undefined
  })
  const [toNew, toOld] = isPartial ? [{ otherKey: key }, { otherKey: previous }] : [{}, {}]
  return [
    { ...event, op: 'd', key: previous, after: null, ...toNew },
    { ...event, op: 'c', before: null, oldKey: previous, isBeforeWhole: false, ...toOld },
  ]
}

function isWhole(row: Row, { schema }: RowReader, { beforeImage }: TableHints): boolean {
  if (beforeImage !== undefined) return beforeImage === 'full'
  return schema.columns.every(({ name }) => row[name] !== undefined)
}
