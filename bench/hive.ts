/**
 * The cost of Hive's part of the work, as a table in markdown. `merge`: 10,000 changes merged into a large
 * table, from the file that Forager writes and from one that Hive wrote of the same rows. `latency`: from
 * the commit in MariaDB to being seen in Hive, at 1,000 changes a second. Both need the stack, in which
 * they have databases, a connector and folders of their own, and take them away at the end.
 *
 *     npm run stack -- up
 *     npm run bench:hive -- merge|latency|inserts [--home F] [--port-offset N] [--runs N] [--rows N,N]
 *
 * CPU seconds are of the process of HiveServer2, in which the stack has its queries run: what others let it
 * do meanwhile is counted too.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeKey } from '../model/key.ts'
import type { NetChange } from '../model/net-change.ts'
import type { PartitionBy } from '../model/partition-by.ts'
import { followedFrom } from '../model/schema-change.ts'
import type { TableSchema } from '../model/table-schema.ts'
import { internSchema, keyColumns } from '../model/table-schema.ts'
import type { Value } from '../model/value.ts'
import { silentLogger } from '../observe/logger.ts'
import { systemClock } from '../runtime/clock.ts'
import { systemRandom } from '../runtime/random.ts'
import { partFolder } from '../scripts/stack/parts.ts'
import { AttemptFiles } from '../sinks/hive/attempt-files.ts'
import type { HiveSession } from '../sinks/hive/hive-session.ts'
import type { HiveSessions } from '../sinks/hive/hive-sessions.ts'
import { HiveWarehouse } from '../sinks/hive/hive-warehouse.ts'
import { createTableSql, targetTable } from '../sinks/hive/target-table.ts'
import { inserts } from './hive-inserts.ts'
import { latency } from './hive-latency.ts'
import {
  files,
  folder,
  load,
  name,
  openSessions,
  options,
  positionals,
  row,
  spread,
  stack,
} from './hive-site.ts'
import { usageOf } from './processes.ts'

const runs = Number(options.runs)

const schema: TableSchema = internSchema({
  columns: [
    { id: '1', name: 'id', type: { kind: 'bigint' }, nullable: false },
    { id: '2', name: 'customer', type: { kind: 'int' }, nullable: false },
    { id: '3', name: 'quantity', type: { kind: 'int' }, nullable: false },
    { id: '4', name: 'amount', type: { kind: 'decimal', precision: 12, scale: 2 }, nullable: true },
    { id: '5', name: 'status', type: { kind: 'string' }, nullable: true },
    { id: '6', name: 'note', type: { kind: 'string' }, nullable: true },
    { id: '7', name: 'created_at', type: { kind: 'timestamp' }, nullable: true },
    { id: '8', name: 'shop', type: { kind: 'int' }, nullable: true },
  ],
  key: ['id'],
})
const byMonth: PartitionBy = { column: 'created_at', unit: 'year_month' }
const mix = { updates: 7000, inserts: 2000, deletes: 1000 }
const changeCount = mix.updates + mix.inserts + mix.deletes

/** Rows of one table: ids from 0; those of a month are all over the ids. */
async function fill(session: HiveSession, table: string, rows: number, by: PartitionBy | null) {
  const target = { database: name, table }
  const wanted = targetTable(schema, by)
  const options = { keys: schema.key, version: '4.0', buckets: 0 } as const
  await session.execute(createTableSql(target, wanted, options))
  const month = `lpad(1 + id % 12, 2, '0')`
  const partition = by === null ? '' : `, concat('2025-', ${month})`
  await session.execute(`INSERT INTO ${name}.${table}${by === null ? '' : ' PARTITION (year_month)'}
SELECT id, CAST(id * 7919 % 50000 AS int), CAST(id % 9 AS int), CAST(id % 100000 / 100 AS decimal(12,2)),
  array('NEW', 'PAID', 'SHIPPED', 'DELIVERED')[CAST(id % 4 AS int)],
  concat('note of order ', id * 2654435761 % 1000003),
  CAST(concat('2025-', ${month}, '-', lpad(1 + id % 28, 2, '0'), ' 12:00:00') AS timestamp),
  CAST(id % 40 AS int)${partition}
FROM (
  SELECT CAST(a.i * 1000 + b.i AS bigint) AS id FROM (SELECT 1) AS one
  LATERAL VIEW posexplode(split(space(${rows / 1000 - 1}), ' ')) a AS i, x
  LATERAL VIEW posexplode(split(space(999), ' ')) b AS i, y
) AS ids`)
}

