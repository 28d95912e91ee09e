/** `forager check CONFIG --connect`: whether what a run needs answers, and whether source and tables fit. */
import type { LoadedConfig } from '../config.ts'
import { connectFindings } from '../connect/connector-findings.ts'
import { databaseFindings } from '../connect/database-findings.ts'
import type { Finding } from '../connect/finding.ts'
import { findingText, ill, well } from '../connect/finding.ts'
import { adviceOf, hiveFindings } from '../connect/hive-findings.ts'
import { withLog } from '../look.ts'
import { plural, writeOut } from '../output.ts'
import { openDatabase } from '../verify/open-database.ts'
import type { CheckOptions } from './check.ts'

/** Exit code 1 when something does not answer, or a table cannot be kept in step. */
export async function checkConnections(
  loaded: LoadedConfig,
  options: CheckOptions,
): Promise<number> {
  let isWell = true
  for await (const finding of findings(loaded, options)) {
    isWell &&= finding.isWell
    await writeOut(findingText(finding))
  }
  return isWell ? 0 : 1
}

async function* findings(
  loaded: LoadedConfig,
  { connect, kafkaConnect }: CheckOptions,
): AsyncGenerator<Finding> {
  if (connect) yield* serverFindings(loaded)
  if (kafkaConnect !== undefined) yield* connectFindings(loaded.config, kafkaConnect)
}

async function* serverFindings(loaded: LoadedConfig): AsyncGenerator<Finding> {
  const { source, warehouse } = loaded.config
  if (source.type === 'kafka') yield await kafkaFinding(loaded)
  const database = await openDatabase(loaded)
  try {
    const isAsked = database !== null && (yield* databaseFindings(loaded.config, database))
    if (warehouse.type !== 'hive') return
    yield* hiveFindings(loaded, warehouse, isAsked ? database : null)
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
