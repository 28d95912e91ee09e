/**
 * Each kind of change by each mode, from both databases up to Hive, while rows are written; and `forager verify` finds
 * nothing but what `docs/schema-changes.md` says.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import type { TableReport } from '../../../cli/verify/table-report.ts'
import type { SchemaChangeKind, SchemaChangeMode } from '../../../model/schema-change.ts'
import { schemaChangeModes } from '../../../model/schema-change.ts'
import { toldTables } from '../../../runtime/applied.ts'
import type { DatabaseKind } from '../../stack/hive/databases.ts'
import { failures, Load } from '../../stack/hive/schema-load.ts'
import { Site } from '../../stack/hive/site.ts'
import { verifyInHive } from '../../stack/hive/verifying.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')

/** What is done to a table of the columns id, n, w and d, and the row that follows. */
interface Case {
  readonly alter: (table: string, database: DatabaseKind) => string
  readonly row: string
}

const cases: Readonly<Record<Exclude<SchemaChangeKind, 'create-table' | 'drop-table'>, Case>> = {
  add: {
    alter: table => `ALTER TABLE ${table} ADD COLUMN age INT NOT NULL DEFAULT 7`,
    row: "(3, 3, 'three', 3.25, 8)",
  },
  drop: { alter: table => `ALTER TABLE ${table} DROP COLUMN w`, row: '(3, 3, 3.25)' },
  rename: {
    alter: (table, database) =>
      database === 'mariadb'
        ? `ALTER TABLE ${table} CHANGE w label VARCHAR(10)`
        : `ALTER TABLE ${table} RENAME COLUMN w TO label`,
    row: "(3, 3, 'three', 3.25)",
  },
  widen: {
    alter: (table, database) =>
      database === 'mariadb'
        ? `ALTER TABLE ${table} MODIFY n BIGINT NOT NULL, MODIFY w VARCHAR(40), MODIFY d DECIMAL(12,4)`
        : `ALTER TABLE ${table} ALTER n TYPE BIGINT, ALTER w TYPE VARCHAR(40), ALTER d TYPE DECIMAL(12,4)`,
    // What fits in the narrow ones as well.
    row: "(3, 3, 'three', 3.25)",
  },
  nullable: {
    alter: (table, database) =>
      database === 'mariadb'
        ? `ALTER TABLE ${table} MODIFY n INT NULL`
        : `ALTER TABLE ${table} ALTER n DROP NOT NULL`,
    row: "(3, NULL, 'three', 3.25)",
  },
  comment: {
    alter: (table, database) =>
      database === 'mariadb'
        ? `ALTER TABLE ${table} MODIFY w VARCHAR(10) COMMENT 'it''s; new'`
        : `COMMENT ON COLUMN ${table}.w IS 'it''s; new'`,
    row: "(3, 3, 'three', 3.25)",
  },
  truncate: { alter: table => `TRUNCATE TABLE ${table}`, row: "(3, 3, 'three', 3.25)" },
}

const kinds = Object.keys(cases) as (keyof typeof cases)[]
const columns = 'id INT PRIMARY KEY, n INT NOT NULL, w VARCHAR(10), d DECIMAL(10,2)'
const nameOf = (kind: SchemaChangeKind, mode: SchemaChangeMode): string =>
  `${kind.replace('-', '_')}_${mode}`
const all = kinds.flatMap(kind => schemaChangeModes.map(mode => ({ kind, mode })))
const made = schemaChangeModes.map(mode => ({ kind: 'create-table' as const, mode }))
const rules = Object.fromEntries(
  [...all, ...made].map(({ kind, mode }) => [
    nameOf(kind, mode),
    { schemaChanges: { [kind]: mode } },
  ]),
)
/** Of `exception`, and where Hive cannot. What a source does not tell (a comment of PostgreSQL) no mode refuses. */
const heldBack = (database: DatabaseKind): readonly string[] =>
  [...all, ...made]
    .filter(({ mode }) => mode === 'exception')
    .map(one => one.kind)
    .filter(kind => database === 'mariadb' || (kind !== 'comment' && kind !== 'rename'))
    .map(kind => nameOf(kind, 'exception'))
    .concat(nameOf('drop', 'evolve'))
    .sort()

