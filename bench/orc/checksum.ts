/**
 * A checksum over all values of a file in order, the same as that of `java/OrcBenchData.java`. It
 * is made of 32-bit integers, which multiply alike in both languages.
 */
import type { OrcBatch, OrcStructType, OrcValue, OrcVector } from '../../orc/index.ts'

const hashOfNull = 0x5bd1e995

export class Checksum {
  readonly #columns: Int32Array

  constructor(columns: number) {
    this.#columns = new Int32Array(columns)
  }

  get text(): string {
    const all = this.#columns.reduce((sum, column) => (Math.imul(sum, 31) + column) | 0, 0)
    return (all >>> 0).toString(16).padStart(8, '0')
  }

  addBatch({ rowCount, columns }: OrcBatch): void {
    for (const [column, vector] of columns.entries()) {
      const hash = hashesOf(vector)
      let sum = this.#columns[column]!
      for (let row = 0; row < rowCount; row++) {
        const value = vector.present?.[row] === 0 ? hashOfNull : hash(row)
        sum = (Math.imul(sum, 31) + value) | 0
      }
      this.#columns[column] = sum
    }
  }

  addRows(rows: readonly OrcValue[][], { fields }: OrcStructType): void {
    for (const [column, { type }] of fields.entries()) {
      let sum = this.#columns[column]!
      for (const row of rows) {
        const value = row[column]!
        const hash = value === null ? hashOfNull : hashOfValue(type.kind, value)
        sum = (Math.imul(sum, 31) + hash) | 0
      }
      this.#columns[column] = sum
    }
  }
}

function hashesOf(vector: OrcVector): (row: number) => number {
  switch (vector.kind) {
    case 'boolean':
    case 'integer':
      return row => vector.values[row]!
    case 'double':
      return row => hashOfDouble(vector.values[row]!)
    case 'long':
    case 'decimal':
      return row => hashOfLong(vector.values[row]!)
    case 'bytes':
      return row => hashOfBytes(vector.bytes, vector.starts[row]!, vector.lengths[row]!)
    case 'timestamp':
      return row => hashOfTime(vector.seconds[row]!, vector.nanos[row]!)
    default:
      throw new Error(`the benchmark has no vectors of kind ${vector.kind}`)
  }
}

function hashOfValue(kind: string, value: OrcValue): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'string') return hashOfBytes(Buffer.from(value), 0, value.length)
  if (kind === 'int') return Number(value)
  if (kind === 'double') return hashOfDouble(Number(value))
  if (kind !== 'timestamp') return hashOfLong(Number(value))
  const seconds = Math.floor(Number(value) / 1_000_000)
  return hashOfTime(seconds, (Number(value) - seconds * 1_000_000) * 1000)
}

/** Of the low and the high half; all numbers of the benchmark are safe integers. */
function hashOfLong(value: number | bigint): number {
  const number = Number(value)
  return (Math.imul(number | 0, 31) + Math.floor(number / 2 ** 32)) | 0
}

const double = new Float64Array(1)
const halves = new Int32Array(double.buffer)

function hashOfDouble(value: number): number {
  double[0] = value
  return (Math.imul(halves[0]!, 31) + halves[1]!) | 0
}

function hashOfBytes(bytes: Uint8Array, start: number, length: number): number {
  let hash = 0
  for (let k = start; k < start + length; k++) hash = (Math.imul(hash, 31) + bytes[k]!) | 0
  return hash
}

function hashOfTime(seconds: number, nanos: number): number {
  return (Math.imul(hashOfLong(seconds), 31) + nanos) | 0
}
