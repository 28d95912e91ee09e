/**
 * What Debezium's connector would send for a change of a row: JSON with its schema, a position in the
 * binlog, a tombstone behind a delete, both halves of a changed key at one position.
 */
import { partitionName } from '../../log/log.ts'
import type { ColumnType } from '../../model/column-type.ts'
import { partitionOfBytes } from '../../model/partitioner.ts'
import type { Row, Value } from '../../model/value.ts'
import type { Random } from '../../runtime/random.ts'
import type { MemorySource } from '../memory-source.ts'
import type { CheckedTable } from './workload.ts'

const unsent = '__debezium_unavailable_value'

const maxResent = 12

export interface TopicOf {
  readonly table: CheckedTable
  readonly partitions: number
}

/** A change of one row. Columns of `leftOut` have not changed and are not sent. */
export interface RowChange {
  readonly before: Row | null
  readonly after: Row | null
  readonly leftOut?: readonly string[]
}

export class Connector {
  readonly #source: MemorySource
  /** In the source's log; each statement has its own. */
  #position = 4

  constructor(source: MemorySource) {
    this.#source = source
  }

  /** What follows is sent of another statement. */
  next(): void {
    this.#position += 100
  }

  send(topic: TopicOf, change: RowChange): void {
    const { before, after } = change
    const [old, key] = [keyOf(topic.table, before), keyOf(topic.table, after)]
    if (old !== null && key !== null && old !== key) {
      this.#sendRow(topic, old, 'd', { before, after: null }, header('newkey', key))
      this.#append(topic, old, null)
      this.#sendRow(topic, key, 'c', { before: null, after }, header('oldkey', old))
      return
    }
    const op = before === null ? 'c' : after === null ? 'd' : 'u'
    this.#sendRow(topic, (key ?? old)!, op, change)
    if (after === null) this.#append(topic, old, null)
  }

  /** It has no key: it goes through any partition. */
  sendTruncate(topic: TopicOf, random: Random): void {
    const partition = pick(random, topic.partitions)
    this.#append(topic, null, this.#value(topic.table, 't', null, null), [], partition)
  }

  /** The producer sends the last records of a partition again. Tells what; null: there were none. */
  resend({ table, partitions }: TopicOf, random: Random): string | null {
    const at = { topic: table.topic, partition: pick(random, partitions) }
    const count = Math.min(1 + pick(random, maxResent), this.#source.records(at).length)
    // A truncate has no key: it may come through another partition.
    this.#source.resend(at, count, () => pick(random, partitions))
    return count === 0 ? null : `the last ${count} records of ${partitionName(at)} are sent again`
  }

  #sendRow(
    topic: TopicOf,
    key: string,
    op: string,
    { before, after, leftOut = [] }: RowChange,
    headers: Headers = [],
  ): void {
    const sent = (row: Row | null): Row | null => {
      if (row === null) return null
      return { ...row, ...Object.fromEntries(leftOut.map(name => [name, unsent])) }
    }
    this.#append(topic, key, this.#value(topic.table, op, sent(before), sent(after)), headers)
  }

  #value(table: CheckedTable, op: string, before: Row | null, after: Row | null): string {
    const [db, name] = table.name.split('.')
    const source = {
      connector: 'mysql',
      name: 'sim',
      ts_ms: 1_767_225_600_000 + this.#position,
      snapshot: 'false',
      db,
      table: name,
      server_id: 1,
      gtid: null,
      file: 'binlog.000001',
      pos: this.#position,
      row: 0,
    }
    const payload = { op, before: jsonRow(table, before), after: jsonRow(table, after), source }
    return JSON.stringify({ schema: schemaOf(table), payload })
  }

  #append(
    { table, partitions }: TopicOf,
    key: string | null,
    value: string | null,
    headers: Headers = [],
    anywhere = 0,
  ): void {
    const keyBytes = key === null ? null : Buffer.from(key)
    this.#source.append({
      topic: table.topic,
      partition: keyBytes === null ? anywhere : partitionOfBytes(keyBytes, partitions),
      timestampMs: this.#position,
      key: keyBytes,
      value: value === null ? null : Buffer.from(value),
      headers,
    })
  }
}

/** A whole number below the count. */
export function pick(random: Random, count: number): number {
  return Math.floor(random.next() * count)
}

type Headers = readonly { readonly key: string; readonly value: Buffer }[]

function header(name: string, key: string): Headers {
  return [{ key: `__debezium.${name}`, value: Buffer.from(key) }]
}

/** The key as Connect writes it; it also tells rows apart. */
export function keyOf(table: CheckedTable, row: Row | null): string | null {
  if (row === null) return null
  const columns = table.columns.filter(({ isKey }) => isKey)
  return JSON.stringify(Object.fromEntries(columns.map(({ name }) => [name, row[name]!])))
}

function schemaOf({ columns }: CheckedTable): object {
  const fields = columns.map(({ name, parsed, nullable }) => {
    return { field: name, optional: nullable === true, ...connectType(parsed) }
  })
  return { type: 'struct', fields: [{ field: 'after', type: 'struct', fields }] }
}

const connectTypes: Readonly<Record<string, object>> = {
  boolean: { type: 'boolean' },
  smallint: { type: 'int16' },
  int: { type: 'int32' },
  bigint: { type: 'int64' },
  double: { type: 'double' },
  string: { type: 'string' },
  date: { type: 'int32', name: 'io.debezium.time.Date' },
  timestamp: { type: 'int64', name: 'io.debezium.time.MicroTimestamp' },
}

function connectType(type: ColumnType): object {
  if (type.kind !== 'decimal') return connectTypes[type.kind]!
  const parameters = { scale: `${type.scale}`, 'connect.decimal.precision': `${type.precision}` }
  return { type: 'bytes', name: 'org.apache.kafka.connect.data.Decimal', parameters }
}

function jsonRow({ columns }: CheckedTable, row: Row | null): object | null {
  if (row === null) return null
  return Object.fromEntries(
    columns.map(({ name, parsed }) => [name, jsonValue(parsed, row[name]!)]),
  )
}

function jsonValue({ kind }: ColumnType, value: Value): unknown {
  if (kind !== 'decimal' || value === null || value === unsent) return value
  let hex = BigInt.asUintN(128, BigInt(value as number | bigint)).toString(16)
  hex = hex.padStart(32, '0')
  return Buffer.from(hex, 'hex').toString('base64')
}
