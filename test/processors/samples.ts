/** Change events and net changes of a small table, and what they do to a row. */
import type { ChangeEvent } from '../../model/change-event.ts'
import type { NetChange } from '../../model/net-change.ts'
import { netChangeValues } from '../../model/net-change.ts'
import type { Position } from '../../model/position.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import type { Value } from '../../model/value.ts'
import { plainText } from '../../model/value-text.ts'
import { silentLogger } from '../../observe/logger.ts'
import { CounterRegistry } from '../../observe/metrics.ts'
import { schemaOf } from '../model/samples.ts'

export const users = schemaOf({ id: 'int', name: 'string', sex: 'string' })

export function nodeContext() {
  return { task: '0_shop-0', logger: silentLogger, metrics: new CounterRegistry() }
}

export function binlogAt(pos: number, parts: Partial<Position> = {}): Position {
  return {
    connector: 'mariadb',
    name: 'm1',
    server: '3307',
    log: 'mysql-bin',
    order: [1, pos, 0],
    transaction: null,
    gtid: null,
    isSnapshot: false,
    text: `mysql-bin.000001:${pos}:0@3307`,
    ...parts,
  }
}

/** An insert of row 1 unless told otherwise; `id` is the key's value. */
export function eventOf(
  parts: Partial<ChangeEvent> & { readonly id?: number; readonly offset?: number } = {},
): ChangeEvent {
  const { id = 1, offset = 0, ...rest } = parts
  return {
    table: 'demo.user',
    op: 'c',
    key: { id },
    before: null,
    after: rest.op === 'd' ? null : { id, name: 'a', sex: 'M' },
    position: null,
    snapshot: 'no',
    transaction: null,
    schema: users,
    origin: { topic: 'shop', partition: 0, offset },
    sourceMs: 1000,
    isBeforeWhole: false,
    isInDoubt: false,
    oldKey: null,
    ...rest,
  }
}

export function netOf(parts: Partial<NetChange> = {}): NetChange {
  return {
    kind: 'upsert',
    key: 'k',
    row: parts.kind === 'delete' ? null : [1, 'a', 'M'],
    schema: users,
    leaves: [],
    last: { position: '', sourceMs: 0 },
    ...parts,
  }
}

/** A row of a table, as text by column id; null: there is none. It knows nothing of folding. */
export type PlainRow = ReadonlyMap<string, string | null> | null

function textOf(type: TableSchema['columns'][number]['type'], value: Value): string | null {
  if (value === null) return null
  // 1.50 and 1.5000 are one value.
  const text = plainText(type, value)
  return type.kind === 'decimal' ? text.replace(/\.?0*$/, '') : text
}

function fresh(schema: TableSchema, id: string): string | null {
  const column = schema.columns.find(one => one.id === id)
  return column === undefined ? null : textOf(column.type, column.initialDefault ?? null)
}

/** What the change makes of the row, in the plainest way. */
export function applyPlainly(row: PlainRow, change: NetChange): PlainRow {
  if (change.kind === 'delete') return null
  const values = netChangeValues(change)!
  const result = new Map(change.kind === 'patch' ? row : [])
  for (const [index, { id, type }] of change.schema.columns.entries()) {
    const value = values[index]
    if (value !== undefined) result.set(id, textOf(type, value))
    // A patch leaves what the row has; a column that is newer than the row has its default.
    else if (!result.has(id)) result.set(id, row === null ? null : fresh(change.schema, id))
  }
  return result
}

/** The row as a reader of the table under the schema sees it. */
export function readUnder(
  schema: TableSchema,
  row: PlainRow,
): Record<string, string | null> | null {
  if (row === null) return null
  const entries = schema.columns.map(({ id }) => [
    id,
    row.has(id) ? row.get(id)! : fresh(schema, id),
  ])
  return Object.fromEntries(entries) as Record<string, string | null>
}
