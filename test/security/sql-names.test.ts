import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mysqlColumn, quoteMysql } from '../../cli/verify/mysql-columns.ts'
import { postgresColumn, quotePostgres } from '../../cli/verify/postgres-columns.ts'
import { isConstant } from '../../cli/verify/postgres-database.ts'
import { whereSql } from '../../cli/verify/source-database.ts'
import { WarehouseError } from '../../model/errors.ts'
import { nullPartition, partitionOf, placeOfPartition } from '../../model/partition-by.ts'
import { backFillSql, countSql } from '../../sinks/hive/back-fill.ts'
import { planEvolution } from '../../sinks/hive/evolve-table.ts'
import { appendSql, mergeSql } from '../../sinks/hive/merge-sql.ts'
import { parseTableName, quoteName, quoteTable, quoteText } from '../../sinks/hive/sql-text.ts'
import type { HiveTable } from '../../sinks/hive/target-table.ts'
import {
  addColumnsSql,
  changeColumnSql,
  commentOf,
  createSql,
  targetTable,
} from '../../sinks/hive/target-table.ts'
import { column, schemaOf } from '../sinks/embedded/changes.ts'
import { anyName } from './hostile-names.ts'
import type { Quotes } from './sql-tokens.ts'
import { hiveQuotes, mysqlQuotes, postgresQuotes, shapeOf, tokensOf } from './sql-tokens.ts'

/** What HiveServer2 replaces in a statement before it reads it (SystemVariables.varPat). */
const hiveVariable = /\$\{[^}$ ]+\}/

/** Null: it is refused, as a name that Hive has not. */
function unlessRefused<T>(make: () => T): T | null {
  try {
    return make()
  } catch (error) {
    if (error instanceof WarehouseError && error.code === 'name-unsupported') return null
    throw error
  }
}

const name = { database: 'ods', table: 'orders' }
const plainFacts = { upserts: 3, patches: 1, moves: 1, deletes: 1, searches: 1 }

/** Every statement that is made for a table of two columns besides its key. */
function statementsOf(key: string, other: string, text: string): readonly string[] {
  const schema = schemaOf(
    [column(key, 'int'), column(other, 'string', { comment: text }), column('at', 'date')],
    [key],
  )
  const plain = targetTable(schema, null)
  const divided = targetTable(schema, { column: other, unit: 'value' })
  const place = placeOfPartition(
    partitionOf({ column: other, unit: 'value' }, schema.columns[1]!, text),
  )
  const merges = [plain, divided].flatMap(table =>
    [true, false].map(isWhole =>
      mergeSql({
        target: quoteTable(name),
        source: '`changes`',
        table,
        keys: [{ name: key.toLowerCase(), nullable: true }],
        sourceColumns: schema.columns.map(one => one.name.toLowerCase()),
        partitionSource: table.partition === null ? null : other.toLowerCase(),
        facts: { ...plainFacts, patches: 0, places: [place] },
        isWhole,
      }),
    ),
  )
  const patches = mergeSql({
    target: quoteTable(name),
    source: '`changes`',
    table: divided,
    keys: [{ name: key.toLowerCase(), nullable: false }],
    sourceColumns: schema.columns.map(one => one.name.toLowerCase()),
    partitionSource: other.toLowerCase(),
    facts: { ...plainFacts, places: null },
    isWhole: false,
  })
  return [
    ...createSql(name, plain, { keys: [key], version: '4.0', buckets: 4 }),
    ...createSql(name, divided, { keys: [key], version: '2.3', buckets: 4 }),
    addColumnsSql(name, plain.columns, divided.partition),
    changeColumnSql(name, { name: key, type: 'int' }, plain.columns[1]!, null),
    ...merges,
    patches,
    appendSql({
      target: quoteTable(name),
      source: '`changes`',
      table: divided,
      keys: [],
      sourceColumns: schema.columns.map(one => one.name.toLowerCase()),
      partitionSource: null,
      facts: { ...plainFacts, places: [place] },
      isWhole: false,
    }),
    backFillSql(quoteTable(name), '`changes`', schema.columns),
    countSql(quoteTable(name), schema.columns),
  ]
}

