/**
 * A net change in its bytes (`net-change.ts`): what folding asks of it, without reading its row. Most
 * changes replace the one before, and are replaced by the next.
 */
import { ByteReader } from './bytes.ts'
import { assert } from './errors.ts'
import type { NetChange } from './net-change.ts'
import { kinds, readNetChange, unknownLeaves } from './net-change.ts'
import type { TableSchema } from './table-schema.ts'

/** One cursor for many changes: `read` moves it. */
export class EncodedChange {
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #keyStart = 0
  #keyEnd = 0
  #leavesStart = 0
  #leavesEnd = 0
  kind: NetChange['kind'] = 'delete'
  start = 0
  end = 0
  sourceMs = 0

  get bytes(): Buffer {
    return this.#bytes
  }

  /** Moves to a change that has a number before it, which is returned. */
  readNumbered(bytes: Buffer, start: number): number {
    this.#bytes = bytes
    this.#at = start
    const number = this.#count()
    this.read(bytes, this.#at)
    return number
  }

  /** Moves to the change that begins there; its end is `end`. */
  read(bytes: Buffer, start: number): void {
    this.#bytes = bytes
    this.start = start
    const kind = kinds[bytes[start] ?? -1]
    assert(kind !== undefined, 'a net change is of unknown kind')
    this.kind = kind
    this.#at = start + 1
    const keyLength = this.#count()
    this.#keyStart = this.#at
    this.#keyEnd = this.#at += keyLength
    if (kind !== 'delete') this.#skipBlob()
    this.#leavesStart = this.#at
    const leaves = this.#count()
    for (let index = 1; index < leaves; index += 1) this.#skipBlob()
    this.#leavesEnd = this.#at
    this.#skipBlob()
    this.sourceMs = this.#time()
    this.end = this.#at
    assert(this.end <= bytes.length, 'an internal record ends in the middle')
  }

  /** Canonical key bytes. */
  get key(): string {
    return this.#bytes.toString('latin1', this.#keyStart, this.#keyEnd)
  }

  /** Whether folding the two gives this one as it is. See `processors/fold-change.ts`. */
  replaces(older: EncodedChange): boolean {
    if (this.kind === 'patch') return false
    return this.#leaves() === unknownLeaves || older.#leaves() === noLeaves || this.#isAsWide(older)
  }

  /** The row is a view. */
  decode(schema: TableSchema): NetChange {
    return readNetChange(new ByteReader(this.#bytes, this.start), schema)
  }

  #leaves(): number {
    return this.#bytes[this.#leavesStart]!
  }

  #isAsWide(older: EncodedChange): boolean {
    const length = this.#leavesEnd - this.#leavesStart
    if (older.#leavesEnd - older.#leavesStart !== length) return false
    for (let index = 0; index < length; index += 1) {
      const own = this.#bytes[this.#leavesStart + index]
      if (own !== older.#bytes[older.#leavesStart + index]) return false
    }
    return true
  }

  #skipBlob(): void {
    const length = this.#count()
    this.#at += length
  }

  #count(): number {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#bytes[this.#at]
      assert(byte !== undefined, 'an internal record ends in the middle')
      this.#at += 1
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }

  /** Zigzag: a time is far below 2^53. */
  #time(): number {
    const value = this.#count()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

/** The count of a list of no partitions. */
const noLeaves = 1
