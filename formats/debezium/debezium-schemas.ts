/**
 * From what a connector tells of a table to the schema of its rows: the converters of each column, by
 * name. Three sources, in this order: types that the operator states, the schema that is embedded in
 * a message, and the connector's schema-change events as of the row's position.
 */

import { DecodeError } from '../../model/errors.ts'
import type { Position } from '../../model/position.ts'
import { comparePositions } from '../../model/position.ts'
import type { StatedType } from '../../model/stated-type.ts'
import type { Column } from '../../model/table-schema.ts'
import { internSchema } from '../../model/table-schema.ts'
import type { Value } from '../../model/value.ts'
import type { ConnectorSettings } from '../connector-settings.ts'
import type { TableHints } from '../decoder.ts'
import type { DatabaseColumn } from '../mysql/debezium-column-types.ts'
import { databaseConverter, isUnsignedBigint } from '../mysql/debezium-column-types.ts'
import type { Converter } from '../values/converter.ts'
import { textOf } from '../values/debezium-values.ts'
import { restatedConverter, valueOfText } from '../values/restated-types.ts'
import type { RowReader } from '../values/row-reader.ts'
import { checkColumnName, statedType } from '../values/row-reader.ts'
import { statedConverter } from '../values/stated-types.ts'
import type { ConnectSchema } from './connect-schema.ts'
import { connectConverter } from './connect-schema.ts'
import { wordOf } from './debezium-position.ts'

interface ReadColumn {
  readonly column: Column
  readonly converter: Converter
}

/** A reader for rows whose schema came with the message. Errors name the column. */
export function readerOfEmbedded(
  row: ConnectSchema,
  key: readonly string[],
  hints: TableHints,
  /** For what a schema does not tell, and a stated type makes of it: bytes that were sent as text. */
  settings: ConnectorSettings = {},
): RowReader {
  return readerOf(
    (row.fields ?? []).map(field =>
      readColumn(field.field ?? '', hints, () => connectConverter(field), {
        // A plain long: a decimal is never written as one.
        isUnsignedLong: field.type === 'int64',
        settings,
        nullable: field.optional ?? false,
        comment: field.doc,
        initial: field.default,
      }),
    ),
    key,
  )
}

/** Connectors whose schema-change events have types that are known here. */
const withKnownTypes: readonly unknown[] = ['mysql', 'mariadb']

/** A reader for rows of a table as a schema-change event describes it. */
export function readerOfDatabase(
  columns: readonly DatabaseColumn[],
  key: readonly string[],
  hints: TableHints,
  { connector, settings }: { readonly connector: unknown; readonly settings: ConnectorSettings },
): RowReader {
  const isKnown = withKnownTypes.includes(connector)
  const converterOfColumn = (column: DatabaseColumn): Converter => {
    if (isKnown) return databaseConverter(column, settings)
    // SQL Server’s TIME counts nanoseconds where MySQL’s counts microseconds, to name one.
    throw new DecodeError(
      'type-unknown',
      `how ${wordOf(connector)} writes ${column.typeName} is not known without embedded schemas`,
    )
  }
  return readerOf(
    columns.map(column =>
      readColumn(column.name, hints, () => converterOfColumn(column), {
        isUnsignedLong: isUnsignedBigint(column),
        settings,
        nullable: column.optional ?? true,
        comment: column.comment ?? undefined,
        initial: column.defaultValueExpression ?? undefined,
        isInitialText: true,
      }),
    ),
    key,
  )
}

/** A reader for rows whose types the operator states, one for every column. */
export function readerOfStated(
  names: readonly string[],
  key: readonly string[],
  hints: TableHints,
  settings: ConnectorSettings,
): RowReader {
  const isUnsignedLong = settings['bigint.unsigned.handling.mode'] !== 'precise'
  return readerOf(
    names.map(name => readColumn(name, hints, null, { nullable: true, isUnsignedLong, settings })),
    key,
  )
}