describe('a statement of Hive', () => {
  const benign = statementsOf('key_column', 'other_column', 'a text')

  it('has the shape that it has with plain names, whatever the names and texts are', () => {
    let refused = 0
    const check = (key: string, other: string, text: string): void => {
      // Of one name there is one column; `at` is taken.
      const names = [key, other, 'at'].map(one => one.toLowerCase())
      if (new Set(names).size < 3 || text === '' || text === nullPartition) return
      const standsFor = new Map([
        ['key_column', names[0]],
        ['other_column', names[1]],
      ])
      const made = unlessRefused(() => statementsOf(key, other, text))
      if (made === null) {
        refused += 1
        return
      }
      for (const [index, sql] of made.entries()) {
        expect(sql).not.toMatch(hiveVariable)
        const tokens = tokensOf(sql, hiveQuotes)
        const known = tokensOf(benign[index]!, hiveQuotes)
        expect(shapeOf(tokens)).toBe(shapeOf(known))
        for (const [at, { text: plain }] of known.entries()) {
          const found = tokens[at]!.text
          // A comment is cut, the value of a partition is not.
          if (plain === 'a text') expect([text, commentOf(text)]).toContain(found)
          else expect(found).toBe(standsFor.get(plain) ?? plain)
        }
      }
    }
    fc.assert(fc.property(anyName, anyName, anyName, check), { numRuns: 200 })
    fc.assert(
      fc.property(anyName, text => check('id', 'other', text)),
      { numRuns: 200 },
    )
    fc.assert(
      fc.property(anyName, key => check(key, 'other', 'x')),
      { numRuns: 200 },
    )
    expect(refused).toBeGreaterThan(50)
  })

  it('of a change of columns has one statement a change, and leaves what has no name in Hive', () => {
    const table: HiveTable = { columns: [{ name: 'id', type: 'int' }], partition: null }
    const benignPlan = planOf('added', 'why')
    function planOf(added: string, comment: string) {
      const change = { kind: 'add', column: column(added, 'string', { comment }) } as const
      return planEvolution(name, table, [{ change, mayFail: true }], {
        version: '4.0',
        keys: ['id'],
      })
    }
    fc.assert(
      fc.property(anyName, anyName, (added, comment) => {
        const { statements, impossible } = planOf(added, comment)
        if (impossible.length > 0) {
          expect([impossible.length, statements.length]).toEqual([1, 0])
          return
        }
        if (added.toLowerCase() === 'id' || comment === '') return
        const shapes = [statements, benignPlan.statements].map(all =>
          all.map(({ sql }) => shapeOf(tokensOf(sql, hiveQuotes))),
        )
        expect(shapes[0]).toEqual(shapes[1])
      }),
      { numRuns: 200 },
    )
  })

  it('has a name as one token, or not at all', () => {
    let taken = 0
    fc.assert(
      fc.property(anyName, given => {
        const quoted = unlessRefused(() => quoteName(given))
        if (quoted === null) return
        taken += 1
        expect(quoted).not.toMatch(hiveVariable)
        const expected = [{ kind: 'name', text: given.toLowerCase() }]
        expect(tokensOf(quoted, hiveQuotes)).toEqual(expected)
      }),
      { numRuns: 600 },
    )
    expect(taken).toBeGreaterThan(200)
  })

  it('has a text as one token that stands for all of it, and no variable of the server', () => {
    fc.assert(
      fc.property(anyName, given => {
        const quoted = quoteText(given)
        expect(quoted).not.toMatch(hiveVariable)
        expect(tokensOf(quoted, hiveQuotes)).toEqual([{ kind: 'text', text: given }])
      }),
      { numRuns: 600 },
    )
  })

  it('has a table by letters, digits and "_" alone', () => {
    fc.assert(
      fc.property(anyName, given => {
        const found = unlessRefused(() => parseTableName(given, 'ods'))
        if (found === null) return
        expect(`${found.database}.${found.table}`).toMatch(/^[a-z0-9_]+\.[a-z0-9_]+$/)
      }),
      { numRuns: 600 },
    )
  })
})

