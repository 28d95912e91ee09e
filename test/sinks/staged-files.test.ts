import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteWriter } from '../../model/bytes.ts'
import type { ColumnType } from '../../model/column-type.ts'
import type { NetChange } from '../../model/net-change.ts'
import { alignValues, netChangeValues } from '../../model/net-change.ts'
import type { RowValues } from '../../model/row-codec.ts'
import { encodeValues } from '../../model/row-codec.ts'
import type { OffsetRange, StagedBatch, StagedFile } from '../../model/staged-batch.ts'
import type { Column, TableSchema } from '../../model/table-schema.ts'
import { internSchema } from '../../model/table-schema.ts'
import { seededRandom } from '../../runtime/random.ts'
import { StagedFiles } from '../../sinks/staged-files.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import { CrashingFiles } from '../log/crashing-files.ts'
import { arbitraryValue, columnTypes, valueText } from './arbitraries.ts'

const root = '/state/staging'
const task = '1_0'
/** Of the owner that stages, and of one after it. */
const owner = { task, token: 7 }
const nextOwner = { task, token: 8 }

function stagingOver(fileSystem: SimulatedFileSystem, seed = 1): StagedFiles {
  return new StagedFiles({ fileSystem, root, random: seededRandom(seed) })
}

function newFiles(): SimulatedFileSystem {
  return new SimulatedFileSystem({ random: seededRandom(1) })
}

function column(id: string, type: ColumnType, rest: Partial<Column> = {}): Column {
  return { id, name: id, type, nullable: true, ...rest }
}

const twoColumns = internSchema({
  columns: [column('id', { kind: 'int' }), column('v', { kind: 'string' })],
  key: ['id'],
})

function upsert(key: string, row: RowValues = [1, 'v'], schema = twoColumns): NetChange {
  return { kind: 'upsert', key, row, schema, leaves: [], last: { position: 'p', sourceMs: 1 } }
}

async function* batches(changes: readonly NetChange[]): AsyncGenerator<readonly NetChange[]> {
  for (let start = 0; start < changes.length; start += 3) {
    yield changes.slice(start, start + 3)
    await Promise.resolve()
  }
}

function batchOf(
  files: readonly StagedFile[],
  schema: TableSchema,
  rest: Partial<StagedBatch> = {},
) {
  return {
    table: 'ods.t',
    partitionBy: null,
    task,
    range: { from: 0, to: 1 },
    schema,
    files,
    rowCount: files.reduce((sum, file) => sum + file.rowCount, 0),
    eventCount: 0,
    truncate: null,
    sourceMs: { first: 0, last: 0 },
    ...rest,
  } satisfies StagedBatch
}

async function stage(
  staging: StagedFiles,
  changes: readonly NetChange[],
  { schema = twoColumns, range = { from: 0, to: 1 }, table = 'ods.t', by = owner } = {},
): Promise<StagedBatch> {
  const window = await staging.openWindow(by, range)
  const file = await window.write(table, schema, batches(changes))
  await window.seal()
  return batchOf([file], schema, { table, range, task: by.task })
}

async function readBack(staging: StagedFiles, batch: StagedBatch): Promise<NetChange[]> {
  const all: NetChange[] = []
  for await (const part of staging.read(batch)) all.push(...part)
  return all
}

/** A change as text, its row under the given schema. */
function changeText(change: NetChange, schema: TableSchema): string {
  const { kind, leaves, last, key } = change
  const row = change.row === null ? null : alignValues(change, schema).map(valueText)
  return JSON.stringify([kind, key, row, leaves, last.position, last.sourceMs])
}

