import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compactTopics } from '../../log/compaction.ts'
import { FileStorage } from '../../log/file-storage.ts'
import { noMembership } from '../../log/log.ts'
import type { LogStorage } from '../../log/log-storage.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import { CrashingFiles } from './crashing-files.ts'
import { openLog } from './logs.ts'

const at = { topic: 'owners', partition: 0 }
const folder = '/state/log'

/** Records by key; null is a record without a key. Two offsets each: a record and its marker. */
function recordsOf(keys: readonly (string | null)[]): LogRecord[] {
  return keys.map((key, index) => ({
    ...at,
    offset: index * 2,
    timestampMs: index,
    key: key === null ? null : Buffer.from(key, 'latin1'),
    value: index % 5 === 3 ? null : Buffer.from(`value ${index}`),
    headers: [],
  }))
}

async function fill(
  storage: LogStorage,
  keys: readonly (string | null)[],
  cleanup: 'compact' | 'delete' = 'compact',
): Promise<LogRecord[]> {
  await storage.open()
  await storage.createTopic({ name: at.topic, id: 'id', partitions: 1, cleanup })
  const records = recordsOf(keys)
  for (let start = 0; start < records.length; start += 300) {
    const part = records.slice(start, start + 300)
    await storage.commit([{ ...at, records: part, nextOffset: part.at(-1)!.offset + 2 }], [])
  }
  return records
}

async function readOffsets(storage: LogStorage): Promise<number[]> {
  return (await storage.read(at, 0, Number.MAX_SAFE_INTEGER)).map(({ offset }) => offset)
}

/** What a log that keeps the last record of each key has: the naive way. */
function survivors(records: readonly LogRecord[]): number[] {
  return records
    .filter((record, index) => {
      const key = record.key?.toString()
      const isLast = !records.slice(index + 1).some(later => later.key?.toString() === key)
      return key === undefined || isLast
    })
    .map(({ offset }) => offset)
}

function cycle(count: number, keys: number): string[] {
  return Array.from({ length: count }, (_, index) => `key ${index % keys}`)
}

async function compact(storage: LogStorage, reopened: LogStorage): Promise<void> {
  await storage.close()
  await compactTopics(reopened, await reopened.open())
}