describe('a question to the database, of `verify`', () => {
  const dialects: readonly (readonly [string, Quotes, (given: string) => string])[] = [
    ['MariaDB and MySQL', mysqlQuotes, quoteMysql],
    ['PostgreSQL', postgresQuotes, quotePostgres],
  ]
  it.each(dialects)('of %s has a name as one token', (_, quotes, quote) => {
    fc.assert(
      fc.property(anyName, given => {
        expect(tokensOf(quote(given), quotes)).toEqual([{ kind: 'name', text: given }])
      }),
      { numRuns: 600 },
    )
  })

  it('reads and orders by columns of any name, in the shape of plain ones', () => {
    const types = ['int', 'varchar(10)', 'float', 'bit(3)', 'datetime', 'time', 'json', 'geometry']
    const selectsOf = (given: string): readonly string[] =>
      types.flatMap(declared => {
        const mysql = mysqlColumn({ name: given, declared, nullable: true }, {})
        return [mysql.select, mysql.order ?? '']
      })
    const postgresOf = (given: string): readonly string[] =>
      ['integer', 'text', 'bytea', 'numeric', 'money', 'timetz', 'text[]', 'interval'].flatMap(
        declared => {
          const facts = { typeName: declared.replace('[]', ''), typeType: 'b', isGenerated: false }
          const found = postgresColumn({ name: given, declared, nullable: true, ...facts }, {})
          return [found.select, found.order ?? '']
        },
      )
    const shapes = (all: readonly string[], quotes: Quotes): readonly string[] =>
      all.map(sql => shapeOf(tokensOf(sql, quotes)))
    const benign = [selectsOf('a'), postgresOf('a')] as const
    fc.assert(
      fc.property(anyName, given => {
        expect(shapes(selectsOf(given), mysqlQuotes)).toEqual(shapes(benign[0], mysqlQuotes))
        expect(shapes(postgresOf(given), postgresQuotes)).toEqual(shapes(benign[1], postgresQuotes))
      }),
      { numRuns: 200 },
    )
  })

  it('takes a bound of a range only as a number', () => {
    expect(whereSql('`a`', { after: '-1.5', upTo: null })).toBe('WHERE `a` > -1.5\n')
    fc.assert(
      fc.property(anyName, bound => {
        expect(() => whereSql('`a`', { after: bound, upTo: null })).toThrow('no number')
      }),
    )
    expect(() => whereSql('`a`', { after: null, upTo: '1\n' })).toThrow('no number')
  })

  it('asks for defaults of constants alone: others would be executed for whoever made the table', () => {
    for (const expression of [
      '0',
      '-1',
      '(-1)',
      '1.50',
      'true',
      "'a''b'::character varying",
      "E'a\\\\b'::text",
      "'2024-01-01'::date",
      "'{}'::text[]",
      '\'x\'::shop."My kind"',
      "'00:00:00'::time without time zone",
      String.raw`'\'::text`,
      String.raw`'a\''b'::text`,
      String.raw`E'a\'b\\'::text`,
    ]) {
      expect([expression, isConstant(expression)]).toEqual([expression, true])
    }
    for (const expression of [
      'now()',
      '"Evil"()',
      'evil."f"()',
      'f ()',
      '(1 ### 2)',
      '1 + 1',
      "('a'::text || f('b'::text))",
      'CURRENT_USER',
      "'a'::text || (SELECT 1)",
      "nextval('s'::regclass)",
      '\'a\'::"t"(f())',
      "'a' , 'b'",
      String.raw`'a\' || f('b')`,
      String.raw`E'a' || f('\'b')`,
    ]) {
      expect([expression, isConstant(expression)]).toEqual([expression, false])
    }
  })
})
