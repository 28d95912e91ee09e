/** The client of HiveServer2 against a real one: results, failures, sessions. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { systemClock } from '../../../runtime/clock.ts'
import type { HiveValue } from '../../../sinks/hive/hive-rows.ts'
import type { HiveSession } from '../../../sinks/hive/hive-session.ts'
import { HiveSessions } from '../../../sinks/hive/hive-sessions.ts'
import { HiveDatabase, sleeping } from './hive-database.ts'

const hive = inject('hive')
let database: HiveDatabase

beforeAll(async () => {
  database = await HiveDatabase.create(hive, 'hiveclient_test')
})

afterAll(() => database.close())

describe('a result', () => {
  it('has every type exactly', async () => {
    const values: readonly (readonly [string, string, HiveValue])[] = [
      ['cast(-128 as tinyint)', 'tinyint', -128],
      ['cast(32767 as smallint)', 'smallint', 32767],
      ['cast(-2147483648 as int)', 'int', -2147483648],
      ['9223372036854775807', 'bigint', 9223372036854775807n],
      ['cast(1.5 as float)', 'float', 1.5],
      ['cast(1e308 as double)', 'double', 1e308],
      ["cast('12345678901234567890.10' as decimal(38, 2))", 'decimal', '12345678901234567890.10'],
      ['true', 'boolean', true],
      ["'ü😀'", 'string', 'ü😀'],
      ["cast('vc' as varchar(5))", 'varchar', 'vc'],
      ["cast('c' as char(3))", 'char', 'c  '],
      ["unhex('00ff')", 'binary', Uint8Array.of(0, 255)],
      ["date '1500-01-01'", 'date', '1500-01-01'],
      ["timestamp '0001-01-01 00:00:00.000001'", 'timestamp', '0001-01-01 00:00:00.000001'],
      ['array(1, 2)', 'array', '[1,2]'],
      ["map('k', 1.10)", 'map', '{"k":1.1}'],
      ["named_struct('a', 1)", 'struct', '{"a":1}'],
      ['cast(null as int)', 'int', null],
      ["interval '1-2' year to month", 'interval_year_month', '1-2'],
    ]
    const expressions = values.map(([expression]) => expression).join(', ')
    const { columns, rows } = await database.shared.query(`select ${expressions}`)
    expect(columns.map(({ type }) => type)).toEqual(values.map(([, type]) => type))
    expect(rows).toEqual([values.map(([, , value]) => value)])
  })

  it('of a table is what was inserted, nulls included', async () => {
    await database.shared.execute(
      'create table typed (id bigint, b binary, d decimal(38, 2)) stored as orc',
    )
    await database.shared.execute(
      `insert into typed values (-9223372036854775808, 'x', 1.10), (1, null, null), (null, '', -0.01)`,
    )
    const { columns, rows } = await database.shared.query('select * from typed order by id')
    expect(columns).toEqual([
      { name: 'id', type: 'bigint' },
      { name: 'b', type: 'binary' },
      { name: 'd', type: 'decimal' },
    ])
    expect(rows).toContainEqual([-9223372036854775808n, new TextEncoder().encode('x'), '1.10'])
    expect(rows).toContainEqual([1n, null, null])
    expect(rows).toContainEqual([null, new Uint8Array(), '-0.01'])
    expect(rows).toHaveLength(3)
  })

  it('without rows has columns all the same', async () => {
    const { columns, rows } = await database.shared.query('select id from one where id = 2')
    expect({ columns, rows }).toEqual({ columns: [{ name: 'id', type: 'int' }], rows: [] })
  })

  it('in a form that is not read here is an error, and not an empty one', async () => {
    const settings = { 'hive.server2.thrift.resultset.serialize.in.tasks': 'true' }
    const session = database.open({ sessionSettings: settings })
    await expect(session.query('select id, count(*) from one group by id')).rejects.toMatchObject({
      code: 'statement-failed',
      message: expect.stringContaining('hive.server2.thrift.resultset.serialize.in.tasks'),
    })
    await session.close()
  })

  it('of 100,000 rows comes in parts, and only a part of it is held', async () => {
    const rowCount = 100_000
    const session = database.open()
    const collect = collector()
    let rows = 0
    let maxPartRows = 0
    let peakBytes = 0
    const numbers = `select posexplode(split(space(${rowCount - 1}), ' ')) as (id, nothing)`
    const startBytes = collect()
    for await (const part of session.rows(
      `select id, concat(repeat('x', 1000), cast(id as string)) from (${numbers}) n`,
    )) {
      for (const [id, text] of part.rows) {
        expect(text).toHaveLength(1000 + String(id).length)
        expect(id).toBe(rows)
        rows += 1
      }
      maxPartRows = Math.max(maxPartRows, part.rows.length)
      if (rows % 10_000 === 0) peakBytes = Math.max(peakBytes, collect() - startBytes)
    }
    expect({ rows, maxPartRows }).toEqual({ rows: rowCount, maxPartRows: 1_000 })
    // The whole has 100 MB.
    expect(peakBytes).toBeLessThan(30_000_000)
    expect(peakBytes).not.toBe(0)
  })

  it('that is left early does not hold up the next statement', async () => {
    for await (const { rows } of database.shared.rows("select explode(split(space(4999), ' '))")) {
      expect(rows).toHaveLength(1_000)
      break
    }
    expect((await database.shared.query('select 7')).rows).toEqual([[7]])
  })
})

describe('a statement that fails', () => {
  it('says in one line what Hive says', async () => {
    await expect(database.shared.execute('select * from nope')).rejects.toMatchObject({
      code: 'statement-failed',
      retry: 'never',
      message:
        'select * from nope failed: SemanticException [Error 10001]: ' +
        "Line 1:14 Table not found 'nope' (SQLSTATE 42S02, error 10001)",
    })
  })

  it('while it runs says the innermost cause, and changed nothing', async () => {
    const insert = 'insert into slow select 3, assert_true(id > 5) from one where id is not null'
    await expect(database.shared.execute(insert)).rejects.toMatchObject({
      code: 'statement-failed',
      retry: 'backoff',
      message: expect.stringMatching(
        /^[^\n]*HiveException: ASSERT_TRUE\(\): assertion failed\. \(SQLSTATE 08S01, error 2\)$/,
      ),
    })
    expect(await database.slowRows()).toBe(0n)
  })

  it('leaves the session as it was', async () => {
    const { incarnation } = database.shared
    await expect(database.shared.execute('drop table one partition')).rejects.toThrow(
      'ParseException',
    )
    expect((await database.shared.query('select id from one', { incarnation })).rows).toEqual([[1]])
  })
})

describe('a session', () => {
  it('that is refused says why, and nothing was submitted', async () => {
    const refused = database.open({ sessionSettings: { 'hive.nope': '1' } })
    await expect(refused.execute('drop table one')).rejects.toMatchObject({
      code: 'warehouse-unreachable',
      message: expect.stringContaining('hive configuration hive.nope does not exists'),
    })
    expect((await database.shared.query('select id from one')).rows).toEqual([[1]])
  })

  it('runs its statements one after the other', async () => {
    const order: string[] = []
    const slow = `select count(*), max(${sleeping('id', 1_000)}) from one`
    await Promise.all([
      database.shared.query(slow).then(() => order.push('slow')),
      database.shared.query('select 1').then(() => order.push('quick')),
    ])
    expect(order).toEqual(['slow', 'quick'])
  })

  it('of a pool serves one action, and the next one waits', async () => {
    const sessions = new HiveSessions({ ...hive, database: database.name }, systemClock, 2)
    let busy = 0
    let maxBusy = 0
    const used = new Set<HiveSession>()
    const results = await Promise.all(
      [1, 2, 3, 4, 5].map(n =>
        sessions.use(async session => {
          used.add(session)
          busy += 1
          maxBusy = Math.max(maxBusy, busy)
          const { rows } = await session.query(`select id + ${n} from one`)
          busy -= 1
          return rows[0]![0]
        }),
      ),
    )
    expect(results).toEqual([2, 3, 4, 5, 6])
    await sessions.close()
    expect({ maxBusy, sessions: used.size }).toEqual({ maxBusy: 2, sessions: 2 })
  })
})

/** Collects garbage, and says how many bytes of the heap and of buffers are in use then. */
function collector(): () => number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  return () => {
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
}
