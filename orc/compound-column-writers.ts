/**
 * The columns of structs, lists, maps and unions while they are written. They hold only how many
 * children a value has, or which; the children are columns of their own, which get nothing where the
 * parent is null.
 */
import { doubled } from './arrays.ts'
import { writeByteRunLength } from './byte-run-length.ts'
import {
  type ColumnContext,
  ColumnWriter,
  type FinishedStream,
  integerPosition,
} from './column-writer.ts'
import { IntegerBuffer } from './integer-buffer.ts'
import type { StatisticsDetails } from './statistics.ts'
import type { ColumnEncoding } from './stripe-messages.ts'
import type { OrcColumn, OrcUnionValue, OrcValue } from './types.ts'
import type { ListVector, MapVector, StructVector, UnionVector } from './vectors.ts'

export class StructColumnWriter extends ColumnWriter {
  readonly #fields: readonly ColumnWriter[]

  constructor(column: OrcColumn, context: ColumnContext, fields: readonly ColumnWriter[]) {
    super(column, context)
    this.#fields = fields
  }

  protected override appendValue(value: NonNullable<OrcValue>): void {
    const fields = this.#fields
    if (!Array.isArray(value) || value.length !== fields.length) {
      this.reject(value, `an array of ${fields.length} values`)
    }
    let done = 0
    try {
      for (; done < fields.length; done++) fields[done]!.append(value[done]!)
    } catch (error) {
      while (done > 0) fields[--done]!.removeLast()
      throw error
    }
  }

  protected override appendVector(
    vector: StructVector,
    from: number,
    to: number,
    present: Uint8Array | null,
  ): void {
    this.#fields.forEach((field, place) => {
      const slots = vector.fields[place]!
      for (const [start, end] of runsOf(present, from, to)) field.appendSlots(slots, start, end)
    })
  }

  protected override removeLastValue(): void {
    for (const field of this.#fields) field.removeLast()
  }

  protected override summarize(): undefined {}

  protected override positions(): number[] {
    return []
  }

  protected override encodeGroup(): void {}

  protected override finishStreams(): FinishedStream[] {
    return []
  }

  protected override encoding(): ColumnEncoding {
    return { kind: 'DIRECT', dictionarySize: 0 }
  }

  protected override ownHeldBytes(): number {
    return 0
  }
}

/** The slots that have values, as runs. */
function* runsOf(
  present: Uint8Array | null,
  from: number,
  to: number,
): Generator<[start: number, end: number]> {
  if (present === null) {
    yield [from, to]
    return
  }
  for (let start = from; start < to; ) {
    let end = start
    while (end < to && present[end] === 1) end++
    if (end > start) yield [start, end]
    start = end + 1
  }
}

/** list and map: a value is a number of children, each of them an element, or a key and a value. */
export class CollectionColumnWriter extends ColumnWriter {
  readonly #children: readonly ColumnWriter[]
  readonly #lengthData = this.createStream()
  readonly #lengths = new IntegerBuffer()
  /** What an item holds until its group is encoded, beside what its own lists and texts count. */
  readonly #itemBytes = 16 * slotColumns(this.column)

  constructor(column: OrcColumn, context: ColumnContext, children: readonly ColumnWriter[]) {
    super(column, context)
    this.#children = children
  }

  protected override appendValue(value: NonNullable<OrcValue>): void {
    const isMap = this.column.type.kind === 'map'
    if (isMap ? !(value instanceof Map) : !Array.isArray(value)) {
      this.reject(value, isMap ? 'a Map' : 'an array')
    }
    const items = value as Iterable<OrcValue>
    let done = 0
    try {
      for (const item of items) {
        this.#appendItem(isMap ? (item as readonly OrcValue[]) : [item])
        done++
      }
    } catch (error) {
      this.#removeItems(done)
      throw error
    }
    this.#lengths.push(done)
    this.#count(1, done)
  }

  protected override appendVector(
    vector: ListVector | MapVector,
    from: number,
    to: number,
    present: Uint8Array | null,
  ): void {
    const { offsets } = vector
    for (let k = from; k < to; k++) {
      if (present === null || present[k] === 1) this.#lengths.push(offsets[k + 1]! - offsets[k]!)
    }
    const parts = vector.kind === 'list' ? [vector.elements] : [vector.keys, vector.items]
    parts.forEach((part, place) => {
      this.#children[place]!.appendSlots(part, offsets[from]!, offsets[to]!)
    })
    this.#count(to - from, offsets[to]! - offsets[from]!)
  }

