import { describe, expect, it } from 'vitest'
import type { Clock } from '../../runtime/clock.ts'
import type { LockHolder } from '../../runtime/file-lock.ts'
import { lockFile } from '../../runtime/file-lock.ts'
import type { FileSystem } from '../../runtime/file-system.ts'
import { writeWholeFile } from '../../runtime/file-system.ts'
import type { Random } from '../../runtime/random.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'

const folder = '/state'
const path = '/state/lock'
const machine = 'pid:[4026531836]'
const container = 'pid:[4026532001]'

const here = (pid: number, parts: Partial<LockHolder> = {}): LockHolder => {
  return { pid, start: '5', boot: 'b1', pidNamespace: container, host: 'h', ...parts }
}

/** A clock that gives way and never waits. */
const clock: Clock = {
  now: () => 0,
  monotonic: () => 0,
  sleep: () => Promise.resolve(),
  yield: () => Promise.resolve(),
}

interface Asking {
  readonly fileSystem: FileSystem
  readonly self: LockHolder
  readonly random?: Random
}

/** Processes below 90 run. */
function ask({ fileSystem, self, random = seededRandom(self.pid) }: Asking) {
  const isRunning = (holder: LockHolder): Promise<boolean> => Promise.resolve(holder.pid < 90)
  return lockFile(path, { fileSystem, clock, random, self, isRunning })
}

async function newFolder(): Promise<SimulatedFileSystem> {
  const files = new SimulatedFileSystem({ random: seededRandom(1) })
  await files.makeDirectory(folder)
  return files
}

/** Leaves the lock of a process behind, as a kill does. */
async function leaveLock(files: FileSystem, holder: LockHolder): Promise<void> {
  await ask({ fileSystem: files, self: holder })
}

/** Each call takes some turns, by chance. */
function unevenly(files: FileSystem, random: Random): FileSystem {
  return new Proxy(files, {
    get: (target, name) => {
      const member = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>
      return async (...args: unknown[]) => {
        for (let turns = random.next() * 30; turns > 0; turns -= 1) await Promise.resolve()
        return await member.apply(target, args)
      }
    },
  })
}

describe('a lock of a process that is gone', () => {
  it('never comes to be held by two, however the askers meet', async () => {
    let heldCount = 0
    for (let seed = 1; seed <= 400; seed += 1) {
      const random = seededRandom(seed)
      const files = await newFolder()
      await leaveLock(files, here(99))
      const asked = [1, 2, 3].map(pid => {
        return ask({ fileSystem: unevenly(files, random), self: here(pid), random })
      })
      const outcomes = await Promise.allSettled(asked)
      const held = outcomes.filter(({ status }) => status === 'fulfilled')
      const refused = outcomes.filter(outcome => {
        return outcome.status === 'rejected' && outcome.reason.code === 'state-locked'
      })
      expect([held.length, refused.length], `seed ${seed}`).toEqual([1, 2])
      expect(await files.list(folder), `seed ${seed}`).toEqual(['lock'])
      heldCount += held.length
    }
    expect(heldCount).toBe(400)
  })

  it('is not taken by another while one that is slow removes it', async () => {
    const files = await newFolder()
    await leaveLock(files, here(99))
    const { promise: gate, resolve: goOn } = Promise.withResolvers<void>()
    const slow: FileSystem = new Proxy(files, {
      get: (target, name) => {
        if (name !== 'remove') return Reflect.get(target, name).bind(target)
        return async (at: string) => {
          if (at === path) await gate
          await files.remove(at)
        }
      },
    })
    const first = ask({ fileSystem: slow, self: here(1) })
    for (const pid of [2, 3, 4]) {
      await expect(ask({ fileSystem: files, self: here(pid) })).rejects.toMatchObject({
        code: 'state-locked',
      })
    }
    goOn()
    const held = await first
    await expect(ask({ fileSystem: files, self: here(2) })).rejects.toThrow(
      `process 1 holds ${path}`,
    )
    await held.release()
    await (await ask({ fileSystem: files, self: here(2) })).release()
    expect(await files.list(folder)).toEqual([])
  })

  it('is void after a restart of the machine', async () => {
    const files = await newFolder()
    await leaveLock(files, here(1, { pidNamespace: machine }))
    const self = here(2, { pidNamespace: machine, boot: 'b2' })
    await (await ask({ fileSystem: files, self })).release()
  })

  it('is void with the claim that it left, and with one that is half written', async () => {
    const files = await newFolder()
    await leaveLock(files, here(99))
    const text = await files.readFile(path)
    await writeWholeFile(files, `${path}.of-99`, text)
    await writeWholeFile(files, `${path}.half`, Buffer.from('1 5 b'))
    await ask({ fileSystem: files, self: here(1) })
    expect(await files.list(folder)).toEqual(['lock', 'lock.half'])
  })
})

describe('a lock from elsewhere', () => {
  it.each([
    ['another container of the machine', { pidNamespace: 'pid:[4026532999]' }],
    ['another machine', { host: 'other', boot: 'b2' }],
    ['a container of the same name on another machine', { boot: 'b2' }],
  ])('(%s) is refused with advice, whatever its process id is here', async (_what, parts) => {
    const files = await newFolder()
    for (const pid of [1, 99]) {
      await leaveLock(files, here(pid, parts))
      const asking = ask({ fileSystem: files, self: here(2) })
      await expect(asking).rejects.toMatchObject({
        code: 'state-locked',
        message: expect.stringMatching(
          /^\/state\/lock was made by process \d+ on \w+, in another container or on another machine: .* remove that file$/,
        ),
      })
      expect(await files.list(folder)).toEqual(['lock'])
      await files.remove(path)
    }
  })
})

describe('a lock that is released', () => {
  it('stays when it is another one by now', async () => {
    const files = await newFolder()
    const held = await ask({ fileSystem: files, self: here(1) })
    await files.remove(path)
    await ask({ fileSystem: files, self: here(2) })
    await held.release()
    expect(await files.list(folder)).toEqual(['lock'])
  })
})
