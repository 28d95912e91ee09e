import { describe, expect, it } from 'vitest'
import { parsePartitionBy } from '../../../model/partition-by.ts'
import { column, remove, schemaOf, upsert } from './changes.ts'
import { TableDriver } from './warehouses.ts'

const schema = schemaOf([column('id', 'int'), column('region', 'string'), column('big', 'string')])
const row = (id: number, region: string, big: string) => upsert([id, region, big], schema)
const gone = (id: number) => remove([id, null, null], schema)
const moved = (id: number, region: string, from: number) => ({
  ...upsert([id, region, undefined], schema),
  kind: 'patch' as const,
  movedFrom: gone(from).key,
})

async function valuesOf(driver: TableDriver): Promise<unknown[]> {
  const rows: unknown[] = []
  for await (const part of (await driver.table()).rows()) {
    rows.push(...part.map(({ values }) => values))
  }
  return rows
}

describe.each([null, parsePartitionBy('region')])('rows that changed their keys, by %o', by => {
  const rest = { partitionBy: by, oldRows: 'all' } as const

  it('take what was not sent from the row under the old key, which goes', async () => {
    const driver = new TableDriver()
    await driver.open()
    await driver.applyChanges([row(1, 'eu', 'one'), row(2, 'eu', 'two')], schema, {
      partitionBy: by,
    })
    // Two rows change their keys with each other.
    await driver.applyChanges([moved(1, 'us', 2), moved(2, 'eu', 1)], schema, rest)
    expect(await valuesOf(driver)).toEqual([
      [1, 'us', 'two'],
      [2, 'eu', 'one'],
    ])
    await driver.applyChanges([gone(1), moved(7, 'eu', 1)], schema, rest)
    expect(await valuesOf(driver)).toEqual([
      [2, 'eu', 'one'],
      [7, 'eu', 'two'],
    ])
  })

  it('keep their own where the old row is gone: the change was made before', async () => {
    const driver = new TableDriver()
    await driver.open()
    await driver.applyChanges([row(2, 'eu', 'two')], schema, { partitionBy: by })
    await driver.applyChanges([gone(1), moved(2, 'us', 1)], schema, rest)
    expect(await valuesOf(driver)).toEqual([[2, 'us', 'two']])
  })

  it('are refused where there is neither, unless who resumes the table knows of it', async () => {
    const driver = new TableDriver()
    await driver.open()
    await driver.applyChanges([row(3, 'eu', 'three')], schema, { partitionBy: by })
    const refused = driver.applyChanges([moved(2, 'us', 1)], schema, rest)
    await expect(refused).rejects.toMatchObject({ code: 'old-row-missing' })
    await driver.open()
    await driver.applyChanges([moved(2, 'us', 1)], schema, { ...rest, oldRows: 'if-there' })
    expect(await valuesOf(driver)).toEqual([
      [2, 'us', null],
      [3, 'eu', 'three'],
    ])
  })
})
