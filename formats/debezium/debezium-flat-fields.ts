/**
 * What ExtractNewRecordState adds to a flattened row (`add.fields`, `add.headers`) and what is left when it
 * is taken away: the operation, the source block as far as it was added, and the columns.
 *
 * A field is called by its prefix and its name, `__op`, `__lsn`, with the name of its struct where the
 * configuration gave one, `__source_lsn`, or by a name of the operator's own (`source.lsn:LSN`).
 */
import type { LogHeader } from '../../model/change-event.ts'
import { DecodeError } from '../../model/errors.ts'
import { parseLossless } from '../json/lossless-json.ts'
import { jsonTextOf } from '../values/debezium-values.ts'
import type { SourceBlock } from './debezium-position.ts'

type Struct = 'envelope' | 'source' | 'transaction'

/** A field as it was before. */
interface Reference {
  readonly struct: Struct
  readonly field: string
}

export type References = ReadonlyMap<string, Reference>

/** Which row a flattened message was, taken apart. */
export interface FlatParts {
  /** Null when nothing tells. */
  readonly op: string | null
  readonly source: SourceBlock
  readonly transaction: Readonly<Record<string, unknown>> | null
  readonly columns: Readonly<Record<string, unknown>>
}

/** Always by this name, with no prefix of the operator's: a text, `true` or `false`. */
export const deletedField = '__deleted'
const defaultPrefix = '__'

const envelopeFields = ['op', 'ts_ms', 'ts_us', 'ts_ns']
const transactionFields = ['id', 'total_order', 'data_collection_order']
const sourceFields = [
  'version connector name ts_ms ts_us ts_ns snapshot sequence db schema table keyspace collection',
  'server_id gtid file pos row thread query txId lsn xmin origin origin_lsn',
  'txSeq scn commit_scn lcr_position rs_id ssn redo_thread user_name redo_sql row_id commit_ts_ms',
  'start_scn start_ts_ms commit_lsn change_lsn event_serial_no ord lsid txnNumber wallTime rs',
].flatMap(line => line.split(' '))

/** `stated` is the value of `add.fields`; without it every name that Debezium gives by itself counts. */
export function referencesOf(stated: string | undefined, prefix = defaultPrefix): References {
  return stated === undefined ? usualReferences(prefix) : statedReferences(stated, prefix)
}

/** A plain `__id` may be a column as well: of a transaction's fields it needs its struct. */
function usualReferences(prefix: string): References {
  const all: [string, Reference][] = []
  for (const field of sourceFields) {
    all.push([`${prefix}${field}`, { struct: 'source', field }])
    all.push([`${prefix}source_${field}`, { struct: 'source', field }])
  }
  for (const field of transactionFields) {
    all.push([`${prefix}transaction_${field}`, { struct: 'transaction', field }])
  }
  for (const field of envelopeFields) all.push([`${prefix}${field}`, { struct: 'envelope', field }])
  return new Map(all)
}

/** `op,source.ts_ms,lsn:LSN`, as `FieldReference` reads it. */
function statedReferences(stated: string, prefix: string): References {
  const entries = stated
    .split(',')
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
    .map((entry): [string, Reference] => {
      const [path = '', given] = entry.split(':')
      const [first = '', second] = path.split('.')
      const field = second ?? first
      const struct = second === undefined ? structOf(field) : first
      const name = given ?? (second === undefined ? field : `${first}_${field}`)
      const known: Struct = struct === 'source' || struct === 'transaction' ? struct : 'envelope'
      return [`${prefix}${name}`, { struct: known, field }]
    })
  return new Map(entries)
}

function structOf(field: string): Struct {
  if (transactionFields.includes(field)) return 'transaction'
  return envelopeFields.includes(field) ? 'envelope' : 'source'
}

/** Whether a member of a flattened row is no column. */
export function isAdded(references: References, name: string): boolean {
  return name === deletedField || references.has(name)
}

/** Takes a row apart. Of a field that is in a header too, the row's counts. */
export function partsOf(
  row: Readonly<Record<string, unknown>>,
  headers: readonly LogHeader[],
  inRow: References,
  inHeaders: References,
): FlatParts {
  const structs: Record<Struct, Record<string, unknown>> = {
    envelope: {},
    source: {},
    transaction: {},
  }
  const take = (reference: Reference, value: unknown): void => {
    if (value !== null && value !== undefined) structs[reference.struct][reference.field] = value
  }
  for (const { key, value } of headers) {
    const reference = inHeaders.get(key)
    if (reference !== undefined) take(reference, headerValue(value))
  }
  const columns: [string, unknown][] = []
  for (const [name, value] of Object.entries(row)) {
    const reference = inRow.get(name)
    if (reference !== undefined) take(reference, value)
    else if (name !== deletedField) columns.push([name, value])
  }
  const { envelope, source, transaction } = structs
  return {
    op: isDeleted(row[deletedField]) ? 'd' : opOf(envelope.op),
    source: { ...source, ts_ms: source.ts_ms ?? envelope.ts_ms },
    transaction: transaction.id === undefined ? null : transaction,
    columns: Object.fromEntries(columns),
  }
}

function isDeleted(value: unknown): boolean {
  return value === 'true' || value === true
}

function opOf(op: unknown): string | null {
  if (op === undefined) return null
  if (typeof op === 'string' && /^[curd]$/i.test(op)) return op.toLowerCase()
  throw new DecodeError('op-unknown', `the operation ${jsonTextOf(op)} is not known`)
}

/** Converters of headers write plain text, or JSON with or without a schema. */
function headerValue(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes).toString('utf8')
  if (!/^(?:-?\d+|".*"|\{.*\}|null)$/s.test(text)) return text
  try {
    const found = parseLossless(text)
    const isWrapped = typeof found === 'object' && found !== null && 'payload' in found
    return isWrapped ? found.payload : found
  } catch {
    return text
  }
}
