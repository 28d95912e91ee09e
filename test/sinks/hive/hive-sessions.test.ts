import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../../model/errors.ts'
import { systemClock } from '../../../runtime/clock.ts'
import type { HiveSession } from '../../../sinks/hive/hive-session.ts'
import { HiveSessions } from '../../../sinks/hive/hive-sessions.ts'

/** Nothing is sent before a statement is executed, so what a pool does needs no server. */
function pool(maxSessions: number): HiveSessions {
  return new HiveSessions({ host: '127.0.0.1', port: 1 }, systemClock, maxSessions)
}

/** An action that goes on until it is told to end. */
function action(): {
  readonly run: (session: HiveSession) => Promise<HiveSession>
  readonly started: Promise<HiveSession>
  readonly end: () => void
} {
  const started = Promise.withResolvers<HiveSession>()
  const ended = Promise.withResolvers<void>()
  const run = async (session: HiveSession): Promise<HiveSession> => {
    started.resolve(session)
    await ended.promise
    return session
  }
  return { run, started: started.promise, end: ended.resolve }
}

describe('a pool of sessions', () => {
  it('gives each action a session for itself, and makes the next wait when all are busy', async () => {
    const sessions = pool(2)
    const [one, two, three] = [action(), action(), action()]
    const done = [one, two, three].map(({ run }) => sessions.use(run))
    const [first, second] = await Promise.all([one.started, two.started])
    expect(first).not.toBe(second)
    await expect(Promise.race([three.started, systemClock.yield()])).resolves.toBeUndefined()
    two.end()
    expect(await three.started).toBe(second)
    one.end()
    three.end()
    await Promise.all(done)
    await sessions.close()
  })

  it('takes the session that was used last, and opens no other while one is free', async () => {
    const sessions = pool(3)
    const used = new Set<HiveSession>()
    for (let turn = 0; turn < 5; turn += 1) await sessions.use(async session => used.add(session))
    expect(used.size).toBe(1)
    await sessions.close()
  })

  it('takes a session back from an action that fails', async () => {
    const sessions = pool(1)
    await expect(
      sessions.use(() => {
        throw new Error('at once')
      }),
    ).rejects.toThrow('at once')
    await expect(sessions.use(() => Promise.reject(new Error('later')))).rejects.toThrow('later')
    expect(await sessions.use(async () => 7)).toBe(7)
    await sessions.close()
  })

  it('serves in the order of the calls', async () => {
    const sessions = pool(1)
    const order: number[] = []
    await Promise.all([1, 2, 3, 4].map(n => sessions.use(async () => order.push(n))))
    expect(order).toEqual([1, 2, 3, 4])
    await sessions.close()
  })

  it('is closed when what was under way and what waited is done', async () => {
    const sessions = pool(1)
    const [one, two] = [action(), action()]
    const done = [sessions.use(one.run), sessions.use(two.run)]
    let isClosed = false
    const closed = sessions.close().then(() => {
      isClosed = true
    })
    one.end()
    await two.started
    expect(isClosed).toBe(false)
    two.end()
    await closed
    await Promise.all(done)
    await expect(sessions.use(async () => 1)).rejects.toBeInstanceOf(InvariantError)
  })
})
