/**
 * A backlog that is read under a small heap into one window of all its tables: what a process of this
 * size needs, and that its tables are right.
 */
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { KafkaLog } from '../../log/kafka/kafka-log.ts'
import { newName, partitionsOf } from './instances.ts'
import type { OrdersOptions } from './orders.ts'
import { expectedOrders, orderRecords, orderTable, orderTypes } from './orders.ts'
import { Running, writeInParts } from './running.ts'
import { readTable, tableDifferences } from './tables.ts'

export interface BacklogOptions {
  readonly events: number
  readonly tables: number
  readonly heapMiB: number
  /** Long enough for most of the backlog to be read. */
  readonly windowSeconds: number
  /** What the process may take at its peak, with all that is beside its heap. */
  readonly maxResidentMiB: number
}

/** Resolves to the peak of its memory. */
export async function readBacklog(
  log: KafkaLog,
  broker: string,
  { events, tables, heapMiB, windowSeconds, maxResidentMiB }: BacklogOptions,
): Promise<number> {
  const topic = newName('backlog')
  const partitions = 2
  const orders: OrdersOptions = {
    topicOf: () => topic,
    partitions,
    tables,
    // Every row changes a few times.
    ids: Math.floor(events / tables / 4),
    events,
  }
  await log.createTopic({ name: topic, partitions, cleanup: 'delete' })
  await writeInParts(log, orderRecords(orders))
  const config = {
    source: { type: 'kafka', brokers: [broker], topics: [topic], format: 'debezium-json' },
    tables: [{ from: 'shop.*', to: '{table}', columns: { types: orderTypes } }],
    warehouse: { type: 'embedded', path: 'warehouse' },
    window: { maxAge: `${windowSeconds}s`, maxRows: events, maxBytes: '100GiB' },
    state: { store: 'persistent', memory: '8MiB' },
  }
  const env = { NODE_OPTIONS: `--max-old-space-size=${heapMiB} --max-semi-space-size=4` }
  let peakMiB = 0
  await Running.use({ name: 'backlog', log, config, env }, async running => {
    const { pid } = running.start()
    await running.untilApplied(partitionsOf(topic, partitions), {
      deadlineMs: 3_600_000,
      whileWaiting: () => {
        peakMiB = Math.max(peakMiB, residentMiB(pid))
      },
    })
    await running.stop()
    const windows = running.instances[0]!.lines.filter(({ event }) => event === 'window.closed')
    const largest = Math.max(...windows.map(line => Number(line.events)))
    // The rest came when the first one of its task was closed already.
    expect(largest).toBeGreaterThan(events / partitions / 2)
    for (let table = 0; table < tables; table += 1) {
      const rows = await readTable(running.warehouse, orderTable(table))
      const expected = expectedOrders(table, orders)
      expect(
        tableDifferences(rows, ({ id }) => String(id), expected),
        orderTable(table),
      ).toEqual([])
    }
    expect(peakMiB).toBeLessThan(maxResidentMiB)
  })
  return peakMiB
}

/** Without pages of files, which the system takes back when it wants. */
function residentMiB(pid: number): number {
  const [, kilobytes] = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!
  return Math.round(Number(kilobytes) / 1024)
}
