/** canal's messages through the whole topology, and the partitions that canal would send them to. */
import { canalJson } from '../../formats/canal/canal-json.ts'
import type { Format } from '../../formats/decoder.ts'
import type { TableRule } from '../../processors/route-tables.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import type { ErrorPolicy, KeyedBy } from '../../topology/nodes.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'

export interface CanalSetup {
  readonly format?: Format
  readonly partitions?: number
  readonly rule?: Partial<TableRule>
  readonly onError?: ErrorPolicy
  readonly keyedBy?: KeyedBy
}

/** Tables of `shop` through the topic `canal`. */
export async function openCanal(setup: CanalSetup = {}): Promise<TopologyTestDriver> {
  const { rule = {}, partitions = 1 } = setup
  const router = new TableRouter([{ from: 'shop.*', to: '{table}', ...rule }])
  const { key } = rule
  const builder = new StreamsBuilder()
  builder
    .stream(['canal'], {
      name: 'events',
      format: setup.format ?? canalJson(),
      hintsOf: () => (key === undefined ? {} : { key }),
      onError: setup.onError ?? 'fail',
      keyedBy: setup.keyedBy ?? 'unknown',
    })
    .route(router, { name: 'route' })
    .repartition({ name: 'rows', partitions: 2 })
    .compact({ name: 'window', flush: { maxRows: 1000, maxAgeMs: 1000 }, store: inMemory() })
    .to(embedded({ path: '/warehouse', partitionBy: table => router.partitionByOf(table) }), {
      name: 'tables',
    })
  return await TopologyTestDriver.open(builder.build(), { topics: { canal: partitions } })
}

export function send(
  driver: TopologyTestDriver,
  messages: readonly unknown[],
  partition = 0,
): Promise<void> {
  return driver.pipeInput(
    messages.map(message => {
      const value = typeof message === 'string' ? message : JSON.stringify(message)
      return { topic: 'canal', partition, key: null, value }
    }),
  )
}

export async function tableAfter(
  driver: TopologyTestDriver,
  messages: readonly unknown[],
  table = 'orders',
): Promise<readonly unknown[]> {
  await send(driver, messages)
  await driver.drain()
  return (await driver.rows(table)) ?? []
}

type Message = Readonly<Record<string, unknown>>

/**
 * A message as canal sends it over so many partitions with `canal.mq.partitionHash=.*\\..*:$pk$` (1.1.7,
 * MQMessageUtils): its rows apart, by the hash of their keys; what has no rows through the first.
 */
export function split(message: Message, partitions: number): readonly [number, Message][] {
  const { data, old, pkNames } = message
  if (!Array.isArray(data)) return [[0, message]]
  const parts = new Map<number, { data: unknown[]; old: unknown[] }>()
  for (const [index, row] of (data as Readonly<Record<string, string>>[]).entries()) {
    let hash = 0
    for (const name of (pkNames ?? []) as readonly string[]) hash ^= javaHash(row[name] ?? '')
    const partition = Math.abs(hash) % partitions
    const part = parts.get(partition) ?? { data: [], old: [] }
    parts.set(partition, part)
    part.data.push(row)
    if (Array.isArray(old)) part.old.push(old[index])
  }
  return [...parts].map(([partition, part]) => {
    return [partition, { ...message, data: part.data, old: old === null ? null : part.old }]
  })
}

/** `String.hashCode` of Java. */
function javaHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index += 1) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  }
  return hash
}
