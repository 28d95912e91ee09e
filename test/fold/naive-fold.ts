/**
 * A second opinion: recorded Debezium change events folded into tables in the plainest way.
 *
 * This is an oracle for tests. It shares no code with the program it checks, keeps everything in
 * memory and does what a reader of Debezium's documentation would do with a pencil: a row per key,
 * written by c, r and u, taken away by d, and all of them by t.
 *
 *   lines, in log order ──► event ──► shape of its table ──► normal row ──► rows by key
 *
 * Order: each (topic, partition) must come in log order; this file does not sort, because a test
 * that re-sends a block means the second reading to come second. How partitions are interleaved
 * does not matter, but for a truncate, which takes what came before it.
 *
 * Left to others: spelling of values (`column-types.ts`, `normal-form.ts`), differences
 * (`compare.ts`), and what the events themselves do not hold (`exceptions.ts`).
 */
import {
  type ConnectorSettings,
  type DeclaredColumn,
  type Shape,
  shapeOfColumns,
  shapeOfEnvelope,
} from './column-types.ts'
import { type Json, type Kind, keyText, normalize, parseExactly, type Row } from './normal-form.ts'

/** As much of a line of a fixture as a fold needs; key and value are the exact texts. */
export interface RecordedLine {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
}

export interface FoldedTable {
  readonly keyColumns: readonly string[]
  /** The kinds of the columns as the last known shape has them; empty when no types are known. */
  readonly kinds: ReadonlyMap<string, Kind>
  /** By the canonical text of the key, as `keyText` makes it. */
  readonly rows: ReadonlyMap<string, Row>
}

/** By "db.table", or "schema.table" for PostgreSQL. */
export type Tables = ReadonlyMap<string, FoldedTable>

export interface FoldOptions {
  /** The connector's configuration; matters only where the types come from schema changes. */
  readonly settings?: ConnectorSettings
  /** Further lines to take schema changes from, for a subset that does not hold them. */
  readonly typesFrom?: readonly RecordedLine[]
  /** All columns of tables whose types no event tells, by the table's name. */
  readonly declared?: Readonly<Record<string, readonly DeclaredColumn[]>>
}

type Struct = { readonly [name: string]: Json }

/** Log file and position in it; PostgreSQL has no file. */
type Position = readonly [file: string, offset: bigint]

interface ShapeChange {
  readonly position: Position
  readonly shape: Shape
}

interface GrowingTable {
  readonly keyColumns: readonly string[]
  readonly rows: Map<string, Row>
  latest: { position: Position; shape: Shape | undefined }
}

const unavailableText = '__debezium_unavailable_value'
const unavailable = new Set<Json>([
  unavailableText,
  Buffer.from(unavailableText).toString('base64'),
])

/** Tables without a message key have no rows to tell apart and are left out. */
export function foldEvents(lines: readonly RecordedLine[], options: FoldOptions = {}): Tables {
  const settings = options.settings ?? {}
  const ownChanges = shapeChanges(lines, settings)
  const history = shapeChanges([...(options.typesFrom ?? []), ...lines], settings)
  for (const [name, columns] of Object.entries(options.declared ?? {})) {
    history.set(name, [{ position: ['', 0n], shape: shapeOfColumns(columns, settings) }])
  }
  const tables = new Map<string, GrowingTable>()
  for (const line of lines) foldLine(line, tables, history)

  const oldNames = renamedColumns([...(options.typesFrom ?? []), ...lines])
  const folded = new Map<string, FoldedTable>()
  for (const [name, table] of tables) {
    for (const change of ownChanges.get(name) ?? []) noteShape(table, change)
    folded.set(name, finish(table, oldNames.get(name)))
  }
  return folded
}

function foldLine(
  line: RecordedLine,
  tables: Map<string, GrowingTable>,
  history: ReadonlyMap<string, ShapeChange[]>,
): void {
  const event = changeEvent(line)
  if (event === undefined) return
  const { payload, op } = event
  const source = payload.source as Struct
  const name = `${(source.schema ?? source.db) as string}.${source.table as string}`
  if (op === 't') tables.get(name)?.rows.clear()
  if (op === 't' || line.key === null) return

  const position = positionOf(source)
  const shape = event.shape ?? shapeAt(history.get(name) ?? [], position)
  const key = decodeRow(messageKey(line.key), shape)
  const table = tables.get(name) ?? newTable(Object.keys(key), position, shape)
  tables.set(name, table)
  noteShape(table, { position, shape })
  const rowKey = keyText(key, table.keyColumns)
  if (op === 'd') table.rows.delete(rowKey)
  else table.rows.set(rowKey, decodeRow(payload.after as Struct, shape, table.rows.get(rowKey)))
}

/**
 * Undefined for what changes no row: tombstones, heartbeats, transaction boundaries, schema changes
 * and logical messages. A row's change is known by its `op`; only logical messages have one too.
 */
function changeEvent({ value }: RecordedLine) {
  if (value === null) return undefined
  const { schema, payload } = unwrap(value)
  if (typeof payload.op !== 'string') return undefined
  const op = payload.op.toLowerCase()
  if (op === 'm') return undefined
  if (!['c', 'r', 'u', 'd', 't'].includes(op)) throw new Error(`an event with the op "${op}"`)
  return { payload, op, shape: schema === undefined ? undefined : shapeOfEnvelope(schema) }
}

