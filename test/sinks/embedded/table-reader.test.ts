import { describe, expect, it } from 'vitest'
import { encodeKey } from '../../../model/key.ts'
import type { NetChange } from '../../../model/net-change.ts'
import { internSchema, keyColumns } from '../../../model/table-schema.ts'
import { seededRandom } from '../../../runtime/random.ts'
import { listTables, tableFolder } from '../../../sinks/embedded/table-folders.ts'
import { openTable } from '../../../sinks/embedded/table-reader.ts'
import { SimulatedFileSystem } from '../../../testkit/simulated-file-system.ts'
import { linesOf, root, TableDriver } from './warehouses.ts'

const schema = internSchema({
  columns: [
    { id: 'a', name: 'a', type: { kind: 'int' }, nullable: false },
    { id: 'b', name: 'b', type: { kind: 'string' }, nullable: true },
    { id: 'p', name: 'p', type: { kind: 'int' }, nullable: true },
  ],
  key: ['a', 'b'],
})

function row(a: number, b: string, p: number): NetChange {
  return {
    kind: 'upsert',
    key: encodeKey(keyColumns(schema), [a, b]),
    row: [a, b, p],
    schema,
    leaves: 'unknown',
    last: { position: '', sourceMs: 0 },
  }
}

describe('reading a table', () => {
  it('merges its partitions and files into the order of the key', async () => {
    const driver = new TableDriver({ targetFileRows: 3 })
    await driver.open()
    const rows: [number, string, number][] = []
    for (const a of [-300, -1, 0, 1, 7, 255, 256, 70_000]) {
      for (const b of ['', 'B', 'a', 'aa', 'é', '😀']) rows.push([a, b, (a * 7 + b.length) % 5])
    }
    const changes = rows.map(([a, b, p]) => row(a, b, p))
    const partitionBy = { column: 'p', unit: 'value' as const }
    await driver.applyChanges(changes, schema, { partitionBy })
    const table = await driver.table()
    expect(new Set(table.commit.files.map(({ partition }) => partition)).size).toBeGreaterThan(4)
    expect(table.commit.files.length).toBeGreaterThan(12)
    const expected = rows.map(values => JSON.stringify([...values, '']))
    expect(await linesOf(table)).toEqual(expected)
  })

  it('of a table that is not there says so, with its folder', async () => {
    const files = new SimulatedFileSystem({ random: seededRandom(1) })
    await expect(openTable(files, root, 'ods.nothing')).rejects.toMatchObject({
      code: 'table-not-found',
      message: 'there is no table ods.nothing',
      context: { table: 'ods.nothing', file: '/warehouse/ods/nothing' },
    })
  })

  it('whose file is damaged says which', async () => {
    const driver = new TableDriver()
    await driver.open()
    await driver.applyChanges([row(1, 'a', 1)], schema)
    const table = await driver.table()
    const path = `${root}/ods/t/${table.commit.files[0]!.path}`
    await (await driver.files.open(path, 'write')).truncate(100)
    await expect(linesOf(table)).rejects.toMatchObject({
      code: 'warehouse-unreadable',
      context: { file: path },
    })
    await driver.files.remove(path)
    await expect(linesOf(table)).rejects.toMatchObject({ context: { file: path } })
  })
})

describe('the folders of tables', () => {
  it('are listed by the names of the tables, whatever is in them', async () => {
    const files = new SimulatedFileSystem({ random: seededRandom(1) })
    const names = ['alone', 'ods.user', 'ods.user_order', 'Ü😀.a b', 'a.b.c', '..x.%2e']
    for (const name of names) {
      const driver = new TableDriver({ fileSystem: files })
      await driver.open(name)
      await driver.applyChanges([row(1, 'a', 1)], schema, { table: name })
    }
    await files.makeDirectory(`${root}/ods/not_a_table/data`)
    expect(await listTables(files, root)).toEqual(names.sort())
    expect(await listTables(files, '/nowhere')).toEqual([])
    for (const name of names) expect((await openTable(files, root, name)).commit.table).toBe(name)
  })

  it('stay below the root', () => {
    for (const name of ['../../etc', '...', '/etc.passwd', 'a/../../b.c']) {
      expect(tableFolder('/warehouse', name)).toMatch(/^\/warehouse\/./)
      expect(tableFolder('/warehouse', name)).not.toContain('/../')
    }
  })
})
