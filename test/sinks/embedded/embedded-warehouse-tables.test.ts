import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { NetChange } from '../../../model/net-change.ts'
import { seededRandom } from '../../../runtime/random.ts'
import { openTable } from '../../../sinks/embedded/table-reader.ts'
import { ManualClock } from '../../../testkit/manual-clock.ts'
import { SimulatedFileSystem } from '../../../testkit/simulated-file-system.ts'
import { FaultyFiles } from '../../log/faulty-files.ts'
import { column, idAndText, openDriver, remove, schemaOf, upsert, valuesIn } from './changes.ts'
import { pointAt } from './model-table.ts'
import { dataFolder, filesBelow, linesOf, root, TableDriver, tableName } from './warehouses.ts'

describe('a full disk', () => {
  it('at any write leaves the old table; when there is room again the apply is repeated', async () => {
    for (let failFrom = 1; ; failFrom += 1) {
      const disk = new FaultyFiles(new SimulatedFileSystem({ random: seededRandom(1) }))
      const options = { fileSystem: disk.fileSystem, targetFileRows: 2 }
      const driver = await openDriver(options)
      await driver.applyChanges(
        [1, 2, 3, 4, 5].map(id => upsert([id, 'a'])),
        idAndText,
      )
      const request = driver.request([upsert([3, 'b']), upsert([6, 'b'])], idAndText)
      disk.calls = 0
      disk.failFrom = failFrom
      const error: unknown = await driver.apply(request()).then(
        () => null,
        (reason: unknown) => reason,
      )
      disk.mend()
      if (error === null) {
        expect(failFrom).toBeGreaterThan(10)
        return
      }
      expect(error).toMatchObject({ code: 'storage-failed', retry: 'backoff' })
      const isCommitted = (await driver.table()).commit.number === 2
      const texts = (await valuesIn(driver)).map(([, text]) => text).join('')
      expect(texts).toBe(isCommitted ? 'aabaab' : 'aaaaa')
      const again = new TableDriver({ ...options, random: seededRandom(3) })
      await again.open()
      await again.apply(request())
      expect((await valuesIn(again)).map(([, text]) => text).join('')).toBe('aabaab')
    }
  })
})

describe('files that left the table', () => {
  it('stay for as long as is said, for readers that began before, and then go', async () => {
    const clock = new ManualClock()
    const driver = await openDriver({ clock, retainMs: 1000 })
    await driver.applyChanges([upsert([1, 'a'])], idAndText)
    const reader = await driver.table()
    const [old] = reader.commit.files.map(file => file.path)
    const isThere = async (): Promise<boolean> =>
      (await driver.files.stat(`${root}/ods/t/${old}`)) !== null
    await driver.applyChanges([upsert([1, 'b'])], idAndText)
    clock.advance(999)
    await driver.applyChanges([upsert([1, 'c'])], idAndText)
    expect(await isThere()).toBe(true)
    // Also over a change of owner.
    await driver.open()
    expect(await isThere()).toBe(true)
    const lines = await linesOf(reader)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('"a"')
    clock.advance(1)
    await driver.applyChanges([upsert([1, 'd'])], idAndText)
    expect(await isThere()).toBe(false)
    await expect(linesOf(reader)).rejects.toMatchObject({ code: 'storage-failed' })
    expect(await valuesIn(driver)).toEqual([[1, 'd']])
  })

  it('are few after many applies, and so are commits', async () => {
    const clock = new ManualClock()
    const driver = await openDriver({ clock, retainMs: 1000 })
    for (let round = 0; round < 30; round += 1) {
      await driver.applyChanges([upsert([1, `${round}`])], idAndText)
      clock.advance(600)
    }
    expect((await filesBelow(driver.files, dataFolder)).length).toBeLessThanOrEqual(3)
    const commits = await filesBelow(driver.files, `${root}/ods/t/_commits`)
    expect(commits).toHaveLength(10)
    expect(commits.at(-1)).toBe('00000000000000000030.json')
  })

  it('and were never committed are swept when their number is taken, and nothing else is', async () => {
    const driver = await openDriver()
    await driver.applyChanges([upsert([1, 'a'])], idAndText)
    await driver.applyChanges([upsert([1, 'b'])], idAndText)
    const before = await filesBelow(driver.files, dataFolder)
    const put = async (path: string): Promise<void> => {
      const full = `${dataFolder}/${path}`
      await driver.files.makeDirectory(full.slice(0, full.lastIndexOf('/')))
      await (await driver.files.open(full, 'write')).write(Buffer.from('x'), 0)
    }
    const kept = ['3-0-00000000.orc', 'notes.txt', 'month=x/3-1-00000000.orc', 'month=x/a.txt']
    const swept = ['1-0-00000000.orc', '2-7-ffffffff.orc', 'month=x/2-0-00000000.orc']
    for (const path of [...kept, ...swept]) await put(path)
    await driver.open()
    expect(await filesBelow(driver.files, dataFolder)).toEqual([...before, ...kept].sort())
    expect(await valuesIn(driver)).toEqual([[1, 'b']])
  })
})

