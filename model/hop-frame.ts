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
 *     version · 1 · truncate marker as JSON
 */
import { ByteReader, ByteWriter } from './bytes.ts'
import { assert } from './errors.ts'
import { fromJson, toJson } from './json.ts'
import type { NetChange } from './net-change.ts'
import { readNetChange, writeNetChange } from './net-change.ts'
import type { Target } from './partition-by.ts'
import type { ComparablePosition } from './position.ts'
import { readPosition, writePosition } from './position-bytes.ts'
import type { TruncateMarker } from './staged-batch.ts'
import type { TableSchema } from './table-schema.ts'
import { canUnite, fromSchemaText, schemaText } from './table-schema.ts'

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
}

const kinds = { changes: 0, truncate: 1, positioned: 2 } as const

export type HopFrame =
  | {
      readonly kind: 'changes'
      readonly topic: string
      readonly partition: number
      readonly changes: readonly HopChange[]
    }
  | { readonly kind: 'truncate'; readonly target: Target; readonly marker: TruncateMarker }

/** Collects the changes for one partition of the hop. Rows are copied in as they come. */
export class HopFrameWriter {
  readonly #topic: string
  readonly #partition: number
  readonly #changes = new ByteWriter(16 * 1024)
  /** Numbers by table, then by schema: both are few. */
  readonly #numbers = new Map<string, Map<TableSchema, number>>()
  #schemas: { readonly target: Target; readonly schema: TableSchema }[] = []
  #count = 0

  readonly #hasPositions: boolean

  constructor(topic: string, partition: number, hasPositions = false) {
    this.#topic = topic
    this.#partition = partition
    this.#hasPositions = hasPositions
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  get sizeBytes(): number {
    return this.#changes.length
  }

  /** False when no table could hold it beside what the frame has: then it begins the next frame. */
  add(hopChange: HopChange): boolean {
    const { target, change, offset, position = null, isIncremental = false } = hopChange
    const writer = this.#changes
    const number = this.#schemaNumber(target, change.schema)
    if (number === null) return false
    writer.count(number)
    writeNetChange(writer, change)
    writer.integer(offset)
    if (this.#hasPositions) {
      writePosition(writer, position)
      writer.byte(isIncremental ? 1 : 0)
    }
    this.#count += 1
    return true
  }

  /** The record's value. The writer is empty afterwards. */
  take(): Buffer {
    const writer = new ByteWriter(this.#changes.length + 1024)
    writer.byte(version)
    writer.byte(this.#hasPositions ? kinds.positioned : kinds.changes)
    writer.text(this.#topic)
    writer.count(this.#partition)
    writer.count(this.#schemas.length)
    for (const { target, schema } of this.#schemas) {
      writer.text(toJson(target))
      writer.text(schemaText(schema))
    }
    writer.count(this.#count)
    writer.raw(this.#changes.take())
    this.#schemas = []
    this.#numbers.clear()
    this.#count = 0
    return writer.take()
  }

  #schemaNumber(target: Target, schema: TableSchema): number | null {
    // Schemas are interned: a table has one object for each of its versions.
    let numbers = this.#numbers.get(target.table)
    if (numbers === undefined) {
      numbers = new Map()
      this.#numbers.set(target.table, numbers)
    }
    const known = numbers.get(schema)
    if (known !== undefined) return known
    for (const other of numbers.keys()) if (!canUnite(other, schema)) return null
    const number = this.#schemas.push({ target, schema }) - 1
    numbers.set(schema, number)
    return number
  }
}

export function encodeTruncate(target: Target, marker: TruncateMarker): Buffer {
  return Buffer.concat([
    Buffer.from([version, kinds.truncate]),
    Buffer.from(toJson({ target, marker })),
  ])
}

/** Rows in the result are views of `bytes`. */
export function decodeHopFrame(bytes: Uint8Array): HopFrame {
  const reader = new ByteReader(bytes)
  const found = reader.byte()
  assert(found === version, () => `a hop record has version ${found}, known is ${version}`)
  const kind = reader.byte()
  assert(kind <= kinds.positioned, () => `a hop record is of the unknown kind ${kind}`)
  if (kind === kinds.truncate) {
    const text = Buffer.from(bytes.subarray(2)).toString('utf8')
    return { kind: 'truncate', ...(fromJson(text) as { target: Target; marker: TruncateMarker }) }
  }
  const topic = reader.text()
  const partition = reader.count()
  const schemas = Array.from({ length: reader.count() }, () => ({
    target: fromJson(reader.text()) as Target,
    schema: fromSchemaText(reader.text()),
  }))
  const changes = Array.from({ length: reader.count() }, () => {
    const { target, schema } = schemas[reader.count()]!
    const change = readNetChange(reader, schema)
    const offset = Number(reader.integer())
    if (kind === kinds.changes) return { target, change, offset }
    const position = readPosition(reader)
    return { target, change, offset, position, isIncremental: reader.byte() === 1 }
  })
  assert(reader.isAtEnd, 'a hop record has bytes after its last change')
  return { kind: 'changes', topic, partition, changes }
}
