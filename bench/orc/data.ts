/**
 * The data of the ORC benchmark, which `java/OrcBenchData.java` makes a second time: the same
 * values in the same order, so that files of both sides have the same checksum.
 *
 * Columns come in groups of the eight kinds below, each group with numbers of its own.
 */
import { type OrcBatch, type OrcStructType, type OrcVector, parseOrcType } from '../../orc/index.ts'

export type DataSet = 'plain' | 'nulls' | 'wide'

export const dataSets: Readonly<Record<DataSet, { columns: number; hasNulls: boolean }>> = {
  plain: { columns: 8, hasNulls: false },
  nulls: { columns: 8, hasNulls: true },
  wide: { columns: 60, hasNulls: false },
}

const kinds = [
  ['id', 'bigint'],
  ['quantity', 'int'],
  ['price', 'decimal(10,2)'],
  ['country', 'string'],
  ['reference', 'string'],
  ['at', 'timestamp'],
  ['weight', 'double'],
  ['paid', 'boolean'],
] as const

const countryCount = 200
const nullShare = 0.2

export function schemaText(set: DataSet): string {
  const fields = Array.from({ length: dataSets[set].columns }, (_, column) => {
    const [name, type] = kinds[column % kinds.length]!
    const group = Math.floor(column / kinds.length)
    return `${group === 0 ? name : `${name}_${group}`}:${type}`
  })
  return `struct<${fields.join(',')}>`
}

export function schemaOf(set: DataSet): OrcStructType {
  return parseOrcType(schemaText(set)) as OrcStructType
}

/** Mulberry32: the same numbers in every run, and easy to have in Java. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Texts one behind the other, in the form of a vector. */
class Texts {
  /** No text of the benchmark is longer than 12 bytes. */
  readonly #bytes: Uint8Array
  readonly #starts: Int32Array
  readonly #lengths: Int32Array
  #count = 0
  #end = 0

  constructor(count: number) {
    this.#bytes = new Uint8Array(12 * count)
    this.#starts = new Int32Array(count)
    this.#lengths = new Int32Array(count)
  }

  append(text: string): void {
    this.#starts[this.#count] = this.#end
    this.#lengths[this.#count++] = text.length
    for (let k = 0; k < text.length; k++) this.#bytes[this.#end++] = text.charCodeAt(k)
  }

  vector(present: Uint8Array | null): OrcVector {
    const bytes = this.#bytes.subarray(0, this.#end)
    return { kind: 'bytes', present, bytes, starts: this.#starts, lengths: this.#lengths }
  }
}

/** Eight columns. */
class Group {
  readonly #random: () => number
  readonly #randomNulls: (() => number) | null

  constructor(index: number, hasNulls: boolean) {
    this.#random = randomNumbers(1 + index)
    this.#randomNulls = hasNulls ? randomNumbers(1001 + index) : null
  }

  next(firstRow: number, count: number): OrcVector[] {
    const random = this.#random
    const id = new Float64Array(count)
    const quantity = new Int32Array(count)
    const price = new Float64Array(count)
    const country = new Texts(count)
    const reference = new Texts(count)
    const seconds = new Float64Array(count)
    const nanos = new Int32Array(count)
    const weight = new Float64Array(count)
    const paid = new Uint8Array(count)
    for (let k = 0; k < count; k++) {
      id[k] = firstRow + k + Math.floor(random() * 3)
      quantity[k] = Math.floor(random() * 10_000)
      price[k] = Math.floor(random() * 1_000_000)
      country.append(`country-${Math.floor(random() * countryCount)}`)
      reference.append(`ref-${Math.floor(random() * 2 ** 40).toString(36)}`)
      seconds[k] = 1_700_000_000 + firstRow + k
      nanos[k] = Math.floor(random() * 1_000_000) * 1000
      weight[k] = random() * 100
      paid[k] = random() < 0.5 ? 1 : 0
    }
    const present = this.#nextPresent(count)
    return [
      { kind: 'long', present: present[0]!, values: id },
      { kind: 'integer', present: present[1]!, values: quantity },
      { kind: 'decimal', present: present[2]!, values: price },
      country.vector(present[3]!),
      reference.vector(present[4]!),
      { kind: 'timestamp', present: present[5]!, seconds, nanos },
      { kind: 'double', present: present[6]!, values: weight },
      { kind: 'boolean', present: present[7]!, values: paid },
    ]
  }

  #nextPresent(count: number): (Uint8Array | null)[] {
    const random = this.#randomNulls
    if (random === null) return kinds.map(() => null)
    const present = kinds.map(() => new Uint8Array(count))
    for (let k = 0; k < count; k++) {
      for (const column of present) column[k] = random() < nullShare ? 0 : 1
    }
    return present
  }
}

/** The rows of a data set, from the first on. */
export class BenchRows {
  readonly #columns: number
  readonly #groups: readonly Group[]
  #rowCount = 0

  constructor(set: DataSet) {
    const { columns, hasNulls } = dataSets[set]
    this.#columns = columns
    const groups = Math.ceil(columns / kinds.length)
    this.#groups = Array.from({ length: groups }, (_, index) => new Group(index, hasNulls))
  }

  next(rowCount: number): OrcBatch {
    const columns = this.#groups.flatMap(group => group.next(this.#rowCount, rowCount))
    this.#rowCount += rowCount
    return { rowCount, columns: columns.slice(0, this.#columns) }
  }
}

/** Views of a batch that have at most `batchRows` rows each. */
export function cut(batch: OrcBatch, batchRows: number): OrcBatch[] {
  const count = Math.ceil(batch.rowCount / batchRows)
  return Array.from({ length: count }, (_, index) => {
    const from = index * batchRows
    const to = Math.min(from + batchRows, batch.rowCount)
    return { rowCount: to - from, columns: batch.columns.map(vector => part(vector, from, to)) }
  })
}

function part(vector: OrcVector, from: number, to: number): OrcVector {
  const present = vector.present?.subarray(from, to) ?? null
  switch (vector.kind) {
    case 'boolean':
      return { kind: 'boolean', present, values: vector.values.subarray(from, to) }
    case 'integer':
      return { kind: 'integer', present, values: vector.values.subarray(from, to) }
    case 'long':
      return { kind: 'long', present, values: vector.values.subarray(from, to) }
    case 'double':
      return { kind: 'double', present, values: vector.values.subarray(from, to) }
    case 'decimal': {
      const { values } = vector
      const some = ArrayBuffer.isView(values) ? values.subarray(from, to) : values.slice(from, to)
      return { kind: 'decimal', present, values: some }
    }
    case 'bytes': {
      const starts = vector.starts.subarray(from, to)
      const lengths = vector.lengths.subarray(from, to)
      return { kind: 'bytes', present, bytes: vector.bytes, starts, lengths }
    }
    case 'timestamp': {
      const seconds = vector.seconds.subarray(from, to)
      return { kind: 'timestamp', present, seconds, nanos: vector.nanos.subarray(from, to) }
    }
    default:
      throw new Error(`the benchmark has no vectors of kind ${vector.kind}`)
  }
}
