/**
 * The primary key of a row of Maxwell: `primary_key_columns` of the message, else the names in Kafka's key,
 * `{"database":"d","table":"t","pk.id":1}` or `["d","t",[{"id":1}]]`, which are in lower case.
 * (RowIdentity.toKeyJson of Maxwell.)
 */

import { toBuffer } from '../../model/bytes.ts'
import { DecodeError } from '../../model/errors.ts'
import type { JsonObject } from '../json/json-messages.ts'

const prefix = 'pk.'

/** Names of columns; none: the table has no primary key. Null: nothing tells. */
export function primaryKeyOf(
  message: JsonObject,
  kafkaKey: Uint8Array | null,
  row: JsonObject,
): readonly string[] | null {
  const named = message.primary_key_columns
  if (Array.isArray(named)) return named.map(String)
  const lower = kafkaKey === null ? null : namesIn(kafkaKey, message)
  return lower?.map(name => columnOf(name, row)) ?? null
}

/** Null where the key is not Maxwell's, or is that of another table. */
function namesIn(kafkaKey: Uint8Array, { database, table }: JsonObject): readonly string[] | null {
  const json = parse(kafkaKey)
  if (Array.isArray(json)) {
    const [ofDatabase, ofTable, columns] = json as readonly unknown[]
    const isOwn = ofDatabase === database && ofTable === table && Array.isArray(columns)
    return isOwn ? columns.flatMap((column: unknown) => Object.keys(column ?? {})) : null
  }
  if (typeof json !== 'object' || json === null) return null
  const key = json as JsonObject
  if (key.database !== database || key.table !== table) return null
  const names = Object.keys(key).filter(name => name.startsWith(prefix))
  if (names.length === 0 && key._uuid === undefined) return null
  return names.map(name => name.slice(prefix.length))
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(toBuffer(bytes).toString('utf8'))
  } catch {
    // A schema change has a text instead, and so may what another producer wrote.
    return null
  }
}

function columnOf(lower: string, row: JsonObject): string {
  if (Object.hasOwn(row, lower)) return lower
  return Object.keys(row).find(name => name.toLowerCase() === lower) ?? lower
}

export function noKey({ database, table }: JsonObject): DecodeError {
  return new DecodeError(
    'key-missing',
    `nothing tells the primary key of ${String(database)}.${String(table)}: have Maxwell send it ` +
      '(`output_primary_key_columns=true`), or state `key` for the table',
  )
}
