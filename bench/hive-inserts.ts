/**
 * What two owners do to a table at once. Without the protocol: two sessions submit the same insert-only `MERGE`.
 * With it: one owner applies, and another one, with a higher token, takes over at a random moment and applies the
 * same rows while the first one goes on. Each so many times; printed is how many rows are there twice.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeKey } from '../model/key.ts'
import type { NetChange } from '../model/net-change.ts'
import type { PartitionBy } from '../model/partition-by.ts'
import { followedFrom } from '../model/schema-change.ts'
import type { TableSchema } from '../model/table-schema.ts'
import { internSchema, keyColumns } from '../model/table-schema.ts'
import { silentLogger } from '../observe/logger.ts'
import { systemClock } from '../runtime/clock.ts'
import { systemRandom } from '../runtime/random.ts'
import { AttemptFiles } from '../sinks/hive/attempt-files.ts'
import { HiveWarehouse } from '../sinks/hive/hive-warehouse.ts'
import { createTableSql, targetTable } from '../sinks/hive/target-table.ts'
import { files, folder, load, name, openSessions, options, row } from './hive-site.ts'

const schema: TableSchema = internSchema({
  columns: [
    { id: '1', name: 'id', type: { kind: 'bigint' }, nullable: false },
    { id: '2', name: 'v', type: { kind: 'string' }, nullable: true },
    { id: '3', name: 'region', type: { kind: 'string' }, nullable: true },
  ],
  key: ['id'],
})
const byRegion: PartitionBy = { column: 'region', unit: 'value' }
const rowsAtOnce = 10
const rounds = Number(options.runs)

export async function inserts(): Promise<void> {
  const [sessions, others] = [openSessions(), openSessions()]
  const execute = (sql: string): Promise<void> => sessions.use(session => session.execute(sql))
  try {
    await execute(`CREATE DATABASE ${name}`)
    row(['table', 'protocol', 'rounds', 'rows twice', 'rows missing', 'load'])
    row(['---', '---', '---', '---', '---', '---'])
    for (const by of [null, byRegion]) {
      for (const isOn of [false, true]) {
        const table = `${isOn ? 'with' : 'without'}_${by === null ? 'plain' : 'divided'}`
        const target = { database: name, table }
        const made = createTableSql(target, targetTable(schema, by), {
          keys: schema.key,
          version: '4.0',
          buckets: 0,
        })
        await execute(made)
        const owners = [sessions, others].map(own => ownerOf(own))
        for (let round = 0; round < rounds; round += 1) {
          if (isOn) await takeOver(owners, `${name}.${table}`, by, round)
          else {
            const sql = insertSql(`${name}.${table}`, by, round)
            await Promise.all(
              [sessions, others].map(own => own.use(session => session.execute(sql))),
            )
          }
        }
        const { rows } = await sessions.use(session =>
          session.query(`SELECT count(id), count(DISTINCT id) FROM ${name}.${table}`),
        )
        const [all, distinct] = rows[0]!.map(Number)
        const wanted = rounds * rowsAtOnce
        row([
          by === null ? 'no partitions' : 'partitions',
          isOn ? 'on' : 'off',
          rounds,
          all! - distinct!,
          wanted - distinct!,
          load(),
        ])
      }
    }
  } finally {
    await execute(`DROP DATABASE IF EXISTS ${name} CASCADE`).catch(() => undefined)
    await Promise.all([sessions.close(), others.close()])
    await files.remove(folder)
  }
}

function ownerOf(sessions: ReturnType<typeof openSessions>): HiveWarehouse {
  const random = systemRandom
  return new HiveWarehouse({
    sessions,
    attempts: new AttemptFiles({ files, root: `${folder}/apply`, random, compression: 'zstd' }),
    clock: systemClock,
    reach: () => undefined,
    logger: silentLogger,
    name: 'bench',
    version: '4.0',
    database: name,
    parallel: 1,
    drainTimeoutMs: 120_000,
    buckets: 0,
  })
}

/** The second owner applies whatever became of the first one, which may be refused at any step. */
async function takeOver(
  [first, second]: readonly HiveWarehouse[],
  table: string,
  by: PartitionBy | null,
  round: number,
): Promise<void> {
  const before = apply(first!, table, by, { round, token: 2 * round + 1, isInDoubt: false })
  before.catch(() => undefined)
  await sleep(Math.floor(systemRandom.next() * 3000))
  await apply(second!, table, by, { round, token: 2 * round + 2, isInDoubt: true })
  await before.catch(() => undefined)
}

async function apply(
  warehouse: HiveWarehouse,
  table: string,
  partitionBy: PartitionBy | null,
  of: { readonly round: number; readonly token: number; readonly isInDoubt: boolean },
): Promise<void> {
  await warehouse.apply({
    table,
    token: of.token,
    after: null,
    through: { topicId: '', offset: of.round },
    followed: followedFrom(schema),
    partitionBy,
    truncate: 'none',
    changes: (async function* () {
      yield changesOf(of.round)
    })(),
    attempt: 1,
    isInDoubt: of.isInDoubt,
    areNew: false,
    claim: async () => undefined,
    signal: new AbortController().signal,
  })
}

function idsOf(round: number): readonly number[] {
  return Array.from({ length: rowsAtOnce }, (_, index) => round * rowsAtOnce + index)
}

function changesOf(round: number): readonly NetChange[] {
  return idsOf(round).map(id => ({
    kind: 'upsert',
    key: encodeKey(keyColumns(schema), [id]),
    row: [id, `row ${id}`, `r${id % 3}`],
    schema,
    leaves: [],
    last: { position: '', sourceMs: 0 },
  }))
}

function insertSql(table: string, by: PartitionBy | null, round: number): string {
  const rows = idsOf(round).map(id => `SELECT CAST(${id} AS bigint) AS id, 'r${id % 3}' AS region`)
  const place = by === null ? '' : ' AND t.region <=> s.region'
  return `MERGE INTO ${table} AS t USING (${rows.join(' UNION ALL ')}) AS s ON t.id = s.id${place}
WHEN NOT MATCHED THEN INSERT VALUES (s.id, concat('row ', s.id), s.region)`
}
