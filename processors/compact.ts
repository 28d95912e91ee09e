/**
 * The open window of one task: changes of the hop folded to one net change a key, table by table, in a
 * state store. It begins where the task's last window ended and counts offsets, not records.
 *
 * A truncate that is ordered empties its table's part of the window: what came before it is gone from the source,
 * and what comes after belongs to the table anew. One that the policy refuses begins another part: it may be resumed
 * under a policy that leaves the rows. So does a half of a changed key whose row has changes in the part: what the row
 * was before it can be read, by itself, from the part before. A table that the source made is a part of its own, without changes, where no
 * change of the window tells of it.
 */
import { ByteWriter, toBuffer } from '../model/bytes.ts'
import type { ChangedKey } from '../model/changed-key.ts'
import { keyOfHalf } from '../model/changed-key.ts'
import { EncodedChange } from '../model/encoded-change.ts'
import { assert } from '../model/errors.ts'
import type {
  CreatedFrame,
  FrameSchema,
  HopChange,
  HopChangeCursor,
  HopFrame,
} from '../model/hop-frame.ts'
import type { NetChange } from '../model/net-change.ts'
import { writeNetChange } from '../model/net-change.ts'
import type { Target } from '../model/partition-by.ts'
import type { NewestRow, PositionSpan, TruncateMarker } from '../model/staged-batch.ts'
import type { TableSchema } from '../model/table-schema.ts'
import { canUnite } from '../model/table-schema.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { StateStore } from '../state/state-store.ts'
import { asNewRow } from './changed-keys.ts'
import { EntryCursor } from './entry-cursor.ts'
import { foldChange } from './fold-change.ts'
import type { OpenPart } from './open-part.ts'
import {
  decodeChange,
  emptyPart,
  newerMarker,
  newestRow,
  schemaNumber,
  unknownSchema,
} from './open-part.ts'

/** A window closes at the first limit that it reaches. */
export interface WindowLimits {
  readonly maxAgeMs: number
  /** Net changes: distinct keys. */
  readonly maxRows: number
  /** Of the net changes, in the form in which they are stored. */
  readonly maxBytes: number
}

export type CloseReason = 'age' | 'rows' | 'bytes' | 'end'

/**
 * One table's part of a window that closes. A table has several where its changes do not fit beside each
 * other (its key changed, or a type to one that nothing holds both of): it is the warehouse that decides.
 */
export interface WindowPart {
  readonly target: Target
  /** Holds the schema of every change. */
  readonly schema: TableSchema
  readonly truncate: TruncateMarker | null
  /** It has no changes: the source has a table of this schema. */
  readonly creates: boolean
  /** Some of it came through a source topic of several partitions. */
  readonly isSpread: boolean
  readonly eventCount: number
  readonly sourceMs: { readonly first: number; readonly last: number }
  readonly newest: NewestRow | null
  readonly positions: PositionSpan
  readonly changedKeys: readonly ChangedKey[]
  readonly changes: AsyncIterable<readonly NetChange[]>
}

const all = (): boolean => true

/** Of a part: they are in the record that names its files, six times as large at most, and a record has its limits. */
const maxChangedKeyBytes = 64 * 1024

const emptySchema: TableSchema = { columns: [], key: [] }

