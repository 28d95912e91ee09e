/**
 * Tables that were created, dropped and renamed, as Debezium's schema-change events tell it. A snapshot begins
 * by telling of every table that it is dropped and created: the first of the two is no drop. Nor is a table
 * renamed away where the same statement gives its name to another one: so do tools that change a table by a copy.
 */
import { DecodeError } from '../../model/errors.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import type { DecoderOptions, TableChange, TableHints } from '../decoder.ts'
import { foldName } from '../mysql/alter-table.ts'
import { qualified, renamesOf } from '../mysql/column-ids.ts'
import type { DatabaseColumn } from '../mysql/debezium-column-types.ts'
import { statedType } from '../values/row-reader.ts'
import { msOf, schemaPositionOf, snapshotOf } from './debezium-position.ts'
import type { ChangedTable, SchemaChanges } from './debezium-schema-changes.ts'
import { schemaChangesOf } from './debezium-schema-changes.ts'
import { readerOfDatabase } from './debezium-schemas.ts'

interface GivenMessage {
  readonly payload: unknown
  /** Whether messages have their types themselves: those of rows will. */
  readonly isEmbedded: boolean
  readonly timestampMs: number
}

/** Throws DecodeError `message-unknown`. */
export function tableChangesOf(message: GivenMessage, options: DecoderOptions): TableChange[] {
  const found = schemaChangesOf(message.payload)
  // The connector's own history tells the same, has no place for it, and no word for what a snapshot found.
  if (found === null || typeof found.source.connector !== 'string') return []
  const { source } = found
  const common = {
    position: schemaPositionOf(source, options.incarnation),
    sourceMs: msOf(source) ?? message.timestampMs,
    renamedTo: null,
  }
  return found.tables.flatMap((changed): readonly TableChange[] => {
    const { table, columns, isCreated } = changed
    const hints = options.hintsOf(table)
    const schema = hints === null ? null : schemaOf(changed, hints, message, found, options)
    const from = oldNameOf(changed, found)
    if (from !== null && options.hintsOf(from) !== null) {
      const renamedTo = hints === null ? null : table
      return [{ ...common, type: 'rename', table: from, renamedTo, schema }]
    }
    if (hints === null) return []
    // From here on somebody wants it.
    if (isCreated || from !== null) return [{ ...common, type: 'create', table, schema }]
    const isDropped = columns === null && snapshotOf(source) === 'no'
    return isDropped ? [{ ...common, type: 'drop', table, schema: null }] : []
  })
}

function oldNameOf(
  { table, columns, isCreated }: ChangedTable,
  { text: { statement, database } }: SchemaChanges,
): string | null {
  if (columns === null || isCreated) return null
  const pairs = renamesOf(statement).map(([from, to]) => {
    return { from: qualified(from, database), to: qualified(to, database) }
  })
  const found = pairs.find(({ from, to }) => from !== table && foldName(to) === foldName(table))
  const isTaken = pairs.some(
    ({ to }) => found !== undefined && foldName(to) === foldName(found.from),
  )
  return isTaken ? null : (found?.from ?? null)
}

/** Null where rows may have other types. */
function schemaOf(
  { columns, key }: ChangedTable,
  hints: TableHints,
  { isEmbedded }: GivenMessage,
  { source: { connector } }: SchemaChanges,
  { connectorSettings: settings }: DecoderOptions,
): TableSchema | null {
  if (columns === null) return null
  const isSure = (column: DatabaseColumn): boolean =>
    statedType(hints, column.name) !== undefined || hasOneType(column, settings)
  if (isEmbedded && !columns.every(isSure)) return null
  try {
    return readerOfDatabase(columns, hints.key ?? key, hints, { connector, settings }).schema
  } catch (error) {
    // What cannot be read is said of the first row.
    if (error instanceof DecodeError) return null
    throw error
  }
}

/** Types that an embedded schema has alike, whatever the connector was told. */
const alike =
  /^(?:SMALLINT|MEDIUMINT|INT|INTEGER)(?: UNSIGNED| ZEROFILL)*$|^BIGINT$|^(?:CHAR|VARCHAR|TINYTEXT|TEXT|MEDIUMTEXT|LONGTEXT|ENUM|SET|JSON|DATE|DATETIME|TIMESTAMP|DOUBLE)$/

function hasOneType(
  { typeName, length }: DatabaseColumn,
  settings: DecoderOptions['connectorSettings'],
): boolean {
  const name = typeName.toUpperCase()
  if (alike.test(name)) return true
  // A converter may make a boolean of the shortest.
  if (/^TINYINT(?: UNSIGNED| ZEROFILL)*$/.test(name)) return (length ?? 0) > 1
  return /^(?:DECIMAL|NUMERIC)$/.test(name) && settings['decimal.handling.mode'] === 'precise'
}
