/** Messages as Maxwell writes them, by hand and recorded, and a decoder for them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Decoded, DecoderOptions, TableHints } from '../../formats/decoder.ts'
import { maxwellJson } from '../../formats/maxwell/maxwell-json.ts'
import type { ChangeEvent, LogRecord } from '../../model/change-event.ts'
import { columnTypeText } from '../../model/column-type.ts'
import { parseStatedType } from '../../model/stated-type.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import { recordOf } from './samples.ts'

const path = join(import.meta.dirname, '../fixtures/maxwell/maxwell_1.22.6.jsonl')

interface Line {
  readonly topic: string
  readonly offset: number
  readonly key: string
  readonly value: string
}

export const lines = readFileSync(path, 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as Line)

export function decoderOf({
  hints = {},
  ...options
}: Partial<DecoderOptions> & { readonly hints?: TableHints | null } = {}) {
  const usual = { hintsOf: () => hints, incarnation: '', connectorSettings: {} }
  return maxwellJson().createDecoder({ ...usual, ...options })
}

export const recorded = ({ topic, offset, key, value }: Line): LogRecord =>
  recordOf(key, value, { topic, offset })

export const row = {
  database: 'd',
  table: 't',
  ts: 1_700_000_000,
  xid: 7,
  primary_key_columns: ['id'],
}

/** `data` and `old` are JSON text: numbers as Maxwell writes them. */
export function message(
  type: string,
  data: string,
  { old, key = null, ...fields }: Readonly<Record<string, unknown>> & { old?: string } = {},
): LogRecord {
  const head = JSON.stringify({ ...row, type, ...fields }).slice(0, -1)
  const tail = old === undefined ? '' : `,"old":${old}`
  return recordOf(key, `${head},"data":${data}${tail}}`, { topic: 'maxwell' })
}

export function eventsOf(decoded: Decoded): readonly ChangeEvent[] {
  if (decoded.kind !== 'changes') throw new Error(`it is ${decoded.kind}`)
  return decoded.events
}

export const typesOf = ({ columns }: TableSchema): Record<string, string> =>
  Object.fromEntries(columns.map(({ name, type }) => [name, columnTypeText(type)]))

export function errorOf(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

export const withTypes = (types: Readonly<Record<string, string>>): TableHints => ({
  types: Object.fromEntries(
    Object.entries(types).map(([name, type]) => [name, parseStatedType(type)]),
  ),
})
