import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../runtime/random.ts'
import { change } from '../main/messages.ts'
import { openDriver, rowsAfter } from './driver.ts'

const partitions = 8
const options = (pos: number) => ({ pos, partitions })
const row = (id: number, name: string) => ({ id, name })
const renamed = (id: number, from: string, to: string, pos: number) =>
  change('u', { before: row(id, from), after: row(id, to) }, options(pos))

describe('the further asks: a column that is unique beside the key', () => {
  it('rows that hand its values on, within a transaction and through eight partitions, end as the source', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const random = seededRandom(seed)
      const topics = { 'db.shop.orders': partitions }
      const driver = await openDriver({ topics, seed, flush: { maxRows: 1 + (seed % 4) } })
      const names = new Map(Array.from({ length: 6 }, (_, at) => [at + 1, `n${at + 1}`]))
      const records = [...names].map(([id, name]) =>
        change('c', { after: row(id, name) }, options(id)),
      )
      let pos = 100
      for (let swap = 0; swap < 20; swap += 1) {
        const [a, b] = [1 + Math.floor(random.next() * 3), 4 + Math.floor(random.next() * 3)]
        const [ofA, ofB] = [names.get(a)!, names.get(b)!]
        // As a database with the constraint has to: through a value that nobody has.
        records.push(
          renamed(a, ofA, 'free', pos),
          renamed(b, ofB, ofA, pos + 10),
          renamed(a, 'free', ofB, pos + 20),
        )
        names.set(a, ofB).set(b, ofA)
        pos += 30
      }
      // A row goes, and another one takes its value.
      records.push(change('d', { before: row(1, names.get(1)!) }, options(pos)))
      records.push(change('c', { after: row(9, names.get(1)!) }, options(pos + 10)))
      names.set(9, names.get(1)!)
      names.delete(1)
      const expected = [...names].map(([id, name]) => row(id, name))
      expect(await rowsAfter(driver, records), `seed ${seed}`).toEqual(expected)
      expect(new Set(expected.map(({ name }) => name)).size).toBe(6)
    }
  })
})
