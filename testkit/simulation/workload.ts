/**
 * A database in the simulator: a seeded program of changes over some tables, the change events that a
 * connector would send for them, and every state that each row ever had, for the judge.
 *
 * Each change gives the row a version that no other state has, so that a state that is read tells when
 * it was.
 */
import { partitionOfBytes } from '../../model/partitioner.ts'
import type { Random } from '../../runtime/random.ts'
import type { MemorySource, NewRecord } from '../memory-source.ts'

/** A row as the tables show it; null: there is none. */
export interface SourceRow {
  readonly id: number
  readonly version: number
  readonly month: string
  readonly note: string | null
  /** Large: an update that does not touch it may leave it out. */
  readonly body: string
  /** Added in the middle of the program, with a default for the rows of before. */
  readonly extra: string
}

/** All states of one row, in order; the first is that it is not there. */
export type RowHistory = (SourceRow | null)[]

export interface WorkloadOptions {
  readonly random: Random
  readonly source: MemorySource
  readonly tables: readonly string[]
  /** Of every source topic. */
  readonly partitions: number
  /** Ids are 1 to this: small, so that rows come and go often. */
  readonly maxId: number
  readonly truncates: boolean
  /** The producer sends each message through any partition, and whole rows only. */
  readonly spreads?: boolean
}

export const sourceTopic = (table: string): string => `sim.shop.${table}`

const unsent = '__debezium_unavailable_value'
export const extraDefault = 'by default'
/** More than a source task remembers of one position, where there is one partition. */
const bulkRows = 140
const firstBulkId = 1000
/** By a producer that spreads its messages. */
const maxResent = 30

export class Workload {
  readonly histories = new Map<string, Map<number, RowHistory>>()
  readonly #options: WorkloadOptions
  #version = 0
  #position = 4
  #hasExtra = false
  /** The table that rows were loaded into in bulk. */
  #bulkTable: string | null = null
  /** The last messages, in the order in which they were sent. */
  #sent: NewRecord[] = []

  constructor(options: WorkloadOptions) {
    this.#options = options
    for (const table of options.tables) {
      const rows = new Map<number, RowHistory>()
      for (let id = 1; id <= options.maxId; id += 1) rows.set(id, [null])
      this.histories.set(table, rows)
    }
  }

  /** What the database has now. */
  rowsOf(table: string): SourceRow[] {
    return [...this.histories.get(table)!.values()].flatMap(history => history.at(-1) ?? [])
  }

  /** One statement, and the events that it causes. */
  step(): void {
    const { random, tables } = this.#options
    const table = tables[Math.floor(random.next() * tables.length)]!
    const id = 1 + Math.floor(random.next() * this.#options.maxId)
    const row = this.#row(table, id)
    this.#position += 100
    const choice = random.next()
    if (choice < 0.01 && this.#options.truncates) this.#truncate(table)
    else if (choice < 0.03) this.#hasExtra = true
    else if (choice < 0.032 && this.#bulkTable === null) this.#loadInBulk(table)
    else if (row === null) this.#insert(table, id)
    else if (choice < 0.25) this.#delete(table, row)
    else if (choice < 0.4) this.#changeKey(table, row)
    else this.#update(table, row)
  }

  /** The producer crashed: it sends the last records of one partition again. */
  resend(): void {
    const { random, tables, partitions, source } = this.#options
    if (this.#options.spreads === true) {
      this.#resendSpread()
      return
    }
    const table = tables[Math.floor(random.next() * tables.length)]!
    const partition = Math.floor(random.next() * partitions)
    const at = { topic: sourceTopic(table), partition }
    const count = 1 + Math.floor(random.next() * 12)
    // After a bulk load all of it may come again.
    const all = random.next() < 0.3 ? bulkRows : count
    source.resend(at, this.#bulkTable === table ? all : count, () => this.#anyPartition())
  }

  /** It remembers what it sent last, and not through which partitions. */
  #resendSpread(): void {
    const count = 1 + Math.floor(this.#options.random.next() * maxResent)
    for (const record of this.#sent.slice(-count)) {
      this.#options.source.append({ ...record, partition: this.#anyPartition() })
    }
  }

  #insert(table: string, id: number): void {
    const row = this.#newRow(id)
    this.#record(table, id, row)
    this.#send(table, { op: 'c', id, before: null, after: row })
  }

  /** Many new rows at one position, as PostgreSQL's COPY writes them. Once: they make tables large. */
  #loadInBulk(table: string): void {
    this.#bulkTable = table
    for (let id = firstBulkId; id < firstBulkId + bulkRows; id += 1) {
      this.histories.get(table)!.set(id, [null])
      this.#insert(table, id)
    }
  }

  #anyPartition(): number {
    return Math.floor(this.#options.random.next() * this.#options.partitions)
  }

  #update(table: string, row: SourceRow): void {
    const next = { ...this.#newRow(row.id), body: row.body }
    this.#record(table, row.id, next)
    const { random, spreads } = this.#options
    const leavesBodyOut = random.next() < 0.3 && spreads !== true
    this.#send(table, {
      op: 'u',
      id: row.id,
      before: leavesBodyOut ? { ...row, body: unsent } : row,
      after: leavesBodyOut ? { ...next, body: unsent } : next,
    })
  }

