import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compactTopics } from '../../log/compaction.ts'
import { FileStorage } from '../../log/file-storage.ts'
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
