/** A column of texts while it is written. */
import type { BloomFilter } from './bloom-filter.ts'
import { SliceRange } from './byte-range.ts'
import {
  type ColumnContext,
  ColumnWriter,
  type FinishedStream,
  integerPosition,
} from './column-writer.ts'
import { Dictionary } from './dictionary.ts'
import { hashOfBytes } from './hashes.ts'
import { writeNarrowRunLengthV2 } from './run-length-v2-narrow-writer.ts'
import type { StatisticsDetails } from './statistics.ts'
import type { ColumnEncoding } from './stripe-messages.ts'
import { fitText } from './text-length.ts'
import type { OrcColumn, OrcValue } from './types.ts'
import { ValueBytes } from './value-bytes.ts'
import type { BytesVector } from './vectors.ts'

/** Longer ends of a range may only be stated as bounds, which older readers take for no values. */
const maxStatisticBytes = 1024

/** From so many values on, a stripe that gave its dictionary up speaks for the stripes after it. */
const decisiveValues = 1000

/**
 * string, varchar and char. A stripe starts with a dictionary; when the first row group shows that
 * too many values are distinct, or when the end of the stripe does, the values are written
 * directly.
 *
 *     direct      DATA: bytes of the values       LENGTH: their lengths
 *     dictionary  DATA: an entry for each value   DICTIONARY_DATA, LENGTH: the entries
 */
export class StringColumnWriter extends ColumnWriter {
  readonly #data = this.createStream()
  readonly #lengthData = this.createStream()
  /** Whether texts have no length to be fitted to. */
  readonly #isPlain = this.column.type.kind === 'string'
  /** Whether later stripes need not try a dictionary any more. */
  #isKnownDistinct = false
  /** Null when the values of the stripe are written directly. */
  #dictionary: Dictionary | null
  /** How many values of the dictionary's belong to ended groups, group by group. */
  #groupEnds: number[] = []
  /** The group's values, when they are written directly. */
  readonly #values = new ValueBytes()
  #finishedEncoding: ColumnEncoding = directEncoding

  constructor(column: OrcColumn, context: ColumnContext) {
    super(column, context)
    this.#dictionary = this.#startDictionary()
  }

  protected override appendValue(value: NonNullable<OrcValue>): void {
    if (typeof value !== 'string') this.reject(value, 'a string')
    const text = this.#isPlain ? value : fitText(this.column.type, value)
    this.context.pendingBytes += this.#addText(text)
  }

