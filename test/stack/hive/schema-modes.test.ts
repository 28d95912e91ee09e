/** Columns that change in a database while Forager follows it, or does not run: by each mode, up to Hive. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import type { SchemaChangeMode } from '../../../model/schema-change.ts'
import { schemaChangeModes } from '../../../model/schema-change.ts'
import type { DatabaseKind } from './databases.ts'
import { failures, Load } from './schema-load.ts'
import { text } from './shop-site.ts'
import { Site } from './site.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')

/** A table that is held back by its mode at the first change, and one that Hive makes so at the second. */
const tableOf = (mode: SchemaChangeMode): string => `m_${mode}`
const tables = schemaChangeModes.map(tableOf)
const ofColumns = ['add', 'drop', 'rename', 'widen', 'nullable', 'comment'] as const
/** All tables are made, whatever their mode is. */
const modeRules = Object.fromEntries(
  schemaChangeModes.map(mode => {
    const schemaChanges = Object.fromEntries(ofColumns.map(kind => [kind, mode]))
    return [tableOf(mode), { schemaChanges }]
  }),
)

function statementsOf(kind: DatabaseKind, table: string) {
  const name = `@S@.${table}`
  const isMariadb = kind === 'mariadb'
  const wider = isMariadb
    ? 'MODIFY n BIGINT NULL, MODIFY d DECIMAL(12,4)'
    : 'ALTER n TYPE BIGINT, ALTER n DROP NOT NULL, ALTER d TYPE DECIMAL(12,4)'
  return {
    create: `CREATE TABLE ${name} (id INT PRIMARY KEY, n INT NOT NULL, d DECIMAL(10,2), old VARCHAR(10), gone VARCHAR(10))`,
    more: [
      `ALTER TABLE ${name} ADD COLUMN age INT`,
      `ALTER TABLE ${name} ADD COLUMN phone VARCHAR(20) NOT NULL DEFAULT '?'`,
      `ALTER TABLE ${name} ${wider}`,
    ],
    fewer: `ALTER TABLE ${name} DROP COLUMN gone`,
  }
}

/** Of columns that are there before and after. */
const loadOf = (number: number): readonly string[] =>
  tables.flatMap(table => [
    `INSERT INTO @S@.${table} (id, n, d, old) VALUES (${number}, ${number}, ${number}.25, 'load')`,
    `UPDATE @S@.${table} SET old = 'again' WHERE id = ${number - 3}`,
  ])

async function describe(site: Site, table: string): Promise<readonly string[]> {
  const rows = await site.hive(`DESCRIBE ${site.schema}.\`${table}\``)
  return rows.map(([name, type]) => `${name as string} ${type as string}`)
}

