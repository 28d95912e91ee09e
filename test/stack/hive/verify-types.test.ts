import { expect, it } from 'vitest'
import { allTypes } from '../all-types.ts'
import { Site } from './site.ts'
import { verifyInHive } from './verifying.ts'

it.each(['mariadb', 'postgres'] as const)(
  'what a run brings from %s to Hive is equal, whatever its type',
  async kind => {
    const tables = ['types', 'words'].map(name => ({ name, columns: [] }))
    await Site.use({ kind, name: 'alltypes', tables, schema: allTypes[kind] }, async site => {
      site.running.start()
      await site.untilFollowed()
      const rules = [{ from: `${site.schema}.*`, to: `${site.schema}.{table}` }]
      const { tables: reports } = await verifyInHive(kind, rules)
      expect(reports.map(({ table, status, sourceRows }) => [table, status, sourceRows])).toEqual([
        [`${site.schema}.marks`, 'equal', 1],
        [`${site.schema}.types`, 'equal', 3],
        [`${site.schema}.words`, 'equal', 10],
      ])
      expect(reports.flatMap(({ notCompared }) => notCompared)).toEqual([])
    })
  },
)
