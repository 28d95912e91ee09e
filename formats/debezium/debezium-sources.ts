/**
 * From a change as its connector sends it to a change of a row of columns: most send just that, MongoDB's
 * documents and Cassandra's cells are put into the same form.
 */
import type { ChangeOp } from '../../model/change-event.ts'
import { DecodeError } from '../../model/errors.ts'
import type { ConnectSchema } from './connect-schema.ts'
import type { ChangePayload, DebeziumMessage } from './debezium-changes.ts'
import type { SourceBlock } from './debezium-position.ts'
import { wordOf } from './debezium-position.ts'
import { documentKey, documentOf, documentPatch } from './mongodb-documents.ts'

type PlainRow = Readonly<Record<string, unknown>>

export interface RowChange {
  /** With rows that are objects of columns. A column that is undefined was not sent. */
  readonly change: ChangePayload
  readonly readKey: () => unknown
  /** Of the rows; one object for one schema. */
  readonly schema: ConnectSchema | null
  /** The rows are just as they were sent. */
  readonly isAsSent: boolean
  /** The rows are documents: no schema tells of their columns. */
  readonly isDocument: boolean
  /** The row after has only what was changed, and nothing tells which other columns there are. */
  readonly isPatch: boolean
}

/** Throws DecodeError for an operation that is not known, and for what is no row. */
export function rowChangeOf(message: DebeziumMessage, change: ChangePayload): RowChange {
  const { connector } = change.source as SourceBlock
  const op = wordOf(change.op).toLowerCase()
  if (connector === 'cassandra') return cellsChange(message, change, op)
  if (!/^[curdt]$/.test(op)) throw unknownOp(change.op)
  const given = { ...change, op: op as ChangeOp }
  if (connector === 'mongodb') return documentChange(message, given)
  const rows = { before: rowOf(change, 'before'), after: rowOf(change, 'after') }
  return {
    change: { ...given, ...rows },
    readKey: message.readKey,
    schema: message.schema?.fields?.find(({ field }) => field === 'after') ?? null,
    isAsSent: true,
    isDocument: false,
    isPatch: false,
  }
}

function unknownOp(op: unknown): DecodeError {
  return new DecodeError('op-unknown', `the operation "${wordOf(op)}" is not known`)
}

function rowOf(change: ChangePayload, side: 'before' | 'after'): PlainRow | null {
  const row: unknown = change[side] ?? null
  if (typeof row !== 'object' || Array.isArray(row)) {
    throw new DecodeError('message-unknown', `the "${side}" of the change is not a row of columns`)
  }
  return row as PlainRow | null
}

function documentChange(message: DebeziumMessage, change: ChangePayload): RowChange {
  const { before, after, op } = change
  const readKey = () => documentKey(message.readKey())
  const rows = { before: documentOf(before, '"before"'), after: documentOf(after, '"after"') }
  const common = { readKey, schema: null, isAsSent: false, isDocument: true }
  if (op !== 'u' || rows.after !== null) {
    return { ...common, change: { ...change, ...rows }, isPatch: false }
  }
  const { updateDescription } = change as { readonly updateDescription?: unknown }
  const patch = { ...readKey(), ...documentPatch(updateDescription) }
  // With the document before it, it is the whole one after it.
  const isPatch = rows.before === null
  return { ...common, change: { ...change, ...rows, after: { ...rows.before, ...patch } }, isPatch }
}

/**
 * Cassandra: `{column: {value, deletion_ts, set}}`, and null for a column that the statement did not
 * name. An insert there writes no more than an update does, over what the row has.
 */
function cellsChange(message: DebeziumMessage, change: ChangePayload, op: string): RowChange {
  const kind = { isAsSent: false, isDocument: false, isPatch: false }
  const common = { readKey: message.readKey, ...kind }
  const schema = message.schema === null ? null : schemaOfCells(message.schema)
  if (op === 'd') {
    checkWholeKey(message.readKey())
    return { ...common, change: { ...change, op, before: null, after: null }, schema }
  }
  if (op === 'r' || op === 't') {
    throw new DecodeError(
      'row-missing',
      'a range of rows was deleted, and Cassandra does not tell which they were: delete rows by their whole key',
    )
  }
  if (op !== 'i' && op !== 'u' && op !== 'c') throw unknownOp(change.op)
  const cells = Object.entries(rowOf(change, 'after') ?? {}).filter(
    ([name]) => !rangeField.test(name),
  )
  const row = Object.fromEntries(cells.map(([name, cell]) => [name, valueOfCell(name, cell)]))
  return { ...common, change: { ...change, op: 'u', before: null, after: row }, schema }
}

const rangeField = /^_range_(?:start|end)$/

/** Undefined for what was not sent. */
function valueOfCell(name: string, cell: unknown): unknown {
  if (cell === null) return undefined
  if (typeof cell !== 'object' || !('value' in cell)) {
    throw new DecodeError('message-unknown', `the column ${name} is no cell of Cassandra's`)
  }
  return cell.value
}

/** A partition is deleted by a part of the key, with all the rows that it has. */
function checkWholeKey(key: unknown): void {
  const part = Object.entries(key ?? {}).find(([, value]) => value === null)
  if (part === undefined) return
  throw new DecodeError(
    'row-missing',
    `the rows of a partition were deleted, and Cassandra does not tell which they were (${part[0]} is ` +
      'null): delete rows by their whole key',
  )
}

/** By the schema of the message. */
const cellSchemas = new WeakMap<ConnectSchema, ConnectSchema>()

function schemaOfCells(envelope: ConnectSchema): ConnectSchema | null {
  const known = cellSchemas.get(envelope)
  if (known !== undefined) return known
  const row = envelope.fields?.find(({ field }) => field === 'after')
  if (row === undefined) return null
  const fields = (row.fields ?? [])
    .filter(({ field }) => !rangeField.test(field ?? ''))
    .map(cell => {
      const value = cell.fields?.find(({ field }) => field === 'value') ?? cell
      return { ...value, field: cell.field ?? '', optional: cell.optional ?? false }
    })
  const made = { ...row, fields }
  cellSchemas.set(envelope, made)
  return made
}
