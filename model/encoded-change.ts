/**
 * A net change in its bytes (`net-change.ts`): what folding asks of it, without reading its row. Most
 * changes replace the one before, and are replaced by the next.
 */
import { ByteReader } from './bytes.ts'
import { assert } from './errors.ts'
import type { NetChange } from './net-change.ts'
import { kinds, readNetChange, unknownLeaves } from './net-change.ts'
import type { TableSchema } from './table-schema.ts'

/** The count of a list of no partitions. */
const noLeaves = 1

/** One cursor for many changes: `read` moves it. */
export class EncodedChange {
  #bytes: Buffer = Buffer.alloc(0)
  readonly #reader = new ByteReader(this.#bytes)
  #keyStart = 0
  #keyEnd = 0
  #leavesStart = 0
  #leavesEnd = 0
  /** Where the text of its position is: behind its length. */
  positionStart = 0
  kind: NetChange['kind'] = 'delete'
  start = 0
  end = 0
  sourceMs = 0

  get bytes(): Buffer {
    return this.#bytes
  }

  /** Moves to a change that has a number before it, which is returned. */
  readNumbered(bytes: Buffer, start: number): number {
    this.#reader.moveTo(bytes, start)
    const number = this.#reader.count()
    this.read(bytes, this.#reader.position)
    return number
  }

  /** Moves to the change that begins there; its end is `end`. */
  read(bytes: Buffer, start: number): void {
    const reader = this.#reader
    this.#bytes = bytes
    reader.moveTo(bytes, start)
    this.start = start
    const kind = kinds[reader.byte()]
    assert(kind !== undefined, 'a net change is of unknown kind')
    this.kind = kind
    const keyLength = reader.count()
    this.#keyStart = reader.position
    reader.skip(keyLength)
    this.#keyEnd = reader.position
    if (kind !== 'delete') reader.skip(reader.count())
    this.#leavesStart = reader.position
    const leaves = reader.count()
    for (let index = 1; index < leaves; index += 1) reader.skip(reader.count())
    this.#leavesEnd = reader.position
    this.positionStart = reader.position
    reader.skip(reader.count())
    this.sourceMs = Number(reader.integer())
    this.end = reader.position
  }

  /** Canonical key bytes. */
  get key(): string {
    return this.#bytes.toString('latin1', this.#keyStart, this.#keyEnd)
  }

  /** `Position.text` of the change of these bytes whose `positionStart` is given, or empty. */
  positionText(start = this.positionStart): string {
    return new ByteReader(this.#bytes, start).text()
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

  /** The beginning of their count, which tells none and unknown. */
  #leaves(): number {
    return this.#bytes[this.#leavesStart]!
  }

  #isAsWide(older: EncodedChange): boolean {
    const own = this.#bytes.subarray(this.#leavesStart, this.#leavesEnd)
    return own.equals(older.#bytes.subarray(older.#leavesStart, older.#leavesEnd))
  }
}
