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
    const [starts, lengths] = [this.int32(count), this.int32(count)]
    this.readLengths(this.#lengths, lengths, valueCount)
    const total = fillStarts(starts, lengths, valueCount)
    this.claim(total)
    const bytes = this.#data.readBytes(total)
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
    const ids = this.int32(count)
    const starts = this.int32(count)
    const lengths = this.int32(count)
    if (valueCount === 0) {
      starts.fill(0)
      lengths.fill(0)
      return { kind: 'bytes', present, bytes: noBytes, starts, lengths }
    }
    this.#entries ??= this.#readEntries()
    const entries = this.#entries
    this.#ids.readInt32(ids, valueCount, id => this.corrupt(`the dictionary has no entry ${id}`))
    spread(ids, present, valueCount, 0)
    const { size, starts: entryStarts, lengths: entryLengths } = entries
    for (let k = 0; k < count; k++) {
      const id = ids[k]!
      if (id >= size) throw this.corrupt(`the dictionary has no entry ${id}`)
      // In the slots of nulls stands the first entry.
      starts[k] = entryStarts[id]!
      lengths[k] = entryLengths[id]!
    }
    const dictionary = { ids, entries }
    return { kind: 'bytes', present, bytes: entries.bytes, starts, lengths, dictionary }
  }

  #readEntries(): Entries {
    const { dictionarySize: size } = this.encoding
    const { memory } = this.stripe
    memory.claimForDictionary(size * 8, this.column)
    const [starts, lengths] = [new Int32Array(size), new Int32Array(size)]
    this.readLengths(this.openIntegers('LENGTH', false), lengths, size)
    const total = fillStarts(starts, lengths, size)
    memory.claimForDictionary(total, this.column)
    const bytes = this.openBytes('DICTIONARY_DATA').readBytes(total)
    if (this.column.type.kind === 'char') trimPadding(bytes, starts, lengths, size)
    let texts: readonly string[] | null = null
    const decode = (): readonly string[] => (texts ??= textsOf(bytes, starts, lengths, null))
    return { size, bytes, starts, lengths, texts: decode }
  }
}

const noBytes = new Uint8Array(0)

/** Where each value starts that lies behind those before it; returns where the last one ends. */
function fillStarts(starts: Int32Array, lengths: Int32Array, count: number): number {
  let end = 0
  for (let k = 0; k < count; k++) {
    starts[k] = end
    end += lengths[k]!
  }
  return end
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
