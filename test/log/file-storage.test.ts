import { describe, expect, it } from 'vitest'
import { FileStorage } from '../../log/file-storage.ts'
import type { LogStorage } from '../../log/log-storage.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import { FaultyFiles } from './faulty-files.ts'
import type { Model } from './storage-program.ts'
import { below, emptyModel, modelText, openModel, randomStep } from './storage-program.ts'

const folder = '/state/log'
const journal = `${folder}/journal-00000001.log`
const at = { topic: 'orders', partition: 0 }

function newFiles(): SimulatedFileSystem {
  return new SimulatedFileSystem({ random: seededRandom(1) })
}

function recordsFrom(first: number, count: number, value = 'value'): LogRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    ...at,
    offset: first + index,
    timestampMs: 5,
    key: Buffer.from(`key${first + index}`),
    value: Buffer.from(value),
    headers: [],
  }))
}

/** A storage with one topic, and one record in each of so many commits: offsets 0, 2, 4, … */
async function withCommits(storage: LogStorage, count: number, value = 'value'): Promise<void> {
  await storage.open()
  await storage.createTopic({ name: 'orders', id: 'id', partitions: 1, cleanup: 'delete' })
  for (let index = 0; index < count; index += 1) await commitOne(storage, index * 2, value)
}

async function commitOne(storage: LogStorage, offset: number, value = 'value'): Promise<void> {
  const append = { ...at, records: recordsFrom(offset, 1, value), nextOffset: offset + 2 }
  await storage.commit([append], [{ ...at, group: 'g', offset, metadata: `at ${offset}` }])
}

async function offsetsIn(storage: LogStorage): Promise<number[]> {
  return (await storage.read(at, 0, 1_000_000)).map(({ offset }) => offset)
}

async function overwrite(files: SimulatedFileSystem, path: string, bytes: Buffer): Promise<void> {
  const handle = await files.open(path, 'write')
  await handle.truncate(0)
  await handle.write(bytes, 0)
  await handle.sync()
  await handle.close()
}

/** Where the lines of a journal end. */
function lineEnds(bytes: Buffer): number[] {
  return [...bytes].flatMap((byte, index) => (byte === 0x0a ? [index + 1] : []))
}

