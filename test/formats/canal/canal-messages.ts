/** canal's flat messages, made by hand and recorded. */
import { join } from 'node:path'
import { canalJson } from '../../../formats/canal/canal-json.ts'
import type {
  Decoded,
  Decoder,
  DecoderOptions,
  Format,
  TableHints,
} from '../../../formats/decoder.ts'
import type { ChangeEvent, LogRecord } from '../../../model/change-event.ts'
import { plainText } from '../../../model/value-text.ts'
import type { RecordedLine } from '../../fold/naive-fold.ts'
import { readRecordedLines } from '../../fold/recorded-lines.ts'

export type Texts = Readonly<Record<string, string | null>>

export const canalRecording = join(
  import.meta.dirname,
  '../../fixtures/canal/canal117_flat_message_FULL.jsonl',
)

export const canalLines: readonly RecordedLine[] = readRecordedLines(canalRecording)

export interface FlatOptions {
  readonly table?: string
  readonly types?: Readonly<Record<string, string>>
  readonly pkNames?: readonly string[] | null
  readonly es?: number
}

const usualTypes = { id: 'bigint(20)', n: 'int(11)', name: 'varchar(20)', price: 'decimal(10,2)' }

/** A change of rows of `shop.orders`; of an update each row with what it had before. */
export function flat(
  type: 'INSERT' | 'UPDATE' | 'DELETE',
  rows: readonly (Texts | readonly [after: Texts, old: Texts])[],
  {
    table = 'orders',
    types = usualTypes,
    pkNames = ['id'],
    es = 1_700_000_000_000,
  }: FlatOptions = {},
): Readonly<Record<string, unknown>> {
  const data = rows.map(row => (Array.isArray(row) ? (row[0] as Texts) : (row as Texts)))
  const names = new Set(data.flatMap(row => Object.keys(row)))
  return {
    data,
    database: 'shop',
    es,
    gtid: '',
    id: 1,
    isDdl: false,
    mysqlType: Object.fromEntries(Object.entries(types).filter(([name]) => names.has(name))),
    old: type === 'UPDATE' ? rows.map(row => (row as readonly Texts[])[1]) : null,
    pkNames,
    sql: '',
    sqlType: {},
    table,
    ts: es + 500,
    type,
  }
}

/** A statement without rows. */
export function statement(type: string, { isDdl = true, table = 'orders' } = {}) {
  const nothing = { data: null, mysqlType: null, old: null, pkNames: null, sqlType: null }
  return {
    ...nothing,
    database: 'shop',
    es: 1,
    gtid: '',
    id: 1,
    isDdl,
    sql: '',
    table,
    ts: 1,
    type,
  }
}

export function canalDecoder(
  { hints = {}, ...options }: Partial<DecoderOptions> & { readonly hints?: TableHints | null } = {},
  format: Format = canalJson(),
): Decoder {
  return format.createDecoder({
    hintsOf: () => hints,
    incarnation: '',
    connectorSettings: {},
    ...options,
  })
}

export function canalRecord(value: unknown, offset = 0, key: unknown = null): LogRecord {
  const bytes = (json: unknown): Buffer => {
    if (Buffer.isBuffer(json)) return json
    return Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))
  }
  return {
    topic: 'canal',
    partition: 0,
    offset,
    timestampMs: 1_600_000_000_000,
    key: key === null ? null : bytes(key),
    value: value === null ? null : bytes(value),
    headers: [],
  }
}

export function eventsOf(decoded: Decoded): readonly ChangeEvent[] {
  if (decoded.kind !== 'changes') throw new Error(`no changes: ${decoded.kind}`)
  return decoded.events
}

/** The row as people read it; a column that was not sent is not there. */
export function shownRow(event: ChangeEvent, side: 'before' | 'after'): Texts | null {
  const row = event[side]
  if (row === null) return null
  return Object.fromEntries(
    event.schema.columns
      .filter(({ name }) => Object.hasOwn(row, name))
      .map(({ name, type }) => [name, row[name] === null ? null : plainText(type, row[name])]),
  )
}
