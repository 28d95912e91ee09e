import { describe, expect, it } from 'vitest'
import type { ProducerRecord } from '../../log/log.ts'
import type { Random } from '../../runtime/random.ts'
import { seededRandom } from '../../runtime/random.ts'
import { change, tombstone } from '../main/messages.ts'
import { openDriver, rowsAfter } from './driver.ts'

const read = (id: number, n: number, pos: number, snapshot = 'incremental', partition = 0) =>
  change('r', { after: { id, n } }, { pos, snapshot, partition })

/** A database that is changed while its tables are read chunk by chunk, as Debezium does both. */
class Database {
  readonly rows = new Map<number, number>()
  readonly records: ProducerRecord[] = []
  readonly #random: Random
  #pos = 100

  constructor(random: Random) {
    this.#random = random
  }

  /** Returns the key that was changed. */
  change(): number {
    this.#pos += 10
    const id = 1 + Math.floor(this.#random.next() * 12)
    const n = this.rows.get(id)
    const before = n === undefined ? null : { id, n }
    if (before !== null && this.#random.next() < 0.3) {
      this.rows.delete(id)
      this.records.push(change('d', { before }, { pos: this.#pos }), tombstone(id))
    } else {
      const after = { id, n: this.#pos }
      this.rows.set(id, this.#pos)
      this.records.push(change(before === null ? 'c' : 'u', { before, after }, { pos: this.#pos }))
    }
    return id
  }

  /** Between its two marks: what is changed meanwhile is left out of the chunk. */
  readChunk(from: number): void {
    const chunk = new Map([...this.rows].filter(([id]) => id >= from && id < from + 4))
    for (let count = Math.floor(this.#random.next() * 4); count > 0; count -= 1) {
      chunk.delete(this.change())
    }
    for (const [id, n] of chunk) this.records.push(read(id, n, this.#pos))
  }

  sorted(): unknown[] {
    return [...this.rows].sort(([a], [b]) => a - b).map(([id, n]) => ({ id, n }))
  }
}

describe('row 11, a row of a snapshot that overwrites a newer change', () => {
  it('a whole snapshot that is sent again behind the changes that followed it takes nothing back', async () => {
    const driver = await openDriver({ hop: 1 })
    const snapshot = [1, 2, 3].map(id => read(id, id, 100, id === 1 ? 'first' : 'true'))
    const changes = [
      change('u', { before: { id: 1, n: 1 }, after: { id: 1, n: 10 } }, { pos: 300 }),
      change('d', { before: { id: 2, n: 2 } }, { pos: 400 }),
    ]
    const rows = [
      { id: 1, n: 10 },
      { id: 3, n: 3 },
    ]
    expect(await rowsAfter(driver, [...snapshot, ...changes])).toEqual(rows)
    // At any moment of the repeat, and at its end.
    for (const record of [...snapshot, ...changes]) {
      await driver.pipeInput([record])
      await driver.advance(60_000)
      expect(await driver.rows('orders')).toEqual(rows)
    }
  })

  it('an incremental snapshot between changes, with blocks of both sent again, ends as the source, 20 seeds', async () => {
    let snapshotRows = 0
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = seededRandom(seed)
      const database = new Database(random)
      const driver = await openDriver({ seed, hop: 2, flush: { maxRows: 5 } })
      const sent: ProducerRecord[] = []
      for (let round = 0; round < 12; round += 1) {
        for (let count = Math.floor(random.next() * 6); count > 0; count -= 1) database.change()
        if (round % 2 === 1) database.readChunk(1 + 4 * (Math.floor(round / 2) % 3))
        const records = database.records.splice(0)
        sent.push(...records)
        const again = random.next() < 0.3 ? sent.slice(-Math.floor(random.next() * 12)) : []
        await driver.pipeInput([...records, ...again])
        snapshotRows += records.filter(({ value }) => {
          return value !== null && Buffer.from(value).includes('"op":"r"')
        }).length
      }
      database.change()
      expect(await rowsAfter(driver, database.records), `seed ${seed}`).toEqual(database.sorted())
    }
    expect(snapshotRows).toBeGreaterThan(150)
  }, 900_000)

  it('by position a row of a snapshot below the last change of its key never counts, through any partitions, 20 seeds', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = seededRandom(seed)
      const driver = await openDriver({
        seed,
        topics: { 'db.shop.orders': 3 },
        ordering: 'position',
        flush: { maxRows: 3 },
      })
      const place = () => ({ partition: Math.floor(random.next() * 3) })
      const changes = [1, 2, 3, 4].map(id => {
        return change(
          'u',
          { before: { id, n: 0 }, after: { id, n: id } },
          { pos: 1000 + id, ...place() },
        )
      })
      const older = [1, 2, 3, 4].map(id => {
        return read(id, -id, Math.floor(random.next() * 1000), 'incremental', place().partition)
      })
      // Each key has its change first, or its row of the snapshot.
      const isFirst = random.next() < 0.5
      const rows = await rowsAfter(
        driver,
        isFirst ? [...older, ...changes] : [...changes, ...older],
      )
      expect(rows, `seed ${seed}`).toEqual([1, 2, 3, 4].map(id => ({ id, n: id })))
    }
  }, 900_000)
})
