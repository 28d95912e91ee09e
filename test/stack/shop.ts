/** The shop of the simulator as topics of a real broker, and what its tables must be. */
import { join } from 'node:path'
import type { Log } from '../../log/log.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { seededRandom } from '../../runtime/random.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { extraDefault } from '../../testkit/simulation/source-rows.ts'
import { sourceTopic, Workload } from '../../testkit/simulation/workload.ts'
import { newName, partitionsOf } from './instances.ts'

const tables = ['user', 'product']

export interface Shop {
  readonly topics: readonly string[]
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[]
  /** In the order of the source, over all partitions. */
  readonly records: readonly LogRecord[]
  readonly workload: Workload
}

export interface ShopOptions {
  readonly seed: number
  /** Of each of the two topics. */
  readonly partitions: number
  readonly events: number
  readonly maxId: number
  /** In a thousand statements, how often a producer sends a block again. */
  readonly resends?: number
  /** The changes of a row go through any partition. */
  readonly spreads?: boolean
  /** Of the statements, how many truncate their table; by default none. */
  readonly truncateShare?: number
}

export function makeShop(options: ShopOptions): Shop {
  const { seed, partitions, events, maxId, resends = 1, spreads = false } = options
  const { truncateShare = 0 } = options
  const random = seededRandom(seed)
  const source = new MemorySource(
    Object.fromEntries(tables.map(table => [sourceTopic(table), partitions])),
  )
  const truncates = truncateShare > 0
  const rules = { partitions, maxId, truncates, truncateShare, spreads }
  const workload = new Workload({
    randomOf: () => random,
    statements: null,
    source,
    tables,
    ...rules,
  })
  const all = source.topics.flatMap(({ name }) => partitionsOf(name, partitions))
  const records: LogRecord[] = []
  const taken = new Map(all.map(at => [source.records(at), 0]))
  while (records.length < events) {
    workload.step()
    if (random.next() * 1000 < resends) workload.resend()
    for (const [own, from] of taken) {
      if (own.length === from) continue
      for (const record of own.slice(from)) records.push(record)
      taken.set(own, own.length)
    }
  }
  const prefix = newName('shop')
  const named = records.map(record => ({ ...record, topic: `${prefix}.${record.topic}` }))
  const topics = source.topics.map(({ name }) => `${prefix}.${name}`)
  return {
    topics,
    partitions: topics.flatMap(topic => partitionsOf(topic, partitions)),
    records: named,
    workload,
  }
}

export async function makeTopics(log: Log, shop: Shop): Promise<void> {
  for (const name of shop.topics) {
    const partitions = shop.partitions.filter(({ topic }) => topic === name).length
    await log.createTopic({ name, partitions, cleanup: 'delete' })
  }
}

export function shopConfig(applicationId: string, broker: string, shop: Shop) {
  return {
    applicationId,
    source: {
      type: 'kafka',
      brokers: [broker],
      topics: shop.topics,
      format: 'debezium-json',
      sessionTimeout: '6s',
      requestTimeout: '5s',
      retryTimeout: '5m',
    },
    tables: [
      {
        from: 'shop.product',
        to: 'product',
        partitionBy: 'year_month(month)',
        columns: monthIsDate,
      },
      { from: 'shop.*', to: '{table}' },
    ],
    warehouse: { type: 'embedded', path: 'warehouse' },
    window: { maxAge: '2s', maxRows: 5000 },
    commitInterval: '200ms',
  }
}

const monthIsDate = { types: { month: 'date' } }

/** What differs between the tables and the database, in words; at most a few. */
export async function differences(warehouse: string, shop: Shop): Promise<string[]> {
  const found: string[] = []
  for (const name of tables) {
    const expected = new Map(shop.workload.rowsOf(name).map(row => [row.id, row]))
    const table = await openTable(nodeFileSystem, warehouse, name)
    const names = table.schema.columns.map(column => column.name)
    for await (const part of table.rows()) {
      for (const { values } of part) {
        const row = Object.fromEntries(names.map((column, index) => [column, values[index]]))
        const id = Number(row.id)
        const wanted = expected.get(id)
        if (wanted === undefined) found.push(`${name} ${id}: is there, and must not be`)
        else if (Number(row.version) !== wanted.version || row.body !== wanted.body) {
          found.push(`${name} ${id}: is version ${String(row.version)}, must be ${wanted.version}`)
        } else if ((row.extra ?? extraDefault) !== wanted.extra) {
          found.push(`${name} ${id}: extra is ${String(row.extra)}, must be ${wanted.extra}`)
        }
        if (!expected.delete(id) && wanted !== undefined) found.push(`${name} ${id}: twice`)
      }
    }
    for (const id of expected.keys()) found.push(`${name} ${id}: is missing`)
  }
  return found.slice(0, 20)
}

export function warehouseIn(folder: string): string {
  return join(folder, 'warehouse')
}
