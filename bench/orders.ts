/**
 * The work of the benchmark: change events of one table of orders, the same in every run, and what the
 * table must be in the end. W1: a million events over 220,594 keys, some of them hot. W2: a table of a
 * million rows, and 100,000 events scattered over it.
 */
import { crc32 } from 'node:zlib'

export interface Order {
  readonly id: number
  readonly uid: number
  readonly pid: number
  readonly status: string
  readonly note: string
  readonly amount: string
  readonly created_at: number
  readonly updated_at: number
}

export interface OrderEvent {
  readonly key: string
  readonly value: string
}

/** Rows, and the sums of their checksums and ids. */
export interface Checksum {
  readonly rows: number
  readonly sumCrc: number
  readonly sumId: number
}

/** As every peer of the benchmark computes it. */
export const expected: Readonly<Record<'w1' | 'w2base' | 'w2', Checksum>> = {
  w1: { rows: 200_515, sumCrc: 431_372_346_370_583, sumId: 22_457_799_962 },
  w2base: { rows: 1_000_000, sumCrc: 2_147_056_423_878_245, sumId: 500_000_500_000 },
  w2: { rows: 1_019_981, sumCrc: 2_189_139_737_212_002, sumId: 523_857_758_216 },
}

export function orderChecksum(row: Order): number {
  const { id, uid, pid, status, note, amount, created_at, updated_at } = row
  return crc32(`${id}|${uid}|${pid}|${status}|${note}|${amount}|${created_at}|${updated_at}`)
}

const statuses = [
  'NEW',
  'PAID',
  'PICKED',
  'PACKED',
  'SHIPPED',
  'DELIVERED',
  'RETURNED',
  'CANCELLED',
]
const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -'
const beganMs = 1_760_000_000_000

export class Orders {
  readonly rows = new Map<number, Order>()
  readonly #live: number[] = []
  readonly #places = new Map<number, number>()
  readonly #dead: number[] = []
  #seed: number
  #count = 0
  #position = 4
  #lastId = 0

  constructor(workload: 'w1' | 'w2') {
    this.#seed = workload === 'w1' ? 0x1234abcd : 0x5eed0002
  }

  checksum(): Checksum {
    let sumCrc = 0
    let sumId = 0
    for (const row of this.rows.values()) {
      sumCrc += orderChecksum(row)
      sumId += row.id
    }
    return { rows: this.rows.size, sumCrc, sumId }
  }

  /** A row of the snapshot. */
  snapshot(): OrderEvent {
    const row = this.#newRow(this.#nextId())
    this.#add(row)
    return this.#event('r', null, row)
  }

  /** From here on rows are drawn from the whole table. */
  shuffle(): void {
    for (let index = this.#live.length - 1; index > 0; index -= 1) {
      const other = this.#below(index + 1)
      const [a, b] = [this.#live[index]!, this.#live[other]!]
      this.#live[index] = b
      this.#live[other] = a
      this.#places.set(b, index).set(a, other)
    }
  }

  /** 60 % updates, 30 % inserts (that share of them with a new id), 10 % deletes. */
  change(newIds: number): OrderEvent {
    const choice = this.#random()
    if (choice < 0.6 && this.#live.length > 0) return this.#update()
    if (choice >= 0.9 && this.#live.length > 0) return this.#delete()
    if (this.#dead.length > 0 && this.#random() >= newIds) {
      const place = this.#below(this.#dead.length)
      const id = this.#dead[place]!
      this.#dead[place] = this.#dead.at(-1)!
      this.#dead.pop()
      return this.#insert(id)
    }
    return this.#insert(this.#nextId())
  }

  #insert(id: number): OrderEvent {
    const row = this.#newRow(id)
    this.#add(row)
    return this.#event('c', null, row)
  }

  #update(): OrderEvent {
    const place = Math.floor(this.#live.length * this.#random() ** 3)
    const old = this.rows.get(this.#live[place]!)!
    const status = statuses[(statuses.indexOf(old.status) + 1 + this.#below(3)) % 8]!
    let row: Order = { ...old, status, updated_at: this.#nowUs() }
    if (this.#random() < 0.3) row = { ...row, note: this.#note() }
    if (this.#random() < 0.2) row = { ...row, amount: this.#amount() }
    if (this.#random() < 0.05) row = { ...row, uid: 1 + this.#below(50_000) }
    this.rows.set(row.id, row)
    return this.#event('u', old, row)
  }

  #delete(): OrderEvent {
    const id = this.#live[this.#below(this.#live.length)]!
    const old = this.rows.get(id)!
    const place = this.#places.get(id)!
    const last = this.#live.pop()!
    if (last !== id) {
      this.#live[place] = last
      this.#places.set(last, place)
    }
    this.#places.delete(id)
    this.rows.delete(id)
    this.#dead.push(id)
    return this.#event('d', old, null)
  }

  #newRow(id: number): Order {
    const now = this.#nowUs()
    const [uid, pid] = [1 + this.#below(50_000), 1 + this.#below(5000)]
    const [note, amount] = [this.#note(), this.#amount()]
    return { id, uid, pid, status: statuses[0]!, note, amount, created_at: now, updated_at: now }
  }

  #event(op: string, before: Order | null, after: Order | null): OrderEvent {
    const ms = beganMs + this.#count * 10
    const { id } = (after ?? before)!
    this.#position += 300 + this.#below(200)
    this.#count += 1
    const source = {
      version: '3.3.1.Final',
      connector: 'mysql',
      name: 'shop',
      ts_ms: ms - 5,
      snapshot: op === 'r' ? 'true' : 'false',
      db: 'shop',
      sequence: null,
      ts_us: (ms - 5) * 1000,
      ts_ns: (ms - 5) * 1e6,
      table: 'orders',
      server_id: 223344,
      gtid: null,
      file: 'mysql-bin.000007',
      pos: this.#position,
      row: 0,
      thread: 42,
      query: null,
    }
    const times = { ts_ms: ms, ts_us: ms * 1000 + 321, ts_ns: ms * 1e6 + 321_000 }
    const value = { before, after, source, transaction: null, op, ...times }
    return { key: `{"id":${id}}`, value: JSON.stringify(value) }
  }

  #add(row: Order): void {
    this.rows.set(row.id, row)
    this.#places.set(row.id, this.#live.length)
    this.#live.push(row.id)
  }

  #nextId(): number {
    this.#lastId += 1
    return this.#lastId
  }

  #note(): string {
    const length = 24 + this.#below(41)
    let text = ''
    for (let index = 0; index < length; index += 1) text += letters[this.#below(64)]
    return text
  }

  #amount(): string {
    const cents = this.#below(99_999_999)
    return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
  }

  #nowUs(): number {
    return (beganMs + this.#count * 10) * 1000 + this.#below(10_000)
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #random(): number {
    this.#seed = (this.#seed + 0x6d2b_79f5) | 0
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
