/** A column that comes between two windows of different tasks: one has it, and the other is late and has not. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { encodeKey } from '../../../model/key.ts'
import { partitionOfKey } from '../../../model/partitioner.ts'
import { column } from '../../sinks/embedded/changes.ts'
import { text } from '../../stack/hive/shop-site.ts'
import type { SiteOptions } from '../../stack/hive/site.ts'
import { Site } from '../../stack/hive/site.ts'
import type { Instance } from '../../stack/instances.ts'
import { until } from '../../stack/instances.ts'

const hop = 3
const deadlineMs = 120_000

/** Partitions of the hop that it has. */
function windowsOf({ lines }: Instance): readonly number[] {
  const assigned = lines.findLast(({ event }) => event === 'tasks.assigned')
  return [...`${assigned?.tasks as string}`.matchAll(/-repartition-(\d+)/g)].map(([, at]) =>
    Number(at),
  )
}

const lastOf = ({ lines }: Instance, event: string, table: string): number =>
  lines.findLastIndex(line => line.event === event && line.table === table)

it.each(['mariadb', 'postgres'] as const)(
  'a window of %s from before a column comes after one that has it',
  async kind => {
    const options: SiteOptions = {
      kind,
      name: 'windows',
      tables: [{ name: 't', columns: ['id', 'name', 'age'].map(name => text(kind, name)) }],
      schema: ['CREATE TABLE @S@.t (id INT PRIMARY KEY, name VARCHAR(20))'],
      topicPartitions: 3,
      // Who is suspended keeps its tasks.
      source: { sessionTimeout: '2m' },
      config: { window: { maxAge: '6s' } },
    }
    await Site.use(options, async site => {
      const table = `${site.schema}.t`
      const windowOf = (id: number): number =>
        partitionOfKey(table, encodeKey([column('1', 'int', { nullable: false })], [id]), hop)
      const instances = [site.running.start(), site.running.start()]
      await until(
        'both have windows',
        () => instances.every(one => windowsOf(one).length > 0),
        deadlineMs,
      )
      await site.sql(...[1, 2, 3, 4, 5, 6].map(id => `INSERT INTO @S@.t VALUES (${id}, 'a')`))
      await site.untilFollowed()
      const [merger, late] = instances.sort(
        (a, b) => lastOf(b, 'batch.applied', table) - lastOf(a, 'batch.applied', table),
      ) as [Instance, Instance]
      expect(lastOf(late, 'batch.applied', table)).toBe(-1)
      const others = windowsOf(merger)
      const ids = Array.from({ length: 60 }, (_, index) => 100 + index)
      const own = ids.filter(id => others.includes(windowOf(id)))
      expect(own.length).toBeGreaterThan(0)
      expect(own.length).toBeLessThan(ids.length)

      // Rows of before, in the open windows of both.
      await site.sql(...ids.map(id => `INSERT INTO @S@.t VALUES (${id}, 'before')`))
      await sleep(3000)
      late.signal('SIGSTOP')
      await site.sql(
        'ALTER TABLE @S@.t ADD COLUMN age INT NOT NULL DEFAULT 7',
        ...own.map(id => `UPDATE @S@.t SET age = 8 WHERE id = ${id}`),
      )
      const changed = (): boolean => lastOf(merger, 'table.changed', table) >= 0
      // Sources of the one that is suspended are not read: rows of others tell it.
      await until('the column is in Hive', changed, deadlineMs)
      const staged = lastOf(late, 'batch.staged', table)
      late.signal('SIGCONT')
      await site.untilFollowed()
      expect(lastOf(late, 'batch.staged', table)).toBeGreaterThan(staged)
      expect(await site.differences()).toEqual([])
      await site.running.stop()
      expect(await site.stagedFiles()).toEqual([])
    })
  },
)
