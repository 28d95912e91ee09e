/** Records as Debezium writes them, by hand and recorded, and a decoder for them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { Decoded, Decoder, DecoderOptions, TableHints } from '../../formats/decoder.ts'
import type { ChangeEvent, LogRecord } from '../../model/change-event.ts'

export function decoderOf({
  hints = {},
  ...options
}: Partial<DecoderOptions> & { readonly hints?: TableHints | null } = {}): Decoder {
  return debeziumJson().createDecoder({
    hintsOf: () => hints,
    incarnation: '',
    connectorSettings: {},
    ...options,
  })
}

interface RecordParts {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  readonly headers?: Readonly<Record<string, unknown>>
}

/** `key` and `value` are written as JSON; text is taken as it is. */
export function recordOf(key: unknown, value: unknown, parts: RecordParts = {}): LogRecord {
  const { topic = 'm1.demo.user', partition = 0, offset = 0, headers = {} } = parts
  return {
    topic,
    partition,
    offset,
    timestampMs: 1_700_000_000_000,
    key: key === null ? null : bytesOf(key),
    value: value === null ? null : bytesOf(value),
    headers: Object.entries(headers).map(([name, header]) => ({
      key: name,
      value: bytesOf(header),
    })),
  }
}

function bytesOf(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}

/** The `source` block of a change that MariaDB made. */
export const mariadb = {
  version: '3.5.0.Final',
  connector: 'mariadb',
  name: 'm1',
  ts_ms: 1_700_000_001_000,
  snapshot: 'false',
  db: 'demo',
  table: 'user',
  server_id: 3307,
  gtid: '0-1-7',
  file: 'mysql-bin.000001',
  pos: 12_155,
  row: 0,
}

export const postgres = {
  version: '3.5.0.Final',
  connector: 'postgresql',
  name: 'p1',
  ts_ms: 1_700_000_001_000,
  snapshot: 'false',
  db: 'demo',
  sequence: '["34477376","34477432"]',
  schema: 'shop',
  table: 'user',
  txId: 892,
  lsn: 34_477_432,
}

/** A field of an embedded schema. */
export interface Field {
  readonly type: string
  readonly field: string
  readonly optional?: boolean
  readonly name?: string
  readonly default?: unknown
  readonly doc?: string
  readonly parameters?: Readonly<Record<string, string>>
  readonly items?: unknown
}

export const idAndName: readonly Field[] = [
  { type: 'int32', optional: false, field: 'id' },
  { type: 'string', optional: true, field: 'name' },
]

/** `{schema, payload}` with the fields for `before` and `after`. */
export function withSchema(payload: unknown, fields: readonly Field[] = idAndName): unknown {
  const row = (field: string) => ({ type: 'struct', fields, optional: true, name: 'Value', field })
  const rest = [
    { type: 'struct', fields: [], optional: false, field: 'source' },
    { type: 'string', optional: false, field: 'op' },
  ]
  const schema = {
    type: 'struct',
    fields: [row('before'), row('after'), ...rest],
    optional: false,
    name: 'm1.demo.user.Envelope',
  }
  return { schema, payload }
}

export interface ChangeParts {
  readonly op: string
  readonly before?: unknown
  readonly after?: unknown
  readonly source?: unknown
  readonly transaction?: unknown
}

export function changeOf({
  op,
  before = null,
  after = null,
  source = mariadb,
  ...rest
}: ChangeParts) {
  return { before, after, source, op, ts_ms: 1_700_000_002_000, ...rest }
}

/** The events of a record that is a change; fails when it is something else. */
export function eventsOf(decoder: Decoder, record: LogRecord): readonly ChangeEvent[] {
  const decoded: Decoded = decoder.decode(record)
  if (decoded.kind !== 'changes') throw new Error(`the record is of kind ${decoded.kind}`)
  return decoded.events
}

/** A column of a schema-change event. */
export interface ColumnParts {
  readonly name: string
  readonly typeName: string
  readonly length?: number | null
  readonly scale?: number | null
  readonly optional?: boolean
  readonly comment?: string | null
  readonly defaultValueExpression?: string | null
}

export function schemaChangeOf(
  columns: readonly ColumnParts[] | null,
  source: Readonly<Record<string, unknown>> = mariadb,
  id = '"demo"."user"',
) {
  const change =
    columns === null
      ? { type: 'DROP', id, table: null }
      : { type: 'ALTER', id, table: { primaryKeyColumnNames: ['id'], columns } }
  return { source, ts_ms: 1, databaseName: 'demo', ddl: '…', tableChanges: [change] }
}

/** A schema-change event by a statement; all columns but `id` are texts. */
export function renameOf(
  names: readonly string[],
  source: Readonly<Record<string, unknown>>,
  ddl: string,
  id = '"demo"."user"',
) {
  const columns = names.map(name => ({ name, typeName: name === 'id' ? 'INT' : 'VARCHAR' }))
  return { ...schemaChangeOf(columns, source, id), ddl }
}

interface RecordedLine {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly headers: readonly { readonly key: string; readonly value: string }[]
  readonly key: string | null
  readonly value: string | null
}

/** A file below `test/fixtures`, in its order. */
export function recorded(path: string): readonly LogRecord[] {
  const bytes = readFileSync(join(import.meta.dirname, '../fixtures', path))
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const { timestamp, headers, key, value, ...at } = JSON.parse(line) as RecordedLine
      return {
        topic: at.topic,
        partition: at.partition,
        offset: at.offset,
        timestampMs: timestamp,
        key: key === null ? null : Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        headers: headers.map(header => ({ key: header.key, value: Buffer.from(header.value) })),
      }
    })
}
