/**
 * What staged files do over any files that staging can lie in. Each test opens a place of its own, which
 * is empty.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteWriter } from '../../model/bytes.ts'
import { netChangeValues } from '../../model/net-change.ts'
import { encodeValues } from '../../model/row-codec.ts'
import type { OffsetRange, StagedBatch } from '../../model/staged-batch.ts'
import { internSchema } from '../../model/table-schema.ts'
import type { StagingFiles } from '../../sinks/staging-files.ts'
import { arbitraryValue, columnTypes } from './arbitraries.ts'
import type { StagingPlace } from './staged-files-parts.ts'
import {
  batches,
  batchOf,
  changeText,
  column,
  nextOwner,
  owner,
  readBack,
  stage,
  stagingIn,
  task,
  twoColumns,
  upsert,
} from './staged-files-parts.ts'

type Open = () => Promise<StagingPlace>

export function stagedFilesSuite(open: Open): void {
  describe('a staged file', () => stagedFileTests(open))
  describe('a staged window', () => stagedWindowTests(open))
  describe('a sweep', () => sweepTests(open))
}

async function cutShort(files: StagingFiles, path: string): Promise<void> {
  const whole = await files.open(path)
  const start = await whole.read(0, 10)
  await whole.close()
  const file = await files.create(path)
  await file.write(start)
  await file.close()
}

function stagedFileTests(open: Open): void {
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
        const staging = stagingIn(await open())
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
    const staging = stagingIn(await open())
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
    const staging = stagingIn(await open())
    const batch = await stage(staging, [], { schema: { columns: [], key: [] } })
    expect(batch.rowCount).toBe(0)
    expect(await readBack(staging, batch)).toEqual([])
  })

  it.each([
    ['two rows of one key', ['a', 'b', 'b']],
    ['rows that are not in key order', ['b', 'a']],
  ])('with %s is refused', async (_what, keys) => {
    const staging = stagingIn(await open())
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
    const staging = stagingIn(await open())
    const batch = await stage(staging, [upsert('a')])
    await expect(readBack(staging, { ...batch, rowCount: 2 })).rejects.toMatchObject({
      code: 'invariant-violated',
      message: 'a batch of 2 rows has 1',
      context: { table: 'ods.t', task },
    })
  })

  it('that is damaged says so, and which it is', async () => {
    const { files, root } = await open()
    const staging = stagingIn({ files, root })
    const batch = await stage(staging, [upsert('a')])
    const path = `${root}/${batch.files[0]!.path}`
    await cutShort(files, path)
    await expect(readBack(staging, batch)).rejects.toMatchObject({
      code: 'warehouse-unreadable',
      message: expect.stringContaining(`${path} is damaged`),
      context: { file: path },
    })
    await files.remove(path)
    await expect(readBack(staging, batch)).rejects.toMatchObject({ code: 'storage-failed' })
  })
}

function stagedWindowTests(open: Open): void {
  it('has its files under their names when it is sealed, and not before', async () => {
    const place = await open()
    const { files, root } = place
    const window = await stagingIn(place).openWindow(owner, { from: 3, to: 9 })
    const first = await window.write('ods.a', twoColumns, batches([upsert('a')]))
    const second = await window.write('ods.b/c', twoColumns, batches([upsert('b'), upsert('c')]))
    expect(await files.stat(`${root}/${first.path}`)).toBeNull()
    await window.seal()
    expect(first.path).toMatch(/^1_0\/3-9-7-[0-9a-f]{8}\/ods\.a\.orc$/)
    const found = await readBack(stagingIn(place), batchOf([first, second], twoColumns))
    expect(found.map(({ key }) => key)).toEqual(['a', 'b', 'c'])
    const stat = await files.stat(`${root}/${second.path}`)
    expect(stat?.sizeBytes).toBe(second.sizeBytes)
  })

  it('goes with its last batch, and not before', async () => {
    const { files, root } = await open()
    const staging = stagingIn({ files, root })
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
}

function sweepTests(open: Open): void {
  /** Windows 0–4 and 4–8 are committed, 8–12 is not. Each with its folder's name. */
  async function prepared() {
    const { files, root } = await open()
    const staging = stagingIn({ files, root })
    const ranges: OffsetRange[] = [
      { from: 0, to: 4 },
      { from: 4, to: 8 },
      { from: 8, to: 12 },
    ]
    const staged: StagedBatch[] = []
    for (const range of ranges) staged.push(await stage(staging, [upsert('a')], { range }))
    const names = staged.map(batch => batch.files[0]!.path.split('/')[1]!)
    const list = (): Promise<string[]> => files.list(`${root}/${task}`)
    return { files, root, staging, staged, names, list }
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
    const { files, root, staging, staged, names, list } = await prepared()
    await files.makeDirectory(`${root}/${task}/4-8-00000000.writing`)
    await files.makeDirectory(`${root}/${task}/${names[0]}.writing`)
    await staging.sweep(nextOwner, staged.slice(0, 2))
    expect(await list()).toEqual(names.slice(0, 2))
  })

  it('keeps what a later owner staged, and what it stages: whoever sweeps may have been paused', async () => {
    const { files, root, staging, names, list } = await prepared()
    await stage(staging, [upsert('a')], { by: nextOwner, range: { from: 0, to: 4 } })
    await files.makeDirectory(`${root}/${task}/4-8-8-00000000.writing`)
    const all = await list()
    for (const token of [6, 7]) await staging.sweep({ task, token }, [])
    expect(await list()).toEqual(all)
    await staging.sweep(nextOwner, [])
    expect(await list()).toEqual(all.filter(name => !names.includes(name)))
  })

  it('takes folders of versions that gave them no token', async () => {
    const { files, root, staging, staged, names, list } = await prepared()
    await files.makeDirectory(`${root}/${task}/4-8-99999999`)
    await staging.sweep(nextOwner, staged)
    expect(await list()).toEqual(names)
  })

  it('does not look at other tasks', async () => {
    const { files, root, staging, list } = await prepared()
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
    const { files, root } = await open()
    await stagingIn({ files, root }).sweep({ task: '1_7', token: 0 }, [])
    expect(await files.list(root)).toEqual([])
  })
}
