/**
 * The little of Protocol Buffers that ORC's footers and indexes need, proto2 wire format: varints,
 * zig-zag integers, doubles, bytes, nested and packed fields. It knows nothing of ORC's messages.
 */
import { ByteBuffer } from './byte-buffer.ts'
import { ByteInput } from './byte-input.ts'
import { corrupt, OrcError } from './errors.ts'
import { bigUnzigzag, bigZigzag, toInteger } from './zigzag.ts'

const varintWire = 0
const fixed64Wire = 1
const bytesWire = 2
const fixed32Wire = 5

/** Writes the fields of one message, in the order of the calls. */
export class MessageWriter {
  readonly #buffer = new ByteBuffer()

  bytes(): Uint8Array {
    return this.#buffer.view()
  }

  unsigned(field: number, value: number): this {
    this.#buffer.writeVarint(field * 8 + varintWire)
    this.#buffer.writeVarint(value)
    return this
  }

  boolean(field: number, value: boolean): this {
    return this.unsigned(field, value ? 1 : 0)
  }

  /** The types sint32 and sint64. */
  signed(field: number, value: number | bigint): this {
    this.#buffer.writeVarint(field * 8 + varintWire)
    this.#buffer.writeBigVarint(bigZigzag(BigInt(value)))
    return this
  }

  double(field: number, value: number): this {
    this.#buffer.writeVarint(field * 8 + fixed64Wire)
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    this.#buffer.writeBytes(bytes)
    return this
  }

  data(field: number, value: Uint8Array): this {
    this.#buffer.writeVarint(field * 8 + bytesWire)
    this.#buffer.writeVarint(value.length)
    this.#buffer.writeBytes(value)
    return this
  }

  text(field: number, value: string): this {
    return this.data(field, Buffer.from(value, 'utf8'))
  }

  message(field: number, value: MessageWriter): this {
    return this.data(field, value.bytes())
  }

  /** Repeated unsigned integers, packed. Nothing is written for none. */
  packed(field: number, values: readonly number[]): this {
    if (values.length === 0) return this
    const buffer = new ByteBuffer()
    for (const value of values) buffer.writeVarint(value)
    return this.data(field, buffer.view())
  }
}

/**
 * The most fields and packed values of a message with all that is nested in it. A few bytes on disk
 * can decompress to millions of empty messages, each of which would become an object.
 */
const maxValues = 2 ** 20

/**
 * Reads the fields of one message:
 *
 *     while (reader.next()) if (reader.field === 1) count = reader.unsigned()
 *
 * A field whose value is not asked for is skipped, so unknown fields need no care.
 */
export class MessageReader {
  readonly where: string
  field = 0
  readonly #input: ByteInput
  /** Shared with the nested messages. */
  readonly #valuesLeft: { count: number }
  #wire = 0
  #isPending = false

  constructor(bytes: Uint8Array, where: string, valuesLeft = { count: maxValues }) {
    this.where = where
    this.#input = new ByteInput(bytes, { codec: null, blockBytes: 0 }, where)
    this.#valuesLeft = valuesLeft
  }

  next(): boolean {
    if (this.#isPending) this.#skip()
    if (this.#input.isAtEnd) return false
    this.#countValue()
    const tag = this.#varint()
    this.field = Math.floor(tag / 8)
    this.#wire = tag & 7
    this.#isPending = true
    return true
  }

  unsigned(): number {
    this.#take(varintWire)
    return this.#varint()
  }

  boolean(): boolean {
    return this.unsigned() !== 0
  }

  signed(): number | bigint {
    this.#take(varintWire)
    return toInteger(bigUnzigzag(BigInt.asUintN(64, BigInt(this.#input.readVarint()))))
  }

  double(): number {
    this.#take(fixed64Wire)
    const bytes = this.#input.readBytes(8)
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true)
  }

  data(): Uint8Array {
    this.#take(bytesWire)
    return this.#input.readBytes(this.#varint())
  }

  text(): string {
    return Buffer.from(this.data()).toString('utf8')
  }

  message(): MessageReader {
    return new MessageReader(this.data(), this.where, this.#valuesLeft)
  }

  /** Appends the values of a repeated field, packed or not. */
  unsignedInto(target: number[]): void {
    if (this.#wire === varintWire) {
      target.push(this.unsigned())
      return
    }
    const packed = this.message()
    while (!packed.#input.isAtEnd) {
      this.#countValue()
      target.push(packed.#varint())
    }
  }

  #countValue(): void {
    if (this.#valuesLeft.count-- > 0) return
    throw new OrcError('limit-exceeded', `a message of more than ${maxValues} values`, this.where)
  }

  #varint(): number {
    const value = this.#input.readVarint()
    if (typeof value === 'bigint') throw corrupt(`the number ${value} is too large`, this.where)
    return value
  }

  #take(wire: number): void {
    if (this.#wire !== wire)
      throw corrupt(`field ${this.field} has wire type ${this.#wire}`, this.where)
    this.#isPending = false
  }

  #skip(): void {
    this.#isPending = false
    if (this.#wire === varintWire) this.#input.readVarint()
    else if (this.#wire === fixed64Wire) this.#input.readBytes(8)
    else if (this.#wire === bytesWire) this.#input.readBytes(this.#varint())
    else if (this.#wire === fixed32Wire) this.#input.readBytes(4)
    else throw corrupt(`field ${this.field} has the unknown wire type ${this.#wire}`, this.where)
  }
}