it.each(['mariadb', 'postgres'] as const)(
  'columns of %s are followed as each mode says, and held back tables go on without loss',
  async kind => {
    const user = kind === 'mariadb' ? '@S@.`user`' : '@S@."user"'
    const options = {
      kind,
      name: 'modes',
      tables: ['user', ...tables].map(name => ({ name, columns: [] })),
      schema: [
        `CREATE TABLE ${user} (id INT PRIMARY KEY, name VARCHAR(50))`,
        ...tables.map(table => statementsOf(kind, table).create),
      ],
      rules: modeRules,
    }
    const columnsOf = (...names: readonly string[]) => names.map(name => text(kind, name))
    const sameIn = (names: readonly string[], ...columns: readonly string[]) =>
      names.map(name => ({ name, columns: columnsOf(...columns) }))
    await Site.use(options, async site => {
      await site.sql(
        `INSERT INTO ${user} VALUES (1, 'Ada')`,
        ...tables.map(table => `INSERT INTO @S@.${table} VALUES (1, 1, 1.25, 'o', 'g')`),
      )
      site.running.start()
      const load = new Load(site, loadOf)
      await site.untilMark()
      // As a newcomer would try it.
      await site.sql(
        `ALTER TABLE ${user} ADD COLUMN age INT`,
        `INSERT INTO ${user} VALUES (2, 'Grace', 85)`,
      )
      for (const table of tables) await site.sql(...statementsOf(kind, table).more)
      const followers = ['m_evolve', 'm_try_evolve', 'm_lenient', 'm_exception']
      await site.sql(
        ...followers.map(
          table => `INSERT INTO @S@.${table} VALUES (2, 5000000000, 2.3456, 'o', 'g', 5, '+1')`,
        ),
        `INSERT INTO @S@.m_ignore VALUES (2, 2, 2.25, 'o', 'g', 5, '+1')`,
      )
      await load.stop()
      await site.untilFollowed()

      const four = ['m_evolve', 'm_try_evolve', 'm_lenient']
      expect(
        await site.differences([
          ...sameIn(['user'], 'id', 'name', 'age'),
          ...sameIn(four, 'id', 'n', 'd', 'old', 'gone', 'age', 'phone'),
          ...sameIn(['m_ignore'], 'id', 'n', 'old', 'gone'),
        ]),
      ).toEqual([])
      expect(await describe(site, 'm_evolve')).toEqual(
        expect.arrayContaining(['n bigint', 'd decimal(12,4)', 'age int']),
      )
      expect(await describe(site, 'm_ignore')).toHaveLength(5)
      expect(failures(site)).toEqual({
        m_exception: expect.stringContaining('schema-change-refused'),
      })
      await site.running.stop()

      // While Forager is stopped. MariaDB tells that a column was renamed.
      const names = kind === 'mariadb' ? 'full_name' : 'name'
      await site.sql(
        ...(kind === 'mariadb' ? [`ALTER TABLE ${user} CHANGE name full_name VARCHAR(80)`] : []),
        `INSERT INTO ${user} VALUES (3, 'Joan', 41)`,
        ...tables.map(table => statementsOf(kind, table).fewer),
        ...tables.map(table => `INSERT INTO @S@.${table} VALUES (3, 3, 3.25, 'new', 6, '+2')`),
        ...tables.map(table => `UPDATE @S@.${table} SET old = 'upd' WHERE id = 1`),
      )
      site.running.start()
      await site.untilFollowed()
      expect(failures(site)).toMatchObject({
        m_evolve: expect.stringContaining('schema-change-unsupported'),
      })
      expect(Object.keys(failures(site)).sort()).toEqual(['m_evolve', 'm_exception'])
      const kept = ['m_try_evolve', 'm_lenient']
      expect(
        await site.differences([
          ...sameIn(['user'], 'id', names, 'age'),
          ...sameIn(kept, 'id', 'n', 'd', 'old', 'age', 'phone'),
          ...sameIn(['m_ignore'], 'id', 'n', 'old'),
        ]),
      ).toEqual([])
      expect((await describe(site, 'user')).map(one => one.split(' ')[0])).toEqual([
        'id',
        names,
        'age',
      ])
      for (const table of [...kept, 'm_ignore']) {
        const rows = await site.hive(
          `SELECT id, gone FROM ${site.schema}.${table} WHERE id < 4 ORDER BY id`,
        )
        // Of rows that changed since it is null.
        expect(rows, table).toEqual([
          [1, null],
          [2, 'g'],
          [3, null],
        ])
      }
      await site.running.stop()

      // The modes that held tables back are others now: what waited is applied, of each schema.
      site.configure({ m_evolve: { schemaChanges: { drop: 'lenient' } } })
      const { configPath } = site.running
      await run(process.execPath, ['cli/forager.js', 'resume', configPath, '--all'], { cwd: root })
      site.running.start()
      await site.untilFollowed()
      const all = ['id', 'n', 'd', 'old', 'age', 'phone']
      const mended = [...kept, 'm_evolve', 'm_exception']
      expect(await site.differences(sameIn(mended, ...all))).toEqual([])
      await site.running.stop()
      expect(await site.stagedFiles()).toEqual([])
    })
  },
)
