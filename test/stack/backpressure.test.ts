/**
 * A warehouse that takes long: while it does nothing is read, so that a backlog stays in the cluster and
 * not in memory; and the group keeps the member, whose heartbeats go on.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, inject, it } from 'vitest'
import {
  CounterRegistry,
  debeziumJson,
  embedded,
  inMemory,
  Streams,
  StreamsBuilder,
  type Warehouse,
  type WarehouseSink,
} from '../../index.ts'
import { KafkaLog } from '../../log/kafka/kafka-log.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { systemClock } from '../../runtime/clock.ts'
import { systemRandom } from '../../runtime/random.ts'
import { DebeziumTable } from './debezium.ts'
import { newFolder, newName, openKafka, partitionsOf, until, untilApplied } from './instances.ts'
import { writeInParts } from './running.ts'
import { warehouseIn } from './shop.ts'
import { readTable, tableDifferences } from './tables.ts'

const log = openKafka(inject('broker'))
afterAll(() => log.close())

const sessionTimeoutMs = 3000
const ids = 5000
const versions = 8

/** The first apply waits until it is let through. */
class Gate {
  isReached = false
  #open: () => void = () => undefined
  readonly #opened = new Promise<void>(resolve => {
    this.#open = resolve
  })

  open(): void {
    this.#open()
  }

  before(sink: WarehouseSink): WarehouseSink {
    const guard = (warehouse: Warehouse): Warehouse => ({
      name: warehouse.name,
      isRemote: warehouse.isRemote,
      keeps: warehouse.keeps,
      parallel: warehouse.parallel,
      open: (table, logged) => warehouse.open(table, logged),
      evolve: request => warehouse.evolve(request),
      look: (...given) => warehouse.look(...given),
      describeTable: (...given) => warehouse.describeTable(...given),
      describeChanges: (...given) => warehouse.describeChanges(...given),
      close: () => warehouse.close(),
      apply: async request => {
        this.isReached = true
        await this.#opened
        return await warehouse.apply(request)
      },
    })
    return {
      name: sink.name,
      targetOf: table => sink.targetOf(table),
      policyOf: target => sink.policyOf(target),
      open: context => {
        const parts = sink.open(context)
        return { ...parts, warehouse: guard(parts.warehouse) }
      },
    }
  }
}

it('nothing is fetched on while the warehouse applies, and the membership stays', async () => {
  const topic = newName('pressed')
  const partitions = 2
  await log.createTopic({ name: topic, partitions, cleanup: 'delete' })
  const table = new DebeziumTable(
    { topic, partitions, table: 'pressed' },
    {
      id: 'int64',
      version: 'int64',
    },
  )
  function* events(): Generator<LogRecord> {
    for (let version = 1; version <= versions; version += 1) {
      for (let id = 1; id <= ids; id += 1) {
        const at = { pos: (version * ids + id) * 100, row: 0 }
        const before = version === 1 ? null : { id, version: version - 1 }
        yield table.change({ op: version === 1 ? 'c' : 'u', before, after: { id, version }, at })
      }
    }
  }
  await writeInParts(log, events())

  const folder = newFolder()
  const gate = new Gate()
  const metrics = new CounterRegistry()
  const own = new KafkaLog({
    brokers: [inject('broker')],
    clientId: 'pressed',
    clock: systemClock,
    random: systemRandom,
    sessionTimeoutMs,
    heartbeatIntervalMs: 500,
  })
  const builder = new StreamsBuilder()
  builder
    .stream([topic], { name: 'in', format: debeziumJson() })
    .repartition({ name: 'rows' })
    .compact({
      name: 'window',
      store: inMemory(),
      flush: { maxAgeMs: 500, maxRows: 500, maxBytes: 1024 * 1024 },
    })
    .to(gate.before(embedded({ path: warehouseIn(folder.path) })), { name: 'tables' })
  const applicationId = newName('pressed')
  const streams = new Streams(builder.build(), {
    applicationId,
    log: own,
    stateDir: folder.path,
    commitIntervalMs: 100,
    maxPollBytes: 256 * 1024,
    metrics,
  })
  const stop = new AbortController()
  const running = streams.run(stop.signal)
  try {
    await until('the warehouse applies', () => gate.isReached)
    const read = (): number => metrics.total('forager_records_consumed_total')
    const before = read()
    expect(before).toBeLessThan(ids * versions)
    const rebalances = metrics.total('forager_rebalances_total')
    // For longer than a session.
    await sleep(2 * sessionTimeoutMs)
    expect(read()).toBe(before)
    gate.open()
    await untilApplied(log, applicationId, partitionsOf(topic, partitions), { deadlineMs: 240_000 })
    expect(metrics.total('forager_rebalances_total')).toBe(rebalances)
    expect(metrics.total('forager_tasks_fenced_total')).toBe(0)
    stop.abort()
    expect(await running).toBe('stopped')
    const rows = await readTable(warehouseIn(folder.path), 'shop.pressed')
    const expected = new Map(
      Array.from({ length: ids }, (_, index) => {
        return [String(index + 1), { id: index + 1, version: versions }] as const
      }),
    )
    expect(tableDifferences(rows, ({ id }) => String(id), expected)).toEqual([])
  } finally {
    gate.open()
    stop.abort()
    await running.catch(() => undefined)
    await own.close()
    folder.remove()
  }
})
