import { describe, expect, it } from 'vitest'
import { shopSchema, shopTables } from './shop-site.ts'
import type { SiteOptions } from './site.ts'
import { Site } from './site.ts'

describe.each(['mariadb', 'postgres'] as const)('the shop from %s', kind => {
  const options: SiteOptions = {
    kind,
    name: 'shop',
    tables: shopTables(kind),
    schema: [
      ...shopSchema(kind),
      `INSERT INTO @S@.user VALUES (1, 'Änne', 'F', '2024-02-29 12:00:00.000001'),
        (2, 'Bo;b''s \\\\ "name"', 'M', '1969-12-31 00:00:00'), (3, NULL, NULL, '9999-12-31 23:59:59.999999')`,
      `INSERT INTO @S@.product VALUES (1, 'Phone 📱', 2999.00, 5), (2, 'Cable', 0.01, NULL), (3, '', NULL, -1)`,
      `INSERT INTO @S@.user_order SELECT id, id, 1, 10.50, '2024-01-31 10:00:00.5' FROM @S@.user`,
    ],
    rules: {
      user: { partitionBy: 'sex' },
      user_order: { partitionBy: 'year_month(create_time)' },
    },
  }

  // PostgreSQL's tables have `REPLICA IDENTITY DEFAULT`: nothing says which partition a row is leaving.
  it('is in Hive after the snapshot, and follows inserts, updates, deletes, changed keys and moves', async () => {
    await Site.use(options, async site => {
      site.running.start()
      await site.untilFollowed()
      expect(await site.differences()).toEqual([])
      await site.sql(
        `INSERT INTO @S@.user VALUES (4, 'Dee', 'F', '2025-06-01 00:00:00'), (5, 'Eve', 'F', '2025-06-01 00:00:00')`,
        `UPDATE @S@.user SET sex = 'M' WHERE id IN (1, 3)`,
        `UPDATE @S@.user SET sex = NULL WHERE id = 2`,
        `DELETE FROM @S@.user WHERE id = 5`,
        `UPDATE @S@.product SET id = 40, price = 12.30 WHERE id = 2`,
        `INSERT INTO @S@.product VALUES (2, 'New cable', 1.00, 1)`,
        `UPDATE @S@.user_order SET create_time = '2024-05-01 00:00:00' WHERE id = 1`,
        `UPDATE @S@.user_order SET id = 20, create_time = '2023-12-31 23:59:59' WHERE id = 2`,
        `DELETE FROM @S@.user_order WHERE id = 3`,
      )
      await site.untilFollowed()
      expect(await site.differences()).toEqual([])
      // Moved rows move back, a deleted one comes again.
      await site.sql(
        `UPDATE @S@.user SET sex = 'F', name = 'Anna' WHERE id = 1`,
        `INSERT INTO @S@.user_order VALUES (3, 1, 1, 1.00, '2024-05-02 00:00:00')`,
        `DELETE FROM @S@.user WHERE id = 2`,
      )
      await site.untilFollowed()
      expect(await site.differences()).toEqual([])
      const partitions = await site.hive(`SHOW PARTITIONS ${site.schema}.user_order`)
      expect(partitions.flat()).toContain('year_month=2024-05')
      await site.running.stop()
      expect(await site.stagedFiles()).toEqual([])
    })
  })
})
