/**
 * Tables whose names are statements, in a real MariaDB and a real PostgreSQL: all that Forager asks of a database that
 * changes come from, and the record of what runs, which has their names as values.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { DatabaseConfig } from '../../cli/database-schema.ts'
import { MysqlDatabase } from '../../cli/verify/mysql-database.ts'
import { PostgresDatabase } from '../../cli/verify/postgres-database.ts'
import type { SourceDatabase } from '../../cli/verify/source-database.ts'
import { wholeTable } from '../../cli/verify/source-database.ts'
import { mysqlHistory } from '../../observe/history/mysql-history.ts'
import { postgresHistory } from '../../observe/history/postgres-history.ts'
import { portOf } from '../../scripts/stack/parts.ts'
import { up } from '../../scripts/stack/stack.ts'
import { inFolder } from '../cli/program.ts'
import { hostileNames } from '../security/hostile-names.ts'
import type { DatabaseKind } from './hive/databases.ts'
import { runSql } from './hive/databases.ts'

/** Names that say no more than the databases', and one of each kind that the shared list has not. */
const more = [
  `'; DROP TABLE victim; --`,
  '`; DELETE FROM victim; -- `',
  `"; DELETE FROM victim; -- "`,
  'x`.`y" .z',
  '"."',
  'a.b.c',
  '${x}; \\q',
  '{table}',
  '%s%d%n',
]

/**
 * What both have as a name of 63 bytes: not empty, no NUL, of the first plane, without a space at its end. And MariaDB's
 * client takes a CR away that stands before a line's end.
 */
function isName(name: string): boolean {
  return (
    name.isWellFormed() &&
    Buffer.byteLength(name) <= 63 &&
    /\S$/.test(name) &&
    !['\0', '\r'].some(one => name.includes(one)) &&
    !/[\u{10000}-\u{10ffff}]/u.test(name)
  )
}

/** A file of MariaDB has five characters for each that is no letter, and at most 255. */
const longest = ['x'.repeat(63), '漢'.repeat(21), '`'.repeat(45), '"'.repeat(45), '../'.repeat(15)]
const tables = [...new Set([...hostileNames, ...more, ...longest].filter(isName))]
/** Where a point stands in one of these, it cannot be told from the one before the table's name. */
const schemas = ['hostile', '`"\'; DROP TABLE victim; --\n${x}']
const valueText = `'; DROP TABLE victim; -- \\' " \``

const quotes: Readonly<Record<DatabaseKind, (name: string) => string>> = {
  mariadb: name => `\`${name.replaceAll('`', '``')}\``,
  postgres: name => `"${name.replaceAll('"', '""')}"`,
}

const literals: Readonly<Record<DatabaseKind, (text: string) => string>> = {
  mariadb: text => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`,
  postgres: text => `'${text.replaceAll("'", "''")}'`,
}

/** A second column beside one of the table's own name, of which a database takes only one. */
const secondOf = (name: string): string => (name === 'second' ? 'other' : 'second')

function configOf(kind: DatabaseKind): DatabaseConfig {
  const place = { host: '127.0.0.1', port: portOf(kind, inject('stack')) }
  return kind === 'mariadb'
    ? { type: 'mariadb', ...place, user: 'root', password: 'root' }
    : { type: 'postgres', ...place, user: 'postgres', password: 'postgres', database: 'demo' }
}

async function withDatabase<T>(
  kind: DatabaseKind,
  action: (database: SourceDatabase) => Promise<T>,
): Promise<T> {
  const config = configOf(kind)
  const database =
    kind === 'mariadb' ? new MysqlDatabase(config, {}) : new PostgresDatabase(config, {})
  try {
    return await action(database)
  } finally {
    await database.close()
  }
}

beforeAll(async () => {
  await up(['mariadb', 'postgres'], inject('stack'), () => undefined)
})

