/**
 * The source block of a message in Avro. Nearly all of it is as it was in the message before: it is compared
 * with that one byte by byte, and only members that differ are read.
 */
import type { PassPlan } from '../avro/avro-pass.ts'
import { passField, passPlanOf } from '../avro/avro-pass.ts'
import type { AvroCursor } from '../avro/avro-reader.ts'
import { readAvro } from '../avro/avro-reader.ts'
import type { AvroField } from '../avro/avro-schema.ts'
import { otherPlacesOf, sourceBlockOf, sourceNames } from './debezium-payload.ts'
import type { SourceBlock } from './debezium-position.ts'

/** Reads the source blocks of messages of one schema. */
export class AvroSource {
  readonly #fields: PassPlan
  /** Of each field its place in `sourceNames`; -1 for those that nobody reads. */
  readonly #places: readonly number[]
  /** Places that are of other connectors; see `otherPlacesOf`. */
  readonly #otherPlaces: readonly number[]
  /** The block that was read last. */
  #bytes = new Uint8Array(0)
  #block: Record<string, unknown> | null = null
  /** Where its fields begin, and where the last one ends. */
  readonly #starts: number[] = []

  constructor(fields: readonly AvroField[]) {
    this.#fields = passPlanOf(fields)
    this.#places = fields.map(({ name }) => sourceNames.indexOf(name as 'db'))
    this.#otherPlaces = otherPlacesOf(this.#places)
  }

  /** The block that begins there: it holds until the next one is read. */
  read(cursor: AvroCursor): SourceBlock {
    const block = this.#block
    const { bytes, at: start } = cursor
    if (block === null) {
      return this.#readFrom(0, start, cursor, sourceBlockOf([], this.#otherPlaces))
    }
    const last = this.#bytes
    const starts = this.#starts
    let field = 0
    for (let index = 0; index < last.length; index += 1) {
      if (bytes[start + index] === last[index]) continue
      while (starts[field + 1]! <= index) field += 1
      const from = starts[field]!
      const end = starts[field + 1]!
      cursor.at = start + from
      this.#readField(field, cursor, block)
      if (cursor.at !== start + end) return this.#readFrom(field, start, cursor, block)
      for (let at = from; at < end; at += 1) last[at] = bytes[start + at]!
      index = end - 1
    }
    cursor.at = start + last.length
    return block
  }

  #readField(field: number, cursor: AvroCursor, block: Record<string, unknown>): void {
    const place = this.#places[field]!
    if (place < 0) passField(this.#fields, field, cursor)
    else block[sourceNames[place]!] = readAvro(this.#fields.fields[field]!.type, cursor)
  }

  /** Reads all fields from that one on: it has another length, and those behind it another place. */
  #readFrom(
    first: number,
    start: number,
    cursor: AvroCursor,
    block: Record<string, unknown>,
  ): SourceBlock {
    // Unless it comes to its end there is none to compare with.
    this.#block = null
    cursor.at = start + (this.#starts[first] ?? 0)
    for (let field = first; field < this.#places.length; field += 1) {
      this.#starts[field] = cursor.at - start
      this.#readField(field, cursor, block)
    }
    this.#starts[this.#places.length] = cursor.at - start
    this.#bytes = new Uint8Array(cursor.bytes.subarray(start, cursor.at))
    this.#block = block
    return block
  }
}
