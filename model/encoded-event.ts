/**
 * A change event whose row is already in the form in which it travels (`row-codec.ts`): a decoder that
 * reads bytes makes it so, and most events reach the hop without anybody asking for a value. Who asks
 * gets the same as of any other event. Spreading it would lose what is read on demand: `plainEvent`
 * comes first where code of users gets to see it.
 */
import { ByteReader } from './bytes.ts'
import type { ChangeEvent, ChangeOp, Origin } from './change-event.ts'
import { decodeKey } from './key.ts'
import type { Position } from './position.ts'
import { decodeRow } from './row-codec.ts'
import type { TableSchema } from './table-schema.ts'
import { keyColumns } from './table-schema.ts'
import type { Row, Value } from './value.ts'

/** What a decoder has read of the message. */
export interface EncodedParts {
  readonly table: string
  readonly op: Exclude<ChangeOp, 't'>
  readonly position: Position | null
  readonly snapshot: ChangeEvent['snapshot']
  readonly transaction: ChangeEvent['transaction']
  readonly schema: TableSchema
  readonly origin: Origin
  readonly sourceMs: number
  readonly isBeforeWhole: boolean
  /** Canonical key bytes (`key.ts`). */
  readonly keyBytes: string
  /** The whole row after the change; null for a delete. */
  readonly rowBytes: Uint8Array | null
  /** The row before, where the message has one. */
  readonly unread: UnreadRow | null
}

/** A row that nobody has asked for yet. */
export interface UnreadRow {
  read(): Row
}

export class EncodedEvent implements ChangeEvent {
  readonly table: string
  readonly op: Exclude<ChangeOp, 't'>
  readonly position: Position | null
  readonly snapshot: ChangeEvent['snapshot']
  readonly transaction: ChangeEvent['transaction']
  readonly schema: TableSchema
  readonly origin: Origin
  readonly sourceMs: number
  readonly isBeforeWhole: boolean
  /** Said by who judges it, before anybody else sees it. */
  isInDoubt: boolean
  readonly oldKey = null
  readonly keyBytes: string
  readonly rowBytes: Uint8Array | null
  readonly unread: UnreadRow | null

  constructor(parts: EncodedParts, table = parts.table, isInDoubt = true) {
    this.table = table
    this.op = parts.op
    this.position = parts.position
    this.snapshot = parts.snapshot
    this.transaction = parts.transaction
    this.schema = parts.schema
    this.origin = parts.origin
    this.sourceMs = parts.sourceMs
    this.isBeforeWhole = parts.isBeforeWhole
    this.isInDoubt = isInDoubt
    this.keyBytes = parts.keyBytes
    this.rowBytes = parts.rowBytes
    this.unread = parts.unread
  }

  get key(): Row {
    const values = decodeKey(keyColumns(this.schema), this.keyBytes)
    return Object.fromEntries(this.schema.key.map((name, index) => [name, values[index]!]))
  }

  get before(): Row | null {
    return this.unread === null ? null : this.unread.read()
  }

  get after(): Row | null {
    if (this.rowBytes === null) return null
    const values = decodeRow(new ByteReader(this.rowBytes), this.schema)
    const row: Record<string, Value> = {}
    for (const [index, { name }] of this.schema.columns.entries()) row[name] = values[index]!
    return row
  }
}

/** Without reading it. */
export function hasKey(event: ChangeEvent): boolean {
  return event instanceof EncodedEvent || event.key !== null
}

/** The event with every row read: as an object that can be spread. */
export function plainEvent(event: ChangeEvent): ChangeEvent {
  if (!(event instanceof EncodedEvent)) return event
  const { table, op, key, before, after, position, snapshot, transaction, schema } = event
  const { origin, sourceMs, isBeforeWhole, isInDoubt, oldKey } = event
  return {
    table,
    op,
    key,
    before,
    after,
    position,
    snapshot,
    transaction,
    schema,
    origin,
    sourceMs,
    isBeforeWhole,
    isInDoubt,
    oldKey,
  }
}

/** The event under the name of its target. */
export function renamedEvent(event: ChangeEvent, table: string): ChangeEvent {
  return event instanceof EncodedEvent
    ? new EncodedEvent(event, table, event.isInDoubt)
    : { ...event, table }
}

export function judgedEvent(event: ChangeEvent, isInDoubt: boolean): ChangeEvent {
  if (event.isInDoubt === isInDoubt) return event
  if (!(event instanceof EncodedEvent)) return { ...event, isInDoubt }
  event.isInDoubt = isInDoubt
  return event
}