function readColumn(
  name: string,
  hints: TableHints,
  /** By what the source says of the type; null: it says nothing. */
  infer: (() => Converter) | null,
  rest: {
    readonly nullable: boolean
    readonly comment?: string | undefined
    readonly initial?: unknown
    readonly isInitialText?: boolean
    /** Of a connector whose messages do not tell how they are written. */
    readonly settings?: ConnectorSettings
    /** Whether a whole number may be an unsigned one, if its stated type has room for that. */
    readonly isUnsignedLong: boolean
  },
): ReadColumn {
  const stated = statedType(hints, name)
  try {
    const converter = converterOf(name, stated, infer, rest)
    const initial = initialDefault(converter, rest.initial, rest.isInitialText ?? false)
    const column = {
      id: name,
      name,
      type: converter.type,
      nullable: rest.nullable,
      ...(initial === null ? {} : { initialDefault: initial }),
      ...(rest.comment === undefined || rest.comment === '' ? {} : { comment: rest.comment }),
    }
    return { column, converter }
  } catch (error) {
    throw error instanceof DecodeError ? error.at({ column: name }) : error
  }
}

function converterOf(
  name: string,
  stated: StatedType | undefined,
  infer: (() => Converter) | null,
  options: { readonly isUnsignedLong: boolean; readonly settings?: ConnectorSettings },
): Converter {
  if (stated === undefined) {
    if (infer !== null) return infer()
    throw new DecodeError('type-unknown', `the type of column ${name} is not known`)
  }
  const own = infer === null ? null : knownConverter(infer)
  return own === null ? statedConverter(stated, options) : restatedConverter(own, stated, options)
}

/** Null for a type that Hive has no equal for: then only the stated one counts. */
function knownConverter(infer: () => Converter): Converter | null {
  try {
    return infer()
  } catch {
    return null
  }
}

/** Defaults come in the form of values, or from schema-change events as text. */
function initialDefault(converter: Converter, initial: unknown, isText: boolean): Value {
  if (initial === undefined || initial === null) return null
  try {
    return isText ? valueOfText(converter.type, textOf(initial)) : converter.convert(initial)
  } catch {
    // An expression (`CURRENT_TIMESTAMP`) is not a value: old rows get null.
    return null
  }
}

function readerOf(columns: readonly ReadColumn[], key: readonly string[]): RowReader {
  for (const { column } of columns) checkColumnName(column.name)
  for (const name of key) {
    if (!columns.some(({ column }) => column.name === name)) {
      throw new DecodeError(
        'key-column-missing',
        `the key column ${name} is not in the row (${columns.map(one => one.column.name).join(', ')})`,
        { context: { column: name } },
      )
    }
  }
  return {
    schema: internSchema({ columns: columns.map(({ column }) => column), key: [...key] }),
    convert: new Map(columns.map(({ column, converter }) => [column.name, converter])),
  }
}

/** A table as one schema-change event left it; null columns: it was dropped. */
interface TableVersion {
  readonly position: Position | null
  /** When the source changed it, by its clock; null when that is not known. */
  readonly sourceMs: number | null
  readonly columns: readonly DatabaseColumn[] | null
}

/** What the topics of schema changes said, in their order. */
export class SchemaHistory {
  readonly #tables = new Map<string, TableVersion[]>()

  add(
    table: string,
    position: Position | null,
    columns: readonly DatabaseColumn[] | null,
    sourceMs: number | null = null,
  ): void {
    const versions = this.#tables.get(table) ?? []
    this.#tables.set(table, versions)
    versions.push({ position, columns, sourceMs })
  }

  /**
   * The columns that the table had at the position: the last change that is not after it. Changes in
   * the log of another server do not compare; one counts when it was made before the row was, by the
   * clocks of the servers, or when there is no other.
   */
  columnsAt(
    table: string,
    position: Position | null,
    sourceMs: number | null = null,
  ): readonly DatabaseColumn[] | null {
    const versions = this.#tables.get(table) ?? []
    const newest = versions.at(-1)
    if (newest !== undefined && isAtOrBefore(newest, position)) return newest.columns
    const places = versions.map(version => {
      if (version.position === null || position === null) return -1
      return comparePositions(version.position, position)
    })
    const last = versions.findLastIndex((version, index) => {
      const place = places[index]
      if (place !== undefined) return isIn(version, position, place)
      return version.sourceMs !== null && sourceMs !== null && version.sourceMs <= sourceMs
    })
    return versions[last < 0 ? places.lastIndexOf(undefined) : last]?.columns ?? null
  }

