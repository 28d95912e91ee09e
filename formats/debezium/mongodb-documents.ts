/**
 * Documents of MongoDB as Debezium's connector sends them, as rows: a column for each field of the top level,
 * nested documents and arrays as their JSON text. A document is text within the message, in MongoDB's
 * extended JSON, of which `json.serialization.mode` has several forms: a value is the same in all of them.
 *
 * | BSON | column |
 * |---|---|
 * | ObjectId, string, UUID, symbol | string |
 * | boolean | boolean |
 * | int, long | bigint |
 * | double, decimal128 | decimal, exact; text where 38 digits do not hold it (NaN) |
 * | date | timestamptz |
 * | binary | binary |
 * | document, array, what has no equal | string: relaxed extended JSON |
 */

import type { ColumnType } from '../../model/column-type.ts'
import { DecodeError } from '../../model/errors.ts'
import { misfit, toInteger } from '../../model/value.ts'
import type { JsonObject } from '../json/json-messages.ts'
import { DecimalText, parseExact } from '../json/lossless-json.ts'
import { bytesOf } from '../values/debezium-values.ts'
import type { ValueForm } from '../values/inferred-rows.ts'
import type { TypedValue } from '../values/inferred-types.ts'
import { inferJson, inferNumber, textOfJson } from '../values/inferred-types.ts'
import { zonedTimestamp } from '../values/iso-times.ts'
import { wordOf } from './debezium-position.ts'

/** A row by column name: null, or a `BsonValue`. */
export type Document = Readonly<Record<string, unknown>>

/** A value that is read: what it is by itself, and the form in which stated types read it. */
class BsonValue {
  readonly typed: TypedValue
  readonly json: unknown

  constructor(typed: TypedValue, json: unknown) {
    this.typed = typed
    this.json = json
  }
}

/** How the values of a `Document` are read. */
export const bsonForm: ValueForm = {
  infer: value => (value instanceof BsonValue ? value.typed : null),
  plain: (value, type) => (value instanceof BsonValue ? plainOf(value, type) : value),
}

/** Text is never base64 of a number here, nor a number bytes. */
function plainOf(value: BsonValue, type: ColumnType): unknown {
  const { typed, json } = value
  const isText = typed.type.kind === 'string' && typeof json === 'string'
  switch (type.kind) {
    case 'date':
      return dayOf(value)
    case 'binary':
      if (typed.type.kind === 'binary') return json
      throw misfit(type, json)
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'ubigint':
    case 'decimal':
      if (typed.type.kind === 'binary') throw misfit(type, json)
      if (!isText) return json
      if (/^-?\d{1,100}(?:\.\d{1,100})?$/.test(json)) return numberFrom(json).json
      throw misfit(type, json)
    default:
      return json
  }
}

/** The column of a document's key. */
export const idColumn = '_id'

/** MongoDB takes no deeper ones than 100. */
const maxDepth = 200
const string = { kind: 'string' } as const

/** Throws DecodeError `value-invalid`. `what` says of which part of the message it is. */
export function documentOf(json: unknown, what: string): Document | null {
  if (json === null || json === undefined) return null
  const found = typeof json === 'string' ? parsed(json, what) : json
  if (!isObject(found)) throw notExtended(what, json)
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, bsonOf(value)]))
}

/** The key of a message, `{"id": "<the _id in extended JSON>"}`, as a row; null without a key. */
export function documentKey(json: unknown): Document | null {
  if (json === null) return null
  const id = isObject(json) ? json.id : undefined
  if (typeof id !== 'string') {
    throw new DecodeError('key-missing', 'the key of the message has no "id" of a document')
  }
  return { [idColumn]: bsonOf(parsed(id, 'the key')) }
}

/**
 * What an update changed, where the message does not have the whole document. Throws DecodeError
 * `row-missing` where that is inside of a column.
 */
export function documentPatch(description: unknown): Document {
  const { updatedFields, removedFields, truncatedArrays } = isObject(description) ? description : {}
  const updated = documentOf(updatedFields, '"updatedFields"') ?? {}
  const removed: readonly unknown[] = Array.isArray(removedFields) ? removedFields : []
  const truncated: readonly unknown[] = Array.isArray(truncatedArrays) ? truncatedArrays : []
  const names = [...Object.keys(updated), ...removed.map(String)]
  const nested = truncated.length > 0 ? 'a truncated array' : names.find(name => name.includes('.'))
  if (nested !== undefined || !isObject(description)) {
    throw new DecodeError(
      'row-missing',
      nested === undefined
        ? 'an update has neither the document after it nor what was changed'
        : `an update changed a part of a column (${nested}), and has not the document after it: set ` +
            '`capture.mode` of the connector to change_streams_update_full',
    )
  }
  const nulls = removed.map(name => [wordOf(name), null] as const)
  return { ...updated, ...Object.fromEntries(nulls) }
}

function parsed(text: string, what: string): unknown {
  try {
    return parseExact(text)
  } catch (cause) {
    // A document that is nested without end has no room on the stack: RangeError.
    throw notExtended(what, text, cause)
  }
}

function notExtended(what: string, json: unknown, cause?: unknown): DecodeError {
  const { message } = misfit(string, json)
  const said = `${what} is no document in extended JSON: ${message}`
  return new DecodeError('value-invalid', said, { cause })
}