async function verify(
  site: Site,
  database: DatabaseKind,
): Promise<ReadonlyMap<string, TableReport>> {
  const own = Object.entries(rules).map(([name, rule]) => {
    return { from: `${site.schema}.${name}`, to: `${site.schema}.${name}`, ...rule }
  })
  const { followed } = await toldTables(site.log, site.running.applicationId)
  const { tables } = await verifyInHive(database, own, { followed })
  return new Map(tables.map(report => [report.table.replace(`${site.schema}.`, ''), report]))
}

/** Names of the tables that are not equal. */
function unequal(reports: ReadonlyMap<string, TableReport>): readonly string[] {
  return [...reports].flatMap(([name, { status }]) => (status === 'equal' ? [] : [name])).sort()
}

/** By table what differs by its policy. */
function byPolicy(reports: ReadonlyMap<string, TableReport>): Record<string, readonly string[]> {
  const notes = [...reports].map(([name, { byPolicy: found }]) => {
    return [name, found.map(({ column }) => column).sort()] as const
  })
  return Object.fromEntries(notes.filter(([, found]) => found.length > 0))
}

it.each(['mariadb', 'postgres'] as const)(
  'each kind of change of %s, by each mode',
  async database => {
    const before = all.map(({ kind, mode }) => nameOf(kind, mode))
    const later = made.map(({ kind, mode }) => nameOf(kind, mode))
    const options = {
      kind: database,
      name: 'kinds',
      tables: [...before, ...later, 'steady'].map(name => ({ name, columns: [] })),
      schema: [...before, 'steady'].map(name => `CREATE TABLE @S@.${name} (${columns})`),
      rules,
      // Of tables that are made later as well.
      connector: database === 'postgres' ? { 'publication.autocreate.mode': 'all_tables' } : {},
    }
    await Site.use(options, async site => {
      await site.sql(
        ...before.flatMap(name => [
          `INSERT INTO @S@.${name} VALUES (1, 1, 'one', 1.25)`,
          `INSERT INTO @S@.${name} VALUES (2, 2, 'two', 2.25)`,
        ]),
      )
      site.running.start()
      await site.untilFollowed()
      const load = new Load(site, id => [
        `INSERT INTO @S@.steady VALUES (${id}, ${id}, 'w', ${id})`,
      ])
      const places = all.map(({ kind, mode }) => {
        return { name: `@S@.${nameOf(kind, mode)}`, ...cases[kind] }
      })
      // In the window of the change, or in the one before.
      await site.sql(...places.map(({ name }) => `UPDATE ${name} SET n = 10 WHERE id = 1`))
      // MariaDB tells seconds: what is dropped within one of them is seen with the next newer row.
      await sleep(1100)
      for (const { name, alter, row } of places) {
        await site.sql(
          alter(name, database),
          `INSERT INTO ${name} VALUES ${row}`,
          `UPDATE ${name} SET d = 5.25 WHERE id = 2`,
        )
      }
      for (const name of later) {
        await site.sql(
          `CREATE TABLE @S@.${name} (${columns})`,
          `INSERT INTO @S@.${name} VALUES (1, 1, 'one', 1.25)`,
        )
      }
      await load.stop()
      await site.untilFollowed()

      const held = heldBack(database)
      expect(Object.keys(failures(site)).sort()).toEqual(held)
      const reports = await verify(site, database)
      // A truncate that is left leaves rows that only the target has: they are not told from a loss.
      const left = [nameOf('truncate', 'lenient'), nameOf('truncate', 'ignore')]
      const unmade = nameOf('create-table', 'ignore')
      expect(unequal(reports)).toEqual([...held, ...left, unmade].sort())
      const differing = left.flatMap(name => reports.get(name)!.differences)
      expect(new Set(differing.map(({ kind }) => kind))).toEqual(new Set(['extra']))
      const noted = byPolicy(reports)
      expect(noted).toMatchObject({
        add_ignore: ['age'],
        drop_try_evolve: ['w'],
        drop_lenient: ['w'],
        drop_ignore: ['w'],
        // A varchar is a string in Hive: it is wide enough.
        widen_ignore: ['d', 'n'],
      })
      await site.running.stop()

      // The modes that held tables back are others now.
      site.configure({
        ...rules,
        ...Object.fromEntries(held.map(name => [name, { schemaChanges: { drop: 'lenient' } }])),
      })
      const { configPath } = site.running
      await run(process.execPath, ['cli/forager.js', 'resume', configPath, '--all'], { cwd: root })
      site.running.start()
      await site.untilFollowed()
      await site.running.stop()
      expect(unequal(await verify(site, database))).toEqual([...left, unmade].sort())
      expect(await site.stagedFiles()).toEqual([])
    })
  },
)
