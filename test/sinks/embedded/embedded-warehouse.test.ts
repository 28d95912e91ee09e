import { describe, expect, it } from 'vitest'
import type { NetChange } from '../../../model/net-change.ts'
import { seededRandom } from '../../../runtime/random.ts'
import { CrashingFiles } from '../../log/crashing-files.ts'
import { idAndText, openDriver, remove, upsert, valuesIn } from './changes.ts'
import { PausingFiles } from './pausing-files.ts'
import { dataFolder, filesBelow, root, TableDriver, tableName, topicId } from './warehouses.ts'

describe('an apply', () => {
  it('of a table that was not opened is refused', async () => {
    const driver = new TableDriver()
    await expect(driver.applyChanges([upsert([1, 'a'])], idAndText)).rejects.toMatchObject({
      code: 'invariant-violated',
      context: { table: tableName },
    })
  })

  it('that was covered before changes nothing, whoever asks', async () => {
    const driver = await openDriver()
    const first = driver.request([upsert([1, 'a'])], idAndText)
    await driver.apply(first())
    const second = driver.request([upsert([2, 'b'])], idAndText)
    await driver.apply(second())
    const other = new TableDriver({ fileSystem: driver.files })
    expect(await other.open()).toEqual({ topicId, offset: 1 })
    for (const request of [first, second]) {
      expect(await other.apply(request())).toMatchObject({ outcome: 'already-applied' })
    }
    expect(await valuesIn(driver)).toEqual([
      [1, 'a'],
      [2, 'b'],
    ])
  })

  it('that does not follow the one before is refused', async () => {
    const driver = await openDriver()
    await driver.applyChanges([upsert([1, 'a'])], idAndText)
    const gap = driver.request([upsert([2, 'b'])], idAndText, { after: { topicId, offset: 7 } })
    await expect(driver.apply(gap())).rejects.toMatchObject({ code: 'invariant-violated' })
    const fromStart = driver.request([upsert([2, 'b'])], idAndText, { after: null })
    await expect(driver.apply(fromStart())).rejects.toMatchObject({ code: 'invariant-violated' })
    expect(await valuesIn(driver)).toEqual([[1, 'a']])
  })

  it('of a merger that was replaced is fenced, and changes nothing', async () => {
    const driver = await openDriver()
    driver.token = 5
    await driver.applyChanges([upsert([1, 'a'])], idAndText)
    driver.token = 4
    await driver.open()
    await expect(driver.applyChanges([upsert([1, 'old'])], idAndText)).rejects.toMatchObject({
      code: 'task-fenced',
      context: { table: tableName },
    })
    driver.token = 5
    await driver.applyChanges([upsert([2, 'b'])], idAndText)
    expect(await valuesIn(driver)).toEqual([
      [1, 'a'],
      [2, 'b'],
    ])
  })

  it('of two at once is one: the other meets a conflict, and goes on when it opens again', async () => {
    const first = await openDriver()
    const second = new TableDriver({ fileSystem: first.files, random: seededRandom(99) })
    await second.open()
    await first.applyChanges([upsert([1, 'first'])], idAndText)
    await expect(second.applyChanges([upsert([1, 'second'])], idAndText)).rejects.toMatchObject({
      code: 'warehouse-conflict',
      context: { table: tableName },
    })
    expect(await valuesIn(first)).toEqual([[1, 'first']])
    await second.open()
    await second.applyChanges([upsert([2, 'second'])], idAndText)
    expect(await valuesIn(first)).toEqual([
      [1, 'first'],
      [2, 'second'],
    ])
  })

  it('of nothing makes a commit, and a table without rows', async () => {
    const driver = await openDriver()
    const receipt = await driver.applyChanges([], idAndText)
    expect(receipt).toEqual({
      outcome: 'applied',
      rowsInserted: 0,
      rowsUpdated: 0,
      rowsDeleted: 0,
      rowsSearched: 0,
    })
    expect(await driver.open()).toEqual({ topicId, offset: 0 })
    expect(await valuesIn(driver)).toEqual([])
  })

  it('of two rows of one key is refused before it is committed', async () => {
    const driver = await openDriver()
    await driver.applyChanges([upsert([1, 'a']), upsert([3, 'c'])], idAndText)
    const twice = [upsert([2, 'b']), upsert([2, 'again'])]
    await expect(driver.applyChanges(twice, idAndText)).rejects.toThrow()
    await driver.open()
    expect(await valuesIn(driver)).toEqual([
      [1, 'a'],
      [3, 'c'],
    ])
  })
})

