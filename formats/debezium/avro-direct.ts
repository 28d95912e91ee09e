/**
 * The short way from an Avro message to its change, as `debezium-direct.ts` is for JSON: the envelope is
 * passed through by its schema, the row goes from Avro to the form in which it travels without becoming
 * objects, and `before` is passed over until somebody asks. How rows of a table are read is learned from
 * the long way; what is not usual (a changed key, a value that was not sent) takes it: `decode` gives null.
 */
import { ByteWriter, toBuffer } from '../../model/bytes.ts'
import type { ChangeOp, LogRecord } from '../../model/change-event.ts'
import type { UnreadRow } from '../../model/encoded-event.ts'
import { EncodedEvent } from '../../model/encoded-event.ts'
import { DecodeError } from '../../model/errors.ts'
import { encodeKey } from '../../model/key.ts'
import { beginRow, markNull, writeValue } from '../../model/row-codec.ts'
import type { Row, Value } from '../../model/value.ts'
import { passField, passFields } from '../avro/avro-pass.ts'
import {
  AvroCursor,
  damaged,
  isText,
  readAvro,
  skipAvro,
  wireHeadBytes,
} from '../avro/avro-reader.ts'
import type { AvroType } from '../avro/avro-schema.ts'
import type { Decoded, DecoderOptions } from '../decoder.ts'
import type { Converter } from '../values/converter.ts'
import { holds } from '../values/row-encoder.ts'
import type { RowReader } from '../values/row-reader.ts'
import { readRow } from '../values/row-reader.ts'
import { isUnsent, unsentLengths } from '../values/unsent-value.ts'
import type { EnvelopePlan, TablePlan } from './avro-plan.ts'
import { envelopePlanOf, tablePlanOf } from './avro-plan.ts'
import type { AvroSchema } from './debezium-avro.ts'
import type { ChangePayload, RowRead } from './debezium-changes.ts'
import { sourceBlockOf, sourceNames } from './debezium-payload.ts'
import type { SourceBlock } from './debezium-position.ts'
import { msOf, positionOf, snapshotOf, tableOf } from './debezium-position.ts'
import { hasWholeBefore, loggedBefore, routerField, transactionOf } from './debezium-rows.ts'

/** Of one schema: messages of many tables may share theirs. */
const maxTables = 1000