  /**
   * The columns that the table had when a row with these was changed, of which nothing tells the position:
   * the last version at that time with just these columns, or with these and more. Null where none has
   * them. Throws DecodeError `value-ambiguous` when the time does not tell of which version the row is, and
   * its values could be read in two ways.
   */
  columnsOf(
    table: string,
    names: readonly string[],
    sourceMs: number | null,
  ): readonly DatabaseColumn[] | null {
    const wide = (this.#tables.get(table) ?? []).filter(version => hasAll(version, names))
    const equal = wide.filter(({ columns }) => columns?.length === names.length)
    const versions = equal.length > 0 ? equal : wide
    // All that the table may have been when the row was changed.
    const [first, at, last] = [-clockMs, 0, clockMs].map(shift => {
      const limit = (sourceMs ?? Number.POSITIVE_INFINITY) + shift
      return Math.max(
        0,
        versions.findLastIndex(version => (version.sourceMs ?? 0) <= limit),
      )
    })
    const found = versions[at!]
    if (found === undefined) return null
    const possible = versions.slice(sourceMs === null ? 0 : first, last! + 1)
    const forms = new Set(possible.map(({ columns }) => formsOf(columns!, names)))
    if (forms.size === 1) return found.columns
    throw new DecodeError(
      'value-ambiguous',
      `${table} was changed about when the row was, and nothing tells which came first: have the transform add ` +
        'the place in the log (add.fields: source.ts_ms and file, pos, row or commit_scn, txSeq, scn or …)',
    )
  }
}

/** How much later than a row a change of its table may be stamped, or a row than the change after it. */
const clockMs = 2000

function hasAll({ columns }: TableVersion, names: readonly string[]): boolean {
  const known = new Set(columns?.map(({ name }) => name))
  return columns !== null && names.every(name => known.has(name))
}

/** Types whose values look the same in a message, or have the same meaning. */
const sameForms: readonly (readonly string[])[] = [
  ['TINYINT', 'SMALLINT', 'MEDIUMINT', 'INT', 'INTEGER', 'BIGINT'],
  ['CHAR', 'VARCHAR', 'TINYTEXT', 'TEXT', 'MEDIUMTEXT', 'LONGTEXT', 'ENUM', 'SET', 'JSON'],
]

/** How the values of the columns are read: the same form, the same reading. */
function formsOf(columns: readonly DatabaseColumn[], names: readonly string[]): string {
  return columns
    .filter(({ name }) => names.includes(name))
    .map(({ name, typeName, length, scale }) => {
      const type = typeName.toUpperCase()
      const family = sameForms.findIndex(types => types.includes(type))
      return `${name} ${family < 0 ? `${type} ${length ?? ''} ${scale ?? ''}` : family}`
    })
    .toSorted()
    .join('\0')
}

/** A version without a position is older than everything. */
function isAtOrBefore(version: TableVersion, position: Position | null): boolean {
  if (version.position === null || position === null) return true
  const comparison = comparePositions(version.position, position)
  return comparison !== undefined && isIn(version, position, comparison)
}

/** Whose announcement of a change has the place of the last row before it. */
const announcedBehind: readonly string[] = ['sqlserver', 'db2', 'oracle']

/**
 * Whether the row has the version's columns, by how their places compare. At one place a row came before
 * the change where connectors announce it so: SQL Server's and Db2's with the place of the row that was
 * sent last, Oracle's with an SCN. A snapshot is read at one place, tables first.
 */
function isIn({ position: at }: TableVersion, row: Position | null, comparison: number): boolean {
  if (comparison !== 0 || at === null || row === null) return comparison <= 0
  return at.isSnapshot || row.isSnapshot || !announcedBehind.includes(at.connector)
}
