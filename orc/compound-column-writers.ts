/**
 * The columns of structs, lists and maps while they are written. They hold only how many children a
 * value has; the children are columns of their own, which get nothing where the parent is null.
 */
import {
  type ColumnContext,
  ColumnWriter,
  type FinishedStream,
  integerPosition,
} from './column-writer.ts'
import { IntegerBuffer } from './integer-buffer.ts'
import type { StatisticsDetails } from './statistics.ts'
import type { ColumnEncoding } from './stripe-messages.ts'
import type { OrcColumn, OrcValue } from './types.ts'

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

/** list and map: a value is a number of children, each of them an element, or a key and a value. */
export class CollectionColumnWriter extends ColumnWriter {
  readonly #children: readonly ColumnWriter[]
  readonly #lengthData = this.createStream()
  readonly #lengths = new IntegerBuffer()

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
    this.context.pendingBytes += 8 + done * 8 * this.#children.length
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
