/**
 * What a window keeps of a row: one net change a key. The row stays in its encoded form until the
 * window closes, because most changes of a hot key are overwritten and never read.
 */
import { ByteReader, ByteWriter } from './bytes.ts'
import { assert } from './errors.ts'
import type { RowValues } from './row-codec.ts'
import { decodeRow, encodeValues } from './row-codec.ts'
import type { TableSchema } from './table-schema.ts'
import { widenValue } from './widening.ts'

/**
 * Partitions of the target that the row was in before, by the word of the source; unknown: any of them.
 * It is a hint: where the row is not found there, it is looked for by key.
 */
export type Leaves = readonly string[] | 'unknown'

export interface NetChange {
  /** `upsert` replaces the row, `patch` sets the columns that were sent, `delete` removes it. */
  readonly kind: 'upsert' | 'patch' | 'delete'
  /** Canonical key bytes (`key.ts`). */
  readonly key: string
  /** The row under `schema`: its bytes (`row-codec.ts`) or its values. Null for a delete. */
  readonly row: Uint8Array | RowValues | null
  readonly schema: TableSchema
  readonly leaves: Leaves
  /** Of the last change that was folded in. */
  readonly last: ChangeMark
  /**
   * Of a patch at its apply, and nowhere before: the key that the row had, or its own. Columns that were not sent are
   * those of the row under it; where there is none any more, the change was made before, and the row keeps its own.
   * There has to be one of the two.
   */
  readonly movedFrom?: string
}

/** Where a change came from, kept beside the row as Forager's own columns. */
export interface ChangeMark {
  /** `Position.text`, or empty. */
  readonly position: string
  readonly sourceMs: number
}

/** The row's values in the order of `change.schema`; `undefined` was not sent. */
export function netChangeValues(change: NetChange): RowValues | null {
  const { row, schema } = change
  return row instanceof Uint8Array ? decodeRow(new ByteReader(row), schema) : row
}

export function uniteLeaves(a: Leaves, b: Leaves): Leaves {
  if (a === 'unknown' || b === 'unknown') return 'unknown'
  if (b.every(partition => a.includes(partition))) return a
  return [...new Set([...a, ...b])].sort()
}

/**
 * The values of a change under a schema that holds its own. A whole row gets, for a column that is
 * newer than the row, what the source gave its old rows; a patch has no value for it.
 */
export function alignValues(change: NetChange, schema: TableSchema): RowValues {
  const values = netChangeValues(change) ?? []
  if (change.schema === schema) return values
  const places = new Map(change.schema.columns.map((column, index) => [column.id, index]))
  return schema.columns.map(column => {
    const place = places.get(column.id)
    if (place === undefined) {
      if (change.kind !== 'upsert') return undefined
      return column.isDropped === true ? null : (column.initialDefault ?? null)
    }
    const value = values[place]
    if (value === undefined) return undefined
    return widenValue(value, change.schema.columns[place]!.type, column.type)
  })
}

export const kinds = ['upsert', 'patch', 'delete'] as const
export const unknownLeaves = 0

/** All but the schema, which the reader must know: kind · key · [row] · leaves · position · ms. */
export function writeNetChange(writer: ByteWriter, change: NetChange): void {
  writer.byte(kinds.indexOf(change.kind))
  writer.binary(change.key)
  if (change.row !== null) writer.blob(rowBytes(change.row, change.schema))
  writeLeaves(writer, change.leaves)
  writer.text(change.last.position)
  writer.integer(change.last.sourceMs)
}

const rowWriter = new ByteWriter()

function rowBytes(row: Uint8Array | RowValues, schema: TableSchema): Uint8Array {
  if (row instanceof Uint8Array) return row
  // A row that could not be written to its end may have left its beginning.
  rowWriter.reset()
  encodeValues(rowWriter, schema, row)
  return rowWriter.take()
}

/** The row is a view of what is read. */
export function readNetChange(reader: ByteReader, schema: TableSchema): NetChange {
  const kind = kinds[reader.byte()]
  assert(kind !== undefined, 'a net change is of unknown kind')
  return {
    kind,
    key: reader.binary(),
    row: kind === 'delete' ? null : reader.blob(),
    schema,
    leaves: readLeaves(reader),
    last: { position: reader.text(), sourceMs: Number(reader.integer()) },
  }
}

/** 0 is unknown, n + 1 a list of n partitions. */
function writeLeaves(writer: ByteWriter, leaves: Leaves): void {
  if (leaves === 'unknown') {
    writer.count(unknownLeaves)
    return
  }
  writer.count(leaves.length + 1)
  for (const partition of leaves) writer.text(partition)
}

function readLeaves(reader: ByteReader): Leaves {
  const count = reader.count()
  return count === unknownLeaves
    ? 'unknown'
    : Array.from({ length: count - 1 }, () => reader.text())
}
