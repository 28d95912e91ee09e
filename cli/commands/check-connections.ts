/** `forager check CONFIG --connect`: whether what a run needs answers, and whether the tables fit. */

import { routerOf } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import type { Finding } from '../connect/finding.ts'
import { ill, well } from '../connect/finding.ts'
import { adviceOf, hiveFindings } from '../connect/hive-findings.ts'
import { withLog } from '../look.ts'
import { formatCount, plural, writeOut } from '../output.ts'
import { openDatabase } from '../verify/open-database.ts'
import type { SourceDatabase } from '../verify/source-database.ts'

/** Exit code 1 when something does not answer, or a table cannot be kept in step. */
export async function checkConnections(loaded: LoadedConfig): Promise<number> {
  let isWell = true
  for await (const finding of findings(loaded)) {
    isWell &&= finding.isWell
    await writeOut(
      `${finding.isWell ? 'ok   ' : 'WRONG'} ${finding.what}: ${finding.text.replace(/\.$/, '')}.\n`,
    )
  }
  return isWell ? 0 : 1
}

async function* findings(loaded: LoadedConfig): AsyncGenerator<Finding> {
  const { source, warehouse } = loaded.config
  if (source.type === 'kafka') yield await kafkaFinding(loaded)
  const database = await openDatabase(loaded)
  try {
    const asked = database === null ? null : await databaseFinding(loaded, database)
    if (asked !== null) yield asked
    if (warehouse.type !== 'hive') return
    yield* hiveFindings(loaded, warehouse, asked?.isWell === true ? database : null)
  } finally {
    await database?.close()
  }
}

/** Whoever waits is at a terminal. */
const patienceMs = 10_000

async function kafkaFinding(loaded: LoadedConfig): Promise<Finding> {
  const { config } = loaded
  if (config.source.type !== 'kafka') throw new TypeError('the source is no cluster')
  const what = 'Kafka'
  const retryTimeout = Math.min(config.source.retryTimeout, patienceMs)
  const patient = { ...loaded, config: { ...config, source: { ...config.source, retryTimeout } } }
  try {
    const topics = await withLog(patient, log => log.topics())
    return well(
      what,
      `${config.source.brokers.join(',')} answers, ${plural(topics.length, 'topic')}`,
    )
  } catch (error) {
    return ill(what, adviceOf(error))
  }
}

async function databaseFinding(
  { config }: LoadedConfig,
  database: SourceDatabase,
): Promise<Finding> {
  const what = 'database'
  try {
    const names = await database.tables()
    const router = routerOf(config)
    const named = names.filter(name => router.lookUp(name) !== null)
    const text = `${database.address} answers, ${plural(names.length, 'table')}, ${formatCount(named.length)} of them by the rules`
    return named.length > 0
      ? well(what, text)
      : ill(what, `${text}: no rule names a table that is there`)
  } catch (error) {
    return ill(what, adviceOf(error))
  }
}