describe('partitions', () => {
  const byText = { partitionBy: { column: 'text', unit: 'value' as const } }

  it('may have any value for a name', async () => {
    const names = fc.uniqueArray(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 12 }),
        fc.constantFrom('a.orc', '1-0-00000000.orc', '..', '.', 'a/b', '../../x', 'a=b', '%', ''),
      ),
      { minLength: 1, maxLength: 8 },
    )
    await fc.assert(
      fc.asyncProperty(names, async values => {
        const driver = await openDriver()
        const rows = values.map((value, index) => [index, value])
        await driver.applyChanges(
          rows.map(row => upsert(row)),
          idAndText,
          byText,
        )
        await driver.applyChanges([upsert([100, null])], idAndText, byText)
        // A new owner sweeps what is not named, and takes every row out of its partition.
        await driver.open()
        expect(await valuesIn(driver)).toEqual([...rows, [100, null]])
        const outside = (await filesBelow(driver.files, '')).filter(
          path => !path.startsWith('warehouse/ods/t/'),
        )
        expect(outside).toEqual([])
        await driver.applyChanges(
          rows.map(([id]) => upsert([id!, 'together'])),
          idAndText,
          byText,
        )
        expect(await valuesIn(driver)).toEqual([
          ...rows.map(([id]) => [id, 'together']),
          [100, null],
        ])
      }),
      { numRuns: 60, seed: 1 },
    )
  })

  it('are left by rows that move, wherever the row is said to have been', async () => {
    for (const leaves of [
      'unknown',
      ['text=a'],
      ['text=b', 'text=a'],
      ['text=a', 'text=c'],
    ] as const) {
      const driver = await openDriver()
      await driver.applyChanges([upsert([1, 'a']), upsert([2, 'a'])], idAndText, byText)
      const receipt = await driver.applyChanges(
        [upsert([1, 'c'], idAndText, { leaves })],
        idAndText,
        byText,
      )
      expect(receipt).toMatchObject({
        rowsInserted: 0,
        rowsUpdated: 1,
        rowsDeleted: 0,
        rowsSearched: 0,
      })
      expect(await valuesIn(driver)).toEqual([
        [1, 'c'],
        [2, 'a'],
      ])
    }
  })

  it('cannot be divided otherwise later on', async () => {
    const driver = await openDriver()
    await driver.applyChanges([upsert([1, 'a'])], idAndText, byText)
    for (const partitionBy of [null, { column: 'id', unit: 'value' as const }]) {
      await driver.open()
      const applying = driver.applyChanges([upsert([2, 'b'])], idAndText, { partitionBy })
      await expect(applying).rejects.toMatchObject({
        code: 'partitioning-changed',
        message: expect.stringContaining('the table is partitioned by text'),
        context: { table: tableName },
      })
    }
    expect(await valuesIn(driver)).toEqual([[1, 'a']])
  })

  it('need their column', async () => {
    const driver = await openDriver()
    const partitionBy = { column: 'month', unit: 'value' as const }
    await expect(
      driver.applyChanges([upsert([1, 'a'])], idAndText, { partitionBy }),
    ).rejects.toMatchObject({
      code: 'partition-column-missing',
      message: 'the table has no column month (id, text)',
    })
  })

  it('of a table that is truncated before its first row are none', async () => {
    const driver = await openDriver()
    const empty = { columns: [], key: [] }
    await driver.applyChanges([], empty, { ...byText, truncate: pointAt(1) })
    await driver.applyChanges([upsert([1, 'a'])], idAndText, byText)
    expect(await valuesIn(driver)).toEqual([[1, 'a']])
  })
})