describe('a staged file', () => {
  const schema = internSchema({
    columns: columnTypes.map((type, index) => column(`c${index}`, type)),
    key: ['c3'],
  })
  const kinds = fc.constantFrom('upsert' as const, 'patch' as const, 'delete' as const)
  const leaves = fc.oneof(
    fc.constant('unknown' as const),
    fc.uniqueArray(
      fc.constantFrom('month=2024-01', 'a="', 'ü=%2F', 'x=__HIVE_DEFAULT_PARTITION__'),
    ),
  )
  const values = fc.tuple(...columnTypes.map(type => fc.option(arbitraryValue(type))))
  const changes = fc
    .uniqueArray(
      fc.record({
        key: fc.string({
          unit: fc.integer({ min: 0, max: 255 }).map(b => String.fromCharCode(b)),
          minLength: 1,
          maxLength: 6,
        }),
        kind: kinds,
        values,
        sent: fc.array(fc.boolean(), {
          minLength: columnTypes.length,
          maxLength: columnTypes.length,
        }),
        leaves,
        position: fc.string({ maxLength: 10 }),
        sourceMs: fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
        isEncoded: fc.boolean(),
      }),
      { selector: one => one.key, maxLength: 12 },
    )
    .map(list => list.sort((a, b) => (a.key < b.key ? -1 : 1)))

  it('gives back every kind of change with every type of value', async () => {
    await fc.assert(
      fc.asyncProperty(changes, async list => {
        const written = list.map(
          ({ kind, values: all, sent, isEncoded, position, sourceMs, ...rest }) => {
            const row = all.map((value, index) =>
              kind === 'patch' && !sent[index] ? undefined : value,
            )
            const bytes = new ByteWriter()
            encodeValues(bytes, schema, row)
            return {
              ...rest,
              kind,
              row: kind === 'delete' ? null : isEncoded ? bytes.take() : row,
              schema,
              last: { position, sourceMs },
            }
          },
        )
        const staging = stagingOver(newFiles())
        const batch = await stage(staging, written, { schema })
        const found = await readBack(staging, batch)
        expect(found.map(one => changeText(one, schema))).toEqual(
          written.map(one => changeText(one, schema)),
        )
        expect(found.every(one => one.schema === schema)).toBe(true)
      }),
      { numRuns: 60, seed: 1 },
    )
  })

  it('knows the columns of a patch by their ids, wherever they stand', async () => {
    const older = internSchema({
      columns: [column('v', { kind: 'string' }), column('id', { kind: 'int' })],
      key: ['id'],
    })
    const renamed = column('v', { kind: 'string' }, { name: 'renamed' })
    const added = column('w', { kind: 'int' }, { initialDefault: 7 })
    const batchSchema = internSchema({
      columns: [column('id', { kind: 'bigint' }), added, renamed],
      key: ['id'],
    })
    const last = { position: '', sourceMs: 0 }
    const common = { schema: older, leaves: [] as string[], last }
    const staging = stagingOver(newFiles())
    const batch = await stage(
      staging,
      [
        { ...common, kind: 'patch', key: 'a', row: ['x', undefined] },
        { ...common, kind: 'patch', key: 'b', row: [undefined, 5] },
        { ...common, kind: 'patch', key: 'c', row: [null, 6] },
        { ...common, kind: 'upsert', key: 'd', row: ['y', 8] },
      ],
      { schema: batchSchema },
    )
    const rows = (await readBack(staging, batch)).map(change => netChangeValues(change))
    expect(rows).toEqual([
      [undefined, undefined, 'x'],
      [5, undefined, undefined],
      [6, undefined, null],
      [8, 7, 'y'],
    ])
  })

  it('may hold nothing: a truncate comes without rows and without columns', async () => {
    const staging = stagingOver(newFiles())
    const batch = await stage(staging, [], { schema: { columns: [], key: [] } })
    expect(batch.rowCount).toBe(0)
    expect(await readBack(staging, batch)).toEqual([])
  })

  it.each([
    ['two rows of one key', ['a', 'b', 'b']],
    ['rows that are not in key order', ['b', 'a']],
  ])('with %s is refused', async (_what, keys) => {
    const staging = stagingOver(newFiles())
    const writing = stage(
      staging,
      keys.map(key => upsert(key)),
    )
    await expect(writing).rejects.toMatchObject({
      code: 'invariant-violated',
      context: { table: 'ods.t' },
    })
  })

  it('with another number of rows than its batch says is refused', async () => {
    const staging = stagingOver(newFiles())
    const batch = await stage(staging, [upsert('a')])
    await expect(readBack(staging, { ...batch, rowCount: 2 })).rejects.toMatchObject({
      code: 'invariant-violated',
      message: 'a batch of 2 rows has 1',
      context: { table: 'ods.t', task },
    })
  })

  it('that is damaged says so, and which it is', async () => {
    const files = newFiles()
    const staging = stagingOver(files)
    const batch = await stage(staging, [upsert('a')])
    const path = `${root}/${batch.files[0]!.path}`
    const handle = await files.open(path, 'write')
    await handle.truncate(10)
    await expect(readBack(staging, batch)).rejects.toMatchObject({
      code: 'warehouse-unreadable',
      message: expect.stringContaining(`${path} is damaged`),
      context: { file: path },
    })
    await files.remove(path)
    await expect(readBack(staging, batch)).rejects.toMatchObject({ code: 'storage-failed' })
  })
})

