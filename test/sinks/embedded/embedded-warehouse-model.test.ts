import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { NetChange } from '../../../model/net-change.ts'
import type { PartitionBy } from '../../../model/partition-by.ts'
import type { ApplyReceipt } from '../../../model/staged-batch.ts'
import type { DataFile } from '../../../sinks/embedded/commit-log.ts'
import { localStagingFiles } from '../../../sinks/local-staging-files.ts'
import { readOrcRows } from '../../../sinks/orc-files.ts'
import type { GivenChange } from './model-table.ts'
import { ModelTable, partitionByMonth, pointAt, schemas } from './model-table.ts'
import { dataFolder, filesBelow, linesOf, root, TableDriver } from './warehouses.ts'

interface GivenBatch {
  readonly changes: readonly GivenChange[]
  readonly evolves: boolean
  readonly truncate: 'none' | 'all' | 'point'
  /** Where a truncate by point lies: 0 is the beginning of the log, 1 the end of this batch. */
  readonly pointAt: number
  readonly isRepeated: boolean
  readonly isNewOwner: boolean
}

const months = ['2024-01', '2024-02', '2024-03']

const givenChange: fc.Arbitrary<GivenChange> = fc.record({
  id: fc.integer({ min: -12, max: 40 }),
  kind: fc.constantFrom('upsert', 'upsert', 'patch', 'delete'),
  text: fc.option(fc.string({ maxLength: 6 })),
  month: fc.option(fc.constantFrom(...months), { freq: 6 }),
  hundredths: fc.integer({ min: -9_999_999, max: 9_999_999 }),
  note: fc.constantFrom('a', 'b', ''),
  mask: fc.nat(63),
  leaves: fc.constantFrom('right', 'unknown', 'wrong'),
  lag: fc.constantFrom(0, 0, 0, 1, 2),
})

const givenBatch: fc.Arbitrary<GivenBatch> = fc.record({
  changes: fc.uniqueArray(givenChange, { selector: ({ id }) => id, maxLength: 20 }),
  evolves: fc.constantFrom(true, false, false),
  truncate: fc.oneof(
    { weight: 8, arbitrary: fc.constant('none' as const) },
    { weight: 1, arbitrary: fc.constant('all' as const) },
    { weight: 2, arbitrary: fc.constant('point' as const) },
  ),
  pointAt: fc.integer({ min: 0, max: 10 }).map(tenths => tenths / 10),
  isRepeated: fc.boolean(),
  isNewOwner: fc.boolean(),
})

/** Ids that a data file holds. Files never change, so they are read once. */
class FileReader {
  readonly #driver: TableDriver
  readonly #known = new Map<string, readonly number[]>()

  constructor(driver: TableDriver) {
    this.#driver = driver
  }

