/**
 * The records of the repartition topic. One record carries many changes of one source partition to
 * one partition of the hop, with the schemas that they need, so that it can be read alone:
 *
 *     version · 0 · topic · partition · schemas (target, text)* · changes*
 *     change: schema number · net change (`net-change.ts`) · source offset
 *
 *     version · 2 · the same with, behind each change, its position (`position-bytes.ts`) and whether it
 *         is a row of an incremental snapshot
 *
 *     version · 4 or 6 · as 0 or 2, of a source topic of several partitions
 *
 *     version · 8, 10, 12 or 14 · as 0, 2, 4 or 6, with halves of changed keys before the changes: a list of (number
 *         of the change, `ChangedKey`) as JSON
 *
 *     version · 1 · truncate marker as JSON
 *
 *     version · 3 · a table that the source made, as JSON
 */
import { ByteReader, ByteWriter, toBuffer } from './bytes.ts'
import type { ChangedKey } from './changed-key.ts'
import { EncodedChange } from './encoded-change.ts'
import { assert } from './errors.ts'
import { fromJson, toJson } from './json.ts'
import type { NetChange } from './net-change.ts'
import { writeNetChange } from './net-change.ts'
import type { Target } from './partition-by.ts'
import type { ComparablePosition } from './position.ts'
import { readPosition, writePosition } from './position-bytes.ts'
import type { TruncateMarker } from './staged-batch.ts'
import type { TableSchema } from './table-schema.ts'
import { fromSchemaText, internSchema, schemaText } from './table-schema.ts'

const version = 1

/** One change on its way to the task that owns its key. */
export interface HopChange {
  readonly target: Target
  readonly change: NetChange
  /** Offset of the event in the frame's source partition. */
  readonly offset: number
  /** Where changes are ordered by it; null: it is not known. */
  readonly position?: ComparablePosition | null
  /** A row of an incremental snapshot: where changes are ordered by position. */
  readonly isIncremental?: boolean
  /** It is a half of a changed key. */
  readonly changedKey?: ChangedKey
}

const kinds = { changes: 0, truncate: 1, positioned: 2, created: 3 } as const
/** Beside the kind of changes. */
const spread = 4
const halved = 8

export type HopFrame = ChangesFrame | TableFrame

/** It is of a whole table, and has no rows. */
export type TableFrame = TruncateFrame | CreatedFrame

export interface TruncateFrame {
  readonly kind: 'truncate'
  readonly target: Target
  readonly marker: TruncateMarker
}

/** The source has a table, with rows or without. */
export interface CreatedFrame {
  readonly kind: 'created'
  readonly target: Target
  /** As its rows will have it. */
  readonly schema: TableSchema
  /** When it was made, by the source's clock, in milliseconds. */
  readonly sourceMs: number
}

export interface ChangesFrame {
  readonly kind: 'changes'
  readonly topic: string
  readonly partition: number
  /** Truncates of these tables are known by their place only. */
  readonly isSpread: boolean
  readonly schemas: readonly FrameSchema[]
  readonly changes: HopChangeCursor
}

/** What changes of a frame have in common. */
export interface FrameSchema {
  readonly target: Target
  readonly schema: TableSchema
}

interface CursorRange {
  readonly start: number
  readonly count: number
  readonly hasPositions: boolean
  readonly halves: readonly Half[]
}

/** The number of a change in its frame, and the half that it is. */
type Half = readonly [number, ChangedKey]

/** Passes over the changes of a frame, in their order, once. */
export class HopChangeCursor {
  readonly change = new EncodedChange()
  readonly #bytes: Buffer
  readonly #rest: ByteReader
  readonly #schemas: readonly FrameSchema[]
  readonly #halves: ReadonlyMap<number, ChangedKey> | null
  readonly #count: number
  #left: number
  #at: number
  /** Of the change: its target and schema. */
  of: FrameSchema
  /** Of the change: offset of its event in the frame's source partition. */
  offset = 0

  /** Of the change, where changes are ordered by it; null: it is not known. */
  position: ComparablePosition | null = null
  /** Whether it is a row of an incremental snapshot; where changes are ordered by position. */
  isIncremental = false
  /** Changes are ordered by position. */
  readonly hasPositions: boolean

  constructor(
    bytes: Buffer,
    { start, count, hasPositions, halves }: CursorRange,
    schemas: readonly FrameSchema[],
  ) {
    this.#halves = halves.length === 0 ? null : new Map(halves)
    this.#count = count
    this.hasPositions = hasPositions
    this.#bytes = bytes
    this.#rest = new ByteReader(bytes, start)
    this.#schemas = schemas
    this.#left = count
    this.#at = start
    this.of = schemas[0]!
  }

  /** Of the change: the half of a changed key that it is. */
  get changedKey(): ChangedKey | undefined {
    return this.#halves?.get(this.#count - this.#left - 1)
  }

