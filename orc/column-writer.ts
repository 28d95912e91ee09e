/**
 * What every column does while it is written: it keeps track of nulls and of row groups. The values
 * are the business of the subclasses, one for each family of types.
 *
 * Values are buffered for one row group and then encoded in one go (`endGroup`). Two things follow.
 * No run crosses the border of two groups, so a row index can point at the start of a run. And the
 * position of a stream when a group ends is the position at which that group starts, since none of
 * it is encoded yet.
 */
import { BloomFilter } from './bloom-filter.ts'
import { BooleanRunLengthWriter } from './boolean-run-length.ts'
import type { ByteBuffer } from './byte-buffer.ts'
import type { Chunking } from './compression.ts'
import { OrcError } from './errors.ts'
import type { IntegerBuffer } from './integer-buffer.ts'
import { writeRunLengthV2 } from './run-length-v2-writer.ts'
import {
  type ColumnStatistics,
  emptyStatistics,
  mergeStatistics,
  type StatisticsDetails,
} from './statistics.ts'
import { StreamOutput, totalLength } from './stream-output.ts'
import type { ColumnEncoding, RowGroup, StreamKind } from './stripe-messages.ts'
import type { OrcColumn, OrcValue, TimestampUnit } from './types.ts'
import type { OrcVector } from './vectors.ts'

/** What the columns of one writer share. */
export interface ColumnContext {
  readonly chunking: Chunking
  /** For bytes on their way from an encoder to a stream. */
  readonly scratch: ByteBuffer
  readonly timestampUnit: TimestampUnit
  /** The share of distinct values up to which strings go into a dictionary; 0 for never. */
  readonly dictionaryThreshold: number
  /** The columns that have filters, and for how many values each; null where none has. */
  readonly bloomFilters: {
    readonly columnIds: ReadonlySet<number>
    readonly valueCount: number
    readonly fpp: number
  } | null
  /** Bytes that values of no fixed size took since the last group; the columns add to it. */
  pendingBytes: number
}

export interface FinishedStream {
  readonly kind: StreamKind
  readonly pieces: readonly Uint8Array[]
}

/** A column's part of a stripe. */
export interface FinishedColumn {
  readonly streams: readonly FinishedStream[]
  readonly encoding: ColumnEncoding
  readonly rowGroups: readonly RowGroup[]
  /** One for each row group, where the column has any. */
  readonly bloomFilters: readonly BloomFilter[]
  /** Of the stripe. */
  readonly statistics: ColumnStatistics
}

interface WrittenGroup {
  readonly presentPosition: readonly number[]
  positions: readonly number[]
  readonly statistics: ColumnStatistics
}

export abstract class ColumnWriter {
  readonly column: OrcColumn
  protected readonly context: ColumnContext
  /** The row groups of the stripe so far. */
  protected readonly groups: WrittenGroup[] = []
  readonly #present: StreamOutput
  readonly #presentBits: BooleanRunLengthWriter
  /** Values and nulls since the group began, and which of them are values; null while all are. */
  #slotCount = 0
  #nullCount = 0
  #slots: Uint8Array | null = null
  readonly #bloomFilters: BloomFilter[] = []

  constructor(column: OrcColumn, context: ColumnContext) {
    this.column = column
    this.context = context
    this.#present = new StreamOutput(context.chunking)
    this.#presentBits = new BooleanRunLengthWriter(this.#present, context.scratch)
  }