function monthOf(id: number): number {
  return id % 12
}

/** Of one run: its rows are no other run's, and lie all over the table. In the order of their keys. */
function changesOf(run: number, rows: number): readonly NetChange[] {
  const changes = Array.from({ length: changeCount }, (_, index): NetChange => {
    const isInsert = index >= mix.updates + mix.deletes
    // A prime that divides no table's size: every id comes once.
    const id = isInsert
      ? rows + run * mix.inserts + index
      : ((run * changeCount + index) * 7919) % rows
    const key = encodeKey(keyColumns(schema), [id])
    const place = `year_month=2025-${String(monthOf(id) + 1).padStart(2, '0')}`
    const common = { key, schema, leaves: isInsert ? [] : [place], last }
    if (index < mix.updates || isInsert) return { ...common, kind: 'upsert', row: rowOf(id, run) }
    return { ...common, kind: 'delete', row: null }
  })
  return changes.sort((a, b) => (a.key < b.key ? -1 : 1))
}

const last = { position: '', sourceMs: 0 }

function rowOf(id: number, run: number): readonly Value[] {
  const createdAt = Date.UTC(2025, monthOf(id), 1 + (id % 28), 12) * 1000
  const note = `changed in run ${run}: ${(id * 7919) % 1_000_003}`
  return [id, id % 50_000, run, (id * 31) % 10_000_000, 'CHANGED', note, createdAt, id % 40]
}

interface Cost {
  readonly wallSeconds: number
  readonly cpuSeconds: number
}

async function costOf(action: () => Promise<unknown>): Promise<Cost> {
  const pidFile = join(partFolder('hiveserver2', stack), 'pid')
  const pid = Number.parseInt(await readFile(pidFile, 'utf8'), 10)
  const { cpuSeconds } = usageOf(pid)
  const began = performance.now()
  await action()
  const wallSeconds = (performance.now() - began) / 1000
  return { wallSeconds, cpuSeconds: usageOf(pid).cpuSeconds - cpuSeconds }
}

/** Sessions that measure the statement of an apply, and can have it read a copy that Hive writes. */
class MeasuringSessions {
  readonly sessions = openSessions()
  isCopied = false
  statement: Cost = { wallSeconds: 0, cpuSeconds: 0 }

  close(): Promise<void> {
    return this.sessions.close()
  }

  use<T>(action: (session: HiveSession) => Promise<T>): Promise<T> {
    return this.sessions.use(session => {
      const execute: HiveSession['execute'] = async (sql, given) => {
        if (!sql.startsWith('MERGE')) return await session.execute(sql, given)
        const [source = ''] = /`forager_changes_\w+`/.exec(sql) ?? []
        const told = this.isCopied ? sql.replaceAll(source, await this.#copy(session, source)) : sql
        this.statement = await costOf(() => session.execute(told, given))
      }
      const measured = {
        execute,
        query: session.query.bind(session),
        get incarnation() {
          return session.incarnation
        },
      }
      return action(measured as HiveSession)
    })
  }

  async #copy(session: HiveSession, source: string): Promise<string> {
    const copy = `${name}.copy`
    const own =
      '`__forager_op` tinyint, `__forager_sent` string, `__forager_search` boolean, `__forager_place` string'
    const columns = targetTable(schema, null).columns.map(one => `\`${one.name}\` ${one.type}`)
    await session.execute(`DROP TABLE IF EXISTS ${copy}`)
    await session.execute(
      `CREATE EXTERNAL TABLE ${copy} (${own}, ${columns.join(', ')}) STORED AS ORC
TBLPROPERTIES ('external.table.purge'='true')`,
    )
    await session.execute(`INSERT INTO ${copy} SELECT * FROM ${source}`)
    return copy
  }
}