export class OpenWindow {
  readonly #store: StateStore
  readonly #metrics: Metrics
  readonly #parts = new Map<string, OpenPart>()
  /** Of tables whose next changes did not fit beside them. */
  #full: OpenPart[] = []
  /** By target: tables that the source made, and has not dropped since. */
  readonly #created = new Map<string, CreatedFrame>()
  readonly #writer = new ByteWriter()
  /** Whose changes are being folded, and the one that is. */
  #current: {
    readonly part: OpenPart
    readonly schema: TableSchema
    readonly number: number
  } | null = null
  #change: EncodedChange | null = null
  readonly #given = new ByteWriter()
  readonly #encoded = new EncodedChange()
  /** The change as the store would keep it, where it lies so already. */
  #numbered: Buffer | null = null
  readonly #older = new EncodedChange()
  #prefixes = 0
  #from: number
  #to: number
  #openedAtMs: number | null = null

  constructor(store: StateStore, metrics: Metrics, from: number) {
    this.#store = store
    this.#metrics = metrics
    this.#from = from
    this.#to = from
  }

  get range(): { readonly from: number; readonly to: number } {
    return { from: this.#from, to: this.#to }
  }

  /** Net changes and bytes that it holds, and its age. `nowMs` is monotonic. */
  measure(nowMs: number): {
    readonly rows: number
    readonly bytes: number
    readonly ageMs: number
  } {
    const { count: rows, sizeBytes: bytes } = this.#store
    return { rows, bytes, ageMs: this.#openedAtMs === null ? 0 : nowMs - this.#openedAtMs }
  }

  get isEmpty(): boolean {
    return this.#from === this.#to
  }

  /** Whether it has anything to stage. A window may cover offsets of which nothing came. */
  get hasChanges(): boolean {
    return this.#parts.size > 0 || this.#created.size > 0
  }

  /**
   * Takes in a record that ends before `nextOffset`; of its changes those that `takes` says. `nowMs` is
   * monotonic.
   */
  add(frame: HopFrame, nowMs: number, takes: (changes: HopChangeCursor) => boolean = all): void {
    this.#openedAtMs ??= nowMs
    if (frame.kind === 'truncate') {
      this.#truncate(frame.target, frame.marker)
      return
    }
    if (frame.kind === 'created') {
      this.#created.set(frame.target.table, frame)
      return
    }
    const { changes } = frame
    const { change } = changes
    let of: FrameSchema | null = null
    // Of the change before: a text is made of it only where its table's changes end.
    let lastStart = 0
    while (changes.next()) {
      if (!takes(changes)) continue
      const half = changes.changedKey
      // Changes of one table come in rows.
      if (of !== changes.of || half !== undefined) {
        if (of !== null) this.#endRow(change.positionText(lastStart))
        this.#begin(changes.of, half)
        this.#current!.part.firstPosition ??= change.positionText()
      }
      of = changes.of
      this.#current!.part.isSpread ||= frame.isSpread
      lastStart = change.positionStart
      this.#fold(change, change.key)
    }
    if (of !== null) this.#endRow(change.positionText(lastStart))
  }

  /** Takes in a change that did not come through a hop. `nowMs` is monotonic. */
  addChange({ target, change, changedKey: half }: HopChange, nowMs: number): void {
    this.#openedAtMs ??= nowMs
    const { schema, last } = change
    const known = this.#current
    const isOther = known?.schema !== schema || known.part.target.table !== target.table
    if (isOther || half !== undefined) this.#begin({ target, schema }, half)
    const given = this.#given
    given.reset()
    given.count(this.#current!.number)
    writeNetChange(given, change)
    this.#numbered = given.view()
    this.#encoded.readNumbered(this.#numbered, 0)
    this.#current!.part.firstPosition ??= last.position
    this.#endRow(last.position)
    this.#fold(this.#encoded, change.key)
    this.#numbered = null
  }

  /** The window covers the partition up to here, records or not. */
  advance(nextOffset: number, nowMs: number): void {
    assert(nextOffset >= this.#to, 'a window goes back')
    if (nextOffset > this.#to) this.#openedAtMs ??= nowMs
    this.#to = nextOffset
  }

  /** Null while no limit is reached. */
  dueReason(limits: WindowLimits, nowMs: number): CloseReason | null {
    if (this.isEmpty) return null
    if (this.#store.count >= limits.maxRows) return 'rows'
    if (this.#store.sizeBytes >= limits.maxBytes) return 'bytes'
    return nowMs - this.#openedAtMs! >= limits.maxAgeMs ? 'age' : null
  }

  /** Milliseconds until the window is too old; null when it is empty. */
  remainingMs(limits: WindowLimits, nowMs: number): number | null {
    return this.#openedAtMs === null
      ? null
      : Math.max(0, this.#openedAtMs + limits.maxAgeMs - nowMs)
  }

  /** The tables of the window, in the order in which the store holds them. To be read in turn. */
  async *close(): AsyncGenerator<WindowPart> {
    const parts = [...this.#full, ...this.#parts.values()].sort((a, b) =>
      a.prefix < b.prefix ? -1 : 1,
    )
    const cursor = new EntryCursor(this.#store.entries()[Symbol.asyncIterator]())
    for (const part of parts) {
      yield {
        target: part.target,
        schema: part.union ?? emptySchema,
        truncate: part.truncate,
        creates: false,
        isSpread: part.isSpread,
        eventCount: part.eventCount,
        sourceMs: { first: Math.min(part.firstMs, part.lastMs), last: part.lastMs },
        newest: newestRow(part),
        positions: { first: part.firstPosition ?? '', last: part.lastPosition },
        changedKeys: part.changedKeys,
        changes: this.#changesOf(part, cursor),
      }
    }
    for (const frame of this.#created.values()) {
      const { table } = frame.target
      if (!parts.some(({ target, union }) => target.table === table && union !== null)) {
        yield createdPart(frame)
      }
    }
  }

  /** Lets go of all that it has. The next window begins there: where this one ended, or began. */
  async reset(from = this.#to): Promise<void> {
    await this.#store.clear()
    this.#parts.clear()
    this.#created.clear()
    this.#full = []
    this.#current = null
    this.#prefixes = 0
    this.#from = from
    this.#to = from
    this.#openedAtMs = null
  }

  #part(target: Target): OpenPart {
    return this.#parts.get(target.table) ?? this.#beginPart(target)
  }

  #beginPart(target: Target): OpenPart {
    const before = this.#parts.get(target.table)
    if (before !== undefined) this.#full.push(before)
    const part = emptyPart(target, this.#nextPrefix())
    this.#parts.set(target.table, part)
    return part
  }

  #nextPrefix(): string {
    const number = this.#prefixes
    this.#prefixes += 1
    return String.fromCharCode((number >> 16) & 0xff, (number >> 8) & 0xff, number & 0xff)
  }

  #truncate(target: Target, marker: TruncateMarker): void {
    const { isOrdered, isRefused = false, isDrop } = marker
    if (isDrop === true) this.#created.delete(target.table)
    const before = this.#parts.get(target.table)?.truncate ?? null
    // A policy may follow truncates and not drops, or the other way round.
    const isOther = before !== null && before.isDrop !== isDrop
    const isApart = isOther || (isOrdered && isRefused)
    if (isApart) this.#current = null
    const part = isApart ? this.#beginPart(target) : this.#part(target)
    part.truncate = newerMarker(part.truncate, marker)
    part.eventCount += 1
    // Rows of other source partitions may be newer than the truncate: the warehouse decides by row.
    // What was before an ordered one is left behind under the old prefix; its schema stays known.
    if (isOrdered && !isApart) {
      part.prefix = this.#nextPrefix()
      part.changedKeys = []
      part.changedKeyBytes = 0
    }
  }

  /** The next changes are of this table and schema. */
  #begin({ target, schema }: FrameSchema, half?: ChangedKey): void {
    const known = this.#part(target)
    const fits = known.union === null || canUnite(known.union, schema)
    const part = fits && !this.#isTorn(known, half) ? known : this.#beginPart(target)
    this.#current = { part, schema, number: schemaNumber(part, schema) }
    if (half === undefined) return
    part.changedKeys.push(half)
    part.changedKeyBytes += half.oldKey.length + half.newKey.length + (half.at?.length ?? 0) + 16
  }

  /** Whether what the row was before the half would be folded away, or the part has halves enough. */
  #isTorn({ prefix, changedKeyBytes }: OpenPart, half: ChangedKey | undefined): boolean {
    if (half === undefined) return false
    const isChanged = this.#store.get(prefix + keyOfHalf(half)) !== undefined
    return isChanged || changedKeyBytes >= maxChangedKeyBytes
  }

  #endRow(position: string): void {
    this.#current!.part.lastPosition = position
  }

  #fold(change: EncodedChange, key: string): void {
    const { part, number } = this.#current!
    const { sourceMs } = change
    part.eventCount += 1
    part.firstMs = Math.min(part.firstMs, sourceMs)
    part.lastMs = Math.max(part.lastMs, sourceMs)
    part.seenMs[number] = Math.max(part.seenMs[number]!, sourceMs)
    if (change.kind === 'upsert' && sourceMs > part.wholeMs[number]!)
      part.wholeMs[number] = sourceMs
    this.#change = change
    this.#store.update(part.prefix + key, this.#folded)
  }

  /** What the store keeps for the change. It is one function, because it is called for every change. */
  readonly #folded = (before: Uint8Array | undefined): Uint8Array => {
    const { part, schema, number } = this.#current!
    const change = this.#change!
    if (before !== undefined) {
      const olderSchema = part.schemas[this.#older.readNumbered(toBuffer(before), 0)]
      if (!change.replaces(this.#older)) {
        assert(olderSchema !== undefined, unknownSchema)
        return this.#foldRows(part, this.#older.decode(olderSchema), change.decode(schema))
      }
    }
    if (this.#numbered !== null) return this.#numbered
    this.#writer.reset()
    this.#writer.count(number)
    this.#writer.rawOf(change.bytes, change.start, change.end)
    return this.#writer.view()
  }

  #foldRows(part: OpenPart, older: NetChange, newer: NetChange): Uint8Array {
    if (older.kind === 'delete' && newer.kind === 'patch') {
      this.#metrics.count('forager_patches_without_row_total', 1, { table: part.target.table })
    }
    const folded = foldChange(older, newer)
    // A change that could not be written to its end may have left its beginning.
    this.#writer.reset()
    this.#writer.count(schemaNumber(part, folded.schema))
    writeNetChange(this.#writer, folded)
    return this.#writer.view()
  }

  async *#changesOf(part: OpenPart, cursor: EntryCursor): AsyncGenerator<readonly NetChange[]> {
    let last = ''
    const partial = part.changedKeys.filter(({ isPartial }) => isPartial)
    const newKeys = new Set(partial.map(({ newKey }) => newKey))
    for (;;) {
      const entries = await cursor.take(part.prefix)
      if (entries === null) return
      yield entries.map(([key, value]) => {
        assert(key > last, 'a window holds two net changes of one key', {
          table: part.target.table,
        })
        last = key
        const change = decodeChange(part, value)
        const isNewRow = change.kind === 'patch' && newKeys.has(change.key)
        return isNewRow ? asNewRow(change, part.union!) : change
      })
    }
  }
}

function createdPart({ target, schema, sourceMs }: CreatedFrame): WindowPart {
  return {
    target,
    schema,
    truncate: null,
    creates: true,
    isSpread: false,
    eventCount: 1,
    sourceMs: { first: sourceMs, last: sourceMs },
    newest: null,
    positions: { first: '', last: '' },
    changedKeys: [],
    changes: noChanges(),
  }
}

async function* noChanges(): AsyncGenerator<readonly NetChange[]> {
  // It only says that there is a table.
}
