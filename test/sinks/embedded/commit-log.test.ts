import { describe, expect, it } from 'vitest'
import { internSchema } from '../../../model/table-schema.ts'
import { seededRandom } from '../../../runtime/random.ts'
import type { TableCommit } from '../../../sinks/embedded/commit-log.ts'
import { CommitLog } from '../../../sinks/embedded/commit-log.ts'
import { SimulatedFileSystem } from '../../../testkit/simulated-file-system.ts'
import { pointAt } from './model-table.ts'

const folder = '/warehouse/ods/t'

function commitOf(number: number): TableCommit {
  const schema = internSchema({
    columns: [
      { id: 'a', name: 'id', type: { kind: 'bigint' }, nullable: false },
      {
        id: 'b',
        name: 'ü "b"',
        type: { kind: 'decimal', precision: 20, scale: 2 },
        nullable: true,
        initialDefault: 2n ** 60n,
        comment: 'said by the source',
      },
      {
        id: 'c',
        name: 'c',
        type: { kind: 'binary' },
        nullable: true,
        initialDefault: Buffer.from([0, 255]),
      },
    ],
    key: ['id'],
  })
  return {
    number,
    table: 'ods.t',
    applied: { topicId: 'topic', offset: 7 },
    token: 3,
    schema,
    fileSchemas: [schema],
    partitionBy: { column: 'c', unit: 'year_month' },
    files: [
      {
        path: 'data/year_month=2024-01/1-0-aa.orc',
        partition: 'year_month=2024-01',
        rowCount: 2,
        sizeBytes: 10,
        minKey: '\x00\xff\x21',
        maxKey: '\x21\x05\x00',
        schema: 0,
      },
    ],
    truncatedAt: pointAt(5),
    removed: [{ path: 'data/0-0-bb.orc', atMs: 12 }],
  }
}

function newLog() {
  const files = new SimulatedFileSystem({ random: seededRandom(1) })
  return { files, log: new CommitLog(files, folder) }
}

describe('the log of commits', () => {
  it('gives back the newest commit as it was made', async () => {
    const { log } = newLog()
    expect(await log.latest()).toBeNull()
    for (const number of [1, 2, 3]) expect(await log.append(commitOf(number), 'a')).toBe(true)
    expect(await log.latest()).toEqual(commitOf(3))
    expect((await log.latest())?.schema).toBe(commitOf(3).schema)
  })

  it('gives a number to one commit only', async () => {
    const { files, log } = newLog()
    const attempts = await Promise.all(
      ['a', 'b', 'c'].map(attempt => log.append({ ...commitOf(1), table: attempt }, attempt)),
    )
    expect(attempts.filter(isOurs => isOurs)).toHaveLength(1)
    const winner = ['a', 'b', 'c'][attempts.indexOf(true)]
    expect((await log.latest())?.table).toBe(winner)
    expect(await files.list(`${folder}/_commits`)).toEqual(['00000000000000000001.json'])
  })

  it.each([
    ['is cut off', (text: string) => text.slice(0, -20), 'it is not JSON'],
    ['is empty', () => '', 'it is not JSON'],
    [
      'is of a newer version',
      (text: string) => text.replace('"version": 1', '"version": 2'),
      'it has version 2, known is 1',
    ],
  ])('whose newest commit %s says which file it is', async (_what, damage, why) => {
    const { files, log } = newLog()
    await log.append(commitOf(1), 'a')
    await log.append(commitOf(2), 'a')
    const path = `${folder}/_commits/00000000000000000002.json`
    const damaged = damage((await files.readFile(path)).toString())
    const handle = await files.open(path, 'write')
    await handle.truncate(0)
    await handle.write(Buffer.from(damaged), 0)
    // The commit before is not taken for it: what was applied since would be applied again.
    await expect(log.latest()).rejects.toMatchObject({
      code: 'warehouse-unreadable',
      message: `cannot read the commit ${path}: ${why}`,
      context: { file: path },
    })
  })

  it('keeps the last ten commits', async () => {
    const { files, log } = newLog()
    for (let number = 1; number <= 15; number += 1) await log.append(commitOf(number), 'a')
    await log.prune(15)
    const names = await files.list(`${folder}/_commits`)
    expect([names.length, names[0], names.at(-1)]).toEqual([
      10,
      '00000000000000000006.json',
      '00000000000000000015.json',
    ])
  })

  it('is read while its writer removes old commits', async () => {
    const { files, log } = newLog()
    await log.append(commitOf(1), 'a')
    let hasMoved = false
    const racing = new CommitLog(
      {
        ...wrapped(files),
        readFile: async path => {
          // Between listing and reading the writer is far ahead.
          if (!hasMoved) {
            hasMoved = true
            for (let number = 2; number <= 15; number += 1) await log.append(commitOf(number), 'a')
            await log.prune(15)
          }
          return await files.readFile(path)
        },
      },
      folder,
    )
    expect(await racing.latest()).toEqual(commitOf(15))
  })

  it('is free of what a crash left after a sweep', async () => {
    const { files, log } = newLog()
    await log.append(commitOf(1), 'a')
    await files.open(`${folder}/_commits/00000000000000000002.json.b.tmp`, 'write')
    await log.sweep()
    expect(await files.list(`${folder}/_commits`)).toEqual(['00000000000000000001.json'])
  })
})

function wrapped(files: SimulatedFileSystem) {
  return {
    readFile: (path: string) => files.readFile(path),
    open: (path: string, mode: 'read' | 'write') => files.open(path, mode),
    list: (path: string) => files.list(path),
    stat: (path: string) => files.stat(path),
    makeDirectory: (path: string) => files.makeDirectory(path),
    rename: (from: string, to: string) => files.rename(from, to),
    linkNew: (from: string, to: string) => files.linkNew(from, to),
    remove: (path: string) => files.remove(path),
    syncDirectory: (path: string) => files.syncDirectory(path),
    lock: (path: string) => files.lock(path),
  }
}
