import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { databaseConverter } from '../../formats/debezium-column-types.ts'
import { columnTypeText, parseColumnType } from '../../model/column-type.ts'
import { targetTypeText } from '../../sinks/hive/target-table.ts'

const text = readFileSync(join(import.meta.dirname, '../../docs/types.md'), 'utf8')

/** Cells of the rows of a part's table. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const part = text.split(/^## /m).find(one => one.startsWith(heading)) ?? ''
  const lines = part.split('\n').filter(line => line.startsWith('|'))
  return lines.slice(2).map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
}

const wordsOf = (cell: string): readonly string[] => {
  return [...cell.matchAll(/`([^`]+)`/g)].map(match => match[1]!)
}

/** `BIGINT UNSIGNED`, `DECIMAL(12,2)` as schema-change events give them. */
function databaseType(source: string): string {
  const match = /^([A-Z]+)(?:\((\d+)(?:,(\d+))?\))?( UNSIGNED)?$/.exec(source)!
  const [, name = '', length, scale, unsigned = ''] = match
  const column = {
    name: 'c',
    typeName: name + unsigned,
    length: length === undefined ? null : Number(length),
    scale: scale === undefined ? null : Number(scale),
  }
  return columnTypeText(databaseConverter(column, {}).type)
}

describe('docs/types.md', () => {
  it.each(['MySQL and MariaDB', 'PostgreSQL', "Forager's own"])(
    'says of %s what Hive has for each type',
    heading => {
      const rows = rowsOf(heading)
      expect(rows.length).toBeGreaterThan(5)
      for (const cells of rows) {
        const [[own], [hive]] = [wordsOf(cells.at(-2)!), wordsOf(cells.at(-1)!)]
        expect(`${own}: ${targetTypeText(parseColumnType(own!))}`).toBe(`${own}: ${hive}`)
      }
    },
  )

  it('says what the types of MySQL become', () => {
    const rows = rowsOf('MySQL')
    const pairs = rows.flatMap(([sources, own]) => wordsOf(sources!).map(one => [one, own]))
    expect(pairs.length).toBeGreaterThan(25)
    for (const [source, own] of pairs) {
      expect(`${source}: \`${databaseType(source!)}\``).toBe(`${source}: ${own}`)
    }
  })
})
