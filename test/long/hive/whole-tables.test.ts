/** Tables that a database makes and drops while Forager follows it, or does not run: up to Hive. */
import { expect, it } from 'vitest'
import { failures } from '../../stack/hive/schema-load.ts'
import { text } from '../../stack/hive/shop-site.ts'
import { Site } from '../../stack/hive/site.ts'

const columns = 'id INT PRIMARY KEY, name VARCHAR(20)'
const rules = { emptied: { schemaChanges: { 'drop-table': 'evolve' } } }
const dropped = ['kept', 'emptied']
const made = ['never_filled', 'made_later', 'made_meanwhile']

it('tables of MariaDB are in Hive before they have a row, and go by their policy', async () => {
  const options = {
    kind: 'mariadb' as const,
    name: 'whole',
    tables: [...dropped, ...made].map(name => ({ name, columns: [text('mariadb', 'id')] })),
    schema: [...dropped, 'never_filled'].map(name => `CREATE TABLE @S@.${name} (${columns})`),
    rules,
    readsSchemaChanges: true,
    keepStaged: '15m',
  }
  await Site.use(options, async site => {
    const rowsOf = (table: string) =>
      site.hive(`SELECT id, name FROM ${site.schema}.${table} ORDER BY id`)
    const insert = (table: string, id: number): string =>
      `INSERT INTO @S@.${table} VALUES (${id}, 'row ${id}')`
    const [one, two] = [1, 2].map(id => [id, `row ${id}`])
    site.running.start()
    await site.sql(
      `CREATE TABLE @S@.made_later (${columns})`,
      ...dropped.map(table => insert(table, 1)),
    )
    await site.untilFollowed()
    for (const table of ['never_filled', 'made_later']) {
      const described = await site.hive(`DESCRIBE ${site.schema}.${table}`)
      expect(described.map(([name, type]) => [name, type])).toEqual([
        ['id', 'int'],
        ['name', 'string'],
      ])
      expect(await rowsOf(table)).toEqual([])
    }

    await site.sql(
      ...dropped.flatMap(table => [
        `DROP TABLE @S@.${table}`,
        `CREATE TABLE @S@.${table} (${columns})`,
        insert(table, 2),
      ]),
      insert('made_later', 1),
    )
    await site.untilFollowed()
    expect(await rowsOf('kept')).toEqual([one, two])
    expect(await rowsOf('emptied')).toEqual([two])
    expect(await rowsOf('made_later')).toEqual([one])
    await site.running.stop()

    await site.sql(`CREATE TABLE @S@.made_meanwhile (${columns})`, 'DROP TABLE @S@.emptied')
    site.running.start()
    await site.untilFollowed()
    expect(await rowsOf('emptied')).toEqual([])
    expect(await rowsOf('made_meanwhile')).toEqual([])
    expect(failures(site)).toEqual({})
    await site.running.stop()
  })
})