  #delete(table: string, row: SourceRow): void {
    this.#record(table, row.id, null)
    this.#send(table, { op: 'd', id: row.id, before: row, after: null })
    this.#sendTombstone(table, row.id)
  }

  #changeKey(table: string, row: SourceRow): void {
    const id = 1 + Math.floor(this.#options.random.next() * this.#options.maxId)
    if (this.#row(table, id) !== null) return
    const moved = { ...this.#newRow(id), body: row.body }
    this.#record(table, row.id, null)
    this.#record(table, id, moved)
    const headers = (name: string, key: number) => [
      { key: `__debezium.${name}`, value: Buffer.from(JSON.stringify({ id: key })) },
    ]
    // Both halves share a position.
    this.#send(table, { op: 'd', id: row.id, before: row, after: null }, headers('newkey', id))
    this.#sendTombstone(table, row.id)
    this.#send(table, { op: 'c', id, before: null, after: moved }, headers('oldkey', row.id))
  }

  #truncate(table: string): void {
    for (const id of this.histories.get(table)!.keys()) {
      if (this.#row(table, id) !== null) this.#record(table, id, null)
    }
    this.#send(table, { op: 't', id: null, before: null, after: null })
  }

  #row(table: string, id: number): SourceRow | null {
    return this.histories.get(table)!.get(id)!.at(-1) ?? null
  }

  #newRow(id: number): SourceRow {
    const { random } = this.#options
    this.#version += 1
    return {
      id,
      version: this.#version,
      month: `2026-0${1 + Math.floor(random.next() * 4)}-15`,
      note: random.next() < 0.2 ? null : `note ${this.#version}`,
      body: `body ${this.#version}`,
      extra: this.#hasExtra ? `extra ${this.#version}` : extraDefault,
    }
  }

  #record(table: string, id: number, row: SourceRow | null): void {
    this.histories.get(table)!.get(id)!.push(row)
  }

  #sendTombstone(table: string, id: number): void {
    this.#append(table, Buffer.from(JSON.stringify({ id })), null)
  }

  #send(
    table: string,
    event: { op: string; id: number | null; before: SourceRow | null; after: SourceRow | null },
    headers: { key: string; value: Buffer }[] = [],
  ): void {
    const { op, id, before, after } = event
    const ms = 1_767_225_600_000 + this.#position
    const source = {
      connector: 'mysql',
      name: 'sim',
      ts_ms: ms,
      snapshot: 'false',
      db: 'shop',
      table,
      server_id: 1,
      gtid: null,
      file: 'binlog.000001',
      pos: this.#position,
      row: 0,
    }
    const payload = { op, before: this.#columns(before), after: this.#columns(after), source }
    const value = `{"schema":${this.#schema()},"payload":${JSON.stringify(payload)}}`
    const key = id === null ? null : Buffer.from(JSON.stringify({ id }))
    this.#append(table, key, Buffer.from(value), headers)
  }

  #columns(row: SourceRow | null): Partial<SourceRow> | null {
    if (row === null || this.#hasExtra) return row
    const { extra: _, ...rest } = row
    return rest
  }

  #schema(): string {
    const fields = [
      { field: 'id', type: 'int32', optional: false },
      { field: 'version', type: 'int64', optional: false },
      { field: 'month', type: 'string', optional: false },
      { field: 'note', type: 'string', optional: true },
      { field: 'body', type: 'string', optional: true },
      ...(this.#hasExtra
        ? [{ field: 'extra', type: 'string', optional: false, default: extraDefault }]
        : []),
    ]
    return JSON.stringify({ type: 'struct', fields: [{ field: 'after', type: 'struct', fields }] })
  }

  #append(
    table: string,
    key: Buffer | null,
    value: Buffer | null,
    headers: { key: string; value: Buffer }[] = [],
  ): void {
    const { partitions, source, spreads } = this.#options
    const isAnywhere = key === null || spreads === true
    const partition = isAnywhere ? this.#anyPartition() : partitionOfBytes(key, partitions)
    const record = {
      topic: sourceTopic(table),
      partition,
      timestampMs: this.#position,
      key,
      value,
      headers,
    }
    this.#sent = [...this.#sent.slice(1 - maxResent), record]
    source.append(record)
  }
}
