import { describe, expect, it } from 'vitest'
import type { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { openDriver, rowsAfter } from './driver.ts'
import type { Change, Row, Sender } from './senders.ts'
import { senders } from './senders.ts'

const count = 1000
const partitions = 8
const [debezium, canal, maxwell] = senders as readonly [Sender, Sender, Sender]

/** `insert … values (1) … (1000)`, then `update t set id = id + 1`, the highest id first. */
function shifted(): { changes: Change[]; rows: Row[] } {
  const ids = Array.from({ length: count }, (_, index) => index + 1)
  const inserts = ids.map(id => ({ before: null, after: { id, n: id }, pos: 10 * id }))
  const updates = ids.toReversed().map((id, index) => {
    return { before: { id, n: id }, after: { id: id + 1, n: id }, pos: 100_000 + 10 * index }
  })
  return { changes: [...inserts, ...updates], rows: ids.map(id => ({ id: id + 1, n: id })) }
}

/** One row that goes through all ids, beside one that stays where the first began. */
function chained(): { changes: Change[]; rows: Row[] } {
  const changes: Change[] = [{ before: null, after: { id: 1, n: 0 }, pos: 10 }]
  for (let id = 1; id <= count; id += 1) {
    const [before, after] = [
      { id, n: id - 1 },
      { id: id + 1, n: id },
    ]
    changes.push({ before, after, pos: 10 * (id + 1) })
  }
  changes.push({ before: null, after: { id: 1, n: -1 }, pos: 1_000_000 })
  const rows = [
    { id: 1, n: -1 },
    { id: count + 1, n: count },
  ]
  return { changes, rows }
}

const programs = [
  ['of a thousand rows', shifted],
  ['of one row, a thousand times', chained],
] as const

/** Small windows: the halves of a changed key come into the table at different times. */
function open(sender: Sender, topicPartitions: number): Promise<TopologyTestDriver> {
  return openDriver({
    format: sender.format(),
    topics: { [sender.topic]: topicPartitions },
    hop: partitions,
    flush: { maxRows: 100 },
    ordering: sender === maxwell ? 'position' : 'log',
  })
}

describe('row 8, a changed primary key that goes through another partition', () => {
  it.each(programs)(
    '`update t set id = id + 1` %s, through eight partitions of Debezium, ends equal',
    async (_what, makeProgram) => {
      const { changes, rows } = makeProgram()
      const driver = await open(debezium, partitions)
      const records = changes.flatMap(one => debezium.send(one, partitions))
      expect(new Set(records.map(({ partition }) => partition)).size).toBe(partitions)
      expect(await rowsAfter(driver, records)).toEqual(rows)
    },
  )

  // canal partitions by the new key, and its messages have no positions.
  it.each(programs)(
    'the same %s, through one partition of canal and eight of the hop, ends equal',
    async (_what, makeProgram) => {
      const { changes, rows } = makeProgram()
      const driver = await open(canal, 1)
      expect(
        await rowsAfter(
          driver,
          changes.flatMap(one => canal.send(one)),
        ),
      ).toEqual(rows)
    },
  )

  it.each(programs)(
    'the same %s, through eight partitions of canal, is refused, and says why',
    async (_what, makeProgram) => {
      const driver = await open(canal, partitions)
      const records = makeProgram().changes.flatMap(one => {
        return canal.send(one, partitions, one.after!.id % partitions)
      })
      await expect(driver.pipeInput(records)).rejects.toMatchObject({
        code: 'changed-key-unordered',
        message: expect.stringContaining('changed its key') as string,
      })
    },
  )

  it.each(programs)(
    'the same %s, through eight partitions of Maxwell under `ordering: position`, ends equal',
    async (_what, makeProgram) => {
      const { changes, rows } = makeProgram()
      const driver = await open(maxwell, partitions)
      const records = changes.flatMap(one => {
        return maxwell.send(one, partitions, one.after!.id % partitions)
      })
      expect(await rowsAfter(driver, records)).toEqual(rows)
    },
  )
})
