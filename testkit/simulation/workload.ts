/**
 * A database in the simulator: a seeded program of changes over some tables, the change events that a
 * connector would send for them, and every state that each row ever had, for the judge.
 *
 * Each change gives the row a version that no other state has, so that a state that is read tells when
 * it was.
 */
import { partitionName } from '../../log/log.ts'
import { partitionOfBytes } from '../../model/partitioner.ts'
import type { Random } from '../../runtime/random.ts'
import type { NewRecord } from '../memory-source.ts'
import { DroppedTables, ddlRecord, ddlTopic } from './dropped-tables.ts'
import type { SentEvent } from './source-events.ts'
import { beforeOf, keyHeader, sourceBlock } from './source-events.ts'
import type { SourceRow } from './source-rows.ts'
import { columnsOf, firstShape, newRow, nextShape, schemaText } from './source-rows.ts'
import type { WorkloadOptions } from './workload-options.ts'

/** All states of one row, in order; the first is that it is not there. */
export type RowHistory = (SourceRow | null)[]

const topicPrefix = 'sim.shop.'

export const sourceTopic = (table: string): string => `${topicPrefix}${table}`

export const tableOfTopic = (topic: string): string => topic.slice(topicPrefix.length)

const unsent = '__debezium_unavailable_value'
/** More than a source task remembers of one position, where there is one partition. */
const bulkRows = 140
const firstBulkId = 1000
/** Of the statements, where tables are dropped. */
const dropShare = 0.05
/** By a producer that spreads its messages. */
const maxResent = 30

export class Workload {
  readonly histories = new Map<string, Map<number, RowHistory>>()
  /** Tables whose topic was deleted. */
  readonly lost = new Set<string>()
  readonly #options: WorkloadOptions
  #number = 0
  #random: Random
  #version = 0
  #position = 4
  /** Of the log's events at one position. */
  #rowInEvent = 0
  #server = 1
  /** The source's clock, which goes on over restarts of its log. */
  #sourceMs = 1_767_225_600_000
  /** Where the log of the server of now begins, by partition. */
  readonly #begins = new Map<string, number>()
  #shape = firstShape
  readonly #dropped = new DroppedTables()
  /** The table that rows were loaded into in bulk. */
  #bulkTable: string | null = null
  /** Keys that stay free, by table and id. */
  readonly #free = new Set<string>()
  /** The last messages, in the order in which they were sent. */
  #sent: NewRecord[] = []

