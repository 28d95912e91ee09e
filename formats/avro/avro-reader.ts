/**
 * Values of Avro's binary encoding (Avro 1.12, "Binary Encoding"), read or passed over by their type.
 * In memory: int and long as a number when it is safe, else a bigint; bytes and fixed as a view of the
 * message; text and symbols as strings; lists as arrays; records and maps as objects; a union is the
 * value of its branch. A value that is damaged is an error, never another value; what is passed over is
 * checked as far as its length goes.
 */
import { isUtf8 } from 'node:buffer'
import { bigOfHalves, integerOfHalves, integerOfZigzag } from '../../model/bytes.ts'
import { DecodeError } from '../../model/errors.ts'
import type { AvroField, AvroType } from './avro-schema.ts'

/** Before the value: a zero and the schema's id (Confluent, "Wire format"). */
export const wireHeadBytes = 5

/** Where reading stands in a message. */
export class AvroCursor {
  bytes: Buffer
  at: number

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes
    this.at = at
  }

  byte(): number {
    const byte = this.bytes[this.at]
    if (byte === undefined) throw damaged('it ends in the middle of a value')
    this.at += 1
    return byte
  }

  /** An int or a long. */
  integer(): number | bigint {
    let low = 0
    for (let bits = 0; bits < 28; bits += 7) {
      const byte = this.byte()
      low |= (byte & 0x7f) << bits
      if (byte < 0x80) return (low >> 1) ^ -(low & 1)
    }
    let high = 0
    for (let bits = 0; bits < 28; bits += 7) {
      const byte = this.byte()
      high |= (byte & 0x7f) << bits
      if (byte < 0x80) return integerOfHalves(low, high)
    }
    const ninth = this.byte()
    const tenth = ninth < 0x80 ? 0 : this.byte()
    if (tenth > 1) throw damaged('an integer has more than 64 bits')
    const rest = (BigInt(tenth) << 7n) | BigInt(ninth & 0x7f)
    return integerOfZigzag((rest << 56n) | bigOfHalves(low, high))
  }

  /** The length of what follows, which is there. */
  length(): number {
    const length = this.integer()
    if (length < 0 || length > this.bytes.length - this.at) {
      throw damaged(
        `it says that ${length} bytes follow, and it has ${this.bytes.length - this.at}`,
      )
    }
    return Number(length)
  }

  /** `length` bytes, which are passed. */
  view(length: number): Buffer {
    const start = this.at
    if (length > this.bytes.length - start) throw damaged('it ends in the middle of a value')
    this.at = start + length
    return this.bytes.subarray(start, this.at)
  }

  /** Passes over what stands behind its length. */
  pass(): void {
    const length = this.length()
    this.at += length
  }

  text(): string {
    const length = this.length()
    const start = this.at
    this.at = start + length
    if (!isText(this.bytes, start, this.at)) throw damaged('a text is not UTF-8')
    return this.bytes.toString('utf8', start, this.at)
  }
}

/** Whether the bytes are UTF-8. */
export function isText(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if (bytes[at]! >= 0x80) return isUtf8(bytes.subarray(at, end))
  }
  return true
}

/** Throws DecodeError `message-not-avro`. */
export function readAvro(type: AvroType, cursor: AvroCursor): unknown {
  switch (type.kind) {
    case 'int':
    case 'long':
      return cursor.integer()
    case 'union':
      return readAvro(branchOf(type.branches, cursor), cursor)
    case 'null':
      return null
    case 'boolean':
      return readBoolean(cursor)
    case 'float':
      return cursor.view(4).readFloatLE(0)
    case 'double':
      return cursor.view(8).readDoubleLE(0)
    case 'bytes':
      return cursor.view(cursor.length())
    case 'string':
      return cursor.text()
    case 'fixed':
      return cursor.view(type.size)
    case 'enum':
      return symbolOf(type.symbols, cursor)
    case 'record':
      return readRecord(type.fields, cursor)
    case 'array':
      return readList(type.items, cursor)
    case 'map':
      return readMap(type.items, cursor)
  }
}

/** Passes a value over. */
export function skipAvro(type: AvroType, cursor: AvroCursor): void {
  switch (type.kind) {
    case 'null':
      return
    case 'boolean':
    case 'int':
    case 'long':
    case 'enum':
      while (cursor.byte() >= 0x80) {
        // An integer ends with the first byte below 0x80.
      }
      return
    case 'float':
    case 'double':
    case 'fixed':
      cursor.view(type.minBytes)
      return
    case 'bytes':
    case 'string':
      cursor.pass()
      return
    case 'record':
      for (const field of type.fields) skipAvro(field.type, cursor)
      return
    case 'array':
    case 'map':
      forEachItem(cursor, () => {
        if (type.kind === 'map') cursor.pass()
        skipAvro(type.items, cursor)
      })
      return
    case 'union':
      skipAvro(branchOf(type.branches, cursor), cursor)
  }
}

export function branchOf(branches: readonly AvroType[], cursor: AvroCursor): AvroType {
  const index = cursor.integer()
  const branch = branches[Number(index)]
  if (branch === undefined) throw damaged(`a union of ${branches.length} has no branch ${index}`)
  return branch
}

function readBoolean(cursor: AvroCursor): boolean {
  const byte = cursor.byte()
  if (byte > 1) throw damaged(`a boolean has the byte ${byte}`)
  return byte === 1
}

function symbolOf(symbols: readonly string[], cursor: AvroCursor): string {
  const index = cursor.integer()
  const symbol = symbols[Number(index)]
  if (symbol === undefined) throw damaged(`an enumeration has no symbol ${index}`)
  return symbol
}

function readRecord(fields: readonly AvroField[], cursor: AvroCursor): unknown {
  const record: Record<string, unknown> = {}
  for (const { name, type } of fields) record[name] = readAvro(type, cursor)
  return record
}

function readList(items: AvroType, cursor: AvroCursor): unknown {
  const list: unknown[] = []
  forEachItem(cursor, () => list.push(readAvro(items, cursor)))
  return list
}

function readMap(items: AvroType, cursor: AvroCursor): unknown {
  const entries: [string, unknown][] = []
  forEachItem(cursor, () => entries.push([cursor.text(), readAvro(items, cursor)]))
  return Object.fromEntries(entries)
}

/** Lists and maps come in blocks; a block that begins with a negative count tells its bytes as well. */
function forEachItem(cursor: AvroCursor, read: () => void): void {
  for (;;) {
    const count = Number(cursor.integer())
    if (count === 0) return
    if (count < 0) cursor.length()
    const left = cursor.bytes.length - cursor.at
    if (Math.abs(count) > left) throw damaged(`${Math.abs(count)} items do not fit ${left} bytes`)
    for (let index = 0; index < Math.abs(count); index += 1) read()
  }
}

export function damaged(why: string): DecodeError {
  return new DecodeError('message-not-avro', `the message is not of its Avro schema: ${why}`)
}
