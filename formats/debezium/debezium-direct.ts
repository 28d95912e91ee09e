/**
 * The short way from a message's bytes to its change: for messages that look like one that was decoded
 * before by `debezium-json.ts`, which is nearly all of a topic's. What the members of the envelope, the
 * source block, the key and the row are called, and in which order, is learned from that one; then the
 * next is read where it lies, its row goes from JSON to the form in which it travels without becoming
 * objects, and `before` is passed over until somebody asks.
 *
 * Whatever is not just as expected (another column, a value that was not sent, a key that changed, white
 * space) is decoded the other way: `decode` gives null. What it
 * gives is the same as there; the difference is that what nobody reads of a message is not checked.
 */
import { toBuffer } from '../../model/bytes.ts'
import type { LogRecord } from '../../model/change-event.ts'
import type { UnreadRow } from '../../model/encoded-event.ts'
import { EncodedEvent } from '../../model/encoded-event.ts'
import { DecodeError } from '../../model/errors.ts'
import { encodeKey } from '../../model/key.ts'
import type { Column } from '../../model/table-schema.ts'
import { keyColumns } from '../../model/table-schema.ts'
import type { Row, Value } from '../../model/value.ts'
import type { Decoded, DecoderOptions, TableHints } from '../decoder.ts'
import type { Shape } from '../json/json-bytes.ts'
import {
  closeBrace,
  comma,
  openBrace,
  parseAt,
  quote,
  shapeOf,
  skipNull,
  skipToken,
  skipValue,
} from '../json/json-bytes.ts'
import type { Converter } from '../values/converter.ts'
import { keyValueAt, RowEncoder } from '../values/row-encoder.ts'
import type { RowReader } from '../values/row-reader.ts'
import { readRow } from '../values/row-reader.ts'
import type { ChangePayload, RowRead } from './debezium-changes.ts'
import type { Framed, PayloadShape } from './debezium-payload.ts'
import { frameOf, PayloadReader, payloadShapeOf, startsWith } from './debezium-payload.ts'
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

/** How messages of a topic look that embed one schema, or none. */
interface TopicPlan {
  readonly shape: PayloadShape
  readonly tables: Map<string, TablePlan>
}

interface TablePlan {
  readonly database: unknown
  readonly hints: TableHints
  readonly reader: RowReader
  readonly isCurrent: NonNullable<RowRead['isCurrent']>
  readonly key: Framed & {
    readonly shape: Shape
    readonly columns: readonly Column[]
    /** Of each member of the key; undefined for those that are no columns. */
    readonly converters: readonly (Converter | undefined)[]
    /** Of each member of the key: where it is in the row; -1 when it is no column. */
    readonly places: readonly number[]
  }
  readonly row: { readonly shape: Shape; readonly columns: readonly Converter[] }
}

const inexact: ReadonlySet<string> = new Set(['float', 'double'])
const maxTables = 1000
/** Of a topic. */
const maxPlans = 32

export class DirectDecoder {
  readonly #options: DecoderOptions
  /** By topic, one for each schema that its messages embed; the one that was used last is first. */
  readonly #topics = new Map<string, TopicPlan[]>()
  readonly #payload = new PayloadReader()
  readonly #encoder: RowEncoder
  /** Where the members of the key begin and end. */
  readonly #keyStarts: number[] = []
  readonly #keyEnds: number[] = []
  #wantsExample = true

  constructor(options: DecoderOptions, unsent: string) {
    this.#options = options
    this.#encoder = new RowEncoder(unsent)
  }

  /** Whether the message that was refused last has a shape that is not known yet. */
  get wantsExample(): boolean {
    return this.#wantsExample
  }

