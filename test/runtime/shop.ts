/**
 * A small source of changes and a topology over it: a table of users with an id, a version and a month
 * by which it is partitioned. What the tables must end as is folded from the events in the naive way.
 */
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { partitionOfBytes } from '../../model/partitioner.ts'
import type { FileSystem } from '../../runtime/file-system.ts'
import type { Random } from '../../runtime/random.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import { inMemory } from '../../state/memory-store.ts'
import type { MemorySource } from '../../testkit/memory-source.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import type { Topology } from '../../topology/topology.ts'

export const topic = 'shop.demo.user'
export const table = 'demo.user'
export const warehouse = '/warehouse'

export interface ShopOptions {
  /** Of the hop. */
  readonly partitions?: number
  readonly maxRows?: number
  readonly maxAgeMs?: number
  readonly isPartitioned?: boolean
  readonly onError?: 'fail' | 'skip'
}

export function shopTopology(options: ShopOptions = {}): Topology {
  const { partitions = 3, maxRows = 1000, maxAgeMs = 1000, isPartitioned = false } = options
  const builder = new StreamsBuilder()
  builder
    .stream([topic], { name: 'events', format: debeziumJson(), onError: options.onError ?? 'fail' })
    .repartition({ name: 'rows', partitions })
    .compact({ name: 'window', flush: { maxRows, maxAgeMs }, store: inMemory() })
    .to(embedded({ path: warehouse, ...(isPartitioned ? { partitionBy: 'month' } : {}) }), {
      name: 'tables',
    })
  return builder.build()
}

export interface User {
  readonly id: number
  readonly version: number
  readonly month: string
}

/** Writes what a connector would send, and remembers what the table has. */
export class Shop {
  readonly source: MemorySource
  readonly rows = new Map<number, User>()
  /** Of the topic: where the producer sends a key. */
  partitions: number
  readonly #topic: string
  #startMs = 0
  #version = 0
  #position = 0

  constructor(source: MemorySource, partitions: number, name = topic) {
    this.source = source
    this.partitions = partitions
    this.#topic = name
  }

  /** Goes on where another one is. */
  follow(other: Shop): void {
    for (const [id, row] of other.rows) this.rows.set(id, row)
    this.#version = other.#version
    this.#position = other.#position
    this.partitions = other.partitions
  }

  /** The time of the records that come. */
  startAt(timeMs: number): void {
    this.#startMs = timeMs
  }

  /** A random change: an insert, an update or a delete with its tombstone. */
  change(random: Random, maxId = 20): void {
    const id = 1 + Math.floor(random.next() * maxId)
    if (this.rows.has(id) && random.next() < 0.25) this.delete(id)
    else this.upsert(id, `2026-0${1 + Math.floor(random.next() * 3)}`)
  }

  upsert(id: number, month = '2026-01'): void {
    const before = this.rows.get(id) ?? null
    this.#version += 1
    const after = { id, version: this.#version, month }
    this.rows.set(id, after)
    this.#send(before === null ? 'c' : 'u', id, before, after)
  }

  delete(id: number): void {
    const before = this.rows.get(id) ?? null
    this.rows.delete(id)
    this.#send('d', id, before, null)
    this.append(id, null)
  }

  append(id: number, value: Buffer | null): void {
    const key = Buffer.from(JSON.stringify({ id }))
    this.source.append({
      topic: this.#topic,
      partition: partitionOfBytes(key, this.partitions),
      timestampMs: this.#startMs + this.#position,
      key,
      value,
      headers: [],
    })
  }

  /** The rows that the table must end with, by id. */
  expected(): string[] {
    return [...this.rows.values()].sort((a, b) => a.id - b.id).map(userText)
  }

  #send(op: string, id: number, before: User | null, after: User | null): void {
    this.#position += 1
    const source = {
      connector: 'mysql',
      name: 'shop',
      ts_ms: 1_767_225_600_000 + this.#position,
      snapshot: 'false',
      db: 'demo',
      table: 'user',
      server_id: 1,
      file: 'binlog.000001',
      pos: this.#position,
      row: 0,
    }
    const value = `{"schema":${schema},"payload":${JSON.stringify({ op, before, after, source })}}`
    this.append(id, Buffer.from(value))
  }
}

const schema = JSON.stringify({
  type: 'struct',
  fields: [
    {
      field: 'after',
      type: 'struct',
      fields: [
        { field: 'id', type: 'int32', optional: false },
        { field: 'version', type: 'int64', optional: false },
        { field: 'month', type: 'string', optional: false },
      ],
    },
  ],
})

function userText({ id, version, month }: User): string {
  return JSON.stringify([id, version, month])
}

/** The rows of the table as a reader sees them; empty when there is no table. */
export async function rowsIn(fileSystem: FileSystem): Promise<string[]> {
  const rows: string[] = []
  try {
    for await (const part of (await openTable(fileSystem, warehouse, table)).rows()) {
      rows.push(...part.map(({ values }) => JSON.stringify(values)))
    }
  } catch (error) {
    if ((error as { code?: string }).code !== 'table-not-found') throw error
  }
  return rows
}

/** The same records, but for those that are changed. */
export function copyRecords(
  from: MemorySource,
  to: MemorySource,
  change: (record: LogRecord) => LogRecord | null = record => record,
): void {
  for (const { name, partitions } of from.topics) {
    for (let partition = 0; partition < partitions; partition += 1) {
      for (const record of from.records({ topic: name, partition })) {
        const changed = change(record)
        if (changed !== null) to.append(changed)
      }
    }
  }
}