describe('the journal of the local log', () => {
  it('when it is cut anywhere, holds the commits whose lines are whole, and goes on', async () => {
    const files = newFiles()
    const storage = new FileStorage(files, folder)
    await withCommits(storage, 4)
    await storage.close()
    const bytes = await files.readFile(journal)
    const ends = lineEnds(bytes)
    expect(ends).toHaveLength(5)
    for (let length = ends[0]!; length <= bytes.length; length += 1) {
      await overwrite(files, journal, bytes.subarray(0, length))
      const commits = ends.filter(end => end <= length).length - 1
      const cut = new FileStorage(files, folder)
      const state = await cut.open()
      expect(state.partitions).toEqual([{ ...at, start: 0, end: commits * 2 }])
      expect(await offsetsIn(cut)).toEqual([0, 2, 4, 6].slice(0, commits))
      await commitOne(cut, commits * 2)
      await cut.close()
      const again = new FileStorage(files, folder)
      await again.open()
      expect(await offsetsIn(again)).toEqual([0, 2, 4, 6, 8].slice(0, commits + 1))
      await again.close()
    }
  })

  it.each([
    ['noise', Buffer.from('deadbeef {"type":"comm')],
    ['noise with an end', Buffer.from('00000000 {"type":"delete"}\n')],
    ['zeros, as a file system leaves them', Buffer.alloc(4096)],
  ])('drops %s behind its last line', async (_what, noise) => {
    const files = newFiles()
    const storage = new FileStorage(files, folder)
    await withCommits(storage, 2)
    await storage.close()
    const bytes = await files.readFile(journal)
    await overwrite(files, journal, Buffer.concat([bytes, noise]))
    const opened = new FileStorage(files, folder)
    await opened.open()
    expect(await offsetsIn(opened)).toEqual([0, 2])
    await opened.close()
    expect(await files.readFile(journal)).toEqual(bytes)
  })

  it('that is damaged before its last line is state-corrupt, wherever the damage is', async () => {
    const files = newFiles()
    const storage = new FileStorage(files, folder)
    await withCommits(storage, 2)
    await storage.close()
    const bytes = await files.readFile(journal)
    const lastLine = lineEnds(bytes).at(-2)!
    for (let place = 0; place < lastLine - 1; place += 1) {
      const damaged = Buffer.from(bytes)
      damaged[place]! ^= 1 << (place % 8)
      await overwrite(files, journal, damaged)
      const opening = new FileStorage(files, folder).open()
      await expect(opening, `byte ${place}`).rejects.toMatchObject({
        code: 'state-corrupt',
        message: expect.stringContaining(`${journal} is damaged at byte`),
        context: { file: journal },
      })
    }
  })

  it('can be mended after it was found damaged: the folder is not left locked', async () => {
    const files = newFiles()
    const storage = new FileStorage(files, folder)
    await withCommits(storage, 3)
    await storage.close()
    const bytes = await files.readFile(journal)
    await overwrite(files, journal, Buffer.concat([Buffer.from('x'), bytes]))
    await expect(new FileStorage(files, folder).open()).rejects.toThrow('damaged at byte 0')
    await overwrite(files, journal, bytes)
    const opened = new FileStorage(files, folder)
    await opened.open()
    expect(await offsetsIn(opened)).toEqual([0, 2, 4])
  })

  it('that grows long is followed by a short one that says the same', async () => {
    const files = newFiles()
    const limits = { maxJournalBytes: 2000, maxSegmentBytes: 300 }
    const random = seededRandom(5)
    let storage = new FileStorage(files, folder, limits)
    await openModel(storage, random)
    let model: Model = emptyModel
    const journals = new Set<string>()
    for (let step = 0; step < 150; step += 1) {
      const { run, after } = randomStep(random, model)
      await run(storage)
      model = after
      const names = (await files.list(folder)).filter(name => name.startsWith('journal'))
      expect(names).toHaveLength(1)
      journals.add(names[0]!)
      if (step % 10 !== 0) continue
      await storage.close()
      storage = new FileStorage(files, folder, limits)
      expect(modelText(await openModel(storage, random))).toBe(modelText(model))
    }
    expect(journals.size).toBeGreaterThan(5)
  })

  it('that a crash left beside its successor goes, and the successor counts', async () => {
    const files = newFiles()
    const storage = new FileStorage(files, folder, { maxJournalBytes: 600 })
    await withCommits(storage, 1)
    const old = await files.readFile(journal)
    for (let offset = 2; offset < 20; offset += 2) await commitOne(storage, offset)
    await storage.close()
    await overwrite(files, journal, old)
    const opened = new FileStorage(files, folder)
    await opened.open()
    expect(await offsetsIn(opened)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
    expect(await files.stat(journal)).toBeNull()
  })
})

describe('the segments of the local log', () => {
  const limits = { maxSegmentBytes: 100 }
  const partitionFolder = `${folder}/orders-0`

  it('that are full are followed by new ones, and records are read across them', async () => {
    const files = newFiles()
    const storage = new FileStorage(files, folder, limits)
    await withCommits(storage, 10, 'x'.repeat(40))
    expect((await files.list(partitionFolder)).length).toBeGreaterThan(3)
    expect(await offsetsIn(storage)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
    const few = await storage.read(at, 5, 1)
    expect(few.map(({ offset }) => offset)).toEqual([6])
  })

  it('go when all of their records are deleted, and the others stay', async () => {
    const files = newFiles()
    const storage = new FileStorage(files, folder, limits)
    await withCommits(storage, 10, 'x'.repeat(40))
    const before = await files.list(partitionFolder)
    await storage.deleteRecords(at, 9)
    const left = await files.list(partitionFolder)
    expect(left).toEqual(before.slice(before.length - left.length))
    expect(left.length).toBeLessThan(before.length)
    expect(await offsetsIn(storage)).toEqual([10, 12, 14, 16, 18])
    await storage.deleteRecords(at, 20)
    expect(await files.list(partitionFolder)).toHaveLength(1)
    expect(await offsetsIn(storage)).toEqual([])
  })

  it('that nobody names are removed when the log is opened', async () => {
    const files = newFiles()
    const storage = new FileStorage(files, folder, limits)
    await withCommits(storage, 6, 'x'.repeat(40))
    await storage.close()
    const named = await files.list(partitionFolder)
    await overwrite(files, `${partitionFolder}/00000000000000000099.log`, Buffer.from('left over'))
    await overwrite(files, `${partitionFolder}/notes.txt`, Buffer.from('not ours'))
    const opened = new FileStorage(files, folder, limits)
    await opened.open()
    expect(await files.list(partitionFolder)).toEqual([...named, 'notes.txt'])
    expect(await offsetsIn(opened)).toEqual([0, 2, 4, 6, 8, 10])
  })

  it('that are damaged are state-corrupt when they are read, with the place', async () => {
    const files = newFiles()
    const storage = new FileStorage(files, folder, limits)
    await withCommits(storage, 4, 'x'.repeat(60))
    await storage.close()
    const [first, second] = await files.list(partitionFolder)
    const path = `${partitionFolder}/${second}`
    const bytes = await files.readFile(path)
    const damages = [...bytes.keys()].map(place => {
      const damaged = Buffer.from(bytes)
      damaged[place]! ^= 1 << (place % 8)
      return damaged
    })
    for (const damaged of [...damages, bytes.subarray(0, -1), Buffer.alloc(0)]) {
      await overwrite(files, path, damaged)
      const opened = new FileStorage(files, folder, limits)
      await opened.open()
      await expect(offsetsIn(opened)).rejects.toMatchObject({
        code: 'state-corrupt',
        context: { topic: 'orders', partition: 0, file: path },
      })
      expect((await opened.read(at, 0, 1)).map(({ offset }) => offset)).toEqual([0])
      await opened.close()
    }
    expect(first).not.toBe(second)
  })

  it('that are missing are state-corrupt when the log is opened', async () => {
    for (const part of ['segment', 'folder', 'journal'] as const) {
      const files = newFiles()
      const storage = new FileStorage(files, folder)
      await withCommits(storage, 1)
      await storage.close()
      const [segment] = await files.list(partitionFolder)
      const paths = {
        segment: `${partitionFolder}/${segment}`,
        folder: partitionFolder,
        journal: `${folder}/journal-00000001.log`,
      }
      await files.remove(paths[part])
      const file = part === 'journal' ? folder : paths[part]
      for (let time = 0; time < 2; time += 1) {
        await expect(new FileStorage(files, folder).open(), part).rejects.toMatchObject({
          code: 'state-corrupt',
          context: { file },
        })
      }
    }
  })

  it('that are removed while the log is open are state-corrupt when they are read', async () => {
    const files = newFiles()
    const storage = new FileStorage(files, folder)
    await withCommits(storage, 1)
    await storage.close()
    const opened = new FileStorage(files, folder)
    await opened.open()
    const [name] = await files.list(partitionFolder)
    await files.remove(`${partitionFolder}/${name}`)
    await expect(offsetsIn(opened)).rejects.toMatchObject({ code: 'state-corrupt' })
    await expect(offsetsIn(opened)).rejects.toThrow(`${partitionFolder}/${name}`)
  })
})

describe('a full disk', () => {
  it('fails the step that meets it and all after it; opened anew, the log goes on', async () => {
    const seed = 3
    for (let failFrom = 1; ; failFrom += 1) {
      const files = newFiles()
      const disk = new FaultyFiles(files)
      const random = seededRandom(seed)
      const limits = { maxJournalBytes: 800, maxSegmentBytes: 300 }
      const storage = new FileStorage(disk.fileSystem, folder, limits)
      disk.failFrom = failFrom
      let acknowledged: Model = emptyModel
      let inDoubt: Model = emptyModel
      const full = { code: 'storage-failed', retry: 'backoff' }
      let hasFailed = false
      try {
        await openModel(storage, random)
        for (let step = 0; step < 12; step += 1) {
          const { run, after } = randomStep(random, acknowledged)
          inDoubt = after
          await run(storage)
          acknowledged = after
        }
      } catch (error) {
        expect(error).toMatchObject(full)
        hasFailed = true
      }
      // A removal may have failed after its step was done; nothing that is written passes any more.
      disk.mend()
      const isInUse = acknowledged.topics.size > 0 && hasFailed
      if (isInUse && modelText(acknowledged) !== modelText(inDoubt)) {
        const next = randomStep(seededRandom(1), acknowledged)
        await expect(next.run(storage)).rejects.toMatchObject(full)
      }
      await storage.close()
      const opened = new FileStorage(files, folder, limits)
      const found = modelText(await openModel(opened, seededRandom(1)))
      expect([modelText(acknowledged), modelText(inDoubt)]).toContain(found)
      const left = found === modelText(inDoubt) ? inDoubt : acknowledged
      const { run, after } = randomStep(seededRandom(2), left)
      await run(opened)
      await opened.close()
      const again = new FileStorage(files, folder, limits)
      expect(modelText(await openModel(again, seededRandom(1)))).toBe(modelText(after))
      if (hasFailed) continue
      expect(failFrom).toBeGreaterThan(60)
      return
    }
  })
})

describe('reading', () => {
  it('gives about as many bytes as it is asked for, whatever the chunks are', async () => {
    const files = newFiles()
    const storage = new FileStorage(files, folder)
    await withCommits(storage, 1)
    const records = recordsFrom(2, 3000, 'x'.repeat(1000))
    await storage.commit([{ ...at, records, nextOffset: 3003 }], [])
    const random = seededRandom(1)
    const seen: number[] = []
    while (seen.length < 3001) {
      const maxBytes = 1 + below(random, 200_000)
      const found = await storage.read(at, (seen.at(-1) ?? -1) + 1, maxBytes)
      expect(found.length).toBeGreaterThan(0)
      const bytes = found.slice(0, -1).reduce((sum, { value }) => sum + value!.length, 0)
      expect(bytes).toBeLessThan(maxBytes)
      seen.push(...found.map(({ offset }) => offset))
    }
    expect(seen).toEqual([0, ...records.map(({ offset }) => offset)])
  })
})