describe('a schema that changes', () => {
  it('gives old rows the default of a new column, and new rows what they have', async () => {
    const driver = await openDriver()
    await driver.applyChanges([upsert([1, 'a']), upsert([2, 'b'])], idAndText)
    const wider = schemaOf([
      column('phone', 'varchar(20)', { nullable: false, initialDefault: '13800000000' }),
      column('id', 'int'),
      column('text', 'string'),
      column('vip', 'boolean'),
    ])
    await driver.applyChanges(
      [upsert(['139', 2, 'b', true], wider), upsert([null, 3, 'c', null], wider)],
      wider,
    )
    expect((await driver.table()).schema.columns.map(({ name }) => name)).toEqual([
      'id',
      'text',
      'phone',
      'vip',
    ])
    expect(await valuesIn(driver)).toEqual([
      [1, 'a', '13800000000', null],
      [2, 'b', '139', true],
      [3, 'c', null, null],
    ])
  })

  it.each([
    ['int', 'bigint', 7, 7],
    ['smallint', 'int', -3, -3],
    ['decimal(10,2)', 'decimal(12,4)', -150, -15_000],
    ['decimal(38,0)', 'decimal(38,0)', 10n ** 37n, 10n ** 37n],
    ['int', 'decimal(12,2)', 7, 700],
    ['bigint', 'ubigint', 9, 9],
    ['varchar(5)', 'string', 'x', 'x'],
    ['float', 'double', 0.5, 0.5],
    ['array<int>', 'array<bigint>', [1, null], [1, null]],
  ] as const)('from %s to %s reads old rows as the wider type', async (from, to, value, read) => {
    const driver = await openDriver()
    const older = schemaOf([column('id', 'int'), column('v', from)])
    const newer = schemaOf([column('id', 'int'), column('v', to)])
    await driver.applyChanges([upsert([1, value], older), upsert([2, null], older)], older)
    await driver.applyChanges([upsert([3, null], newer)], newer)
    expect(await valuesIn(driver)).toEqual([
      [1, read],
      [2, null],
      [3, null],
    ])
    // Rewritten, the old row is stored as the wider type, and reads the same.
    await driver.applyChanges([upsert([2, value], older), remove([3], newer)], newer)
    expect(await valuesIn(driver)).toEqual([
      [1, read],
      [2, read],
    ])
  })

  it.each([
    ['int', 'bigint', [-5, 0, 7], 2 ** 40],
    ['decimal(6,2)', 'decimal(12,4)', [-150, 0, 325], 123_456_789],
    ['varchar(3)', 'string', ['', 'a', 'b'], 'longer than three'],
    ['bigint', 'ubigint', [0, 1, 2], 2n ** 64n - 1n],
  ] as const)('of its key from %s to %s keeps one row a key', async (from, to, keys, last) => {
    const driver = await openDriver({ targetFileRows: 2 })
    const older = schemaOf([column('id', from), column('v', 'int')])
    const newer = schemaOf([column('id', to), column('v', 'int')])
    await driver.applyChanges(
      keys.map(key => upsert([key, 1], older)),
      older,
    )
    const scale = to === 'decimal(12,4)' ? 100 : 1
    const wide = keys.map(key => (scale === 1 ? key : Number(key) * scale))
    await driver.applyChanges(
      [...wide.slice(1).map(key => upsert([key, 2], newer)), upsert([last, 2], newer)],
      newer,
    )
    expect(await valuesIn(driver)).toEqual([
      [wide[0], 1],
      [wide[1], 2],
      [wide[2], 2],
      [last, 2],
    ])
    // A batch that lags behind comes under the narrow type still.
    await driver.applyChanges([remove([keys[1]!], older), upsert([keys[2]!, 3], older)], newer)
    expect(await valuesIn(driver)).toEqual([
      [wide[0], 1],
      [wide[2], 3],
      [last, 2],
    ])
  })

  it.each([
    ['to a type that nothing holds both of', 'int', 3, ['id']],
    ['in its key', 'string', 'b', ['text']],
  ] as const)('%s is refused, and the table stays', async (_what, type, value, key) => {
    const driver = await openDriver()
    await driver.applyChanges([upsert([1, 'a'])], idAndText)
    const other = schemaOf([column('id', 'int'), column('text', type)], key)
    const applying = driver.applyChanges([upsert([2, value], other)], other)
    await expect(applying).rejects.toMatchObject({ code: 'schema-incompatible' })
    await driver.applyChanges([upsert([2, 'b'])], idAndText)
    expect(await valuesIn(driver)).toEqual([
      [1, 'a'],
      [2, 'b'],
    ])
  })

  it('keeps no schema that no file has any more', async () => {
    const driver = await openDriver()
    for (const type of ['tinyint', 'smallint', 'int', 'bigint']) {
      const schema = schemaOf([column('id', 'int'), column('v', type)])
      await driver.applyChanges([upsert([1, 5], schema)], schema)
    }
    const { commit } = await driver.table()
    expect(commit.fileSchemas).toEqual([commit.schema])
  })
})

