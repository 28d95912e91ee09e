/**
 * What rows that are there get in a new column: the default that the source gave its own. It is read out of
 * a file of the attempt, as an apply reads its rows: a statement of an owner that was paused finds nothing there and changes
 * nothing, and no value becomes a part of a statement.
 */
import type { Column } from '../../model/table-schema.ts'
import { plainText } from '../../model/value-text.ts'
import { quoteName } from './sql-text.ts'

/** `source` has one row, or none. Rows that have a value keep it. */
export function backFillSql(target: string, source: string, columns: readonly Column[]): string {
  const names = columns.map(({ name }) => quoteName(name))
  const isMissing = names.map(name => `t.${name} IS NULL`).join(' OR ')
  const values = names.map(name => {
    return `  ${name} = ${names.length === 1 ? `s.${name}` : `coalesce(t.${name}, s.${name})`}`
  })
  return [
    `MERGE INTO ${target} AS t`,
    `USING ${source} AS s`,
    `ON ${isMissing}`,
    'WHEN MATCHED THEN UPDATE SET',
    values.join(',\n'),
  ].join('\n')
}

/** One row: how many values each of the columns has. */
export function countSql(target: string, columns: readonly Column[]): string {
  return `SELECT ${columns.map(({ name }) => `count(${quoteName(name)})`).join(', ')} FROM ${target}`
}

/** For people: the values are not part of any statement. */
export function backFillText(target: string, columns: readonly Column[]): string {
  const values = columns.map(({ name, type, initialDefault }) => {
    return `${name} = ${plainText(type, initialDefault)}`.replaceAll(/\s+/g, ' ')
  })
  return `-- rows of ${target} that are there get ${values.join(', ')}`
}
