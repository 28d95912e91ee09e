/** Owners that die, or sleep, within a change of a table's columns. */
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import type { Instance } from '../instances.ts'
import { until } from '../instances.ts'
import { text } from './shop-site.ts'
import { Site } from './site.ts'

const site = (name: string) => ({
  kind: 'mariadb' as const,
  name,
  tables: [{ name: 't', columns: [] }],
  schema: ['CREATE TABLE @S@.t (id INT PRIMARY KEY, v VARCHAR(10))'],
  // Else the converter sends the default of a column for null.
  connector: { 'value.converter.replace.null.with.default': 'false' },
})

const columnsOf = (...names: readonly string[]) => names.map(name => text('mariadb', name))

it('killed at each step of a change: the columns and the defaults of old rows end as in the source', async () => {
  await Site.use(site('evolvekills'), async own => {
    await own.sql("INSERT INTO @S@.t VALUES (1, 'one'), (2, 'two')")
    own.running.start()
    await own.untilFollowed()
    await own.running.stop()
    const points = [
      // Nothing is done.
      'evolve.claimed:1',
      // The change before is in doubt, which is a claim of its own; the columns are there, their defaults are not.
      'evolve.claimed:3',
      // The server has all of it, the log does not know it.
      'evolve.changed:1',
      'evolve.committed:1',
    ]
    for (const [index, point] of points.entries()) {
      await own.sql(
        `ALTER TABLE @S@.t ADD COLUMN c${index} VARCHAR(10) NOT NULL DEFAULT 'd${index}'`,
        `INSERT INTO @S@.t (id, v) VALUES (${10 + index}, '${point.slice(7, 14)}')`,
      )
      const killed = own.running.start({ FORAGER_CRASH_AT: point })
      expect(await killed.ended, point).toEqual({ code: null, signal: 'SIGKILL' })
    }
    own.running.start()
    await own.untilFollowed()
    const columns = columnsOf('id', 'v', ...points.map((_, index) => `c${index}`))
    expect(await own.differences([{ name: 't', columns }])).toEqual([])
    await own.running.stop()
    expect(await own.stagedFiles()).toEqual([])
  })
})

it('an owner that is suspended before the defaults sends its statement late, and changes nothing', async () => {
  await Site.use(site('evolvepause'), async own => {
    await own.sql("INSERT INTO @S@.t VALUES (1, 'one'), (2, 'two')")
    own.running.start()
    await own.untilFollowed()
    await own.running.stop()
    await own.sql(
      "ALTER TABLE @S@.t ADD COLUMN c VARCHAR(10) DEFAULT 'd'",
      "INSERT INTO @S@.t VALUES (3, 'three', 'own')",
    )
    // The second claim is the one before the defaults.
    const paused = own.running.start({ FORAGER_STOP_AT: 'evolve.claimed:2' })
    await until('it is suspended', () => isStopped(paused))
    own.running.start()
    await own.untilMark()
    // Now null is what the source has.
    await own.sql('UPDATE @S@.t SET c = NULL WHERE id = 1')
    await own.untilFollowed()
    const tables = [{ name: 't', columns: columnsOf('id', 'v', 'c') }]
    expect(await own.differences(tables)).toEqual([])
    const before = assignments(paused)
    paused.signal('SIGCONT')
    await until('it joins again', () => assignments(paused) > before)
    await own.untilFollowed()
    expect(await own.differences(tables)).toEqual([])
    await own.running.stop()
  })
})

function assignments({ lines }: Instance): number {
  return lines.filter(({ event }) => event === 'tasks.assigned').length
}

/** Linux shows it in the state of the process. */
async function isStopped({ pid }: Instance): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
}
