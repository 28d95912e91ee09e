/**
 * Passing over the fields of a record of Avro, which is most of what happens to a message: a code a field
 * tells how long its value is, so that no type is looked at. What is no primitive, or null or one, goes by
 * its type (`skipAvro`).
 */
import type { AvroCursor } from './avro-reader.ts'
import { damaged, skipAvro } from './avro-reader.ts'
import type { AvroField, AvroType } from './avro-schema.ts'

export interface PassPlan {
  readonly fields: readonly AvroField[]
  /** One of the lengths below, with where the null is in a union of two. */
  readonly codes: Uint8Array
}

const varint = 0
const prefixed = 1
const oneByte = 2
const fourBytes = 3
const eightBytes = 4
const byType = 5
const lengthMask = 7
const nullFirst = 8
const nullLast = 16

const lengths: Partial<Record<AvroType['kind'], number>> = {
  int: varint,
  long: varint,
  enum: varint,
  bytes: prefixed,
  string: prefixed,
  boolean: oneByte,
  float: fourBytes,
  double: eightBytes,
}

export function passPlanOf(fields: readonly AvroField[]): PassPlan {
  return { fields, codes: Uint8Array.from(fields, ({ type }) => codeOf(type)) }
}

function codeOf(type: AvroType): number {
  if (type.kind !== 'union') return lengths[type.kind] ?? byType
  const [first, second, third] = type.branches
  if (first === undefined || second === undefined || third !== undefined) return byType
  if (first.kind === 'null') return orByType(lengths[second.kind], nullFirst)
  return second.kind === 'null' ? orByType(lengths[first.kind], nullLast) : byType
}

function orByType(length: number | undefined, flag: number): number {
  return length === undefined ? byType : length | flag
}

/** Passes over all fields. Throws DecodeError `message-not-avro`. */
export function passFields(plan: PassPlan, cursor: AvroCursor): void {
  const { length } = plan.codes
  for (let index = 0; index < length; index += 1) passField(plan, index, cursor)
}

export function passField({ codes, fields }: PassPlan, index: number, cursor: AvroCursor): void {
  const code = codes[index]!
  if (code === byType) {
    skipAvro(fields[index]!.type, cursor)
    return
  }
  const { bytes } = cursor
  let { at } = cursor
  if (code >= nullFirst) {
    const branch = bytes[at]
    if (branch !== 0 && branch !== 2) throw damaged('a union of 2 has not the branch that it names')
    at += 1
    if ((branch === 0) === code < nullLast) {
      cursor.at = at
      return
    }
  }
  switch (code & lengthMask) {
    case varint:
      // An integer ends with the first byte below 0x80, or with the message.
      while (bytes[at]! >= 0x80) at += 1
      cursor.at = at + 1
      break
    case prefixed: {
      const first = bytes[at]!
      if (first < 0x80 && (first & 1) === 0) cursor.at = at + 1 + (first >> 1)
      else {
        cursor.at = at
        cursor.pass()
      }
      break
    }
    case oneByte:
      cursor.at = at + 1
      break
    case fourBytes:
      cursor.at = at + 4
      break
    default:
      cursor.at = at + 8
  }
  if (cursor.at > bytes.length) throw damaged('it ends in the middle of a value')
}
