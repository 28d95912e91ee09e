/**
 * 02 — A processor of one's own. Two tables go through one path; between decoding and keying stand
 * three kinds of nodes that a user writes: a filter, RxJS operators, and a processor.
 *
 *     npx node examples/02-own-processor.ts
 *
 * It runs in the test driver, with a clock that stands until it is told to go on: what it prints is
 * what a test of such a topology would look at.
 */

import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { map } from 'rxjs'
import {
  type ChangeEvent,
  debeziumJson,
  embedded,
  nodeFileSystem,
  type Processor,
  type ProcessorContext,
  persistent,
  type Row,
  StreamsBuilder,
  type Topology,
} from '../index.ts'
import { TopologyTestDriver } from '../testkit/index.ts'

/**
 * Hides what stands before the @ of an address. One instance a task; what it keeps in fields is gone
 * after each commit, so it keeps nothing but its context.
 */
class MaskEmail implements Processor {
  #context: ProcessorContext | undefined

  init(context: ProcessorContext): void {
    this.#context = context
  }

  process(event: ChangeEvent): void {
    this.#context!.forward({ ...event, before: masked(event.before), after: masked(event.after) })
  }
}

function masked(row: Row | null): Row | null {
  if (row === null) return null
  // The column was renamed while the events were recorded: both names are the same secret.
  const entries = ['email', 'mail'].flatMap(name => {
    const value = row[name]
    return typeof value === 'string' ? [[name, value.replace(/^[^@]*/, '***')] as const] : []
  })
  return { ...row, ...Object.fromEntries(entries) }
}

/** Any synchronous operators of RxJS will do; they see one event at a time. */
const upperCaseNames = map((event: ChangeEvent): ChangeEvent => {
  const name = event.after?.name
  if (event.table !== 'demo.product' || typeof name !== 'string') return event
  return { ...event, after: { ...event.after, name: name.toUpperCase() } }
})

export function ownProcessor(warehousePath: string): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream(['m2.demo.user', 'm2.demo.product'], { name: 'shop', format: debeziumJson() })
    // A delete must pass every filter that its row passed before: filter by key, not by column.
    .filter(event => event.key?.id !== 3, { name: 'without-row-3' })
    .pipe('upper-case-names', upperCaseNames)
    .process(() => new MaskEmail(), { name: 'mask-email' })
    .repartition({ name: 'shop-by-key', partitions: 2 })
    .compact({ name: 'shop-window', flush: { maxRows: 1000 }, store: persistent() })
    .to(embedded({ path: warehousePath }), { name: 'shop-tables' })
  return builder.build()
}

interface RecordedLine {
  readonly topic: string
  readonly partition: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
}

async function main(): Promise<void> {
  const topology = ownProcessor('/warehouse')
  process.stdout.write(`${topology.describe('example-02').toString()}\n`)

  // `m2` is where the connector tells of schemas: its rows came without.
  const topics = { m2: 1, 'm2.demo.user': 1, 'm2.demo.product': 1 }
  const driver = await TopologyTestDriver.open(topology, { topics })
  const file = await nodeFileSystem.readFile(join(import.meta.dirname, 'shop/events.jsonl.gz'))
  const lines = gunzipSync(file).toString().trimEnd().split('\n')
  const records = lines
    .map(line => JSON.parse(line) as RecordedLine)
    .filter(({ topic }) => topic in topics)
    .map(({ topic, partition, timestamp: timestampMs, key, value }) => ({
      topic,
      partition,
      timestampMs,
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    }))
  await driver.pipeInput(records)
  await driver.advance(60_000)
  for (const table of ['demo.user', 'demo.product']) {
    process.stdout.write(`\n${table}\n`)
    for (const row of (await driver.rows(table)) ?? []) {
      process.stdout.write(`${Object.values(row).join(' | ')}\n`)
    }
  }
}

if (import.meta.main) await main()