  constructor(options: WorkloadOptions) {
    this.#options = options
    this.#random = options.randomOf(0)
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

  /** One statement, or a few in one transaction, and the events that they cause. */
  step(): void {
    this.#number += 1
    if (this.#isLeftOut) return
    this.#random = this.#options.randomOf(this.#number)
    const random = this.#random
    const { restarts = false, spreads = false } = this.#options
    if (restarts && !spreads && random.next() < 0.01) this.#restartLog()
    const count = random.next() < 0.1 ? 2 + Math.floor(random.next() * 3) : 1
    for (let left = count; left > 0; left -= 1) this.#statement()
  }

  /** A statement of its own, behind all that have a number. */
  touch(table: string): void {
    this.#position += 200
    if (this.#dropped.makeAgain(table)) this.#sendDdl('CREATE', table)
    this.#position += 100
    this.#rowInEvent = 0
    const row = this.#row(table, 1)
    if (row === null) this.#insert(table, 1)
    else this.#update(table, row)
  }

  /** Its topic is deleted: what it had not handed on is lost, and rows come whole from here on. */
  lose(table: string): void {
    const { source, partitions } = this.#options
    source.removeTopic(sourceTopic(table))
    this.lost.add(table)
    for (let partition = 0; partition < partitions; partition += 1) {
      this.#begins.set(partitionName({ topic: sourceTopic(table), partition }), 0)
    }
  }

  /** Another topic, of the same name. */
  makeAnew(table: string): void {
    const { source, partitions } = this.#options
    source.setTopic(sourceTopic(table), partitions, `another source of ${sourceTopic(table)}`)
  }

  /** Nothing of the log before is sent again: the connector goes on in the new one. */
  #restartLog(): void {
    const { source, tables, partitions } = this.#options
    this.#tell('another server takes over')
    this.#server += 1
    this.#position = 4
    if (this.#options.drops !== undefined) {
      const at = { topic: ddlTopic, partition: 0 }
      this.#begins.set(partitionName(at), source.offsets(at).end)
    }
    for (const table of tables) {
      if (source.isRemoved(sourceTopic(table))) continue
      for (let partition = 0; partition < partitions; partition += 1) {
        const at = { topic: sourceTopic(table), partition }
        this.#begins.set(partitionName(at), source.offsets(at).end)
      }
    }
  }

  #statement(): void {
    const { tables } = this.#options
    const random = this.#random
    const table = tables[Math.floor(random.next() * tables.length)]!
    const id = 1 + Math.floor(random.next() * this.#options.maxId)
    if (this.#free.has(`${table} ${id}`)) return
    const row = this.#row(table, id)
    // Some events have several rows.
    if (random.next() < 0.05) this.#rowInEvent += 1
    else {
      this.#position += 100
      this.#rowInEvent = 0
    }
    this.#sourceMs += 100
    if (this.#options.snapshots === true && row !== null && random.next() < 0.2) {
      this.#updateWhileRead(table, row)
      return
    }
    if (this.#mayDrop(table)) return
    const choice = random.next()
    const { truncates, truncateShare } = this.#options
    const isTruncate = truncateShare === undefined ? choice < 0.01 : random.next() < truncateShare
    if (isTruncate && truncates) this.#truncate(table)
    else if (choice < 0.05) this.#changeSchema()
    else if (choice < 0.052 && this.#bulkTable === null) this.#loadInBulk(table)
    else if (row === null) this.#insert(table, id)
    else if (choice < 0.25) this.#delete(table, row)
    else if (choice < 0.4) this.#changeKey(table, row)
    else this.#update(table, row)
  }

  /** Whether the statement drops the table. One that was dropped is made again before its next one. */
  #mayDrop(table: string): boolean {
    const { drops } = this.#options
    if (drops === undefined) return false
    if (this.#dropped.makeAgain(table)) {
      this.#sendDdl('CREATE', table)
      this.#position += 100
    }
    if (this.#random.next() >= dropShare) return false
    this.#dropped.drop(table)
    for (const id of this.histories.get(table)!.keys()) {
      if (this.#row(table, id) === null) continue
      if (drops === 'kept') this.#dropped.keep(table, id)
      else this.#record(table, id, null)
    }
    this.#sendDdl('DROP', table)
    return true
  }

  #sendDdl(type: 'CREATE' | 'DROP', table: string): void {
    this.#tell(`${type.toLowerCase()}s the table ${table}`)
    const { source } = this.#options
    const block = this.#sourceOf(table, 'c')
    const record = ddlRecord(type, table, block, this.#shape)
    source.append({ ...record, timestampMs: this.#position })
  }

  /** Whether the source has dropped the column: a target may, and may keep what rows have in it. */
  get isMemoGone(): boolean {
    return this.#shape.isMemoGone
  }

  /** Of all tables at once, one change after the other. */
  #changeSchema(): void {
    this.#shape = nextShape(this.#shape, this.#random)
    this.#tell(`changes the columns of all tables: ${JSON.stringify(this.#shape)}`)
  }

  get #isLeftOut(): boolean {
    return this.#options.statements?.includes(this.#number) === false
  }

  /** Sometimes the producer crashes. */
  mayResend(): void {
    if (!this.#isLeftOut && this.#random.next() < 0.06) this.resend()
  }

  /** The producer crashed: it sends the last records of one partition again. */
  resend(): void {
    const { tables, partitions, source } = this.#options
    const random = this.#random
    // A block that begins with a row of a snapshot is applied again: docs/adr/0008.
    if (this.#options.snapshots === true) return
    if (this.#options.spreads === true) {
      this.#resendSpread()
      return
    }
    const table = tables[Math.floor(random.next() * tables.length)]!
    const partition = Math.floor(random.next() * partitions)
    const isDdl = this.#options.drops !== undefined && random.next() < 0.2
    const at = isDdl ? { topic: ddlTopic, partition: 0 } : { topic: sourceTopic(table), partition }
    const count = 1 + Math.floor(random.next() * 12)
    // After a bulk load all of it may come again.
    const all = random.next() < 0.3 ? bulkRows : count
    if (source.isRemoved(at.topic)) return
    const begin = this.#begins.get(partitionName(at)) ?? 0
    const most = source.records(at).filter(({ offset }) => offset >= begin).length
    const wanted = Math.min(most, this.#bulkTable === table ? all : count)
    if (wanted === 0) return
    this.#tell(`sends the last ${wanted} records of ${partitionName(at)} again`)
    source.resend(at, wanted, () => (isDdl ? 0 : this.#anyPartition()))
  }

  /** It remembers what it sent last, and not through which partitions. */
  #resendSpread(): void {
    const count = 1 + Math.floor(this.#random.next() * maxResent)
    this.#tell(`sends the last ${count} records again`)
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
    this.#tell(`loads ${bulkRows} rows into ${table}`)
    for (let id = firstBulkId; id < firstBulkId + bulkRows; id += 1) {
      this.histories.get(table)!.set(id, [null])
      this.#insert(table, id)
    }
  }

  #anyPartition(): number {
    return Math.floor(this.#random.next() * this.#options.partitions)
  }

  #update(table: string, row: SourceRow): void {
    const next = { ...this.#newRow(row.id), body: row.body }
    this.#record(table, row.id, next)
    const leavesBodyOut = this.#random.next() < 0.3 && this.#mayLeaveOut(table)
    this.#send(table, {
      op: 'u',
      id: row.id,
      before: leavesBodyOut ? { ...row, body: unsent } : row,
      after: leavesBodyOut ? { ...next, body: unsent } : next,
    })
  }

  /** The row is written, then rows are read as they were before, and only then the change is committed. */
  #updateWhileRead(table: string, row: SourceRow): void {
    const writtenAt = this.#position
    this.#position += 100
    for (const read of this.rowsOf(table).slice(0, 3)) {
      this.#send(table, { op: 'r', id: read.id, before: null, after: read })
    }
    const next = { ...this.#newRow(row.id), body: row.body }
    this.#record(table, row.id, next)
    this.#send(table, { op: 'u', id: row.id, before: row, after: next, lsn: writtenAt })
  }

  #delete(table: string, row: SourceRow): void {
    this.#record(table, row.id, null)
    this.#send(table, { op: 'd', id: row.id, before: row, after: null })
    this.#sendTombstone(table, row.id)
  }

  #changeKey(table: string, row: SourceRow): void {
    const id = 1 + Math.floor(this.#random.next() * this.#options.maxId)
    if (this.#row(table, id) !== null || this.#free.has(`${table} ${id}`)) return
    const moved = { ...this.#newRow(id), body: row.body }
    this.#record(table, row.id, null)
    this.#record(table, id, moved)
    // Both halves share a position.
    this.#send(table, { op: 'd', id: row.id, before: row, after: null }, keyHeader('newkey', id))
    this.#sendTombstone(table, row.id)
    // MySQL's connector knows the row before, and sends whole rows.
    const { connector, oldKeysStayFree } = this.#options
    const isApart = connector === 'postgresql' && this.#mayLeaveOut(table)
    const leavesBodyOut = isApart && this.#random.next() < 0.5
    const after = leavesBodyOut ? { ...moved, body: unsent } : moved
    if (leavesBodyOut && oldKeysStayFree === true) this.#free.add(`${table} ${row.id}`)
    this.#send(table, { op: 'c', id, before: null, after }, keyHeader('oldkey', row.id))
  }

  /** Not where the row may have been lost that has it. */
  #mayLeaveOut(table: string): boolean {
    return this.#options.spreads !== true && !this.lost.has(table)
  }

  #truncate(table: string): void {
    for (const id of this.histories.get(table)!.keys()) {
      if (this.#history(table, id).at(-1) !== null) this.#record(table, id, null)
    }
    this.#send(table, { op: 't', id: null, before: null, after: null })
  }

  #history(table: string, id: number): RowHistory {
    return this.histories.get(table)!.get(id)!
  }

  #row(table: string, id: number): SourceRow | null {
    return this.#dropped.isKept(table, id) ? null : (this.#history(table, id).at(-1) ?? null)
  }

  #newRow(id: number): SourceRow {
    this.#version += 1
    return newRow(id, this.#version, this.#shape, this.#random)
  }

  #tell(what: string): void {
    this.#options.tell?.(`source ${this.#number}: ${what}`)
  }

  #record(table: string, id: number, row: SourceRow | null): void {
    this.#history(table, id).push(row)
    this.#dropped.forget(table, id)
  }

  #sendTombstone(table: string, id: number): void {
    this.#append(table, Buffer.from(JSON.stringify({ id })), null)
  }

  #send(table: string, event: SentEvent, headers: { key: string; value: Buffer }[] = []): void {
    const { op, id, before, after } = event
    const unsentToo = after?.body === unsent ? ', without its body' : ''
    const row = after === null ? '' : `, version ${after.version}${unsentToo}`
    if (id === null || id < firstBulkId) {
      this.#tell(`${op} ${table}${id === null ? '' : ` ${id}`}${row}`)
    }
    const { connector = 'mysql' } = this.#options
    const payload = {
      op,
      before: beforeOf(connector, before, op, this.#shape),
      after: columnsOf(after, this.#shape),
      source: this.#sourceOf(table, op, event.lsn),
    }
    const value = `{"schema":${schemaText(this.#shape)},"payload":${JSON.stringify(payload)}}`
    const key = id === null ? null : Buffer.from(JSON.stringify({ id }))
    this.#append(table, key, Buffer.from(value), headers)
  }

  #sourceOf(table: string, op: string, lsn?: number): object {
    const [server, position, rowInEvent] = [this.#server, this.#position, this.#rowInEvent]
    const place = { server, position, rowInEvent, sourceMs: this.#sourceMs }
    return sourceBlock(this.#options.connector ?? 'mysql', table, op, place, lsn)
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