  /** Null when the message has to go the long way. */
  decode(record: LogRecord): Decoded | null {
    this.#wantsExample = true
    const bytes = record.value
    if (bytes === null) return null
    const plan = this.#planOf(record.topic, bytes)
    if (plan === undefined || !this.#payload.read(plan.shape, bytes)) return null
    const { source } = this.#payload
    const table = tableOf(source)
    const own = plan.tables.get(table)
    if (own === undefined) {
      return this.#options.hintsOf(table) === null ? { kind: 'unwanted', table } : null
    }
    const position = positionOf(source, this.#options.incarnation)
    const sourceMs = msOf(source)
    if (own.database !== source.db) return this.#refuse()
    if (record.key === null || !own.isCurrent(position, sourceMs)) return null
    if (needsOtherKey(record, source, own.hints)) return this.#refuse()
    const op = this.#opOf(bytes)
    if (op === null) return null
    const transaction = this.#transactionOf(bytes)
    if (transaction === undefined) return null
    const isBeforeWhole = this.#payload.has('before', bytes) && hasWholeBefore(source, own.hints)
    const keyBytes = this.#readKey(own, record.key)
    if (keyBytes === null) return null
    if (op === 'd') {
      // Its schema is that of the row before, and of no other.
      if (!this.#hasRowBefore(bytes, own)) return null
    } else if (op === 'u' && isBeforeWhole && !this.#hasSameKey(record.key, bytes, own)) {
      return this.#refuse()
    }
    const start = this.#payload.start('after')
    const rowBytes = op === 'd' ? null : this.#encoder.encode(bytes, start, own.row, op === 'u')
    if (rowBytes === 'shape') return null
    if (rowBytes === 'value') return this.#refuse()
    const { topic, partition, offset, timestampMs } = record
    const event = new EncodedEvent({
      table,
      op,
      position,
      snapshot: snapshotOf(source),
      transaction,
      schema: own.reader.schema,
      origin: { topic, partition, offset },
      sourceMs: sourceMs ?? timestampMs,
      isBeforeWhole,
      keyBytes,
      rowBytes,
      unread: this.#before(record, own.reader, loggedBefore(source, op)),
    })
    const replaced = rowBytes === null ? undefined : this.#encoder.replaced
    return { kind: 'changes', events: [event], isKeyOrdered: true, replaced }
  }

  /** Takes the message as an example of those that will come. */
  learn(record: LogRecord, { table, hints, reader, isCurrent }: RowRead): void {
    if (isCurrent === null) return
    const plan = this.#learnTopic(record)
    if (plan === null || record.key === null || hints.key !== undefined) return
    const frame = frameOf(record.key)
    const key = frame === null ? null : shapeOf(toBuffer(record.key), frame.head.length)
    const row = this.#rowShape(plan, toBuffer(record.value!))
    if (frame === null || key === null || row === null) return
    const { schema } = reader
    const keyNames = key.names.filter(name => !routerField.test(name))
    // The key's members are the key, in its order; the row's are the columns, in theirs.
    const isUsual =
      isEqual(keyNames, schema.key) &&
      isEqual(
        row.names,
        schema.columns.map(column => column.name),
      )
    // Their key is rounded, or loses a sign, on its way through the bytes: repeats are known by the key.
    const isExact = keyColumns(schema).every(({ type: { kind } }) => !inexact.has(kind))
    if (!isUsual || !isExact) return
    if (plan.tables.size >= maxTables) plan.tables.clear()
    plan.tables.set(table, {
      database: this.#payload.source.db,
      hints,
      reader,
      isCurrent,
      key: {
        ...frame,
        shape: key.shape,
        columns: keyColumns(schema),
        converters: key.names.map(name => reader.convert.get(name)),
        places: key.names.map(name => row.names.indexOf(name)),
      },
      row: { shape: row.shape, columns: row.names.map(name => reader.convert.get(name)!) },
    })
  }

  /** The message is as expected, and one of its values is not. */
  #refuse(): null {
    this.#wantsExample = false
    return null
  }

  /** By what the messages of the topic begin with. */
  #planOf(topic: string, bytes: Uint8Array): TopicPlan | undefined {
    const plans = this.#topics.get(topic)
    const index = plans?.findIndex(({ shape }) => startsWith(bytes, shape.head)) ?? -1
    if (plans === undefined || index <= 0) return plans?.[index]
    const [plan] = plans.splice(index, 1)
    plans.unshift(plan!)
    return plan
  }

  #learnTopic(record: LogRecord): TopicPlan | null {
    const bytes = toBuffer(record.value!)
    const known = this.#planOf(record.topic, bytes)
    if (known !== undefined && this.#payload.read(known.shape, bytes)) return known
    const shape = payloadShapeOf(bytes)
    if (shape === null || !this.#payload.read(shape, bytes)) return null
    const plan: TopicPlan = { shape, tables: new Map() }
    const others = (this.#topics.get(record.topic) ?? []).filter(one => one !== known)
    this.#topics.set(record.topic, [plan, ...others].slice(0, maxPlans))
    return plan
  }

  /** The members of the row that the message carries: after it, or before it when it was deleted. */
  #rowShape(plan: TopicPlan, bytes: Buffer): ReturnType<typeof shapeOf> {
    if (!this.#payload.read(plan.shape, bytes)) return null
    const side = this.#payload.has('after', bytes) ? 'after' : 'before'
    const shape = shapeOf(bytes, this.#payload.start(side))
    return shape?.end === this.#payload.end(side) ? shape : null
  }

  #opOf(bytes: Uint8Array): RowOp | null {
    const start = this.#payload.start('op')
    if (this.#payload.end('op') - start !== 3 || bytes[start] !== quote) return null
    return rowOpOf(bytes[start + 1]!)
  }

  #transactionOf(bytes: Uint8Array): EncodedEvent['transaction'] | undefined {
    const start = this.#payload.start('transaction')
    if (start < 0 || skipNull(bytes, start) > 0) return null
    const transaction = parseAt(bytes, start, this.#payload.end('transaction'))
    return transaction === undefined ? undefined : transactionOf({ transaction } as ChangePayload)
  }

  #readKey({ key }: TablePlan, bytes: Uint8Array): string | null {
    const { head, tail, shape, columns, converters } = key
    if (!startsWith(bytes, head)) return null
    let at = head.length
    const values: Value[] = []
    for (let index = 0; index < shape.length; index += 1) {
      if (bytes[at] !== (index === 0 ? openBrace : comma)) return null
      const start = skipToken(bytes, at + 1, shape[index]!)
      at = start < 0 ? -1 : skipValue(bytes, start)
      if (at < 0) return null
      this.#keyStarts[index] = start
      this.#keyEnds[index] = at
      const converter = converters[index]
      if (converter === undefined) continue
      const value = keyValueAt(converter, bytes, start, at)
      if (value === undefined) return this.#refuse()
      values.push(value)
    }
    if (bytes[at] !== closeBrace || at + 1 !== bytes.length - tail) return null
    return encodeKey(columns, values)
  }

  /** Whether the row before has just the columns of the reader. */
  #hasRowBefore(bytes: Uint8Array, { row: { shape } }: TablePlan): boolean {
    let at = this.#payload.start('before')
    for (let index = 0; index < shape.length; index += 1) {
      if (bytes[at] !== (index === 0 ? openBrace : comma)) return false
      const start = skipToken(bytes, at + 1, shape[index]!)
      at = start < 0 ? -1 : skipValue(bytes, start)
      if (at < 0) return false
    }
    return bytes[at] === closeBrace
  }

  /** Whether the row before has the key of the message, letter by letter. */
  #hasSameKey(keyBytes: Uint8Array, bytes: Uint8Array, { key, row }: TablePlan): boolean {
    const { shape } = row
    let at = this.#payload.start('before')
    let left = key.columns.length
    for (let index = 0; left > 0; index += 1) {
      if (bytes[at] !== (index === 0 ? openBrace : comma) || index >= shape.length) return false
      const start = skipToken(bytes, at + 1, shape[index]!)
      at = start < 0 ? -1 : skipValue(bytes, start)
      if (at < 0) return false
      const place = key.places.indexOf(index)
      if (place < 0) continue
      left -= 1
      const [from, to] = [this.#keyStarts[place]!, this.#keyEnds[place]!]
      if (at - start !== to - from) return false
      for (let offset = 0; offset < to - from; offset += 1) {
        if (bytes[start + offset] !== keyBytes[from + offset]) return false
      }
    }
    return true
  }

  #before(
    record: LogRecord,
    reader: RowReader,
    isSent: ReturnType<typeof loggedBefore>,
  ): UnreadBefore | null {
    if (!this.#payload.has('before', record.value!)) return null
    const [start, end] = [this.#payload.start('before'), this.#payload.end('before')]
    return new UnreadBefore(record, reader, start, end, isSent)
  }
}

class UnreadBefore implements UnreadRow {
  readonly #record: LogRecord
  readonly #reader: RowReader
  readonly #start: number
  readonly #end: number
  readonly #isSent: ReturnType<typeof loggedBefore>

  constructor(
    record: LogRecord,
    reader: RowReader,
    start: number,
    end: number,
    isSent: ReturnType<typeof loggedBefore>,
  ) {
    this.#record = record
    this.#reader = reader
    this.#start = start
    this.#end = end
    this.#isSent = isSent
  }

  read(): Row {
    const json = parseAt(this.#record.value!, this.#start, this.#end)
    if (json !== undefined) return readRow(json as Row, this.#reader, this.#isSent)!
    const { topic, partition, offset } = this.#record
    throw new DecodeError('message-not-json', 'the "before" of the message is not JSON', {
      context: { topic, partition, offset },
    })
  }
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index])
}
