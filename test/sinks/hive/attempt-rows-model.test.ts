/**
 * What the rows of an attempt say, taken at their word, makes of any table what the embedded warehouse makes of
 * it. That the statement takes them so is shown on a real server.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PartitionBy } from '../../../model/partition-by.ts'
import { nullPartition, placeOfPartition } from '../../../model/partition-by.ts'
import type { OrcValue } from '../../../orc/index.ts'
import { deleteOp, patchOp, upsertOp, wholeOp } from '../../../sinks/hive/merge-sql.ts'
import type { GivenChange } from '../embedded/model-table.ts'
import { ModelTable, partitionByMonth, schemas } from '../embedded/model-table.ts'
import { TableDriver } from '../embedded/warehouses.ts'
import type { AttemptRow } from './attempts.ts'
import { AttemptSite } from './attempts.ts'

const months = ['2024-01', '2024-02', '2024-03']
const schema = schemas[1]!

const givenChange: fc.Arbitrary<GivenChange> = fc.record({
  id: fc.integer({ min: 0, max: 12 }),
  kind: fc.constantFrom('upsert', 'upsert', 'patch', 'delete'),
  text: fc.option(fc.string({ maxLength: 3 })),
  month: fc.option(fc.constantFrom(...months), { freq: 6 }),
  hundredths: fc.integer({ min: -999, max: 999 }),
  note: fc.constantFrom('a', 'b'),
  mask: fc.nat(31),
  leaves: fc.constantFrom('right', 'unknown'),
  lag: fc.constant(0),
})

const givenBatch = fc.record({
  changes: fc.uniqueArray(givenChange, { selector: ({ id }) => id, maxLength: 10 }),
  isWhole: fc.constantFrom(false, false, false, false, true),
})

/** Rows by key and partition. */
class RowsByPlace {
  readonly #rows = new Map<string, readonly OrcValue[]>()

  apply(rows: readonly AttemptRow[]): void {
    if (rows.some(({ op }) => op === wholeOp)) this.#rows.clear()
    // All of it is read before any of it is written.
    const before = [...this.#rows]
    const upserts: [string, readonly OrcValue[]][] = []
    for (const { op, sent, search, place, values } of rows) {
      const own = before.filter(([name]) => name.startsWith(`${Number(values[0])}@`))
      if (search) {
        const goes = own.filter(([name]) => op === deleteOp || name !== nameOf(values, place))
        for (const [name] of goes) this.#rows.delete(name)
      } else if (op === deleteOp) this.#rows.delete(nameOf(values, place))
      if (op === upsertOp) upserts.push([nameOf(values, place), values])
      if (op === patchOp) {
        expect(own.length).toBeLessThanOrEqual(1)
        const [name, kept = []] = own[0] ?? []
        const isUnsent = (index: number): boolean => sent![index] === '0'
        const whole = values.map((value, n) => (isUnsent(n) ? (kept[n] ?? null) : value))
        upserts.push([
          place === null ? (name ?? nameOf(values, place)) : nameOf(values, place),
          whole,
        ])
      }
    }
    for (const [name, values] of upserts) this.#rows.set(name, values)
  }

  get lines(): readonly string[] {
    const rows = [...this.#rows.values()].sort((a, b) => Number(a[0]) - Number(b[0]))
    return rows.map(values => JSON.stringify(values))
  }

  get places(): readonly string[] {
    return [...this.#rows.keys()].sort()
  }
}

function nameOf([id]: readonly OrcValue[], place: string | null): string {
  return `${Number(id)}@${place ?? nullPartition}`
}

function withoutPosition(lines: readonly string[]): readonly string[] {
  return lines.map(line => JSON.stringify((JSON.parse(line) as unknown[]).slice(0, -1)))
}

class Check {
  readonly #partitionBy: PartitionBy | null
  readonly #model: ModelTable
  readonly #site = new AttemptSite()
  readonly #embedded = new TableDriver()
  readonly #rows = new RowsByPlace()
  #moves = 0

  constructor(partitionBy: PartitionBy | null) {
    this.#partitionBy = partitionBy
    this.#model = new ModelTable(partitionBy)
  }

  get moves(): number {
    return this.#moves
  }

  async batch({ changes: given, isWhole }: { changes: readonly GivenChange[]; isWhole: boolean }) {
    const truncate = isWhole ? 'all' : 'none'
    const { changes } = this.#model.apply(given, 1, truncate)
    const partitionBy = this.#partitionBy
    if (this.#embedded.after === null) await this.#embedded.open()
    await this.#embedded.applyChanges(changes, schema, { truncate, partitionBy })
    const { rows, attempt } = await this.#site.write(changes, schema, partitionBy, { isWhole })
    // A statement sees one row for each key and partition.
    const names = rows.filter(({ op, search }) => op !== wholeOp && !(op === deleteOp && search))
    const places = names.map(({ values, place }) => nameOf(values, place))
    expect(new Set(places).size).toBe(places.length)
    this.#checkPlaces(rows, attempt.facts.places)
    this.#rows.apply(rows)
    expect(this.#rows.lines).toEqual(withoutPosition(await this.#embedded.lines()))
    if (partitionBy === null) return
    const ids = [...this.#model.ids()]
    const partitions = ids.map(id => `${id}@${placeOfPartition(this.#model.partitionOf(id)!)}`)
    expect(this.#rows.places).toEqual(partitions.sort())
  }

  /** What is listed is all that is touched: other partitions are not read. */
  #checkPlaces(rows: readonly AttemptRow[], places: readonly string[] | null): void {
    this.#moves += rows.filter(({ op, place }) => op === deleteOp && place !== null).length
    if (places === null) return
    expect(rows.some(({ search }) => search)).toBe(false)
    const touched = rows.flatMap(({ place }) => place ?? [])
    expect([...new Set(touched)].sort()).toEqual(places)
  }
}

describe.each([
  ['without partitions', null],
  ['with partitions', partitionByMonth],
] as const)('the rows of attempts on a table %s', (_what, partitionBy) => {
  it('make of it what the embedded warehouse makes of it', async () => {
    let moves = 0
    await fc.assert(
      fc.asyncProperty(fc.array(givenBatch, { maxLength: 8 }), async batches => {
        const check = new Check(partitionBy)
        for (const batch of batches) await check.batch(batch)
        moves += check.moves
      }),
      { numRuns: 40, seed: 1 },
    )
    expect(moves > 0).toBe(partitionBy !== null)
  })
})
