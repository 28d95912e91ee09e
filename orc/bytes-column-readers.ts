/** The columns of strings and of binary values while they are read. */

import { emptyArray } from './arrays.ts'
import type { ByteInput } from './byte-input.ts'
import { ColumnReader } from './column-reader.ts'

export class BinaryColumnReader extends ColumnReader {
  readonly #data = this.openStream('DATA')
  readonly #lengths = this.openIntegers('LENGTH', false)

  protected override readValues(count: number): Uint8Array[] {
    const { lengths } = this.readLengths(this.#lengths, count, 1)
    return Array.from(lengths, length => new Uint8Array(this.#data.readBytes(length)))
  }
}

/** string, varchar and char, where the values are written directly. */
export class DirectStringColumnReader extends ColumnReader {
  readonly #data = this.openStream('DATA')
  readonly #lengths = this.openIntegers('LENGTH', false)

  protected override readValues(count: number): string[] {
    const { lengths, total } = this.readLengths(this.#lengths, count, 1)
    return trimIfChar(this.column.type.kind, readTexts(this.#data, lengths, total))
  }
}

/** string, varchar and char, where the values are entries of a dictionary. */
export class DictionaryStringColumnReader extends ColumnReader {
  readonly #ids = this.openIntegers('DATA', false)
  /** Decoded when the first value asks for it. */
  #entries: readonly string[] | null = null

  protected override readValues(count: number): string[] {
    if (count === 0) return []
    this.#entries ??= this.#readEntries()
    const entries = this.#entries
    const values = emptyArray<string>(count)
    const ids = this.#ids.readNumbers(count)
    for (let k = 0; k < count; k++) {
      const entry = entries[ids[k]!]
      if (entry === undefined) {
        throw this.corrupt(`the dictionary has no entry ${ids[k]}`)
      }
      values[k] = entry
    }
    return values
  }

  #readEntries(): string[] {
    const { dictionarySize } = this.encoding
    this.requireWithinLimit(dictionarySize * 8)
    const entryLengths = this.openIntegers('LENGTH', false)
    const { lengths, total } = this.readLengths(entryLengths, dictionarySize, 1)
    const data = this.openStream('DICTIONARY_DATA')
    return trimIfChar(this.column.type.kind, readTexts(data, lengths, total))
  }
}

function readTexts(data: ByteInput, lengths: Float64Array, byteCount: number): string[] {
  const view = data.readBytes(byteCount)
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.length)
  const texts = emptyArray<string>(lengths.length)
  const all = bytes.toString('utf8')
  // One string for all and slices of it, where each byte is one character: five times as fast as a
  // call of the decoder for each. The slices share the memory of the batch.
  const isSliceable = all.length === byteCount
  let from = 0
  for (let k = 0; k < lengths.length; k++) {
    const to = from + lengths[k]!
    texts[k] = isSliceable ? all.slice(from, to) : bytes.toString('utf8', from, to)
    from = to
  }
  return texts
}

function trimIfChar(kind: string, texts: string[]): string[] {
  return kind === 'char' ? texts.map(trimPadding) : texts
}

/** The spaces that pad a char are no part of its value. */
function trimPadding(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 0x20) end--
  return text.slice(0, end)
}