describe('compaction', () => {
  it.each([
    ['1,001 records of 3 keys', cycle(1001, 3), true],
    ['1,000 records of 3 keys are too few', cycle(1000, 3), false],
    ['1,100 records of 550 keys: half of them count', cycle(1100, 550), false],
    ['1,101 records of 550 keys: most are superseded', cycle(1101, 550), true],
    ['records without a key are never superseded', Array(1500).fill(null), false],
  ])('%s', async (_title, keys, isRewritten) => {
    const storage = new MemoryStorage()
    const records = await fill(storage, keys)
    await compact(storage, storage)
    const expected = isRewritten ? survivors(records) : records.map(({ offset }) => offset)
    expect(await readOffsets(storage)).toEqual(expected)
    expect(expected.length < keys.length).toBe(isRewritten)
  })

  it('leaves a topic that keeps everything as it is', async () => {
    const storage = new MemoryStorage()
    const records = await fill(storage, cycle(2000, 2), 'delete')
    await compact(storage, storage)
    expect(await readOffsets(storage)).toEqual(records.map(({ offset }) => offset))
  })

  it('keeps the last record of each key, whatever the keys are', async () => {
    const key = fc.oneof(
      fc.constantFrom('', 'a', 'b', '\x00', '\xff', 'offset 4', 'key a'),
      fc.constant(null),
    )
    const lists = fc.array(key, { minLength: 1001, maxLength: 1300 })
    await fc.assert(
      fc.asyncProperty(lists, async keys => {
        const storage = new MemoryStorage()
        const records = await fill(storage, keys)
        await compact(storage, storage)
        const expected = survivors(records)
        const isWorthIt = expected.length < records.length / 2
        const all = records.map(({ offset }) => offset)
        expect(await readOffsets(storage)).toEqual(isWorthIt ? expected : all)
      }),
      { numRuns: 25, seed: 1 },
    )
  })

  it('of the local log frees the files, and what is written next goes on behind', async () => {
    const files = new SimulatedFileSystem({ random: seededRandom(1) })
    const limits = { maxSegmentBytes: 4000 }
    const storage = new FileStorage(files, folder, limits)
    const records = await fill(storage, cycle(3000, 7))
    const before = (await files.list(`${folder}/owners-0`)).length
    expect(before).toBeGreaterThan(5)
    const reopened = new FileStorage(files, folder, limits)
    await compact(storage, reopened)
    expect(await files.list(`${folder}/owners-0`)).toHaveLength(1)
    await reopened.close()

    const log = await openLog(new FileStorage(files, folder, limits))
    expect(await log.offsets(at)).toEqual({ start: 0, end: 6000 })
    const batch = await log.read(at, 0, 1_000_000)
    expect(batch.records.map(({ offset }) => offset)).toEqual(survivors(records))
    expect(batch.records.map(({ value }) => value)).toEqual(records.slice(-7).map(one => one.value))
    expect(batch.nextOffset).toBe(6000)
  })

  it('goes on while the log is open: its topic does not grow', async () => {
    const files = new SimulatedFileSystem({ random: seededRandom(1) })
    const storage = new FileStorage(files, folder, { maxSegmentBytes: 4000 })
    const log = await openLog(storage)
    await log.createTopic({ name: at.topic, partitions: 1, cleanup: 'compact' })
    await log.createTopic({ name: 'rows', partitions: 1, cleanup: 'delete' })
    const producer = await log.openProducer('writer')
    const sizes: number[] = []
    for (let index = 0; index < 12_000; index += 100) {
      const keys = Array.from({ length: 100 }, (_, more) => `key ${(index + more) % 700}`)
      const records = keys.map((key, more) => {
        return {
          ...at,
          key: Buffer.from(key),
          value: Buffer.from(`${index + more}`),
          timestampMs: 0,
        }
      })
      const other = { ...records[0]!, topic: 'rows' }
      await producer.commit({ records: [...records, other], offsets: [], group: noMembership })
      sizes.push((await readOffsets(storage)).length)
    }
    // A rewrite is worth it when most are superseded, and it is looked at when as many came as there were.
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4 * 700 + 100)
    expect((await files.list(`${folder}/owners-0`)).length).toBeLessThan(30)
    const { records, nextOffset } = await log.read(at, 0, 10_000_000)
    const latest = new Map(records.map(({ key, value }) => [String(key), Number(String(value))]))
    expect(latest.size).toBe(700)
    for (const [key, value] of latest) expect(value % 700).toBe(Number(key.slice(4)))
    expect(Math.min(...latest.values())).toBe(12_000 - 700)
    expect(nextOffset).toBe((await log.offsets(at)).end)
    // What keeps everything does.
    expect((await log.read({ topic: 'rows', partition: 0 }, 0, 1_000_000)).records).toHaveLength(
      120,
    )
  })

  it('that runs while a topic is read takes nothing from the reader', async () => {
    const files = new SimulatedFileSystem({ random: seededRandom(1) })
    const log = await openLog(new FileStorage(files, folder, { maxSegmentBytes: 1000 }))
    await log.createTopic({ name: at.topic, partitions: 1, cleanup: 'compact' })
    const producer = await log.openProducer('writer')
    const write = async (round: number): Promise<void> => {
      const records = Array.from({ length: 50 }, (_, key) => {
        return { ...at, key: Buffer.from(`${key}`), value: Buffer.from(`${round}`), timestampMs: 0 }
      })
      await producer.commit({ records, offsets: [], group: noMembership })
    }
    const keysThatAreRead = async (): Promise<number> => {
      const { records } = await log.read(at, 0, 1_000_000)
      return new Set(records.map(({ key }) => String(key))).size
    }
    await write(0)
    for (let round = 1; round < 50; round += 1) {
      let isWriting = true
      const writing = write(round).finally(() => {
        isWriting = false
      })
      // A reader at every moment of the write, that may compact.
      const readers: Promise<number>[] = []
      while (isWriting) {
        readers.push(keysThatAreRead())
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
      }
      await writing
      for (const count of await Promise.all(readers)) expect(count).toBe(50)
    }
    expect((await log.read(at, 0, 1_000_000)).records.length).toBeLessThan(2000)
  })

  it('may be repeated and overgrown: no segment is written over', async () => {
    const files = new SimulatedFileSystem({ random: seededRandom(1) })
    // Every chunk fills a segment, so each append and each rewrite begins a new one.
    const limits = { maxSegmentBytes: 1 }
    let storage = new FileStorage(files, folder, limits)
    const records = await fill(storage, cycle(10, 2))
    const [ninth, tenth] = records.slice(-2)
    for (let round = 0; round < 3; round += 1) {
      await storage.rewrite(at, [ninth!, tenth!])
      await storage.rewrite(at, [tenth!])
      await storage.close()
      storage = new FileStorage(files, folder, limits)
      const end = 20 + round * 2
      expect((await storage.open()).partitions).toEqual([{ ...at, start: 0, end }])
      expect((await readOffsets(storage)).slice(0, 1)).toEqual([18])
      const record = { ...tenth!, offset: end }
      await storage.commit([{ ...at, records: [record], nextOffset: end + 2 }], [])
      expect((await readOffsets(storage)).at(-1)).toBe(end)
      expect((await readOffsets(storage))[0]).toBe(18)
    }
  })

  it('that a crash ends at any call leaves all records, or those that count', async () => {
    const prepare = async (crashAt: number) => {
      const disk = new CrashingFiles(seededRandom(crashAt))
      const storage = new FileStorage(disk.files, folder, { maxSegmentBytes: 20_000 })
      const records = await fill(storage, cycle(1200, 5))
      await storage.close()
      disk.crashAt(crashAt)
      return { disk, records }
    }
    const open = (disk: CrashingFiles) =>
      disk.survives(async () => {
        const log = await openLog(new FileStorage(disk.files, folder))
        await log.close()
      })
    const { disk: whole } = await prepare(Number.POSITIVE_INFINITY)
    await open(whole)
    expect(whole.calls).toBeGreaterThan(20)
    const seen = new Set<number>()
    for (let crashAt = 1; crashAt <= whole.calls; crashAt += 1) {
      const { disk, records } = await prepare(crashAt)
      expect(await open(disk)).toBe(false)
      const storage = new FileStorage(disk.files, folder)
      const { partitions } = await storage.open()
      expect(partitions).toEqual([{ ...at, start: 0, end: 2400 }])
      const found = await readOffsets(storage)
      const isWhole = found.length === records.length
      expect(found).toEqual(isWhole ? records.map(({ offset }) => offset) : survivors(records))
      seen.add(found.length)
      await storage.close()
      // The next one finishes it.
      expect(await open(disk)).toBe(true)
      const finished = new FileStorage(disk.files, folder)
      await finished.open()
      expect(await readOffsets(finished)).toEqual(survivors(records))
    }
    expect([...seen].sort((a, b) => a - b)).toEqual([5, 1200])
  })
})
