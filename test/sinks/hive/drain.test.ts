import { describe, expect, it } from 'vitest'
import type { Asks } from '../../../sinks/hive/drain.ts'
import { drain } from '../../../sinks/hive/drain.ts'
import { ManualClock } from '../../../testkit/manual-clock.ts'

const name = { database: 'shop', table: 'orders' }
const never = new AbortController().signal

/** A transaction as of one look: without a table it has no lock. */
interface Open {
  readonly id: number
  readonly on?: string
  readonly state?: string
}

const transactionColumns = ['txnid', 'state', 'startedtime', 'lastheartbeattime', 'user', 'host']
const lockColumns = [
  'lockid',
  'database',
  'table',
  'partition',
  'lock_state',
  'blocked_by',
  'lock_type',
  'transaction_id',
  'last_heartbeat',
  'acquired_at',
  'user',
  'hostname',
  'agent_info',
]
const transactionHeader = [
  'Transaction ID',
  'Transaction State',
  'Started Time',
  'Last Heartbeat Time',
  'User',
  'Hostname',
]
const lockHeader = [
  'Lock ID',
  'Database',
  'Table',
  'Partition',
  'State',
  'Blocked By',
  'Type',
  'Transaction ID',
  'Last Heartbeat',
  'Acquired At',
  'User',
  'Hostname',
  'Agent Info',
]

/** Answers as HiveServer2 4.0 does, a row of headings first. Each look takes the clock a second on. */
class ScriptedSession implements Asks {
  readonly clock = new ManualClock()
  readonly #looks: (readonly Open[])[]
  looks = 0

  /** The first is what is open when draining begins; the last one stays. */
  constructor(...looks: (readonly Open[])[]) {
    this.#looks = looks
  }

  get #now(): readonly Open[] {
    return this.#looks[Math.min(this.looks, this.#looks.length - 1)]!
  }

  query(sql: string): ReturnType<Asks['query']> {
    const isLocks = sql === 'SHOW LOCKS'
    const [columns, rows] = isLocks
      ? [lockColumns, [lockHeader, ...this.#locks()]]
      : [transactionColumns, [transactionHeader, ...this.#transactions()]]
    if (!isLocks) this.looks += 1
    return Promise.resolve({ columns: columns.map(one => ({ name: one })), rows })
  }

  #transactions(): unknown[][] {
    return this.#now.map(({ id, state }) => {
      return [String(id), state ?? 'OPEN', '1763760000000', '1763760000000', 'hive', 'node-1']
    })
  }

  #locks(): unknown[][] {
    return this.#now.flatMap(({ id, on }) => {
      if (on === undefined) return []
      const [database, table] = on.split('.')
      const rest = ['NULL', 'WAITING', ' ', 'EXCL_WRITE', String(id), '0', 'NULL', 'hive', 'node-1']
      return [[`${id}.1`, database, table, ...rest, 'hive_2026']]
    })
  }

  /** Runs the drain; time goes on whenever it waits. */
  async drain(timeoutMs = 60_000, signal = never): Promise<number> {
    const { clock } = this
    let isOver = false
    const draining = drain(this, name, { clock, timeoutMs, signal }).finally(() => {
      isOver = true
    })
    draining.catch(() => undefined)
    while (!isOver) {
      clock.advance(1000)
      await new Promise(resolve => setImmediate(resolve))
    }
    return await draining
  }
}

describe('draining a table', () => {
  it('is over at once when nothing is open', async () => {
    const session = new ScriptedSession([])
    expect(await session.drain()).toBe(0)
    expect(session.looks).toBe(2)
  })

  it('waits for a statement that holds or wants a lock on the table', async () => {
    const busy = [{ id: 5, on: 'Shop.orders' }]
    const session = new ScriptedSession(busy, busy, busy, [])
    expect(await session.drain()).toBe(1)
    expect(session.looks).toBe(4)
  })

  it('waits for one that is being compiled, until its lock tells that it is on another table', async () => {
    const compiling = [{ id: 5 }]
    const session = new ScriptedSession(compiling, compiling, [{ id: 5, on: 'shop.users' }])
    expect(await session.drain()).toBe(1)
    expect(session.looks).toBe(3)
  })

  it('does not wait for one on another table, nor on one of the same name elsewhere', async () => {
    const session = new ScriptedSession([
      { id: 5, on: 'shop.users' },
      { id: 6, on: 'dw.orders' },
    ])
    expect(await session.drain()).toBe(0)
    expect(session.looks).toBe(2)
  })

  it('does not wait for one that began later', async () => {
    const later = [{ id: 6, on: 'shop.orders' }]
    const session = new ScriptedSession([{ id: 5 }], [{ id: 5 }, ...later], later)
    expect(await session.drain()).toBe(1)
    expect(session.looks).toBe(3)
  })

  it('does not wait for one that was aborted and is still listed', async () => {
    const session = new ScriptedSession([{ id: 5, on: 'shop.orders', state: 'ABORTED' }])
    expect(await session.drain()).toBe(0)
  })

  it('gives up, and says whose statement does not end', async () => {
    const session = new ScriptedSession([{ id: 5, on: 'shop.orders' }])
    await expect(session.drain(10_000)).rejects.toMatchObject({
      code: 'table-busy',
      retry: 'backoff',
      message: expect.stringContaining('transaction 5 of hive at node-1'),
    })
  })

  it('gives up when the table is wanted elsewhere, and asks no more', async () => {
    const stop = new AbortController()
    const session = new ScriptedSession([{ id: 5, on: 'shop.orders' }])
    stop.abort()
    await expect(session.drain(600_000, stop.signal)).rejects.toMatchObject({ code: 'table-busy' })
    expect(session.looks).toBe(2)
  })
})
