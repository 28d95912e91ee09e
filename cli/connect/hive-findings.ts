/** Looks at Hive as a run will use it: the server, staging that both can read, and the tables. */
import { ForagerError } from '../../model/errors.ts'
import { systemClock } from '../../runtime/clock.ts'
import { systemRandom } from '../../runtime/random.ts'
import { describe } from '../../sinks/hive/describe-table.ts'
import { settingsOf } from '../../sinks/hive/hive.ts'
import { hiveAddress } from '../../sinks/hive/hive-options.ts'
import { HiveSession } from '../../sinks/hive/hive-session.ts'
import { parseTableName, quoteTable, quoteText } from '../../sinks/hive/sql-text.ts'
import type { StagingFiles } from '../../sinks/staging-files.ts'
import { routerOf } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import type { SourceDatabase, SourceTable } from '../verify/source-database.ts'
import { keyOf } from '../verify/table-plan.ts'
import { groupsOf } from '../verify/verify-tables.ts'
import { connectionOf, openStagingFiles, stagingPath } from '../warehouse.ts'
import type { HiveWarehouseConfig } from '../warehouse-schema.ts'
import type { Finding } from './finding.ts'
import { ill, well } from './finding.ts'
import { findingsOf } from './table-findings.ts'
import { wantedTable } from './wanted-table.ts'

/** Whoever waits is at a terminal. */
const patienceMs = 10_000

export async function* hiveFindings(
  loaded: LoadedConfig,
  warehouse: HiveWarehouseConfig,
  database: SourceDatabase | null,
): AsyncGenerator<Finding> {
  const connection = connectionOf(warehouse)
  const settings = settingsOf(connection, warehouse.version)
  const session = new HiveSession({ ...connection, sessionSettings: settings }, systemClock)
  try {
    const server = await serverFinding(session, warehouse, hiveAddress(connection))
    yield server
    yield* stagingFindings(loaded, server.isWell ? session : null)
    if (server.isWell) yield* tableFindings(loaded, warehouse, session, database)
  } finally {
    await session.close()
  }
}

async function serverFinding(
  session: HiveSession,
  { version }: HiveWarehouseConfig,
  address: string,
): Promise<Finding> {
  const what = 'HiveServer2'
  try {
    const { rows } = await session.query('SELECT version()')
    const found = String(rows[0]?.[0] as string).split(' ')[0]!
    if (found.startsWith(`${version}.`)) return well(what, `${address} answers, Hive ${found}`)
    return well(what, `${address} answers, Hive ${found}; warehouse.version says ${version}`)
  } catch (error) {
    return ill(what, adviceOf(error))
  }
}

/** A file that Forager writes, and that Hive reads. */
async function* stagingFindings(
  loaded: LoadedConfig,
  session: HiveSession | null,
): AsyncGenerator<Finding> {
  const files = openPatientFiles(loaded)
  const folder = `${stagingPath(loaded)}/check-${systemRandom.id()}`
  const what = `staging ${files.locationOf(stagingPath(loaded))}`
  try {
    await writeText(files, folder, `${content}\n`)
    yield session === null
      ? well(what, 'it can be written; whether Hive reads it was not asked')
      : await readFinding(session, what, files.locationOf(folder))
  } catch (error) {
    yield ill(what, adviceOf(error))
  } finally {
    await files.remove(folder).catch(() => undefined)
  }
}

const content = 'forager'

function openPatientFiles(loaded: LoadedConfig): StagingFiles {
  const { config } = loaded
  if (config.staging.type !== 'webhdfs') return openStagingFiles(loaded)
  const retryTimeout = Math.min(config.staging.retryTimeout, patienceMs)
  return openStagingFiles({
    ...loaded,
    config: { ...config, staging: { ...config.staging, retryTimeout } },
  })
}

async function writeText(files: StagingFiles, folder: string, text: string): Promise<void> {
  await files.makeDirectory(folder)
  const file = await files.create(`${folder}/line`)
  await file.write(Buffer.from(text))
  await file.close()
}

async function readFinding(session: HiveSession, what: string, folder: string): Promise<Finding> {
  try {
    await session.execute('DROP TABLE IF EXISTS forager_check')
    await session.execute(
      `CREATE TEMPORARY EXTERNAL TABLE forager_check (line string)\n` +
        `STORED AS TEXTFILE LOCATION ${quoteText(folder)}`,
    )
    const { rows } = await session.query('SELECT line FROM forager_check')
    await session.execute('DROP TABLE forager_check')
    if (rows[0]?.[0] === content) return well(what, 'it can be written, and Hive reads it')
    return ill(
      what,
      `a file was written to ${folder}, and Hive does not see it: its servers must reach the same folder`,
    )
  } catch (error) {
    return ill(what, `it can be written, and Hive does not read it: ${adviceOf(error)}`)
  }
}

async function* tableFindings(
  loaded: LoadedConfig,
  warehouse: HiveWarehouseConfig,
  session: HiveSession,
  database: SourceDatabase | null,
): AsyncGenerator<Finding> {
  const { config } = loaded
  const router = routerOf(config)
  const names = database === null ? exactNames(loaded) : await database.tables()
  for (const { target, sources, rule } of groupsOf(names, { router })) {
    try {
      const partitionBy = router.partitionByOf(target)
      const tables: SourceTable[] = []
      for (const source of database === null ? [] : sources) {
        tables.push(await database!.describe(source))
      }
      const wanted = tables.length === 0 ? null : wantedTable(tables, rule, partitionBy)
      const name = parseTableName(target, warehouse.database)
      const found = await describe(session, name)
      // Of a table without a key it was said what becomes of it.
      if (tables.some(table => keyOf(table, rule).length === 0)) continue
      if (typeof wanted === 'string') yield ill(target, wanted)
      else if (found === null) yield well(target, 'it is not there yet: a run makes it')
      else {
        const { rows } = await session.query(`SHOW TBLPROPERTIES ${quoteTable(name)}`)
        const properties = new Map(rows.map(row => [row[0] as string, row[1] as string]))
        yield* findingsOf({ name: target, found, properties, partitionBy, wanted })
      }
    } catch (error) {
      yield ill(target, adviceOf(error))
    }
  }
}

/** Without the database it is not known which tables a pattern stands for. */
function exactNames({ config }: LoadedConfig): string[] {
  return config.tables.map(({ from }) => from).filter(from => !from.includes('*'))
}

export function adviceOf(error: unknown): string {
  if (error instanceof ForagerError) return error.describe()
  throw error
}