  /** False at the end. */
  next(): boolean {
    if (this.#left === 0) {
      assert(this.#at === this.#bytes.length, 'a hop record has bytes after its last change')
      return false
    }
    this.#left -= 1
    this.of = this.#schemas[this.change.readNumbered(this.#bytes, this.#at)]!
    this.#rest.position = this.change.end
    this.offset = Number(this.#rest.integer())
    if (this.hasPositions) {
      this.position = readPosition(this.#rest)
      this.isIncremental = this.#rest.byte() === 1
    }
    this.#at = this.#rest.position
    return true
  }
}

export interface FrameForm {
  readonly hasPositions?: boolean
  readonly isSpread?: boolean
}

/** Collects the changes for one partition of the hop. Rows are copied in as they come. */
export class HopFrameWriter {
  readonly #topic: string
  readonly #partition: number
  readonly #changes = new ByteWriter(16 * 1024)
  /** Numbers by table, then by schema: both are few. */
  readonly #numbers = new Map<string, Map<TableSchema, number>>()
  #schemas: FrameSchema[] = []
  #halves: Half[] = []
  #count = 0

  readonly #hasPositions: boolean
  readonly #isSpread: boolean

  constructor(topic: string, partition: number, { hasPositions, isSpread }: FrameForm = {}) {
    this.#topic = topic
    this.#partition = partition
    this.#hasPositions = hasPositions ?? false
    this.#isSpread = isSpread ?? false
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  get sizeBytes(): number {
    return this.#changes.length
  }

  add(hopChange: HopChange): void {
    const { target, change, offset, position = null, isIncremental = false } = hopChange
    const writer = this.#changes
    if (hopChange.changedKey !== undefined) this.#halves.push([this.#count, hopChange.changedKey])
    writer.count(this.#schemaNumber(target, change.schema))
    writeNetChange(writer, change)
    writer.integer(offset)
    if (this.#hasPositions) {
      writePosition(writer, position)
      writer.byte(isIncremental ? 1 : 0)
    }
    this.#count += 1
  }

  /** The record's value. The writer is empty afterwards. */
  take(): Buffer {
    const writer = new ByteWriter(this.#changes.length + 1024)
    writer.byte(version)
    const kind = this.#hasPositions ? kinds.positioned : kinds.changes
    const hasHalves = this.#halves.length > 0
    writer.byte(kind | (this.#isSpread ? spread : 0) | (hasHalves ? halved : 0))
    writer.text(this.#topic)
    writer.count(this.#partition)
    writer.count(this.#schemas.length)
    for (const { target, schema } of this.#schemas) {
      writer.text(toJson(target))
      writer.text(schemaText(schema))
    }
    if (hasHalves) writer.text(toJson(this.#halves))
    writer.count(this.#count)
    writer.raw(this.#changes.take())
    this.#schemas = []
    this.#halves = []
    this.#numbers.clear()
    this.#count = 0
    return writer.take()
  }

  #schemaNumber(target: Target, schema: TableSchema): number {
    // Schemas are interned: a table has one object for each of its versions.
    let numbers = this.#numbers.get(target.table)
    if (numbers === undefined) {
      numbers = new Map()
      this.#numbers.set(target.table, numbers)
    }
    const known = numbers.get(schema)
    if (known !== undefined) return known
    const number = this.#schemas.push({ target, schema }) - 1
    numbers.set(schema, number)
    return number
  }
}

export function encodeTableFrame({ kind, ...content }: TableFrame): Buffer {
  return Buffer.concat([Buffer.from([version, kinds[kind]]), Buffer.from(toJson(content))])
}

/** Changes in the result are views of `bytes`. */
export function decodeHopFrame(bytes: Uint8Array): HopFrame {
  const reader = new ByteReader(bytes)
  const found = reader.byte()
  assert(found === version, () => `a hop record has version ${found}, known is ${version}`)
  const kind = reader.byte()
  const isSpread = (kind & spread) !== 0
  const form = kind & ~(spread | halved)
  if (kind === kinds.truncate || kind === kinds.created) return tableFrame(kind, bytes)
  const isKnown = form === kinds.changes || form === kinds.positioned
  assert(isKnown, () => `a hop record is of the unknown kind ${kind}`)
  const topic = reader.text()
  const partition = reader.count()
  const schemas = Array.from({ length: reader.count() }, () => ({
    target: fromJson(reader.text()) as Target,
    schema: fromSchemaText(reader.text()),
  }))
  const halves = (kind & halved) === 0 ? [] : (fromJson(reader.text()) as readonly Half[])
  const count = reader.count()
  const hasPositions = form === kinds.positioned
  const range = { start: reader.position, count, hasPositions, halves }
  const changes = new HopChangeCursor(toBuffer(bytes), range, schemas)
  return { kind: 'changes', topic, partition, isSpread, schemas, changes }
}

function tableFrame(kind: 1 | 3, bytes: Uint8Array): TableFrame {
  const content = fromJson(Buffer.from(bytes.subarray(2)).toString('utf8'))
  if (kind === kinds.truncate) {
    return { kind: 'truncate', ...(content as Omit<TruncateFrame, 'kind'>) }
  }
  const { schema, ...rest } = content as Omit<CreatedFrame, 'kind'>
  return { kind: 'created', ...rest, schema: internSchema(schema) }
}
