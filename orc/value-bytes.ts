/** The byte strings of a row group, one after the other, and their lengths. */
import type { BloomFilter } from './bloom-filter.ts'
import { ByteBuffer } from './byte-buffer.ts'
import { hashOfBytes } from './hashes.ts'
import { IntegerBuffer } from './integer-buffer.ts'
import type { BytesVector } from './vectors.ts'

export class ValueBytes {
  readonly bytes = new ByteBuffer()
  readonly lengths = new IntegerBuffer()

  pushText(text: string): number {
    const byteCount = this.bytes.writeText(text)
    this.lengths.push(byteCount)
    return byteCount
  }

  pushSlice(source: Uint8Array, from: number, to: number): void {
    this.bytes.writeSlice(source, from, to)
    this.lengths.push(to - from)
  }

  /** The values of a vector; returns their bytes. */
  pushVector(vector: BytesVector, from: number, to: number, present: Uint8Array | null): number {
    const { bytes, starts, lengths } = vector
    const before = this.bytes.length
    if (isContiguous(vector, from, to, present)) {
      this.lengths.pushNumbers(lengths, from, to, present)
      const end = lastValue(from, to, present)
      const first = firstValue(from, to, present)
      if (end >= 0)
        this.bytes.writeBytes(bytes.subarray(starts[first]!, starts[end]! + lengths[end]!))
    } else {
      for (let k = from; k < to; k++) {
        if (present !== null && present[k] === 0) continue
        const start = starts[k]!
        this.pushSlice(bytes, start, start + lengths[k]!)
      }
    }
    return this.bytes.length - before
  }

  removeLast(): void {
    const last = this.lengths.length - 1
    this.bytes.length -= this.lengths.narrow[last]!
    this.lengths.truncate(last)
  }

  addHashes(filter: BloomFilter): void {
    let from = 0
    for (let k = 0; k < this.lengths.length; k++) {
      const to = from + this.lengths.narrow[k]!
      filter.add(hashOfBytes(this.bytes.bytes, from, to))
      from = to
    }
  }

  clear(): void {
    this.bytes.clear()
    this.lengths.clear()
  }
}

/** Whether each value begins where the one before it ended, so that all are copied at once. */
function isContiguous(
  { starts, lengths }: BytesVector,
  from: number,
  to: number,
  present: Uint8Array | null,
): boolean {
  let next = -1
  for (let k = from; k < to; k++) {
    if (present !== null && present[k] === 0) continue
    if (next >= 0 && starts[k] !== next) return false
    next = starts[k]! + lengths[k]!
  }
  return true
}

function firstValue(from: number, to: number, present: Uint8Array | null): number {
  let k = from
  while (k < to && present !== null && present[k] === 0) k++
  return k
}

/** −1 where all are null. */
function lastValue(from: number, to: number, present: Uint8Array | null): number {
  let k = to - 1
  while (k >= from && present !== null && present[k] === 0) k--
  return k >= from ? k : -1
}
