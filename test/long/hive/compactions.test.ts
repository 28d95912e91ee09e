/**
 * Hive's own compaction beside what is applied: rows 19 and 20 of "What broke elsewhere". After each forced
 * compaction the tables are read again and held against what they were, and in the end against the source.
 */
import { expect, it } from 'vitest'
import { HiveShop } from '../../stack/hive/hive-shop.ts'
import { hdfsFiles, stagedFiles } from '../../stack/hive/staged.ts'
import { until } from '../../stack/instances.ts'

/** Hive takes no other compaction of a table or partition before it has cleaned up after the last one. */
const isRefused = (error: unknown): boolean => /is refused/.test((error as Error).message)

/** Each takes a while. */
const partitionsAtOnce = 2

/** The first ones of `product`, as `year_month=2026-01`. */
async function partitionsOf(shop: HiveShop): Promise<readonly string[]> {
  const found = await shop.query(`SHOW PARTITIONS ${shop.database}.product`)
  return found.flat().map(String).slice(0, partitionsAtOnce)
}

/** Of the table, or of some of its partitions; resolves when the worker has done it. */
async function compact(shop: HiveShop, table: string, kind: 'minor' | 'major'): Promise<void> {
  const own = `${shop.database}.\`${table}\``
  for (const partition of table === 'product' ? await partitionsOf(shop) : ['']) {
    const [name, value] = partition.split('=')
    const part = partition === '' ? '' : ` PARTITION (${name}='${value}')`
    await until(`${kind} compaction of ${table}${part}`, async () => {
      try {
        await shop.execute(`ALTER TABLE ${own}${part} COMPACT '${kind}' AND WAIT`)
        return true
      } catch (error) {
        // Of a table without partitions the one that Hive began by itself stays its last: `hive-site.xml`.
        if (isRefused(error)) return partition === ''
        throw error
      }
    })
  }
}

/** Files in deltas of those partitions. */
async function deltaFiles(shop: HiveShop): Promise<readonly string[]> {
  const found: string[] = []
  for (const partition of await partitionsOf(shop)) {
    const folder = `/warehouse/${shop.database}.db/product/${partition}`
    found.push(...(await stagedFiles(hdfsFiles(), folder)))
  }
  return found.filter(path => /\/(delete_)?delta_[^/]*\//.test(path))
}

it('rows 19 and 20: forced minor and major compactions beside applies lose and double nothing, and deltas go', async () => {
  await HiveShop.use({ name: 'compactions', seed: 20, events: 1500 }, async shop => {
    shop.start()
    for (const part of [0.15, 0.3]) {
      await shop.send(part)
      await shop.untilApplied()
    }
    const rows = await shop.counts()
    await compact(shop, 'product', 'minor')
    expect(await shop.counts()).toEqual(rows)
    // Some of this is applied while the worker compacts.
    await shop.send(0.6)
    for (const table of ['user', 'product']) await compact(shop, table, 'major')
    await shop.untilApplied()
    expect(await shop.duplicates()).toEqual([])
    await shop.send(null)
    await shop.untilApplied()
    expect(await shop.differences()).toEqual([])
    expect((await deltaFiles(shop)).length).toBeGreaterThan(0)
    await compact(shop, 'product', 'major')
    await until('Hive removes what it compacted', async () => (await deltaFiles(shop)).length === 0)
    expect(await shop.differences()).toEqual([])
  })
}, 900_000)