describe('a truncate', () => {
  it('of all leaves what comes with it', async () => {
    const driver = await openDriver()
    await driver.applyChanges([upsert([1, 'a']), upsert([2, 'b'])], idAndText)
    const receipt = await driver.applyChanges([upsert([2, 'c'])], idAndText, { truncate: 'all' })
    expect(receipt).toEqual({
      outcome: 'applied',
      rowsInserted: 1,
      rowsUpdated: 0,
      rowsDeleted: 2,
      rowsSearched: 0,
    })
    expect(await valuesIn(driver)).toEqual([[2, 'c']])
  })

  it('by its point takes the rows that changed last before it, now and later', async () => {
    const driver = await openDriver({ targetFileRows: 1 })
    const at = (id: number, changedAt: number): NetChange => {
      const last = { position: `bin.000001:${changedAt}:0@1`, sourceMs: changedAt }
      return upsert([id, `at ${changedAt}`], idAndText, { last })
    }
    await driver.applyChanges([at(1, 10), at(2, 20), at(3, 30)], idAndText)
    await driver.applyChanges([], idAndText, { truncate: pointAt(20) })
    expect(await valuesIn(driver)).toEqual([[3, 'at 30']])
    // Another task lags: what it brings from before the truncate is gone, also for a new owner.
    await driver.open()
    await driver.applyChanges([at(4, 19), at(5, 20), at(6, 21)], idAndText)
    expect(await valuesIn(driver)).toEqual([
      [3, 'at 30'],
      [6, 'at 21'],
    ])
    // One that is older than the last is a repeat.
    await driver.applyChanges([], idAndText, { truncate: pointAt(15) })
    expect((await driver.table()).commit.truncatedAt).toEqual(pointAt(20))
    expect(await valuesIn(driver)).toHaveLength(2)
  })
})

describe('tables whose names meet', () => {
  it('as a database and a table of it do not touch each other', async () => {
    const files = new SimulatedFileSystem({ random: seededRandom(1) })
    const outer = new TableDriver({ fileSystem: files })
    const inner = new TableDriver({ fileSystem: files, random: seededRandom(5) })
    for (const [driver, table] of [
      [outer, 'ods'],
      [inner, 'ods.data'],
    ] as const) {
      await driver.open(table)
      await driver.applyChanges([upsert([1, table])], idAndText, { table })
      await driver.open(table)
    }
    await outer.open('ods')
    await outer.applyChanges([upsert([2, 'ods'])], idAndText, { table: 'ods' })
    for (const [table, rows] of [
      ['ods', 2],
      ['ods.data', 1],
    ] as const) {
      const lines = await linesOf(await openTable(files, root, table))
      expect(lines).toHaveLength(rows)
    }
  })
})
