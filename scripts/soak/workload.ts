/**
 * A database without an end: a seeded program of statements over three tables, the change events that Debezium's
 * connector for MySQL would send for them, and what the tables must be now. It keeps the rows that there are
 * and the last messages of each partition, and nothing else, so that it may run for days.
 */
import { partitionOfBytes } from '../../model/partitioner.ts'
import type { Random } from '../../runtime/random.ts'

/** A record of a source topic. `offset` is the log's affair. */
export interface SoakRecord {
  readonly topic: string
  readonly partition: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly { readonly key: string; readonly value: Buffer }[]
}

export type SoakRow = Readonly<Record<string, number | string | null>>

interface Table {
  readonly name: string
  /** Ids are 1 to this: a table comes to a size, and stays there. */
  readonly maxId: number
  readonly rows: Map<number, SoakRow>
  /** Columns that came since the start, with their defaults; the oldest goes when there are too many. */
  readonly added: { readonly name: string; readonly byDefault: string }[]
  isWide: boolean
}

export interface WorkloadOptions {
  readonly random: Random
  /** Of every topic. */
  readonly partitions: number
  /** Updates may leave out a large value that they do not change. */
  readonly leavesOut: boolean
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Of statements, how often each of these comes instead of a change of one row. */
const shares = { truncate: 0.000_05, schemaChange: 0.0002, resend: 0.001 } as const
const maxAddedColumns = 3
const maxResent = 60
const unsent = '__debezium_unavailable_value'
/** More than an int holds. */
const wide = 2 ** 40

export const soakTables = ['customer', 'orders', 'item'] as const
export const soakTopic = (table: string): string => `soak.shop.${table}`

export class SoakWorkload {
  readonly counts = { statements: 0, records: 0, truncates: 0, schemaChanges: 0, resends: 0 }
  readonly #options: WorkloadOptions
  readonly #tables: readonly Table[] = [
    { name: 'customer', maxId: 3000, rows: new Map(), added: [], isWide: false },
    { name: 'orders', maxId: 6000, rows: new Map(), added: [], isWide: false },
    { name: 'item', maxId: 4000, rows: new Map(), added: [], isWide: false },
  ]
  /** The last messages by topic and partition, in order. */
  readonly #sent = new Map<string, SoakRecord[]>()
  #records: SoakRecord[] = []
  #position = 4
  #version = 0
  #timeMs = 0
  #columnsMade = 0

  constructor(options: WorkloadOptions) {
    this.#options = options
  }

  /** What a table must hold, by id, with the columns that the source has. */
  rowsOf(name: string): ReadonlyMap<number, SoakRow> {
    return this.#tables.find(table => table.name === name)!.rows
  }

  /** One statement; its records, in the order in which they are sent. */
  step(): readonly SoakRecord[] {
    this.#begin()
    const table = this.#any(this.#tables)
    const choice = this.#options.random.next()
    if (choice < shares.truncate) this.#truncate(table)
    else if (choice < shares.truncate + shares.schemaChange) this.#changeSchema(table)
    else this.#changeRow(table)
    if (this.#options.random.next() < shares.resend) this.#resend()
    return this.#take()
  }

  /** A last change of every table: until then a change of columns may not have been told. */
  settle(): readonly SoakRecord[] {
    for (const table of this.#tables) {
      this.#begin()
      const row = table.rows.values().next().value
      if (row === undefined) this.#insert(table, 1)
      else this.#update(table, row)
    }
    return this.#take()
  }

  #begin(): void {
    this.counts.statements += 1
    this.#position += 100
    // Strictly ascending: which schema is the newer one is told by the clock of its rows.
    this.#timeMs = Math.max(this.#options.now(), this.#timeMs + 1)
  }

