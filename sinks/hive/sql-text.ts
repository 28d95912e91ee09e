/**
 * Names and texts in Hive's SQL. Nothing that comes from outside reaches a statement in another way:
 * identifiers are quoted and checked, values are literals that are escaped.
 */
import { WarehouseError } from '../../model/errors.ts'

/** Of the metastore's columns for names. */
const maxNameChars = 128

/** An identifier of Hive: case is not kept. WarehouseError `name-unsupported` for one that Hive refuses. */
export function quoteName(name: string): string {
  const isVariable = name.includes('${')
  if (name === '' || isVariable || name.length > maxNameChars || Array.from(name).some(isRefused)) {
    throw new WarehouseError('name-unsupported', `Hive has no name like "${name}"`)
  }
  return `\`${name.toLowerCase()}\``
}

/**
 * A backtick would end the name; columns with a point or a colon cannot be asked for (Hive DDL, Create Table). HiveServer2
 * puts the values of its variables and of its environment into a statement before it reads it (`${env:HOME}`),
 * within quotes too: a name has none, and a text has a backslash in between, which Hive takes away again.
 */
function isRefused(char: string): boolean {
  return '`.:'.includes(char) || char < ' '
}

/** A string literal. Hive reads backslashes as escapes. */
export function quoteText(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    // All three digits: Hive would read those that follow as a part of it.
    .replaceAll('\u0000', '\\000')
    // A statement ends at a semicolon for some of Hive's clients.
    .replaceAll(';', '\\;')
    .replaceAll('${', '$\\{')
  return `'${escaped}'`
}

export interface TableName {
  readonly database: string
  readonly table: string
}

/** `table`, or `database.table`. */
export function parseTableName(name: string, defaultDatabase: string): TableName {
  const point = name.indexOf('.')
  const parts = point < 0 ? [defaultDatabase, name] : [name.slice(0, point), name.slice(point + 1)]
  for (const part of parts) {
    if (!/^[A-Za-z0-9_]+$/.test(part!)) {
      throw new WarehouseError(
        'name-unsupported',
        `"${part}" of the target ${name} is no name of Hive: letters, digits and "_"`,
      )
    }
  }
  return { database: parts[0]!.toLowerCase(), table: parts[1]!.toLowerCase() }
}

export function quoteTable({ database, table }: TableName): string {
  return `${quoteName(database)}.${quoteName(table)}`
}
