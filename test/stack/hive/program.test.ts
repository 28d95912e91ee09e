import { expect, it } from 'vitest'
import { seededRandom } from '../../../runtime/random.ts'
import { Site } from './site.ts'
import { program, programRules, programSchema, programTables } from './sql-program.ts'

it.each([
  ['mariadb', 11],
  ['postgres', 12],
] as const)(
  '600 statements on four tables of %s end in Hive as they do there',
  async (kind, seed) => {
    const random = seededRandom(seed)
    const options = {
      kind,
      name: 'program',
      tables: programTables(kind),
      schema: programSchema(kind),
      rules: programRules,
    }
    await Site.use(options, async site => {
      const transactions = [...program(random, 600)]
      // A part is there before the connector's snapshot ends; the others come while Forager applies.
      const parts = 4
      const each = Math.ceil(transactions.length / parts)
      site.running.start()
      for (let part = 0; part < parts; part += 1) {
        await site.sql(...transactions.slice(part * each, (part + 1) * each).flat())
        if (part < parts - 1) await site.untilMark()
      }
      await site.untilFollowed()
      expect(await site.differences()).toEqual([])
      await site.running.stop()
      expect(await site.stagedFiles()).toEqual([])
    })
  },
)
