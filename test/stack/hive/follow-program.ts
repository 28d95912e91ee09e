/** Forager follows a seeded program of statements while it runs; at rest Hive has what the database has. */
import { expect } from 'vitest'
import { seededRandom } from '../../../runtime/random.ts'
import type { DatabaseKind } from './databases.ts'
import { Site } from './site.ts'
import {
  program,
  programRules,
  programRulesOf,
  programSchema,
  programTables,
} from './sql-program.ts'
import { verifyInHive } from './verifying.ts'

/** Of which all but the last wait until Forager has come so far. */
const parts = 4

export async function followProgram(
  kind: DatabaseKind,
  seed: number,
  statements: number,
): Promise<void> {
  const options = {
    kind,
    name: `program${statements}`,
    tables: programTables(kind),
    schema: programSchema(kind),
    rules: programRules,
  }
  await Site.use(options, async site => {
    const transactions = [...program(seededRandom(seed), statements)]
    const each = Math.ceil(transactions.length / parts)
    site.running.start()
    for (let part = 0; part < parts; part += 1) {
      await site.sql(...transactions.slice(part * each, (part + 1) * each).flat())
      if (part < parts - 1) await site.untilMark()
    }
    await site.untilFollowed()
    expect(await site.differences()).toEqual([])
    const { isEqual, tables } = await verifyInHive(kind, programRulesOf(site.schema))
    expect(tables.flatMap(({ notCompared }) => notCompared)).toEqual([])
    expect(isEqual).toBe(true)
    await site.running.stop()
    expect(await site.stagedFiles()).toEqual([])
  })
}