  async ids({ path }: DataFile): Promise<readonly number[]> {
    const known = this.#known.get(path)
    if (known !== undefined) return known
    const ids: number[] = []
    const columns = ['id']
    for await (const rows of readOrcRows(
      localStagingFiles(this.#driver.files),
      `${root}/ods/t/${path}`,
      columns,
    )) {
      ids.push(...rows.map(([id]) => Number(id)))
    }
    this.#known.set(path, ids)
    return ids
  }
}

const smallFileBytes = 100

/** Files of which no row changed, and between whose rows none came: they must keep their paths. */
async function untouched(
  files: readonly DataFile[],
  reader: FileReader,
  touched: ReadonlyMap<string, ReadonlySet<number>>,
): Promise<string[]> {
  const kept: string[] = []
  for (const [index, file] of files.entries()) {
    const ids = await reader.ids(file)
    const before = files[index - 1]
    const after = files[index + 1]
    const next = after?.partition === file.partition ? (await reader.ids(after))[0]! : null
    const from = before?.partition === file.partition ? ids[0]! : Number.NEGATIVE_INFINITY
    const isSmallLast = next === null && file.sizeBytes < smallFileBytes
    const to = next ?? (isSmallLast ? Number.POSITIVE_INFINITY : ids.at(-1)! + 1)
    const own = [...(touched.get(file.partition) ?? [])]
    if (!own.some(id => id >= from && id < to)) kept.push(file.path)
  }
  return kept
}

/** Ids that a batch really changes, by partition. */
function touchedBy(
  batch: readonly GivenChange[],
  before: ReadonlyMap<number, string>,
  model: ModelTable,
): Map<string, Set<number>> {
  const touched = new Map<string, Set<number>>()
  for (const { id } of batch) {
    for (const partition of [before.get(id) ?? null, model.partitionOf(id)]) {
      if (partition === null) continue
      touched.set(partition, (touched.get(partition) ?? new Set()).add(id))
    }
  }
  return touched
}

class Check {
  readonly driver = new TableDriver({ targetFileRows: 4, targetFileBytes: smallFileBytes * 8 })
  readonly model: ModelTable
  readonly #partitionBy: PartitionBy | null
  readonly #reader = new FileReader(this.driver)
  #schemaNumber = 0
  filesSeen = 0

  constructor(partitionBy: PartitionBy | null) {
    this.#partitionBy = partitionBy
    this.model = new ModelTable(partitionBy)
  }

