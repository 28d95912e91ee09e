/** The columns of strings and of binary values while they are read. */
import { ColumnReader, spread } from './column-reader.ts'
import { textsOf } from './texts.ts'
import type { BytesVector, DictionaryEntries } from './vectors.ts'

/** binary; and string, varchar and char, where the values are written directly. */
export class DirectBytesColumnReader extends ColumnReader {
  readonly #data = this.openBytes('DATA')
  readonly #lengths = this.openIntegers('LENGTH', false)
  readonly #isPadded = this.column.type.kind === 'char'

  protected override readSlots(
    count: number,
    valueCount: number,
    present: Uint8Array | null,
  ): BytesVector {
    const { lengths, total } = this.readLengths(this.#lengths, valueCount, count, 1)
    const bytes = this.#data.readBytes(total)
    const starts = startsOf(lengths, valueCount)
    if (this.#isPadded) trimPadding(bytes, starts, lengths, valueCount)
    spread(starts, present, valueCount, 0)
    spread(lengths, present, valueCount, 0)
    return { kind: 'bytes', present, bytes, starts, lengths }
  }
}

interface Entries extends DictionaryEntries {
  readonly bytes: Uint8Array
  readonly starts: Int32Array
  readonly lengths: Int32Array
}

/** string, varchar and char, where the values are entries of a dictionary. */
export class DictionaryColumnReader extends ColumnReader {
  readonly #ids = this.openIntegers('DATA', false)
  /** Decoded when the first value asks for it. */
  #entries: Entries | null = null

  protected override readSlots(
    count: number,
    valueCount: number,
    present: Uint8Array | null,
  ): BytesVector {
    const ids = new Int32Array(count)
    const starts = new Int32Array(count)
    const lengths = new Int32Array(count)
    if (valueCount === 0) return { kind: 'bytes', present, bytes: noBytes, starts, lengths }
    this.#entries ??= this.#readEntries()
    const entries = this.#entries
    this.#ids.readInt32(ids, valueCount)
    spread(ids, present, valueCount, 0)
    const { size, starts: entryStarts, lengths: entryLengths } = entries
    for (let k = 0; k < count; k++) {
      const id = ids[k]!
      if (id < 0 || id >= size) throw this.corrupt(`the dictionary has no entry ${id}`)
      // In the slots of nulls stands the first entry.
      starts[k] = entryStarts[id]!
      lengths[k] = entryLengths[id]!
    }
    const dictionary = { ids, entries }
    return { kind: 'bytes', present, bytes: entries.bytes, starts, lengths, dictionary }
  }

  #readEntries(): Entries {
    const { dictionarySize: size } = this.encoding
    this.requireWithinLimit(size * 8)
    const { lengths, total } = this.readLengths(this.openIntegers('LENGTH', false), size, size, 1)
    const bytes = this.openBytes('DICTIONARY_DATA').readBytes(total)
    const starts = startsOf(lengths, size)
    if (this.column.type.kind === 'char') trimPadding(bytes, starts, lengths, size)
    let texts: readonly string[] | null = null
    const decode = (): readonly string[] => (texts ??= textsOf(bytes, starts, lengths, null))
    return { size, bytes, starts, lengths, texts: decode }
  }
}

const noBytes = new Uint8Array(0)

function startsOf(lengths: Int32Array, count: number): Int32Array {
  const starts = new Int32Array(lengths.length)
  let start = 0
  for (let k = 0; k < count; k++) {
    starts[k] = start
    start += lengths[k]!
  }
  return starts
}

/** The spaces that pad a char are no part of its value. */
function trimPadding(
  bytes: Uint8Array,
  starts: Int32Array,
  lengths: Int32Array,
  count: number,
): void {
  for (let k = 0; k < count; k++) {
    const start = starts[k]!
    let end = start + lengths[k]!
    while (end > start && bytes[end - 1] === 0x20) end--
    lengths[k] = end - start
  }
}