describe('a staged window', () => {
  it('has its files under their names, durable, when it is sealed', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const files = new SimulatedFileSystem({ random: seededRandom(seed) })
      const staging = stagingOver(files, seed)
      const window = await staging.openWindow(owner, { from: 3, to: 9 })
      const first = await window.write('ods.a', twoColumns, batches([upsert('a')]))
      const second = await window.write('ods.b/c', twoColumns, batches([upsert('b'), upsert('c')]))
      expect(await files.stat(`${root}/${first.path}`)).toBeNull()
      await window.seal()
      files.crash()
      expect(first.path).toMatch(/^1_0\/3-9-7-[0-9a-f]{8}\/ods\.a\.orc$/)
      const batch = batchOf([first, second], twoColumns)
      const found = await readBack(stagingOver(files), batch)
      expect(found.map(({ key }) => key)).toEqual(['a', 'b', 'c'])
      const stat = await files.stat(`${root}/${second.path}`)
      expect(stat?.sizeBytes).toBe(second.sizeBytes)
    }
  })

  it('that a crash ends at any call leaves nothing that a sweep does not take', async () => {
    const write = async (disk: CrashingFiles): Promise<void> => {
      await stage(stagingOver(disk.files), [upsert('a')], { range: { from: 5, to: 9 } })
    }
    const whole = new CrashingFiles(seededRandom(1))
    await write(whole)
    for (let crashAt = 1; crashAt <= whole.calls; crashAt += 1) {
      const disk = new CrashingFiles(seededRandom(crashAt))
      disk.crashAt(crashAt)
      expect(await disk.survives(() => write(disk))).toBe(false)
      await stagingOver(disk.files).sweep(nextOwner, [])
      expect(await disk.files.list(`${root}/${task}`)).toEqual([])
      // The window is closed again: nothing of before stands in its way.
      const batch = await stage(stagingOver(disk.files), [upsert('a')], {
        range: { from: 5, to: 9 },
      })
      expect(await readBack(stagingOver(disk.files), batch)).toHaveLength(1)
    }
  })

  it('may have several files of one table', async () => {
    const staging = stagingOver(newFiles())
    const window = await staging.openWindow(owner, { from: 0, to: 1 })
    const write = (table: string, key: string) =>
      window.write(table, twoColumns, batches([upsert(key)]))
    const written = [await write('a', 'x'), await write('a~2', 'y'), await write('a', 'z')]
    await window.seal()
    const found = await readBack(staging, batchOf(written, twoColumns))
    expect(found.map(({ key }) => key)).toEqual(['x', 'y', 'z'])
  })

  it('goes with its last batch, and not before', async () => {
    const files = newFiles()
    const staging = stagingOver(files)
    const window = await staging.openWindow(owner, { from: 0, to: 1 })
    const first = await window.write('ods.a', twoColumns, batches([upsert('a')]))
    const second = await window.write('ods.b', twoColumns, batches([upsert('b')]))
    await window.seal()
    await staging.remove(batchOf([first], twoColumns))
    expect(await files.list(`${root}/${task}`)).toHaveLength(1)
    expect(await readBack(staging, batchOf([second], twoColumns))).toHaveLength(1)
    await staging.remove(batchOf([second], twoColumns))
    expect(await files.list(`${root}/${task}`)).toEqual([])
    // A crash may come before the record of the removal: it is done again.
    await staging.remove(batchOf([second], twoColumns))
  })
})

