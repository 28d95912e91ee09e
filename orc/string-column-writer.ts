/** A column of texts while it is written. */
import { ByteBuffer } from './byte-buffer.ts'
import { SliceRange } from './byte-range.ts'
import {
  type ColumnContext,
  ColumnWriter,
  type FinishedStream,
  integerPosition,
} from './column-writer.ts'
import { Dictionary } from './dictionary.ts'
import { IntegerBuffer } from './integer-buffer.ts'
import { writeNarrowRunLengthV2 } from './run-length-v2-narrow-writer.ts'
import type { StatisticsDetails } from './statistics.ts'
import type { ColumnEncoding } from './stripe-messages.ts'
import type { OrcColumn, OrcType, OrcValue } from './types.ts'

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
  readonly #fit: (text: string) => string
  /** Whether later stripes need not try a dictionary any more. */
  #isKnownDistinct = false
  /** Null when the values of the stripe are written directly. */
  #dictionary: Dictionary | null
  /** How many values of the dictionary's belong to ended groups, group by group. */
  #groupEnds: number[] = []
  /** The group's values, when they are written directly. */
  readonly #bytes = new ByteBuffer()
  readonly #lengths = new IntegerBuffer()
  #finishedEncoding: ColumnEncoding = directEncoding

  constructor(column: OrcColumn, context: ColumnContext) {
    super(column, context)
    this.#fit = textFitter(column.type)
    this.#dictionary = this.#startDictionary()
  }

  protected override appendValue(value: NonNullable<OrcValue>): void {
    if (typeof value !== 'string') this.reject(value, 'a string')
    const text = this.#fit(value)
    if (this.#dictionary !== null) {
      this.context.pendingBytes += this.#dictionary.add(text)
    } else {
      const byteCount = this.#bytes.writeText(text)
      this.#lengths.push(byteCount)
      this.context.pendingBytes += byteCount + 8
    }
  }

  protected override removeLastValue(): void {
    if (this.#dictionary !== null) {
      this.#dictionary.removeLast()
      return
    }
    const last = this.#lengths.length - 1
    this.#bytes.length -= this.#lengths.narrow[last]!
    this.#lengths.truncate(last)
  }

  protected override summarize(): StatisticsDetails | undefined {
    return this.#dictionary === null
      ? this.#summarizeDirect()
      : this.#summarizeEntries(this.#dictionary)
  }

  #summarizeDirect(): StatisticsDetails | undefined {
    const range = new SliceRange(this.#bytes.bytes)
    let from = 0
    for (let k = 0; k < this.#lengths.length; k++) {
      const to = from + this.#lengths.narrow[k]!
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
    if (this.groups.length === 1 && !this.#isWorthwhile(this.#dictionary)) {
      this.#giveUpDictionary(this.#dictionary)
    }
  }

  #encodeDirect(): void {
    this.#data.append(this.#bytes.view())
    this.writeIntegers(this.#lengths, false, this.#lengthData)
    this.#bytes.clear()
    this.#lengths.clear()
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
      for (const id of dictionary.ids(from, to)) {
        const entry = dictionary.entry(id)
        this.#bytes.writeBytes(entry)
        this.#lengths.push(entry.length)
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
    for (const id of sortedIds) {
      const entry = dictionary.entry(id)
      entries.append(entry)
      this.#lengths.push(entry.length)
    }
    this.writeIntegers(this.#lengths, false, this.#lengthData)
    this.#lengths.clear()
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

/** Cuts to the length of varchar and char, and pads to that of char; lengths are in code points. */
function textFitter(type: OrcType): (text: string) => string {
  if (type.kind === 'varchar') return text => cutText(text, type.length)
  if (type.kind !== 'char') return text => text
  // Predicates compare with padded text, so statistics and values have to be padded as well.
  return text => {
    const cut = cutText(text, type.length)
    return cut + ' '.repeat(type.length - countCodePoints(cut))
  }
}

function cutText(text: string, maxCodePoints: number): string {
  if (text.length <= maxCodePoints) return text
  let at = 0
  for (let count = 0; count < maxCodePoints && at < text.length; count++) {
    at += text.codePointAt(at)! > 0xffff ? 2 : 1
  }
  return text.slice(0, at)
}

function countCodePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}