  async batch(given: GivenBatch): Promise<void> {
    const { driver, model } = this
    if (driver.after === null || given.isNewOwner) await driver.open()
    if (given.evolves) this.#schemaNumber = Math.min(this.#schemaNumber + 1, schemas.length - 1)
    const before = new Map([...model.ids()].map(id => [id, model.partitionOf(id)!] as const))
    const old = before.size === 0 ? null : await driver.table()
    const oldLines = model.schema === null ? [] : model.lines()
    const end = model.place + given.changes.length
    const truncate =
      given.truncate === 'point' ? pointAt(Math.floor(given.pointAt * end)) : given.truncate
    const { changes, schema } = model.apply(given.changes, this.#schemaNumber, truncate)
    const request = driver.request(changes, schema, { truncate, partitionBy: this.#partitionBy })
    const receipt = await driver.apply(request())
    this.#checkReceipt(given, before, receipt)
    await this.#checkTable()
    // A reader that began before reads what was there before.
    if (old !== null) expect(await linesOf(old)).toEqual(oldLines)
    const isTruncated = truncate !== 'none'
    const files = old?.commit.files ?? []
    const touched = touchedBy(given.changes, before, model)
    const kept = isTruncated ? [] : await untouched(files, this.#reader, touched)
    const now = new Set((await driver.table()).commit.files.map(file => file.path))
    expect(kept.filter(path => !now.has(path))).toEqual([])
    if (given.isRepeated) await this.#checkRepeat(request)
  }

  #checkReceipt(
    { changes, truncate }: GivenBatch,
    before: ReadonlyMap<number, string>,
    receipt: ApplyReceipt,
  ): void {
    const { model } = this
    const after = model.ids()
    const isAll = truncate === 'all'
    const written = changes.filter(({ id, kind }) => kind !== 'delete' && after.has(id))
    const inserted = written.filter(({ id }) => isAll || !before.has(id)).length
    const deleted = [...before.keys()].filter(id => isAll || !after.has(id)).length
    // A row that a truncate took and that came again elsewhere may count as two.
    const twice = truncate === 'point' ? receipt.rowsInserted - inserted : 0
    expect(twice).toBeGreaterThanOrEqual(0)
    expect(receipt).toEqual({
      outcome: 'applied',
      rowsInserted: inserted + twice,
      rowsUpdated: written.length - inserted - twice,
      rowsDeleted: deleted + twice,
      rowsSearched: expect.any(Number),
    })
  }

  async #checkTable(): Promise<void> {
    const { driver, model } = this
    const table = await driver.table()
    expect(await linesOf(table)).toEqual(model.lines())
    expect(table.rowCount).toBe(model.size)
    expect(table.schema).toBe(model.schema)
    const ids = new Set<number>()
    for (const file of table.commit.files) {
      const own = await this.#reader.ids(file)
      expect(own).toHaveLength(file.rowCount)
      for (const id of own) {
        expect(ids.has(id)).toBe(false)
        ids.add(id)
        expect(model.partitionOf(id)).toBe(file.partition)
      }
    }
    this.filesSeen = Math.max(this.filesSeen, table.commit.files.length)
    const named = [...table.commit.files, ...table.commit.removed].map(({ path }) => `/${path}`)
    const onDisk = await filesBelow(driver.files, dataFolder)
    expect(onDisk.map(path => `/data/${path}`)).toEqual(named.sort())
  }

  async #checkRepeat(request: () => Parameters<TableDriver['apply']>[0]): Promise<void> {
    const { driver } = this
    const { commit } = await driver.table()
    expect(await driver.apply(request())).toEqual({
      outcome: 'already-applied',
      rowsInserted: 0,
      rowsUpdated: 0,
      rowsDeleted: 0,
      rowsSearched: 0,
    })
    expect((await driver.table()).commit).toEqual(commit)
  }
}

describe.each([
  ['without partitions', null],
  ['with partitions', partitionByMonth],
] as const)('a table %s', (_what, partitionBy) => {
  it('has after each batch the rows of a map that was treated likewise', async () => {
    let filesSeen = 0
    await fc.assert(
      fc.asyncProperty(fc.array(givenBatch, { maxLength: 12 }), async batches => {
        const check = new Check(partitionBy)
        for (const batch of batches) await check.batch(batch)
        filesSeen = Math.max(filesSeen, check.filesSeen)
      }),
      { numRuns: 120, seed: 1 },
    )
    expect(filesSeen).toBeGreaterThan(8)
  })
})

describe('a table of many files', () => {
  const many = Array.from({ length: 200 }, (_, index) => change(index * 2))

  function change(id: number, kind: GivenChange['kind'] = 'upsert'): GivenChange {
    const rest = { text: 't', month: '2024-01', hundredths: id, note: '', mask: 1 }
    return { id, kind, ...rest, leaves: 'unknown', lag: 0 }
  }

  async function prepared() {
    const driver = new TableDriver({ targetFileRows: 10, targetFileBytes: 1 })
    const model = new ModelTable(null)
    await driver.open()
    const put = async (given: readonly GivenChange[]): Promise<string[]> => {
      const paths = async (): Promise<string[]> =>
        (await driver.table().catch(() => null))?.commit.files.map(file => file.path) ?? []
      const before = await paths()
      const { changes, schema } = model.apply(given, 0, 'none')
      await driver.applyChanges(changes as NetChange[], schema)
      expect(await driver.lines()).toEqual(model.lines())
      const after = new Set(await paths())
      return before.filter(path => !after.has(path))
    }
    await put(many)
    expect((await driver.table()).commit.files).toHaveLength(20)
    return { driver, model, put }
  }

  it.each([
    ['a changed row', [change(100)], 1],
    ['a row between two others', [change(101)], 1],
    ['a row between two files', [change(99)], 1],
    ['a row before all', [change(-1)], 1],
    ['a row behind all', [change(1000)], 0],
    ['a deleted row', [change(100, 'delete')], 1],
    ['a delete of a row that is not there', [change(101, 'delete')], 0],
    ['rows of two files that do not touch', [change(0), change(398)], 2],
    ['all rows of a file deleted', many.slice(0, 10).map(({ id }) => change(id, 'delete')), 1],
    ['all rows', many, 20],
  ] as const)('writes for %s only the files that hold it', async (_what, given, count) => {
    const { put } = await prepared()
    expect(await put(given)).toHaveLength(count)
  })
})
