/**
 * From what a connector tells of a table to the schema of its rows: the converters of each column, by
 * name. Three sources, in this order: types that the operator states, the schema that is embedded in
 * a message, and the connector's schema-change events as of the row's position. Ids of columns come from
 * the last of them alone.
 */

import { DecodeError } from '../../model/errors.ts'
import type { StatedType } from '../../model/stated-type.ts'
import type { Column } from '../../model/table-schema.ts'
import { internSchema } from '../../model/table-schema.ts'
import type { Value } from '../../model/value.ts'
import type { ConnectorSettings } from '../connector-settings.ts'
import type { TableHints } from '../decoder.ts'
import type { ColumnIds } from '../mysql/column-ids.ts'
import { identityIn, noIds } from '../mysql/column-ids.ts'
import type { DatabaseColumn } from '../mysql/debezium-column-types.ts'
import { databaseConverter, isUnsignedBigint } from '../mysql/debezium-column-types.ts'
import type { Converter } from '../values/converter.ts'
import { textOf } from '../values/debezium-values.ts'
import { restatedConverter, valueOfText } from '../values/restated-types.ts'
import type { RowReader } from '../values/row-reader.ts'
import { checkColumnNames, statedType } from '../values/row-reader.ts'
import { statedConverter } from '../values/stated-types.ts'
import type { ConnectSchema } from './connect-schema.ts'
import { connectConverter } from './connect-schema.ts'
import { wordOf } from './debezium-position.ts'

interface ReadColumn {
  readonly column: Column
  readonly converter: Converter
}

interface ReaderOptions {
  /** For what a schema does not tell, and a stated type makes of it: bytes that were sent as text. */
  readonly settings?: ConnectorSettings
  /** As far as schema changes tell; a column without one is known by its name. */
  readonly ids?: ColumnIds
}

/** A reader for rows whose schema came with the message. Errors name the column. */
export function readerOfEmbedded(
  row: ConnectSchema,
  key: readonly string[],
  hints: TableHints,
  { settings = {}, ids = noIds }: ReaderOptions = {},
): RowReader {
  return readerOf(
    (row.fields ?? []).map(field =>
      readColumn(field.field ?? '', hints, () => connectConverter(field), {
        // A plain long: a decimal is never written as one.
        isUnsignedLong: field.type === 'int64',
        settings,
        ids,
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
  { connector, settings = {}, ids = noIds }: ReaderOptions & { readonly connector: unknown },
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
        ids,
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
  { settings = {}, ids = noIds }: ReaderOptions,
): RowReader {
  const isUnsignedLong = settings['bigint.unsigned.handling.mode'] !== 'precise'
  const rest = { nullable: true, isUnsignedLong, settings, ids }
  return readerOf(
    names.map(name => readColumn(name, hints, null, rest)),
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
    readonly ids: ColumnIds
  },
): ReadColumn {
  const stated = statedType(hints, name)
  try {
    const converter = converterOf(name, stated, infer, rest)
    const initial = initialDefault(converter, rest.initial, rest.isInitialText ?? false)
    const { id, renamed } = identityIn(rest.ids, name)
    const column = {
      id,
      name,
      type: converter.type,
      nullable: rest.nullable,
      ...(initial === null ? {} : { initialDefault: initial }),
      ...(rest.comment === undefined || rest.comment === '' ? {} : { comment: rest.comment }),
      ...(renamed === undefined ? {} : { renamed }),
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
  checkColumnNames(columns.map(({ column }) => column.name))
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