describe('a sweep', () => {
  /** Windows 0–4 and 4–8 are committed, 8–12 is not. Each with its folder's name. */
  async function prepared() {
    const files = newFiles()
    const staging = stagingOver(files)
    const ranges: OffsetRange[] = [
      { from: 0, to: 4 },
      { from: 4, to: 8 },
      { from: 8, to: 12 },
    ]
    const staged: StagedBatch[] = []
    for (const range of ranges) staged.push(await stage(staging, [upsert('a')], { range }))
    const names = staged.map(batch => batch.files[0]!.path.split('/')[1]!)
    const list = (): Promise<string[]> => files.list(`${root}/${task}`)
    return { files, staging, staged, names, list }
  }

  it('takes what was staged and not committed', async () => {
    const { staging, staged, names, list } = await prepared()
    await staging.sweep(nextOwner, staged.slice(0, 2))
    expect(await list()).toEqual(names.slice(0, 2))
  })

  it('keeps what a staged record names, however old it is', async () => {
    const { staging, staged, names, list } = await prepared()
    await staging.sweep(nextOwner, [staged[0]!])
    expect(await list()).toEqual([names[0]])
  })

  it('takes what no staged record names: it was applied', async () => {
    const { staging, list } = await prepared()
    await staging.sweep(nextOwner, [])
    expect(await list()).toEqual([])
  })

  it('takes folders that were not sealed, also beside a sealed one of the same window', async () => {
    const { files, staging, staged, names, list } = await prepared()
    await files.makeDirectory(`${root}/${task}/4-8-00000000.writing`)
    await files.makeDirectory(`${root}/${task}/${names[0]}.writing`)
    await staging.sweep(nextOwner, staged.slice(0, 2))
    expect(await list()).toEqual(names.slice(0, 2))
  })

  it('keeps what a later owner staged, and what it stages: whoever sweeps may have been paused', async () => {
    const { files, staging, names, list } = await prepared()
    await stage(staging, [upsert('a')], { by: nextOwner, range: { from: 0, to: 4 } })
    await files.makeDirectory(`${root}/${task}/4-8-8-00000000.writing`)
    const all = await list()
    for (const token of [6, 7]) await staging.sweep({ task, token }, [])
    expect(await list()).toEqual(all)
    await staging.sweep(nextOwner, [])
    expect(await list()).toEqual(all.filter(name => !names.includes(name)))
  })

  it('takes folders of versions that gave them no token', async () => {
    const { files, staging, staged, names, list } = await prepared()
    await files.makeDirectory(`${root}/${task}/4-8-99999999`)
    await staging.sweep(nextOwner, staged)
    expect(await list()).toEqual(names)
  })

  it('does not look at other tasks', async () => {
    const { files, staging, list } = await prepared()
    const other = await stage(staging, [upsert('a')], {
      by: { ...owner, task: '1_01' },
      range: { from: 0, to: 1 },
    })
    await staging.sweep(nextOwner, [])
    expect(await list()).toEqual([])
    expect(await files.list(`${root}/1_01`)).toHaveLength(1)
    expect(await readBack(staging, other)).toHaveLength(1)
  })

  it('of a task that never staged does nothing', async () => {
    const files = newFiles()
    await stagingOver(files).sweep({ task: '1_7', token: 0 }, [])
    expect(await files.list(root)).toEqual([])
  })
})