  #count(slots: number, items: number): void {
    this.context.pendingBytes += slots * 8 + items * this.#itemBytes
  }

  /** Appends to all children or, when one of them refuses, to none. */
  #appendItem(values: readonly OrcValue[]): void {
    const [first, second] = this.#children
    first!.append(values[0]!)
    if (second === undefined) return
    try {
      second.append(values[1]!)
    } catch (error) {
      first!.removeLast()
      throw error
    }
  }

  protected override removeLastValue(): void {
    const last = this.#lengths.length - 1
    this.#removeItems(this.#lengths.narrow[last]!)
    this.#lengths.truncate(last)
  }

  #removeItems(count: number): void {
    for (let k = 0; k < count; k++) for (const child of this.#children) child.removeLast()
  }

  protected override summarize(): StatisticsDetails {
    const lengths = this.#lengths.narrow.subarray(0, this.#lengths.length)
    let minimumLength = lengths[0]!
    let maximumLength = minimumLength
    let elementCount = 0
    for (const length of lengths) {
      if (length < minimumLength) minimumLength = length
      if (length > maximumLength) maximumLength = length
      elementCount += length
    }
    return { kind: 'collection', minimumLength, maximumLength, elementCount }
  }

  protected override positions(): number[] {
    return integerPosition(this.#lengthData)
  }

  protected override encodeGroup(): void {
    this.writeIntegers(this.#lengths, false, this.#lengthData)
    this.#lengths.clear()
  }

  protected override finishStreams(): FinishedStream[] {
    return [{ kind: 'LENGTH', pieces: this.#lengthData.finish() }]
  }

  protected override ownHeldBytes(): number {
    return this.#lengthData.sizeBytes
  }
}

/** How many columns have a slot for each of the column's items. */
function slotColumns({ children }: OrcColumn): number {
  return children.reduce((sum, child) => {
    return sum + 1 + (child.type.kind === 'struct' ? slotColumns(child) : 0)
  }, 0)
}

/** How many values each variant has before a slot of a vector. */
interface Counted {
  readonly tags: Uint8Array
  slot: number
  readonly starts: Int32Array
}

/** union: which of its variants each value is; a variant has only its own values. */
export class UnionColumnWriter extends ColumnWriter {
  readonly #variants: readonly ColumnWriter[]
  readonly #data = this.createStream()
  #tags = new Uint8Array(1024)
  #counted: Counted = { tags: new Uint8Array(0), slot: 0, starts: new Int32Array(0) }
  #count = 0

  constructor(column: OrcColumn, context: ColumnContext, variants: readonly ColumnWriter[]) {
    super(column, context)
    this.#variants = variants
  }

  protected override appendValue(value: NonNullable<OrcValue>): void {
    const { tag, value: inner } = Object(value) as OrcUnionValue
    const variant = Number.isInteger(tag) ? this.#variants[tag] : undefined
    if (variant === undefined) {
      this.reject(value, `a tag from 0 to ${this.#variants.length - 1} and a value`)
    }
    variant.append(inner)
    this.#pushTag(tag)
    this.context.pendingBytes += 8
  }

  protected override appendVector(
    { tags, variants, present: all }: UnionVector,
    from: number,
    to: number,
    present: Uint8Array | null,
  ): void {
    // `present` speaks of the slots from `from` on only.
    const starts = this.#startsAt(tags, all, from)
    const ends = Int32Array.from(starts)
    for (let k = from; k < to; k++) {
      if (present !== null && present[k] === 0) continue
      this.#pushTag(tags[k]!)
      ends[tags[k]!]!++
    }
    this.#variants.forEach((variant, tag) => {
      variant.appendSlots(variants[tag]!, starts[tag]!, ends[tag]!)
    })
    this.context.pendingBytes += 8 * (to - from)
  }

  /** How many values each variant has before a slot; counted on from where the last count ended. */
  #startsAt(tags: Uint8Array, present: Uint8Array | null, slot: number): Int32Array {
    if (this.#counted.tags !== tags || this.#counted.slot > slot) {
      this.#counted = { tags, slot: 0, starts: new Int32Array(this.#variants.length) }
    }
    const { starts } = this.#counted
    for (let k = this.#counted.slot; k < slot; k++) {
      if (present === null || present[k] === 1) starts[tags[k]!]!++
    }
    this.#counted.slot = slot
    return Int32Array.from(starts)
  }

  #pushTag(tag: number): void {
    if (this.#count === this.#tags.length) this.#tags = doubled(this.#tags)
    this.#tags[this.#count++] = tag
  }

  protected override removeLastValue(): void {
    this.#count--
    this.#variants[this.#tags[this.#count]!]!.removeLast()
  }

  protected override summarize(): undefined {}

  protected override positions(): number[] {
    return integerPosition(this.#data)
  }

  protected override encodeGroup(): void {
    const { scratch } = this.context
    scratch.clear()
    writeByteRunLength(this.#tags.subarray(0, this.#count), scratch)
    this.#data.append(scratch.view())
    this.#count = 0
  }

  protected override finishStreams(): FinishedStream[] {
    return [{ kind: 'DATA', pieces: this.#data.finish() }]
  }

  protected override encoding(): ColumnEncoding {
    return { kind: 'DIRECT', dictionarySize: 0 }
  }

  protected override ownHeldBytes(): number {
    return this.#data.sizeBytes
  }
}