function isObject(json: unknown): json is JsonObject {
  return (
    typeof json === 'object' &&
    json !== null &&
    !Array.isArray(json) &&
    !(json instanceof DecimalText)
  )
}

/** Null for null and undefined. */
function bsonOf(json: unknown): BsonValue | null {
  const plain = relaxed(json, 0)
  if (plain === null) return null
  if (!isObject(plain)) return scalarOf(plain)
  const { $oid: oid, $uuid: uuid, $symbol: symbol, $date: date, $binary: binary } = plain
  if (Object.keys(plain).length === 1) {
    const text = oid ?? uuid ?? symbol
    if (typeof text === 'string') return new BsonValue({ type: string, value: text }, text)
    if (typeof date === 'string') return dateOf(date)
    if (isObject(binary)) {
      const value = bytesOf(binary.base64)
      return new BsonValue({ type: { kind: 'binary' }, value }, binary.base64)
    }
  }
  const text = textOfJson(plain)
  return new BsonValue({ type: string, value: text }, text)
}

function scalarOf(json: unknown): BsonValue | null {
  if (Array.isArray(json)) {
    const text = textOfJson(json)
    return new BsonValue({ type: string, value: text }, text)
  }
  if (json instanceof DecimalText) return numberFrom(json.text)
  const typed = inferJson(json)
  return typed === null ? null : new BsonValue(typed, json)
}

/** MongoDB takes 1 and 1.0 for equal, in keys too. */
function numberFrom(text: string): BsonValue {
  const typed = inferNumber(text.replace(/\.0+$/, ''))
  const { type, value } = typed
  if (type.kind === 'bigint' || (type.kind === 'decimal' && type.scale === 0)) {
    return new BsonValue(typed, value)
  }
  // Digits alone would be taken for base64 where a decimal is stated.
  return new BsonValue(typed, /[.-]/.test(text) ? text : Number(text))
}

function dateOf(iso: string): BsonValue {
  const value = zonedTimestamp(iso)
  return new BsonValue({ type: { kind: 'timestamptz' }, value }, iso)
}

const microsPerDay = 86_400_000_000n

/** Midnight of a day is the day, and nothing else is one. */
function dayOf({ typed: { type, value }, json }: BsonValue): unknown {
  if (type.kind !== 'timestamptz') return json
  const micros = BigInt(value as number | bigint)
  return micros % microsPerDay === 0n ? Number(micros / microsPerDay) : json
}

/** The relaxed form of a value, in which its text is the same whatever form it came in. */
function relaxed(json: unknown, depth: number): unknown {
  if (depth > maxDepth) {
    throw new DecodeError('value-invalid', `a document is nested more than ${maxDepth} levels deep`)
  }
  if (Array.isArray(json)) return json.map((item: unknown) => relaxed(item, depth + 1))
  if (!isObject(json)) return json ?? null
  const names = Object.keys(json)
  const first = names[0] ?? ''
  if (first.startsWith('$')) {
    const found = relaxedScalar(json, first, names.length)
    if (found !== undefined) return found
  }
  return Object.fromEntries(names.map(name => [name, relaxed(json[name], depth + 1)]))
}

/** Undefined for what is not one of these types. */
function relaxedScalar(json: JsonObject, name: string, count: number): unknown {
  const value = json[name]
  if (name === '$binary') return relaxedBinary(json, count)
  if (count !== 1) return undefined
  switch (name) {
    case '$numberInt':
    case '$numberLong':
      return typeof value === 'string' && /^-?\d{1,19}$/.test(value)
        ? toInteger(BigInt(value))
        : refused(json)
    case '$numberDouble':
    case '$numberDecimal':
      return typeof value === 'string' ? numberOf(value) : refused(json)
    case '$date':
      return { $date: isoOf(value) }
    case '$undefined':
      return null
    default:
      return undefined
  }
}

/** NaN and the infinities are no numbers of JSON. */
function numberOf(text: string): unknown {
  if (!/^-?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,4})?$/.test(text)) return text
  const plain = text.replace(/^(-?)0+(?=\d)/, '$1')
  return /^-?\d+$/.test(plain) ? toInteger(BigInt(plain)) : new DecimalText(plain)
}

/** `{"$binary": {"base64", "subType"}}`, or in strict mode `{"$binary": "…", "$type": "…"}`. */
function relaxedBinary(json: JsonObject, count: number): unknown {
  const { $binary: binary, $type: type } = json
  if (count === 1 && isObject(binary)) return { $binary: binary }
  if (count === 2 && typeof binary === 'string' && typeof type === 'string') {
    return { $binary: { base64: binary, subType: type } }
  }
  return undefined
}

/** A date as text, milliseconds, or `{"$numberLong": milliseconds}`. */
function isoOf(json: unknown): string {
  if (typeof json === 'string') return json
  const { $numberLong: long } = isObject(json) ? json : {}
  const ms = typeof long === 'string' && /^-?\d{1,19}$/.test(long) ? Number(long) : json
  const date = new Date(typeof ms === 'number' ? ms : Number.NaN)
  if (Number.isNaN(date.getTime())) throw misfit({ kind: 'timestamptz' }, json)
  return date.toISOString().replace('.000Z', 'Z')
}

function refused(json: unknown): never {
  throw misfit(string, json)
}