  /** Throws `value-invalid`, and then has not changed anything. */
  append(value: OrcValue): void {
    if (value !== null) {
      this.appendValue(value)
      if (this.#slots !== null) this.#slotsFor(this.#slotCount + 1)[this.#slotCount] = 1
    } else {
      this.#slotsFor(this.#slotCount + 1)[this.#slotCount] = 0
      this.#nullCount++
    }
    this.#slotCount++
  }

  /** Appends slots of a vector that `checkVector` found to be right. */
  appendSlots(vector: OrcVector, from: number, to: number): void {
    const { present } = vector
    const count = to - from
    let valueCount = count
    if (present !== null) {
      valueCount = 0
      for (let k = from; k < to; k++) valueCount += present[k]!
    }
    if (present !== null && (valueCount < count || this.#slots !== null)) {
      this.#slotsFor(this.#slotCount + count).set(present.subarray(from, to), this.#slotCount)
    } else if (this.#slots !== null) {
      this.#slotsFor(this.#slotCount + count).fill(1, this.#slotCount, this.#slotCount + count)
    }
    this.appendVector(vector, from, to, valueCount === count ? null : present)
    this.#slotCount += count
    this.#nullCount += count - valueCount
  }

  /** Room for so many slots; those before are values when there was none. */
  #slotsFor(count: number): Uint8Array {
    this.#slots ??= new Uint8Array(1024).fill(1)
    while (this.#slots.length < count) {
      const grown = new Uint8Array(this.#slots.length * 2).fill(1)
      grown.set(this.#slots)
      this.#slots = grown
    }
    return this.#slots
  }

  /** Takes back the last `append` of this group. */
  removeLast(): void {
    this.#slotCount--
    if (this.#slots !== null && this.#slots[this.#slotCount] === 0) {
      this.#slots[this.#slotCount] = 1
      this.#nullCount--
      return
    }
    this.removeLastValue()
  }

  endGroup(): void {
    const valueCount = this.#slotCount - this.#nullCount
    const statistics = {
      valueCount,
      hasNull: this.#nullCount > 0,
      bytesOnDisk: 0,
      details: valueCount === 0 ? undefined : this.summarize(),
    }
    const presentPosition = this.#presentBits.position()
    this.groups.push({ presentPosition, positions: this.positions(), statistics })
    this.#presentBits.append(this.#slots, this.#slotCount)
    const { bloomFilters } = this.context
    if (bloomFilters?.columnIds.has(this.column.id) === true) {
      const filter = BloomFilter.sized(bloomFilters.valueCount, bloomFilters.fpp)
      this.addHashes(filter)
      this.#bloomFilters.push(filter)
    }
    this.encodeGroup()
    this.#slotCount = 0
    this.#nullCount = 0
    this.#slots = null
  }

  /** Gives the stripe away and starts the next one. All groups must have been ended. */
  finishStripe(): FinishedColumn {
    this.#presentBits.finish()
    const presentPieces = this.#present.finish()
    const ownStreams = this.finishStreams()
    const encoding = this.encoding()
    const groups = this.groups.splice(0)
    const merged = groups.map(group => group.statistics).reduce(mergeStatistics, emptyStatistics)
    // A stripe without nulls has no PRESENT stream, and its index no positions for one.
    const { hasNull } = merged
    const streams = hasNull
      ? [{ kind: 'PRESENT' as const, pieces: presentPieces }, ...ownStreams]
      : ownStreams
    return {
      streams,
      encoding,
      rowGroups: groups.map(group => ({
        positions: hasNull ? [...group.presentPosition, ...group.positions] : group.positions,
        statistics: group.statistics,
      })),
      bloomFilters: this.#bloomFilters.splice(0),
      statistics: { ...merged, bytesOnDisk: totalLength(streams.flatMap(stream => stream.pieces)) },
    }
  }

  /** Bytes of the ended groups that are held in memory. */
  get heldBytes(): number {
    const filterBytes = this.#bloomFilters.length * (this.#bloomFilters[0]?.bits.length ?? 0)
    return this.#present.sizeBytes + this.ownHeldBytes() + filterBytes + this.groups.length * 200
  }

  protected abstract appendValue(value: NonNullable<OrcValue>): void
  /** The values of a vector of the column's kind; `present` is null where all slots have one. */
  protected abstract appendVector(
    vector: OrcVector,
    from: number,
    to: number,
    present: Uint8Array | null,
  ): void
  protected abstract removeLastValue(): void
  /** The details of the group's statistics; called before `encodeGroup`, for at least one value. */
  protected abstract summarize(): StatisticsDetails | undefined
  /** Adds the group's values; called before `encodeGroup`, for types that have filters. */
  protected addHashes(_filter: BloomFilter): void {}

  /** Where the column's own streams are, in the order that row indexes have for the type. */
  protected abstract positions(): number[]
  /** Encodes and forgets the buffered values. */
  protected abstract encodeGroup(): void
  protected abstract finishStreams(): FinishedStream[]
  protected abstract ownHeldBytes(): number

  /** Called after `finishStreams`. */
  protected encoding(): ColumnEncoding {
    return { kind: 'DIRECT_V2', dictionarySize: 0 }
  }

  protected createStream(): StreamOutput {
    return new StreamOutput(this.context.chunking)
  }

  protected writeIntegers(values: IntegerBuffer, isSigned: boolean, stream: StreamOutput): void {
    const { scratch } = this.context
    scratch.clear()
    writeRunLengthV2(values, isSigned, scratch)
    stream.append(scratch.view())
  }

  protected reject(value: OrcValue, expected: string): never {
    const { path, type } = this.column
    const message = `${shownValue(value)} is not ${expected}`
    throw new OrcError('value-invalid', message, `column ${path}, ${type.kind}`)
  }
}

/** Short, whatever the value; it may be anything where the caller's types were not checked. */
function shownValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `string ${JSON.stringify(value.slice(0, 40))}`
    case 'number':
    case 'bigint':
    case 'boolean':
      return `${typeof value} ${value}`
    default:
      return Array.isArray(value) ? `an array of ${value.length}` : typeof value
  }
}

/** Integer positions have one number more: how many values to skip. None, as groups start runs. */
export function integerPosition(stream: StreamOutput): number[] {
  return [...stream.position(), 0]
}