  #take(): readonly SoakRecord[] {
    const records = this.#records
    this.#records = []
    this.counts.records += records.length
    return records
  }

  #changeRow(table: Table): void {
    const id = 1 + Math.floor(this.#options.random.next() * table.maxId)
    const row = table.rows.get(id)
    const choice = this.#options.random.next()
    if (row === undefined) this.#insert(table, id)
    else if (choice < 0.2) this.#delete(table, row)
    else if (choice < 0.3) this.#changeKey(table, row)
    else this.#update(table, row)
  }

  #insert(table: Table, id: number): void {
    const row = this.#newRow(table, id)
    table.rows.set(id, row)
    this.#send(table, { op: 'c', id, before: null, after: row })
  }

  /** It may go to another partition of the table, and may leave out the large value that it keeps. */
  #update(table: Table, row: SoakRow): void {
    const next = { ...this.#newRow(table, idOf(row)), body: row.body! }
    table.rows.set(idOf(row), next)
    const [before, after] =
      this.#options.random.next() < 0.3 && this.#options.leavesOut
        ? [
            { ...row, body: unsent },
            { ...next, body: unsent },
          ]
        : [row, next]
    this.#send(table, { op: 'u', id: idOf(row), before, after })
  }

  #delete(table: Table, row: SoakRow): void {
    table.rows.delete(idOf(row))
    this.#send(table, { op: 'd', id: idOf(row), before: row, after: null })
    this.#append(table, keyOf(idOf(row)), null)
  }

  #changeKey(table: Table, row: SoakRow): void {
    const [from, to] = [idOf(row), 1 + Math.floor(this.#options.random.next() * table.maxId)]
    if (table.rows.has(to)) return
    const moved = { ...this.#newRow(table, to), body: row.body! }
    table.rows.delete(from)
    table.rows.set(to, moved)
    const header = (key: string, id: number) => [{ key: `__debezium.${key}`, value: keyOf(id) }]
    // Both halves share a position.
    this.#send(table, { op: 'd', id: from, before: row, after: null }, header('newkey', to))
    this.#append(table, keyOf(from), null)
    this.#send(table, { op: 'c', id: to, before: null, after: moved }, header('oldkey', from))
  }

  #truncate(table: Table): void {
    this.counts.truncates += 1
    table.rows.clear()
    this.#send(table, { op: 't', id: null, before: null, after: null })
  }

  /** A column is widened, comes with a default, or goes; the next row tells it. */
  #changeSchema(table: Table): void {
    this.counts.schemaChanges += 1
    if (!table.isWide && this.#options.random.next() < 0.3) {
      table.isWide = true
      return
    }
    const gone = table.added.length < maxAddedColumns ? undefined : table.added.shift()
    const rows = [...table.rows]
    if (gone !== undefined) {
      for (const [id, { [gone.name]: _, ...row }] of rows) table.rows.set(id, row)
      return
    }
    this.#columnsMade += 1
    const column = { name: `extra_${this.#columnsMade}`, byDefault: `none of ${this.#columnsMade}` }
    table.added.push(column)
    for (const [id, row] of rows) table.rows.set(id, { ...row, [column.name]: column.byDefault })
  }

  /** The producer crashed: it sends the last records of a partition again. */
  #resend(): void {
    const sent = this.#any([...this.#sent.values()])
    this.counts.resends += 1
    const count = 1 + Math.floor(this.#options.random.next() * maxResent)
    for (const record of sent.slice(-count)) this.#push(record)
  }

  #any<T>(items: readonly T[]): T {
    return items[Math.floor(this.#options.random.next() * items.length)]!
  }

  #newRow(table: Table, id: number): SoakRow {
    const { random } = this.#options
    this.#version += 1
    const added = table.added.map(({ name }) => [name, `${name} ${this.#version}`] as const)
    return {
      id,
      version: this.#version,
      month: `2026-0${1 + Math.floor(random.next() * 4)}-15`,
      note: random.next() < 0.2 ? null : `note ${this.#version}`,
      body: `body ${this.#version} `.repeat(1 + Math.floor(random.next() * 8)),
      size: (this.#version % 1_000_000) + (table.isWide ? wide : 0),
      ...Object.fromEntries(added),
    }
  }

  #send(
    table: Table,
    {
      id,
      ...change
    }: { op: string; id: number | null; before: SoakRow | null; after: SoakRow | null },
    headers: SoakRecord['headers'] = [],
  ): void {
    const source = {
      connector: 'mysql',
      name: 'soak',
      ts_ms: this.#timeMs,
      snapshot: 'false',
      db: 'shop',
      table: table.name,
      server_id: 1,
      gtid: null,
      file: 'binlog.000001',
      pos: this.#position,
      row: 0,
    }
    const schema = {
      type: 'struct',
      fields: [{ field: 'after', type: 'struct', fields: fieldsOf(table) }],
    }
    const value = Buffer.from(JSON.stringify({ schema, payload: { ...change, source } }))
    this.#append(table, id === null ? null : keyOf(id), value, headers)
  }

  #append(
    table: Table,
    key: Buffer | null,
    value: Buffer | null,
    headers: SoakRecord['headers'] = [],
  ): void {
    const { partitions, random } = this.#options
    const partition =
      key === null ? Math.floor(random.next() * partitions) : partitionOfBytes(key, partitions)
    const topic = soakTopic(table.name)
    this.#push({ topic, partition, timestampMs: this.#timeMs, key, value, headers })
  }

  #push(record: SoakRecord): void {
    this.#records.push(record)
    const place = `${record.topic}-${record.partition}`
    const sent = this.#sent.get(place) ?? []
    this.#sent.set(place, [...sent.slice(1 - maxResent), record])
  }
}

function idOf(row: SoakRow): number {
  return row.id as number
}

function keyOf(id: number): Buffer {
  return Buffer.from(JSON.stringify({ id }))
}

function fieldsOf({ isWide, added }: Table): readonly object[] {
  return [
    { field: 'id', type: 'int32', optional: false },
    { field: 'version', type: 'int64', optional: false },
    { field: 'month', type: 'string', optional: false },
    { field: 'note', type: 'string', optional: true },
    { field: 'body', type: 'string', optional: true },
    { field: 'size', type: isWide ? 'int64' : 'int32', optional: false },
    ...added.map(({ name, byDefault }) => {
      return { field: name, type: 'string', optional: false, default: byDefault }
    }),
  ]
}