export class AvroDirectDecoder {
  readonly #options: DecoderOptions
  readonly #plans = new WeakMap<AvroSchema, EnvelopePlan>()
  readonly #unsent: string
  /** Its lengths in bytes, by each way to write it as text. */
  readonly #unsentLengths: readonly number[]
  /** Rows lie side by side in large buffers: one each would cost more than its bytes. */
  readonly #writer = new ByteWriter(64 * 1024)
  readonly #value = new AvroCursor(Buffer.alloc(0), 0)
  readonly #key = new AvroCursor(Buffer.alloc(0), 0)
  /** Where the columns of the key begin and end in the message's key. */
  readonly #keyStarts: number[] = []
  readonly #keyEnds: number[] = []
  /** Of the source block, by place. */
  readonly #sourceValues: unknown[] = sourceNames.map(() => undefined)
  /** Texts of the source block and the operation as they were last, by place. */
  readonly #lastTexts: ({ readonly bytes: Buffer; readonly text: string } | undefined)[] = []
  /** Of the message that is being read: where the rows begin; -1: there is none. */
  readonly #found = {
    before: -1,
    after: -1,
    op: '',
    source: null as SourceBlock | null,
    transaction: null as unknown,
  }

  constructor(options: DecoderOptions, unsent: string) {
    this.#options = options
    this.#unsent = unsent
    this.#unsentLengths = unsentLengths(unsent)
  }

  /** Takes in how a row of the schema was read. */
  learn(schema: AvroSchema, read: RowRead): void {
    if (read.hints.key !== undefined) return
    const plan = this.#plans.get(schema) ?? envelopePlanOf(schema.type)
    if (plan === null) return
    this.#plans.set(schema, plan)
    const own = tablePlanOf(plan.row, read)
    if (own === null) return
    if (plan.tables.size >= maxTables) plan.tables.clear()
    plan.tables.set(read.table, own)
  }

  /** Null when the message has to go the long way. */
  decode(record: LogRecord, schema: AvroSchema, keySchema: AvroSchema): Decoded | null {
    const plan = this.#plans.get(schema)
    if (plan === undefined) return null
    const bytes = toBuffer(record.value!)
    this.#readEnvelope(plan, bytes)
    const { source } = this.#found
    if (source === null) return null
    const table = tableOf(source)
    const own = plan.tables.get(table)
    if (own === undefined) {
      return this.#options.hintsOf(table) === null ? { kind: 'unwanted', table } : null
    }
    if (own.database !== source.db) return null
    const op = opOf(this.#found.op)
    if (op === null || record.headers.some(({ key }) => key === '__debezium.oldkey')) return null
    const keyBytes = this.#readKey(own, toBuffer(record.key!), keySchema.type)
    if (keyBytes === null) return null
    const { before, after } = this.#found
    const isBeforeWhole = before >= 0 && hasWholeBefore(source, own.hints)
    if (op === 'd' ? before < 0 : after < 0) return null
    if (op === 'u' && isBeforeWhole && !this.#hasSameKey(own, bytes, before)) return null
    const rowBytes = op === 'd' ? null : this.#encodeRow(own, bytes, after, op === 'u')
    if (rowBytes === undefined) return null
    const { topic, partition, offset, timestampMs } = record
    const event = new EncodedEvent({
      table,
      op,
      position: positionOf(source, this.#options.incarnation),
      snapshot: snapshotOf(source),
      transaction: transactionOf({ transaction: this.#found.transaction } as ChangePayload),
      schema: own.reader.schema,
      origin: { topic, partition, offset },
      sourceMs: msOf(source) ?? timestampMs,
      isBeforeWhole,
      keyBytes,
      rowBytes,
      unread:
        before < 0
          ? null
          : new UnreadBefore(bytes, before, plan.row, own.reader, loggedBefore(source, op)),
    })
    return { kind: 'changes', events: [event], isKeyOrdered: true }
  }

  #readEnvelope(plan: EnvelopePlan, bytes: Buffer): void {
    const cursor = this.#value
    cursor.bytes = bytes
    cursor.at = wireHeadBytes
    const found = this.#found
    found.source = null
    found.transaction = null
    found.before = -1
    found.op = ''
    const { envelope, roles } = plan
    for (let index = 0; index < roles.length; index += 1) {
      const role = roles[index]
      if (role === 'before' || role === 'after') {
        found[role] = this.#passRow(plan, role)
      } else if (role === 'source') {
        found.source = this.#readSource(plan)
      } else if (role === 'op') {
        found.op = this.#text(sourceNames.length)
      } else if (role === 'transaction') {
        found.transaction = readAvro(envelope.fields[index]!.type, cursor)
      } else {
        passField(envelope, index, cursor)
      }
    }
    // The long way says what is wrong.
    if (cursor.at !== bytes.length) found.source = null
  }

  /** Where the row begins; -1 for none. */
  #passRow({ rowBranch, rowPass }: EnvelopePlan, side: 'before' | 'after'): number {
    const cursor = this.#value
    const branch = rowBranch[side]
    if (branch >= 0 && !this.#isThere(branch)) return -1
    const start = cursor.at
    passFields(rowPass, cursor)
    return start
  }

  #readSource({ source, members, otherPlaces }: EnvelopePlan): SourceBlock {
    const values = this.#sourceValues
    values.fill(undefined)
    const cursor = this.#value
    for (let index = 0; index < members.length; index += 1) {
      const member = members[index]!
      if (member === null) passField(source, index, cursor)
      else if (member.branch >= 0 && !this.#isThere(member.branch)) values[member.place] = null
      else if (member.type.kind === 'string') values[member.place] = this.#text(member.place)
      else if (isInteger(member.type)) values[member.place] = cursor.integer()
      else values[member.place] = readAvro(member.type, cursor)
    }
    return sourceBlockOf(values, otherPlaces)
  }

  /** Whether a union of null and one type has a value, which then follows. */
  #isThere(branch: number): boolean {
    const given = this.#value.integer()
    if (given !== 0 && given !== 1) throw damaged(`a union of 2 has no branch ${given}`)
    return given === branch
  }

  /** The text that lies there; nearly always it is that of the message before. */
  #text(index: number): string {
    const cursor = this.#value
    const length = cursor.length()
    const { bytes, at: start } = cursor
    const last = this.#lastTexts[index]
    cursor.at += length
    if (last !== undefined && isSame(last.bytes, bytes, start, length)) return last.text
    cursor.at = start
    const own = Buffer.from(cursor.view(length))
    const text = own.toString('utf8')
    this.#lastTexts[index] = { bytes: own, text }
    return text
  }

  #readKey(own: TablePlan, bytes: Buffer, type: AvroType): string | null {
    if (type.kind !== 'record') return null
    const cursor = this.#key
    cursor.bytes = bytes
    cursor.at = wireHeadBytes
    const values: Value[] = []
    for (const { name, type: fieldType } of type.fields) {
      const column = own.keyColumns[values.length]
      const start = cursor.at
      if (column?.name !== name) {
        // A column that the learned key lacks, or has elsewhere: the key may have become another one.
        if (!routerField.test(name)) return null
        skipAvro(fieldType, cursor)
        continue
      }
      const place = own.keyPlaces[values.length]!
      const { type: rowType, branch, converter } = own.columns[place]!
      if (branch >= 0 || rowType.kind !== fieldType.kind) return null
      const given = isInteger(fieldType) ? cursor.integer() : readAvro(fieldType, cursor)
      const isPlain = converter.plain === 'integer' && typeof given === 'number'
      const value = isPlain && holds(converter, given) ? given : converted(converter, given)
      if (value === undefined || value === null) return null
      this.#keyStarts[values.length] = start
      this.#keyEnds[values.length] = cursor.at
      values.push(value)
    }
    const isWhole = values.length === own.keyColumns.length && cursor.at === bytes.length
    return isWhole ? encodeKey(own.keyColumns, values) : null
  }

  /** Whether the row before has the key of the message, byte by byte. */
  #hasSameKey({ columns, keyPlaces }: TablePlan, bytes: Buffer, before: number): boolean {
    const cursor = this.#value
    cursor.at = before
    let left = keyPlaces.length
    for (let index = 0; left > 0; index += 1) {
      const { type, branch } = columns[index]!
      const start = cursor.at
      if (branch < 0) skipAvro(type, cursor)
      else if (this.#isThere(branch)) skipAvro(type, cursor)
      const place = keyPlaces.indexOf(index)
      if (place < 0) continue
      left -= 1
      const from = this.#keyStarts[place]!
      const length = this.#keyEnds[place]! - from
      if (cursor.at - start !== length) return false
      for (let offset = 0; offset < length; offset += 1) {
        if (bytes[start + offset] !== this.#key.bytes[from + offset]) return false
      }
    }
    return true
  }

  /** Undefined when a value has to be looked at. */
  #encodeRow(
    { columns }: TablePlan,
    bytes: Buffer,
    start: number,
    isUpdate: boolean,
  ): Uint8Array | undefined {
    const cursor = this.#value
    cursor.bytes = bytes
    cursor.at = start
    const writer = this.#writer
    writer.reset()
    const nulls = beginRow(writer, columns.length)
    for (let index = 0; index < columns.length; index += 1) {
      const { type, branch, converter } = columns[index]!
      if (branch >= 0 && !this.#isThere(branch)) markNull(writer, nulls, index)
      else if (!this.#encodeValue(type, converter, isUpdate)) return undefined
    }
    return writer.handOut()
  }

  #encodeValue(type: AvroType, converter: Converter, isUpdate: boolean): boolean {
    const cursor = this.#value
    if (converter.plain === 'text' && type.kind === 'string') {
      const length = cursor.length()
      const start = cursor.at
      cursor.at += length
      // It may stand for what was not sent.
      if (isUpdate && this.#unsentLengths.includes(length)) return false
      if (!isText(cursor.bytes, start, cursor.at)) return false
      this.#writer.blobOf(cursor.bytes, start, cursor.at)
      return true
    }
    if (converter.plain === 'unscaled' && type.kind === 'bytes') {
      const value = this.#unscaled(converter)
      if (value !== null) {
        this.#writer.integer(value)
        return true
      }
    }
    const given = isInteger(type) ? cursor.integer() : readAvro(type, cursor)
    if (converter.plain === 'integer' && typeof given === 'number' && holds(converter, given)) {
      this.#writer.integer(given)
      return true
    }
    if (isUpdate && isUnsent(given, this.#unsent)) return false
    const value = converted(converter, given)
    if (value === undefined || value === null) return false
    writeValue(this.#writer, converter.type, value)
    return true
  }

  /** A decimal of a few bytes, which are passed; null when it has to be looked at. */
  #unscaled({ type }: Converter): number | null {
    const cursor = this.#value
    const { bytes, at } = cursor
    const length = bytes[at]! >> 1
    // Up to six bytes, whose length takes one.
    if (bytes[at]! > 12 || length === 0 || type.kind !== 'decimal') return null
    if (at + length >= bytes.length) return null
    let value = (bytes[at + 1]! << 24) >> 24
    for (let index = 2; index <= length; index += 1) value = value * 256 + bytes[at + index]!
    if (Math.abs(value) >= 10 ** type.precision) return null
    cursor.at = at + 1 + length
    return value
  }
}

class UnreadBefore implements UnreadRow {
  readonly #bytes: Buffer
  readonly #start: number
  readonly #type: AvroType
  readonly #reader: RowReader
  readonly #isSent: ReturnType<typeof loggedBefore>

  constructor(
    bytes: Buffer,
    start: number,
    type: AvroType,
    reader: RowReader,
    isSent: ReturnType<typeof loggedBefore>,
  ) {
    this.#bytes = bytes
    this.#start = start
    this.#type = type
    this.#reader = reader
    this.#isSent = isSent
  }

  read(): Row {
    const row = readAvro(this.#type, new AvroCursor(this.#bytes, this.#start))
    return readRow(row as Readonly<Record<string, unknown>>, this.#reader, this.#isSent)!
  }
}

function isInteger({ kind }: AvroType): boolean {
  return kind === 'long' || kind === 'int'
}

function opOf(op: string): Exclude<ChangeOp, 't'> | null {
  return op === 'c' || op === 'u' || op === 'd' || op === 'r' ? op : null
}

function isSame(known: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (known.length !== length) return false
  for (let index = 0; index < length; index += 1) {
    if (known[index] !== bytes[start + index]) return false
  }
  return true
}

/** By the column's own rule; undefined when it refuses: the long way says why. */
function converted({ convert }: Converter, given: unknown): Value | undefined {
  try {
    return given === null ? null : convert(given)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
