/** Debezium messages made by hand, for tests of the main job. */
import type { ProducerRecord } from '../../log/log.ts'
import { partitionOfBytes } from '../../model/partitioner.ts'

type Json = Readonly<Record<string, unknown>>

export interface MessageOptions {
  readonly connector?: 'mysql' | 'postgresql'
  readonly database?: string
  readonly table?: string
  readonly pos?: number
  /** The source's clock; by default it goes with the position. */
  readonly ms?: number
  readonly row?: number
  readonly gtid?: string
  readonly serverId?: number
  /** PostgreSQL: the LSN of the last commit, where it is not the event's own. */
  readonly commit?: number
  readonly snapshot?: string
  readonly partitions?: number
  /** Instead of the one that the key hashes to. */
  readonly partition?: number
  /** Instead of the usual ones, by column. */
  readonly types?: Readonly<Record<string, Json>>
  readonly headers?: Readonly<Record<string, unknown>>
  /** Without it the types stand in the message. */
  readonly isBare?: boolean
}

const connectTypes: Readonly<Record<string, Json>> = {
  id: { type: 'int64', optional: false },
  n: { type: 'int32', optional: true },
  name: { type: 'string', optional: true },
  big: { type: 'string', optional: true },
  price: {
    type: 'bytes',
    optional: true,
    name: 'org.apache.kafka.connect.data.Decimal',
    parameters: { scale: '2', 'connect.decimal.precision': '10' },
  },
  created: { type: 'int64', optional: true, name: 'io.debezium.time.Timestamp' },
  phone: { type: 'string', optional: false, default: 'none' },
}

/** A change of table `shop.orders` (or another), keyed by `id`. */
export function change(
  op: string,
  { before = null, after = null }: { before?: Json | null; after?: Json | null },
  options: MessageOptions = {},
): ProducerRecord {
  const row = after ?? before ?? {}
  const key = 'id' in row ? { id: row.id } : null
  return message(key, { op, before, after, source: sourceOf(options) }, row, options)
}

interface DdlOptions extends MessageOptions {
  /** With their types in the database's words. */
  readonly columns?: Readonly<Record<string, string>>
  readonly key?: readonly string[]
  /** Of a table that is renamed: the name that it has now. */
  readonly renamedTo?: string
}

/** The topic of schema changes. */
export const topicOfDdl = 'db.ddl'

/** A table was made, dropped or renamed. */
export function ddl(
  type: 'CREATE' | 'DROP' | 'RENAME',
  { columns = { id: 'BIGINT', name: 'TEXT' }, key = ['id'], renamedTo, ...rest }: DdlOptions = {},
): ProducerRecord {
  const { database = 'shop', table: name = 'orders' } = rest
  const table = {
    primaryKeyColumnNames: key,
    columns: Object.entries(columns).map(([column, typeName]) => {
      return { name: column, typeName, optional: !key.includes(column) }
    }),
  }
  const isRename = type === 'RENAME'
  const payload = {
    source: { ...sourceOf(rest), row: undefined },
    databaseName: database,
    ddl: isRename ? `RENAME TABLE ${name} TO ${renamedTo}` : '…',
    tableChanges: [
      {
        type: isRename ? 'ALTER' : type,
        id: `"${database}"."${renamedTo ?? name}"`,
        table: type === 'DROP' ? null : table,
      },
    ],
  }
  const value = Buffer.from(JSON.stringify(payload))
  return { topic: topicOfDdl, partition: 0, key: null, value, timestampMs: 0, headers: [] }
}

export function tombstone(id: number, options: MessageOptions = {}): ProducerRecord {
  return message({ id }, null, {}, options)
}

/** The two messages, and the tombstone between them, of `update … set id = newId`. */
export function changedKey(
  before: Json & { readonly id: number },
  after: Json & { readonly id: number },
  options: MessageOptions = {},
): ProducerRecord[] {
  return [
    change('d', { before }, { ...options, headers: { newkey: { id: after.id } } }),
    tombstone(before.id, options),
    change('c', { after }, { ...options, headers: { oldkey: { id: before.id } } }),
  ]
}

export function topicOf({ database = 'shop', table = 'orders' }: MessageOptions): string {
  return `db.${database}.${table}`
}

function sourceOf({ connector = 'mysql', table = 'orders', ...options }: MessageOptions): Json {
  const { pos = 100, row = 0, gtid = null, serverId = 1, database = 'shop' } = options
  const { commit = pos, snapshot = 'false' } = options
  const ts_ms = 1_700_000_000_000 + (options.ms ?? pos)
  const common = { connector, name: 'db', ts_ms, snapshot, table }
  return connector === 'mysql'
    ? { ...common, db: database, server_id: serverId, gtid, file: 'binlog.000001', pos, row }
    : {
        ...common,
        db: 'any',
        schema: database,
        lsn: pos,
        txId: pos,
        sequence: `["${commit}","${pos}"]`,
      }
}

function message(
  key: Json | null,
  value: Json | null,
  row: Json,
  options: MessageOptions,
): ProducerRecord {
  const { partitions = 1, headers = {}, isBare = false, types = connectTypes } = options
  const keyBytes = key === null ? null : Buffer.from(JSON.stringify(key))
  const text = isBare ? JSON.stringify(value) : withSchema(value, row, types)
  const hashed = keyBytes === null ? 0 : partitionOfBytes(keyBytes, partitions)
  return {
    topic: topicOf(options),
    partition: options.partition ?? hashed,
    key: keyBytes,
    value: value === null ? null : Buffer.from(text),
    timestampMs: 0,
    headers: Object.entries(headers).map(([name, content]) => ({
      key: `__debezium.${name}`,
      value: Buffer.from(JSON.stringify(content)),
    })),
  }
}

function withSchema(
  payload: Json | null,
  row: Json,
  types: Readonly<Record<string, Json>>,
): string {
  const fields = Object.keys(row).map(field => ({ field, ...types[field] }))
  const schema = { type: 'struct', fields: [{ field: 'after', type: 'struct', fields }] }
  return JSON.stringify({ schema, payload })
}