  #addText(text: string): number {
    const dictionary = this.#dictionary
    return dictionary === null ? this.#values.pushText(text) + 8 : dictionary.addText(text)
  }

  protected override appendVector(
    vector: BytesVector,
    from: number,
    to: number,
    present: Uint8Array | null,
  ): void {
    const { context } = this
    const dictionary = this.#dictionary
    if (!this.#isPlain) {
      this.#appendFitted(vector, from, to, present)
    } else if (dictionary === null) {
      context.pendingBytes += this.#values.pushVector(vector, from, to, present) + 8 * (to - from)
    } else {
      const { bytes, starts, lengths } = vector
      for (let k = from; k < to; k++) {
        if (present !== null && present[k] === 0) continue
        const start = starts[k]!
        context.pendingBytes += dictionary.addBytes(bytes, start, start + lengths[k]!)
      }
    }
  }

  /** varchar and char: what has no more bytes than characters are allowed is never too long. */
  #appendFitted(
    { bytes, starts, lengths }: BytesVector,
    from: number,
    to: number,
    present: Uint8Array | null,
  ): void {
    const { type } = this.column
    const maxBytes = type.kind === 'varchar' ? type.length : -1
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let k = from; k < to; k++) {
      if (present !== null && present[k] === 0) continue
      const start = starts[k]!
      const end = start + lengths[k]!
      if (end - start > maxBytes) {
        const text = fitText(type, buffer.toString('utf8', start, end))
        this.context.pendingBytes += this.#addText(text)
      } else if (this.#dictionary === null) {
        this.#values.pushSlice(bytes, start, end)
        this.context.pendingBytes += end - start + 8
      } else {
        this.context.pendingBytes += this.#dictionary.addBytes(bytes, start, end)
      }
    }
  }

  protected override removeLastValue(): void {
    if (this.#dictionary !== null) {
      this.#dictionary.removeLast()
      return
    }
    this.#values.removeLast()
  }

  protected override summarize(): StatisticsDetails | undefined {
    return this.#dictionary === null
      ? this.#summarizeDirect()
      : this.#summarizeEntries(this.#dictionary)
  }

  #summarizeDirect(): StatisticsDetails | undefined {
    const { bytes, lengths } = this.#values
    const range = new SliceRange(bytes.bytes)
    let from = 0
    for (let k = 0; k < lengths.length; k++) {
      const to = from + lengths.narrow[k]!
      range.include(from, to)
      from = to
    }
    return stringStatistics(range, from)
  }

  #summarizeEntries(dictionary: Dictionary): StatisticsDetails | undefined {
    const range = new SliceRange(dictionary.bytes.bytes)
    const isIncluded = new Uint8Array(dictionary.size)
    let byteCount = 0
    for (const id of dictionary.ids(this.#groupEnds.at(-1) ?? 0, dictionary.count)) {
      const from = dictionary.start(id)
      const to = dictionary.end(id)
      byteCount += to - from
      if (isIncluded[id] === 1) continue
      isIncluded[id] = 1
      range.include(from, to)
    }
    return stringStatistics(range, byteCount)
  }

  protected override addHashes(filter: BloomFilter): void {
    const dictionary = this.#dictionary
    if (dictionary === null) {
      this.#values.addHashes(filter)
      return
    }
    const { bytes } = dictionary.bytes
    for (const id of new Set(dictionary.ids(this.#groupEnds.at(-1) ?? 0, dictionary.count))) {
      filter.add(hashOfBytes(bytes, dictionary.start(id), dictionary.end(id)))
    }
  }

  /** With a dictionary the positions are not known before the stripe ends: see `finishStreams`. */
  protected override positions(): number[] {
    return this.#dictionary === null
      ? [...this.#data.position(), ...integerPosition(this.#lengthData)]
      : []
  }

  protected override encodeGroup(): void {
    if (this.#dictionary === null) {
      this.#encodeDirect()
      return
    }
    this.#groupEnds.push(this.#dictionary.count)
    const isFirst = this.groups.length === 1
    if (isFirst && !this.#isWorthwhile(this.#dictionary)) {
      this.#giveUpDictionary(this.#dictionary)
    }
  }

  #encodeDirect(): void {
    this.#data.append(this.#values.bytes.view())
    this.writeIntegers(this.#values.lengths, false, this.#lengthData)
    this.#values.clear()
  }

  #isWorthwhile(dictionary: Dictionary): boolean {
    const { count, size } = dictionary
    return count > 0 && size / count <= this.context.dictionaryThreshold
  }

  /** Writes what the dictionary gathered directly, group by group. */
  #giveUpDictionary(dictionary: Dictionary): void {
    this.#dictionary = null
    this.#isKnownDistinct = dictionary.count >= decisiveValues
    let from = 0
    this.#groupEnds.forEach((to, group) => {
      this.groups[group]!.positions = this.positions()
      const { bytes } = dictionary.bytes
      for (const id of dictionary.ids(from, to)) {
        this.#values.pushSlice(bytes, dictionary.start(id), dictionary.end(id))
      }
      this.#encodeDirect()
      from = to
    })
    this.#groupEnds = []
  }

  protected override finishStreams(): FinishedStream[] {
    const dictionary = this.#dictionary
    if (dictionary !== null && !this.#isWorthwhile(dictionary)) this.#giveUpDictionary(dictionary)
    const entries = this.#dictionary === null ? null : this.#encodeEntries(this.#dictionary)
    this.#finishedEncoding =
      this.#dictionary === null
        ? directEncoding
        : { kind: 'DICTIONARY_V2', dictionarySize: this.#dictionary.size }
    this.#dictionary = this.#startDictionary()
    this.#groupEnds = []
    const streams: FinishedStream[] = [
      { kind: 'DATA', pieces: this.#data.finish() },
      { kind: 'LENGTH', pieces: this.#lengthData.finish() },
    ]
    if (entries !== null) streams.push({ kind: 'DICTIONARY_DATA', pieces: entries })
    return streams
  }

  /** Writes the row groups as numbers of sorted entries; returns the stream of the entries. */
  #encodeEntries(dictionary: Dictionary): Uint8Array[] {
    const sortedIds = dictionary.sortedIds()
    const rankOfId = new Int32Array(sortedIds.length)
    sortedIds.forEach((id, rank) => {
      rankOfId[id] = rank
    })
    const { scratch } = this.context
    let from = 0
    this.#groupEnds.forEach((to, group) => {
      this.groups[group]!.positions = integerPosition(this.#data)
      const ids = dictionary.ids(from, to)
      const ranks = new Float64Array(ids.length)
      for (let k = 0; k < ids.length; k++) ranks[k] = rankOfId[ids[k]!]!
      scratch.clear()
      writeNarrowRunLengthV2(ranks, ranks.length, false, scratch)
      this.#data.append(scratch.view())
      from = to
    })

    const entries = this.createStream()
    const { bytes } = dictionary.bytes
    for (const id of sortedIds) {
      this.#values.pushSlice(bytes, dictionary.start(id), dictionary.end(id))
    }
    entries.append(this.#values.bytes.view())
    this.writeIntegers(this.#values.lengths, false, this.#lengthData)
    this.#values.clear()
    return entries.finish()
  }

  #startDictionary(): Dictionary | null {
    const isTried = this.context.dictionaryThreshold > 0 && !this.#isKnownDistinct
    return isTried ? new Dictionary() : null
  }

  protected override encoding(): ColumnEncoding {
    return this.#finishedEncoding
  }

  protected override ownHeldBytes(): number {
    const streams = this.#data.sizeBytes + this.#lengthData.sizeBytes
    return streams + (this.#dictionary?.heldBytes ?? 0)
  }
}

const directEncoding: ColumnEncoding = { kind: 'DIRECT_V2', dictionarySize: 0 }

function stringStatistics(range: SliceRange, byteCount: number): StatisticsDetails | undefined {
  const texts = range.texts(maxStatisticBytes)
  if (texts === null) return undefined
  return { kind: 'string', ...texts, isMinimumExact: true, isMaximumExact: true, byteCount }
}
