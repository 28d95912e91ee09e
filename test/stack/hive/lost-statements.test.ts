/** Every way to lose a statement that a real HiveServer2 runs, and what its caller is told. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { HiveDatabase, sessionSettings, sleeping } from './hive-database.ts'

const hive = inject('hive')
let database: HiveDatabase

beforeAll(async () => {
  database = await HiveDatabase.create(hive, 'hiveclient_lost_test')
})

afterAll(() => database.close())

describe('a statement that does not end in time', () => {
  it('is cancelled at HiveServer2, in doubt, and the session goes on', async () => {
    const { incarnation } = database.shared
    await expect(
      database.shared.execute(database.slowInsert, { timeoutMs: 3_000 }),
    ).rejects.toMatchObject({
      code: 'statement-unknown',
      retry: 'backoff',
      message: expect.stringContaining('it was cancelled after 3000 ms'),
    })
    expect(await database.slowRows()).toBe(0n)
    expect(database.shared.incarnation).toBe(incarnation)
  })

  it('is cancelled by a signal as well', async () => {
    const stop = new AbortController()
    const execution = database.shared.execute(database.slowInsert, { signal: stop.signal })
    const watcher = database.open()
    await database.untilSlow(true, watcher)
    stop.abort()
    await expect(execution).rejects.toMatchObject({
      code: 'statement-unknown',
      message: expect.stringContaining('it was cancelled'),
    })
    expect(await database.slowRows()).toBe(0n)
  })

  it('and is not answered at all loses its session, and the next one has another', async () => {
    const proxy = await database.openProxy()
    const session = database.open({ ...proxy.address, limits: { idleCheckMs: 60_000 } })
    await session.execute('select 1')
    proxy.silence()
    await expect(session.execute('drop table one', { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'statement-unknown',
      message: expect.stringContaining('it was cancelled after 500 ms'),
    })
    expect((await session.query('select id from one')).rows).toEqual([[1]])
    expect(session.incarnation).toBe(2)
  })

  it('while its result is read ends the reading', async () => {
    const slowRead = `select ${sleeping('id', 8_000)} from one`
    await expect(database.shared.query(slowRead, { timeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'statement-unknown',
      message: expect.stringContaining('it was cancelled after 1000 ms'),
    })
    expect((await database.shared.query('select id from one')).rows).toEqual([[1]])
  })
})

describe('a connection that ends', () => {
  it('leaves its statement in doubt; the next one has a new session with the same settings', async () => {
    const proxy = await database.openProxy()
    const settings = { ...sessionSettings, 'hive.exec.max.dynamic.partitions': '1234' }
    const session = database.open({ ...proxy.address, sessionSettings: settings })
    await session.execute('select 1')
    const execution = session.execute(database.slowInsert)
    await database.untilSlow(true)
    proxy.cut()
    await expect(execution).rejects.toMatchObject({
      code: 'statement-unknown',
      retry: 'backoff',
      message: expect.stringContaining('the connection was lost'),
    })
    expect((await session.query('set hive.exec.max.dynamic.partitions')).rows).toEqual([
      ['hive.exec.max.dynamic.partitions=1234'],
    ])
    expect((await session.query('select id from one')).rows).toEqual([[1]])
    expect(session.incarnation).toBe(2)
    // With its session HiveServer2 ended the statement.
    await database.untilSlow(false)
    expect(await database.slowRows()).toBe(0n)
  })

  it('between statements is not noticed by the next one', async () => {
    const proxy = await database.openProxy()
    const session = database.open({ ...proxy.address, limits: { idleCheckMs: 0 } })
    await session.execute('create temporary table mine (id int)')
    proxy.cut()
    expect((await session.query('select id from one')).rows).toEqual([[1]])
    expect(session.incarnation).toBe(2)
  })

  it('does not let a statement over its temporary tables go to another session', async () => {
    const proxy = await database.openProxy()
    const session = database.open({ ...proxy.address, limits: { idleCheckMs: 0 } })
    await session.execute('create temporary table mine (id int)')
    const { incarnation } = session
    await session.query('select * from mine', { incarnation })
    proxy.cut()
    await expect(session.query('select * from mine', { incarnation })).rejects.toMatchObject({
      code: 'warehouse-unreachable',
      message: expect.stringContaining('its temporary tables with it'),
    })
    await expect(session.query('select * from mine')).rejects.toThrow('Table not found')
  })

  it('without a word leaves its statement in doubt after a while', async () => {
    const proxy = await database.openProxy()
    const limits = { requestTimeoutMs: 2_000, cancelTimeoutMs: 500 }
    const session = database.open({ ...proxy.address, limits })
    await session.execute('select 1')
    const execution = session.execute(database.slowInsert)
    await database.untilSlow(true)
    proxy.silence()
    await expect(execution).rejects.toMatchObject({
      code: 'statement-unknown',
      message: expect.stringContaining('there was no answer within 2000 ms'),
    })
    expect((await session.query('select id from one')).rows).toEqual([[1]])
    await database.untilSlow(false)
    expect(await database.slowRows()).toBe(0n)
  })

  it('without a word is noticed before the next statement goes out, after a pause', async () => {
    const proxy = await database.openProxy()
    const limits = { idleCheckMs: 0, connectTimeoutMs: 1_000 }
    const session = database.open({ ...proxy.address, limits })
    await session.execute('select 1')
    proxy.silence()
    expect((await session.query('select id from one')).rows).toEqual([[1]])
    expect(session.incarnation).toBe(2)
  })
})

describe('a session that HiveServer2 forgot', () => {
  it.each([0, 60_000])(
    'is opened anew, and the statement done (idle check: %i ms)',
    async idleCheckMs => {
      const proxy = await database.openProxy()
      const session = database.open({ ...proxy.address, limits: { idleCheckMs } })
      await session.execute('create temporary table mine (id int)')
      await proxy.forget()
      await session.execute(`create table kept_${idleCheckMs} (id int) stored as orc`)
      expect(session.incarnation).toBe(2)
      expect((await database.shared.query(`select id from kept_${idleCheckMs}`)).rows).toEqual([])
      await expect(session.query('select * from mine')).rejects.toThrow('Table not found')
    },
  )

  it('is not opened anew for a statement over its temporary tables', async () => {
    const proxy = await database.openProxy()
    const session = database.open({ ...proxy.address, limits: { idleCheckMs: 60_000 } })
    await session.execute('create temporary table mine (id int)')
    const { incarnation } = session
    await proxy.forget()
    await expect(session.query('select * from mine', { incarnation })).rejects.toMatchObject({
      code: 'warehouse-unreachable',
    })
  })
})