async function merge(): Promise<void> {
  const sessions = new MeasuringSessions()
  const warehouse = new HiveWarehouse({
    sessions: sessions as unknown as HiveSessions,
    attempts: new AttemptFiles({
      files,
      root: folder,
      random: systemRandom,
      compression: 'zstd',
    }),
    clock: systemClock,
    reach: () => undefined,
    logger: silentLogger,
    name: 'hive',
    version: '4.0',
    database: name,
    parallel: 1,
    drainTimeoutMs: 60_000,
    buckets: 0,
  })
  try {
    await sessions.use(session => session.execute(`CREATE DATABASE ${name}`))
    row(['target', 'the changes are in', 'MERGE, s', 'its CPU s', 'whole apply, s', 'load'])
    row(['---', '---', '---', '---', '---', '---'])
    for (const rows of options.rows.split(',').map(Number)) {
      for (const by of [null, byMonth]) await mergeInto(warehouse, sessions, rows, by)
    }
  } finally {
    await sessions.use(session => session.execute(`DROP DATABASE IF EXISTS ${name} CASCADE`))
    await warehouse.close()
    await files.remove(folder)
  }
}

async function mergeInto(
  warehouse: HiveWarehouse,
  sessions: MeasuringSessions,
  rows: number,
  by: PartitionBy | null,
): Promise<void> {
  const table = `orders_${rows}${by === null ? '' : '_by_month'}`
  await sessions.use(session => fill(session, table, rows, by))
  const costs = [false, true].map(isCopied => ({
    isCopied,
    statements: [] as Cost[],
    applies: [] as number[],
    loads: [] as string[],
  }))
  for (let run = 0; run <= 2 * runs; run += 1) {
    // First the one, then the other, then the other first: a table gets slower with each delta.
    const cost = costs[Math.floor(run / 2) % 2]!
    const changes = changesOf(run, rows)
    sessions.isCopied = cost.isCopied
    const whole = await costOf(() => apply(warehouse, { table, run, by, changes }))
    await sessions.use(session => verify(session, table, rows, run))
    // The first one of a table is there to warm up.
    if (run === 0) continue
    cost.statements.push(sessions.statement)
    cost.applies.push(whole.wallSeconds)
    cost.loads.push(load())
  }
  for (const { isCopied, statements, applies, loads } of costs) {
    row([
      `${rows.toLocaleString('en')} rows, ${by === null ? 'no partitions' : '12 partitions'}`,
      isCopied ? 'a copy that Hive wrote' : 'Forager’s file',
      spread(statements.map(({ wallSeconds }) => wallSeconds)),
      spread(statements.map(({ cpuSeconds }) => cpuSeconds)),
      isCopied ? '' : spread(applies),
      loads.join(', '),
    ])
  }
  await sessions.use(session => session.execute(`DROP TABLE ${name}.${table}`))
}

async function apply(
  warehouse: HiveWarehouse,
  of: { table: string; run: number; by: PartitionBy | null; changes: readonly NetChange[] },
): Promise<void> {
  await warehouse.apply({
    table: of.table,
    token: 1,
    after: null,
    through: { topicId: '', offset: of.run },
    followed: followedFrom(schema),
    partitionBy: of.by,
    truncate: 'none',
    changes: (async function* () {
      yield of.changes
    })(),
    attempt: of.run + 1,
    isInDoubt: false,
    areNew: false,
    claim: async () => undefined,
    signal: new AbortController().signal,
  })
}

/** A figure counts only when the rows are there. */
async function verify(session: HiveSession, table: string, rows: number, run: number) {
  const changed = `sum(IF(status = 'CHANGED' AND quantity = ${run}, 1, 0))`
  const found = await session.query(`SELECT count(id), ${changed} FROM ${name}.${table}`)
  const actual = found.rows[0]!.map(Number).join()
  const expected = [rows + (run + 1) * (mix.inserts - mix.deletes), mix.updates + mix.inserts]
  if (actual !== expected.join()) {
    throw new Error(`${table} after run ${run}: ${actual}, expected ${expected.join()}`)
  }
}

const benches = { merge, latency, inserts }
const bench = benches[positionals[0] as keyof typeof benches]
if (bench === undefined) throw new Error('say which: merge, latency or inserts')
await bench()