describe.each(['mariadb', 'postgres'] as const)('hostile names in %s', kind => {
  const quote = quotes[kind]
  const sql = (...statements: readonly string[]) => runSql(inject('stack'), kind, statements)
  const own = schemas.flatMap(schema => tables.map(table => ({ schema, table })))
  const namesOf = async (): Promise<readonly string[]> => {
    const found = await withDatabase(kind, database => database.tables())
    return found.filter(name => schemas.some(schema => name.startsWith(`${schema}.`)))
  }

  /** By the database's own client, which quotes nothing for us. */
  const unharmed = async (): Promise<string> => {
    const rows = schemas.map(schema => `(SELECT max(id) FROM ${quote(schema)}.victim)`)
    return await sql(`SELECT ${rows.join(' + ')}`)
  }

  beforeAll(async () => {
    const text = kind === 'mariadb' ? 'varchar(100)' : 'text'
    for (const schema of schemas) {
      await sql(
        `CREATE SCHEMA ${quote(schema)}`,
        `CREATE TABLE ${quote(schema)}.victim (id int PRIMARY KEY)`,
        `INSERT INTO ${quote(schema)}.victim VALUES (1), (21)`,
        ...tables.flatMap((name, index) => {
          const table = `${quote(schema)}.${quote(name)}`
          const second = `${quote(secondOf(name))} ${text} DEFAULT ${literals[kind](valueText)}`
          return [
            `CREATE TABLE ${table} (${quote(name)} int PRIMARY KEY, ${second})`,
            `INSERT INTO ${table} (${quote(name)}) VALUES (${index}), (${index + 1000})`,
          ]
        }),
      )
    }
  })

  // A connector of Debezium reads the names of all schemas, and ends by such a one.
  afterAll(async () => {
    const rest = kind === 'mariadb' ? '' : ' CASCADE'
    for (const schema of schemas) await sql(`DROP SCHEMA ${quote(schema)}${rest}`)
  })

  it('are those of tables, columns and keys, as they were given', async () => {
    expect(tables.length).toBeGreaterThan(50)
    expect(new Set(await namesOf())).toEqual(
      new Set([...own, ...schemas.map(schema => ({ schema, table: 'victim' }))].map(nameOf)),
    )
    await withDatabase(kind, async database => {
      for (const { schema, table } of own) {
        const { columns, primaryKey } = await database.describe(nameOf({ schema, table }))
        expect(columns.map(({ name }) => name)).toEqual([table, secondOf(table)])
        expect(primaryKey).toEqual([table])
      }
    })
    expect(await unharmed()).toBe('42\n')
  })

  it('are read by: all rows, ranges, bounds and defaults are those of the table', async () => {
    await withDatabase(kind, async database => {
      for (const [index, { schema, table }] of own.entries()) {
        const name = nameOf({ schema, table })
        const { columns } = await database.describe(name)
        expect(columns[1]!.defaultSql, name).toBeDefined()
        const first = index % tables.length
        const key = columns.slice(0, 1)
        const read = async (range: typeof wholeTable): Promise<readonly unknown[]> => {
          const parts = await Array.fromAsync(database.rows(name, columns, key, range))
          return parts.flat()
        }
        const rows = [first, first + 1000].map(id => [String(id), valueText])
        expect(await read(wholeTable), name).toEqual(rows)
        expect(await read({ after: String(first), upTo: String(first + 1000) })).toEqual(
          rows.slice(1),
        )
        expect(await database.boundOf(name, key[0]!, null, 2)).toBe(String(first + 1000))
        expect(await database.defaultsOf(name, columns.slice(1))).toEqual([valueText])
      }
    })
    expect(await unharmed()).toBe('42\n')
  })

  it('that are of no table are none, and do nothing', async () => {
    await withDatabase(kind, async database => {
      // PostgreSQL cuts what is too long for it, which may be another table's name then.
      const others = [...hostileNames, ...more].filter(name => {
        return !tables.some(table => name.startsWith(table))
      })
      expect(others.length).toBeGreaterThan(5)
      for (const table of others) {
        const found = await database.describe(`hostile.${table}`).catch((error: unknown) => error)
        if (found instanceof Error) expect(found).toMatchObject({ code: 'database-unreachable' })
        else expect(found).toMatchObject({ columns: [] })
      }
      expect((await database.logFacts()).settings.size).toBeGreaterThan(0)
    })
    expect(await unharmed()).toBe('42\n')
  })

  it('are shown as text by `forager verify`, which says of each that its table is missing', async () => {
    const { type, port, user, password, database } = configOf(kind)
    const place = { type, host: '127.0.0.1', port, user, password, database }
    const config = {
      applicationId: 'hostile',
      source: {
        type: 'kafka',
        brokers: [inject('broker')],
        topics: ['hostile.*'],
        format: 'debezium-json',
        database: place,
      },
      tables: [{ from: 'hostile.*', to: '{table}' }],
      warehouse: { type: 'embedded', path: 'warehouse' },
      state: { path: 'state' },
    }
    await inFolder(async program => {
      await program.write('forager.yaml', JSON.stringify(config))
      const { code, stdout, stderr } = await program.run(['verify', 'forager.yaml', '--json'])
      expect(stderr).not.toContain('database-unreachable')
      expect(code).toBe(1)
      const lines = stdout.split('\n').filter(line => line.startsWith('{'))
      const told = lines.map(line => JSON.parse(line) as { table: string; status: string })
      expect(told.length).toBeGreaterThan(tables.length / 2)
      expect(told.every(({ status }) => status !== 'equal')).toBe(true)
      // What a terminal would take for a command.
      const shown = await program.run(['verify', 'forager.yaml'])
      expect(shown.stdout + shown.stderr).not.toMatch(/(?!\n)\p{Cc}|[\u2028\u202e]/u)
    })
    expect(await unharmed()).toBe('42\n')
  })

  it('are values in the record of what runs, and found by them', async () => {
    const { host, port, user, password } = configOf(kind)
    const server = {
      host,
      port: port!,
      user,
      password: password!,
      database: 'demo',
      timeoutMs: 30_000,
      isWriter: true,
    }
    const history = kind === 'mariadb' ? mysqlHistory(server, 'mariadb') : postgresHistory(server)
    await history.open()
    try {
      // To MariaDB a text is the same with spaces behind it.
      const all = [...new Set([...hostileNames, ...more])].filter(name => {
        return (
          name.isWellFormed() && name.length <= 300 && !name.endsWith(' ') && !name.includes('\0')
        )
      })
      await history.write(
        all.map((name, seq) => {
          const row = {
            run_id: 'hostile',
            seq,
            application: name,
            recorded_ms: 1,
            table_name: name,
          }
          return { kind: 'statements' as const, row }
        }),
      )
      for (const [seq, name] of all.entries()) {
        const where = { run_id: 'hostile', table_name: name }
        const found = await history.find({
          kind: 'statements',
          columns: ['seq', 'application'],
          where,
        })
        expect(found.map(row => ({ ...row }))).toEqual([{ seq, application: name }])
      }
    } finally {
      await history.close()
    }
    expect(await unharmed()).toBe('42\n')
  })
})

function nameOf({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return `${schema}.${table}`
}
