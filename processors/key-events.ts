/**
 * From a change event to the net change that travels through the hop: canonical key bytes, the row's
 * bytes, and which partitions of the target the row may be leaving.
 */
import { ByteWriter } from '../model/bytes.ts'
import type { ChangeEvent } from '../model/change-event.ts'
import type { ChangedKey } from '../model/changed-key.ts'
import { EncodedEvent, hasKey } from '../model/encoded-event.ts'
import { assert, ConfigError, ForagerError, ProcessingError } from '../model/errors.ts'
import { encodeKey } from '../model/key.ts'
import type { Leaves, NetChange } from '../model/net-change.ts'
import type { PartitionBy } from '../model/partition-by.ts'
import { hasPartition, partitionColumn, partitionOf } from '../model/partition-by.ts'
import { markOf } from '../model/position.ts'
import { encodeValues } from '../model/row-codec.ts'
import type { Column, TableSchema } from '../model/table-schema.ts'
import { keyColumns } from '../model/table-schema.ts'
import type { Row } from '../model/value.ts'

const writer = new ByteWriter()
const keys = new WeakMap<TableSchema, readonly Column[]>()

/** `partitionBy` is the target's; null when it has no partitions. A truncate is not keyed. */
export function keyEvent(event: ChangeEvent, partitionBy: PartitionBy | null): NetChange {
  const { schema, op } = event
  assert(hasKey(event) && op !== 't', 'an event without a key reached the hop', event.origin)
  const { kind, row } = op === 'd' ? deletion : rowOf(event)
  // Here the cause can still be mended: nothing of it is staged. A patch may lack the column.
  if (partitionBy !== null && kind === 'upsert') checkPartition(event, partitionBy)
  return {
    kind,
    key: event instanceof EncodedEvent ? event.keyBytes : keyOf(event),
    row,
    schema,
    leaves: leavesOf(event, partitionBy),
    last: {
      position: event.position === null ? '' : markOf(event.position),
      sourceMs: event.sourceMs,
    },
  }
}

const deletion = { kind: 'delete', row: null } as const

const divided = new WeakMap<PartitionBy, WeakSet<TableSchema>>()

/** Whether the table can be divided so, and the row has its partition. */
function checkPartition({ schema, after, table, origin }: ChangeEvent, by: PartitionBy): void {
  const known = divided.get(by) ?? new WeakSet()
  divided.set(by, known)
  const context = { ...origin, table, column: by.column }
  if (!known.has(schema)) {
    try {
      partitionColumn(by, schema)
    } catch (error) {
      if (!(error instanceof ForagerError)) throw error
      throw new ConfigError(error.code, error.message, { context })
    }
    known.add(schema)
  }
  const value = after?.[by.column] ?? null
  if (hasPartition(by, value)) return
  throw new ProcessingError('value-invalid', `"${String(value)}" has no month to divide by`, {
    context,
  })
}

function keyOf({ schema, key }: ChangeEvent): string {
  return keyBytesOf(schema, key!)
}

function keyBytesOf(schema: TableSchema, key: Row): string {
  const columns = keyColumnsOf(schema)
  return encodeKey(
    columns,
    columns.map(column => key[column.name] ?? null),
  )
}

/** Null: it is no half of a changed key, or needs nothing of the other one. */
/**
 * Null as well where its place in the source's log is known in part (the first transaction after a start of PostgreSQL's
 * connector): sent again it cannot be told from a new one, and another row may have come under the old key since.
 */
function otherKeyOf({ otherKey, position }: ChangeEvent): Row | null {
  const isSure = position === null || !position.order.includes(null)
  return otherKey !== undefined && isSure ? otherKey : null
}

export function changedKeyOf(event: ChangeEvent, change: NetChange): ChangedKey | null {
  const { op, schema } = event
  const otherKey = otherKeyOf(event)
  if (otherKey === null) return null
  const { key, last } = change
  const other = keyBytesOf(schema, otherKey)
  const at = last.position === '' ? {} : { at: last.position }
  if (op === 'd') return { half: 'old', oldKey: key, newKey: other, ...at }
  const half: ChangedKey = { half: 'new', oldKey: other, newKey: key, ...at }
  return change.kind === 'patch' ? { ...half, isPartial: true } : half
}

function keyColumnsOf(schema: TableSchema): readonly Column[] {
  const known = keys.get(schema)
  if (known !== undefined) return known
  const columns = keyColumns(schema)
  keys.set(schema, columns)
  return columns
}

function rowOf(event: ChangeEvent): Pick<NetChange, 'kind' | 'row'> {
  if (event instanceof EncodedEvent) return { kind: 'upsert', row: event.rowBytes }
  const row = event.after
  assert(row !== null, 'a change without a row reached the hop', event.origin)
  // A column that was not sent may be called `constructor`, which every object has.
  const values = event.schema.columns.map(({ name }) => {
    return Object.hasOwn(row, name) ? row[name] : undefined
  })
  const missing = values.indexOf(undefined)
  const isMoved = event.op !== 'd' && otherKeyOf(event) !== null
  if (missing >= 0 && event.oldKey !== null && !isMoved) throw notSent(event, missing)
  const isPatch = (missing >= 0 || event.isPatch === true) && (event.op === 'u' || isMoved)
  // An insert has all there is: what its message leaves out is null.
  const whole = isPatch ? values : values.map(value => value ?? null)
  // A row that could not be written to its end may have left its beginning.
  writer.reset()
  encodeValues(writer, event.schema, whole)
  return { kind: isPatch ? 'patch' : 'upsert', row: writer.take() }
}

function notSent(event: ChangeEvent, index: number): ProcessingError {
  const column = event.schema.columns[index]!.name
  return new ProcessingError(
    'value-not-sent',
    `the key of a row changed, and the value of ${column} was not sent with it`,
    { context: { ...event.origin, table: event.table, column } },
  )
}

/** Of a table without partitions. */
const nowhere: Leaves = []

/**
 * Only what the source proves: the row before, of a change that is known to be new. An insert proves
 * nothing, because it may repeat one that the table already has elsewhere. What is said is a hint: a change
 * between may have been skipped, filtered or mapped.
 */
function leavesOf(event: ChangeEvent, partitionBy: PartitionBy | null): Leaves {
  if (partitionBy === null) return nowhere
  const isProven = event.isBeforeWhole && !event.isInDoubt && (event.op === 'u' || event.op === 'd')
  const before: Row | null = isProven ? event.before : null
  const value = before?.[partitionBy.column]
  if (value === undefined || !hasPartition(partitionBy, value)) return 'unknown'
  return [partitionOf(partitionBy, partitionColumn(partitionBy, event.schema), value)]
}