/** Converters with `schemas.enable` wrap what they write in a schema and a payload. */
function unwrap(text: string): { schema: Json | undefined; payload: Struct } {
  const parsed = parseExactly(text) as Struct
  const isWrapped = 'schema' in parsed && 'payload' in parsed
  return isWrapped
    ? { schema: parsed.schema as Json, payload: parsed.payload as Struct }
    : { schema: undefined, payload: parsed }
}

/** A router that merges topics adds a field to the key, which is no column of the table. */
function messageKey(text: string): Struct {
  const { __dbz__physicalTableIdentifier: _, ...columns } = unwrap(text).payload
  return columns
}

/**
 * A placeholder stands for a value that the source did not log as it had not changed: the old value
 * stays. Where the old row lacks the column too, `finish` gives the default.
 */
function decodeRow(struct: Struct, shape: Shape | undefined, old: Row = {}): Row {
  const row: Row = {}
  for (const [column, value] of Object.entries(struct)) {
    if (unavailable.has(value)) {
      if (column in old) row[column] = old[column] ?? null
      continue
    }
    const type = shape?.get(column)
    row[column] = value === null || type === undefined ? normalize(value) : type.decode(value)
  }
  return row
}

/**
 * Rows have the columns of the last shape: what they lack was added after they were written and has
 * its default, or was renamed and has its value; what is no longer in the shape is left out.
 */
function finish(
  { keyColumns, rows, latest: { shape } }: GrowingTable,
  oldNames: ReadonlyMap<string, string> = new Map(),
): FoldedTable {
  if (shape === undefined) return { keyColumns, rows, kinds: new Map() }
  const finished = new Map<string, Row>()
  for (const [key, row] of rows) {
    const full: Row = {}
    for (const [column, { defaultValue }] of shape) {
      const name = column in row ? column : (oldNames.get(column) ?? column)
      full[column] = name in row ? (row[name] ?? null) : defaultValue
    }
    finished.set(key, full)
  }
  const kinds = new Map([...shape].map(([column, { kind }]) => [column, kind]))
  return { keyColumns, rows: finished, kinds }
}

function newTable(keyColumns: string[], position: Position, shape: Shape | undefined) {
  return { keyColumns, rows: new Map<string, Row>(), latest: { position, shape } }
}

/**
 * By position and not by arrival: partitions that are read at different speeds may show an older
 * shape after a newer one.
 */
function noteShape(
  table: GrowingTable,
  change: { position: Position; shape: Shape | undefined },
): void {
  if (byPosition(change.position, table.latest.position) >= 0) table.latest = change
}

/** Old names of columns by new ones, of each table: where the statement of a schema change says so. */
function renamedColumns(lines: readonly RecordedLine[]): Map<string, Map<string, string>> {
  const tables = new Map<string, Map<string, string>>()
  for (const { value } of lines) {
    if (value?.includes('"tableChanges"') !== true) continue
    const { ddl, tableChanges } = unwrap(value).payload
    for (const { id } of tableChanges as unknown as TableChange[]) {
      const name = id.replaceAll('"', '')
      const names = tables.get(name) ?? new Map<string, string>()
      tables.set(name, names)
      const sql = typeof ddl === 'string' ? ddl : ''
      for (const [, from, to] of sql.matchAll(/change column (\w+) (\w+)/gi)) {
        names.set(to!, from!)
      }
    }
  }
  return tables
}

/** The schema changes of each table, the oldest first, whatever order the lines have. */
function shapeChanges(
  lines: readonly RecordedLine[],
  settings: ConnectorSettings,
): Map<string, ShapeChange[]> {
  const changes = new Map<string, ShapeChange[]>()
  for (const { value } of lines) {
    if (value?.includes('"tableChanges"') !== true) continue
    const { payload } = unwrap(value)
    const source = payload.source as Struct
    // Debezium's own history topic holds the same changes in another form, without a connector.
    if (source.connector === undefined) continue
    for (const change of payload.tableChanges as unknown as TableChange[]) {
      if (change.table === null) continue
      const name = change.id.replaceAll('"', '')
      const shape = shapeOfColumns(change.table.columns, settings)
      changes.set(name, [...(changes.get(name) ?? []), { position: positionOf(source), shape }])
    }
  }
  for (const own of changes.values()) own.sort((a, b) => byPosition(a.position, b.position))
  return changes
}

/** A dropped table has no `table`. */
interface TableChange {
  readonly id: string
  readonly table: { readonly columns: readonly DeclaredColumn[] } | null
}

function shapeAt(changes: readonly ShapeChange[], position: Position): Shape | undefined {
  const change = changes.findLast(candidate => byPosition(candidate.position, position) <= 0)
  return (change ?? changes[0])?.shape
}

function positionOf(source: Struct): Position {
  return [(source.file ?? '') as string, BigInt((source.pos ?? source.lsn ?? 0n) as bigint)]
}

function byPosition([file, offset]: Position, [otherFile, otherOffset]: Position): number {
  if (file !== otherFile) return file < otherFile ? -1 : 1
  return offset === otherOffset ? 0 : offset < otherOffset ? -1 : 1
}