describe('an owner that was paused in an apply', () => {
  /** Two owners over the same files: each call of the first one may be where it is paused. */
  async function owners() {
    const disk = new PausingFiles(seededRandom(1))
    const options = { fileSystem: disk.files, targetFileRows: 2 }
    const old = await openDriver({ ...options, random: seededRandom(10) })
    await old.applyChanges([upsert([1, 'a']), upsert([9, 'z'])], idAndText)
    const young = new TableDriver({ ...options, random: seededRandom(20) })
    young.token = old.token + 1
    return { disk, old, young }
  }

  const changes = (): NetChange[] => [1, 2, 3, 4].map(id => upsert([id, 'old']))

  async function callCount(): Promise<number> {
    const { disk, old } = await owners()
    disk.calls = 0
    await old.applyChanges(changes(), idAndText)
    return disk.calls
  }

  it('at any call does not undo what its successor applied', async () => {
    const calls = await callCount()
    expect(calls).toBeGreaterThan(20)
    const outcomes = new Set<string>()
    for (let pauseAt = 1; pauseAt <= calls; pauseAt += 1) {
      const { disk, old, young } = await owners()
      const paused = await disk.upTo(pauseAt, () => old.applyChanges(changes(), idAndText))
      await young.open()
      const hasCommitted = young.after!.offset === 1
      await young.applyChanges([upsert([1, 'young']), upsert([5, 'young'])], idAndText)
      paused!.goOn()
      const outcome = await paused!.done
      outcomes.add(outcome)
      expect(outcome).toBe(hasCommitted ? 'done' : outcome === 'done' ? 'a lie' : outcome)
      const middle = [2, 3, 4].map(id => [id, 'old'])
      expect(await valuesIn(young)).toEqual([
        [1, 'young'],
        ...(hasCommitted ? middle : []),
        [5, 'young'],
        [9, 'z'],
      ])
      await young.open()
      await young.applyChanges([upsert([9, 'last'])], idAndText)
      expect((await valuesIn(young)).at(-1)).toEqual([9, 'last'])
    }
    expect(outcomes).toContain('done')
    expect(outcomes).toContain('warehouse-conflict')
  })

  it('at any call may still commit while its successor has only opened the table', async () => {
    const calls = await callCount()
    for (let pauseAt = 1; pauseAt <= calls; pauseAt += 1) {
      const { disk, old, young } = await owners()
      const paused = await disk.upTo(pauseAt, () => old.applyChanges(changes(), idAndText))
      await young.open()
      paused!.goOn()
      const outcome = await paused!.done
      const untouched = [
        [1, 'a'],
        [9, 'z'],
      ]
      const changed = [...[1, 2, 3, 4].map(id => [id, 'old']), [9, 'z']]
      expect(await valuesIn(old), outcome).toEqual(outcome === 'done' ? changed : untouched)
      // The successor goes on, if need be after it has looked again.
      const next = [upsert([5, 'young'])]
      await young.applyChanges(next, idAndText).catch(async (error: { code: string }) => {
        expect([error.code, outcome]).toEqual(['warehouse-conflict', 'done'])
        await young.open()
        await young.applyChanges(next, idAndText)
      })
      const rows = outcome === 'done' ? changed : untouched
      expect(await valuesIn(young)).toEqual([...rows.slice(0, -1), [5, 'young'], [9, 'z']])
    }
  })
})

describe('a crash in an apply', () => {
  const before = [0, 2, 4, 6, 8].map(id => upsert([id, 'before']))
  const change = [upsert([2, 'after']), upsert([5, 'after']), remove([8])]

  it('at any call leaves the old table or the new one, and the next apply completes it', async () => {
    const prepare = async (crashAt: number) => {
      const disk = new CrashingFiles(seededRandom(crashAt))
      const driver = await openDriver({ fileSystem: disk.files, targetFileRows: 2 })
      await driver.applyChanges(before, idAndText)
      const request = driver.request(change, idAndText)
      disk.crashAt(crashAt)
      return { disk, driver, request }
    }
    const whole = await prepare(Number.POSITIVE_INFINITY)
    await whole.driver.apply(whole.request())
    const { calls } = whole.disk
    expect(calls).toBeGreaterThan(30)
    const old = [0, 2, 4, 6, 8].map(id => [id, 'before'])
    const young = [
      [0, 'before'],
      [2, 'after'],
      [4, 'before'],
      [5, 'after'],
      [6, 'before'],
    ]
    expect(await valuesIn(whole.driver)).toEqual(young)
    const seen = new Set<number>()
    for (let crashAt = 1; crashAt <= calls; crashAt += 1) {
      const { disk, driver, request } = await prepare(crashAt)
      const apply = async (): Promise<void> => {
        await driver.apply(request())
      }
      expect(await disk.survives(apply)).toBe(false)
      // A reader that looks before anybody has opened the table to write it.
      const { applied } = (await driver.table()).commit
      seen.add(applied.offset)
      expect(await valuesIn(driver)).toEqual(applied.offset === 0 ? old : young)
      const again = new TableDriver({
        fileSystem: disk.files,
        targetFileRows: 2,
        random: seededRandom(7),
      })
      expect(await again.open()).toEqual(applied)
      const outcome = applied.offset === 0 ? 'applied' : 'already-applied'
      expect(await again.apply(request())).toMatchObject({ outcome })
      expect(await valuesIn(again)).toEqual(young)
      // What the crash left lying about goes when the table is opened next.
      await again.open()
      const { commit } = await again.table()
      const named = [...commit.files, ...commit.removed].map(({ path }) => path).sort()
      expect((await filesBelow(disk.files, dataFolder)).map(path => `data/${path}`)).toEqual(named)
      const commits = await filesBelow(disk.files, `${root}/ods/t/_commits`)
      expect(commits.filter(name => !/^\d{20}\.json$/.test(name))).toEqual([])
    }
    expect(seen).toEqual(new Set([0, 1]))
  })

  it('of its first apply leaves no table, or the whole of it', async () => {
    const prepare = async (crashAt: number) => {
      const disk = new CrashingFiles(seededRandom(crashAt))
      const driver = await openDriver({ fileSystem: disk.files })
      disk.crashAt(crashAt)
      return { disk, driver }
    }
    const whole = await prepare(Number.POSITIVE_INFINITY)
    await whole.driver.applyChanges(before, idAndText)
    for (let crashAt = 1; crashAt <= whole.disk.calls; crashAt += 1) {
      const { disk, driver } = await prepare(crashAt)
      await disk.survives(async () => void (await driver.applyChanges(before, idAndText)))
      const applied = await driver.open()
      if (applied === null) {
        await expect(driver.table()).rejects.toMatchObject({ code: 'table-not-found' })
        await driver.applyChanges(before, idAndText)
      }
      expect(await valuesIn(driver)).toHaveLength(5)
    }
  })
})
