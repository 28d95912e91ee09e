/**
 * The short way from an Avro message to its change, as `debezium-direct.ts` is for JSON: the envelope is
 * passed through by its schema, the row goes from Avro to the form in which it travels without becoming
 * objects, and `before` is passed over until somebody asks. How rows of a table are read is learned from
 * the long way; what is not usual (a changed key, a value that was not sent) takes it: `decode` gives null.
 */
import { toBuffer } from '../../model/bytes.ts'
import type { LogRecord } from '../../model/change-event.ts'
import type { UnreadRow } from '../../model/encoded-event.ts'
import { EncodedEvent } from '../../model/encoded-event.ts'
import { encodeKey } from '../../model/key.ts'
import type { Row, Value } from '../../model/value.ts'
import { passField, passFields } from '../avro/avro-pass.ts'
import { AvroCursor, readAvro, skipAvro, wireHeadBytes } from '../avro/avro-reader.ts'
import type { AvroType } from '../avro/avro-schema.ts'
import type { Decoded, DecoderOptions } from '../decoder.ts'
import { holds } from '../values/row-encoder.ts'
import type { RowReader } from '../values/row-reader.ts'
import { readRow } from '../values/row-reader.ts'
import type { EnvelopePlan, TablePlan } from './avro-plan.ts'
import { envelopePlanOf, tablePlanOf } from './avro-plan.ts'
import { AvroRowEncoder, converted, isInteger, isThere } from './avro-row-encoder.ts'
import type { AvroSchema } from './debezium-avro.ts'
import type { ChangePayload, RowRead } from './debezium-changes.ts'
import type { SourceBlock } from './debezium-position.ts'
import { msOf, positionOf, snapshotOf, tableOf } from './debezium-position.ts'
import type { RowOp } from './debezium-rows.ts'
import {
  hasWholeBefore,
  loggedBefore,
  needsOtherKey,
  routerField,
  rowOpOf,
  transactionOf,
} from './debezium-rows.ts'

/** Of one schema: messages of many tables may share theirs. */
const maxTables = 1000

export class AvroDirectDecoder {
  readonly #options: DecoderOptions
  readonly #plans = new WeakMap<AvroSchema, EnvelopePlan>()
  readonly #rows: AvroRowEncoder
  readonly #value = new AvroCursor(Buffer.alloc(0), 0)
  readonly #key = new AvroCursor(Buffer.alloc(0), 0)
  /** Where the columns of the key begin and end in the message's key. */
  readonly #keyStarts: number[] = []
  readonly #keyEnds: number[] = []
  /** Of the message that is being read: where the rows begin; -1: there is none. */
  readonly #found = {
    before: -1,
    after: -1,
    op: null as RowOp | null,
    source: null as SourceBlock | null,
    transaction: null as unknown,
  }

  constructor(options: DecoderOptions, unsent: string) {
    this.#options = options
    this.#rows = new AvroRowEncoder(unsent)
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
    const position = positionOf(source, this.#options.incarnation)
    const sourceMs = msOf(source)
    if (own.database !== source.db || !own.isCurrent(position, sourceMs)) return null
    const { op } = this.#found
    if (op === null || needsOtherKey(record, source, own.hints)) return null
    const keyBytes = this.#readKey(own, toBuffer(record.key!), keySchema.type)
    if (keyBytes === null) return null
    const { before, after } = this.#found
    const isBeforeWhole = before >= 0 && hasWholeBefore(source, own.hints)
    if (op === 'd' ? before < 0 : after < 0) return null
    if (op === 'u' && isBeforeWhole && !this.#hasSameKey(own, bytes, before)) return null
    this.#value.at = after
    const rowBytes = op === 'd' ? null : this.#rows.encode(this.#value, own.columns, op === 'u')
    if (rowBytes === null && op !== 'd') return null
    const { topic, partition, offset, timestampMs } = record
    const event = new EncodedEvent({
      table,
      op,
      position,
      snapshot: snapshotOf(source),
      transaction: transactionOf({ transaction: this.#found.transaction } as ChangePayload),
      schema: own.reader.schema,
      origin: { topic, partition, offset },
      sourceMs: sourceMs ?? timestampMs,
      isBeforeWhole,
      keyBytes,
      rowBytes,
      unread:
        before < 0
          ? null
          : new UnreadBefore(bytes, before, plan.row, own.reader, loggedBefore(source, op)),
    })
    const replaced = rowBytes === null ? undefined : this.#rows.replaced
    return { kind: 'changes', events: [event], isKeyOrdered: true, replaced }
  }

  #readEnvelope(plan: EnvelopePlan, bytes: Buffer): void {
    const cursor = this.#value
    cursor.bytes = bytes
    cursor.at = wireHeadBytes
    const found = this.#found
    found.source = null
    found.transaction = null
    found.before = -1
    found.op = null
    const { envelope, roles } = plan
    for (let index = 0; index < roles.length; index += 1) {
      const role = roles[index]
      if (role === 'before' || role === 'after') {
        found[role] = this.#passRow(plan, role)
      } else if (role === 'source') {
        found.source = plan.source.read(cursor)
      } else if (role === 'op') {
        found.op = this.#op()
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
    if (branch >= 0 && !isThere(branch, cursor)) return -1
    const start = cursor.at
    passFields(rowPass, cursor)
    return start
  }

  /** A text of one letter that is an operation; null for others. */
  #op(): RowOp | null {
    const cursor = this.#value
    const { bytes, at } = cursor
    cursor.pass()
    return bytes[at] === 2 ? rowOpOf(bytes[at + 1]!) : null
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
      else if (isThere(branch, cursor)) skipAvro(type, cursor)
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
