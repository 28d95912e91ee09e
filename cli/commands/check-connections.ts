/** `forager check CONFIG --connect`: whether what a run needs answers, and whether source and tables fit. */
import type { LoadedConfig } from '../config.ts'
import { connectFindings } from '../connect/connector-findings.ts'
import { databaseFindings } from '../connect/database-findings.ts'
import { eventFindings } from '../connect/event-findings.ts'
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

async function* serverFindings(given: LoadedConfig): AsyncGenerator<Finding> {
  const loaded = patient(given)
  const { warehouse } = loaded.config
  const kafka = await kafkaFinding(loaded)
  if (kafka !== null) yield kafka
  const database = await openDatabase(loaded)
  try {
    const isAsked = database !== null && (yield* databaseFindings(loaded.config, database))
    const canRead = kafka === null || kafka.isWell
    if (canRead) yield* await eventFindings(loaded, { isDatabaseKnown: isAsked })
    if (warehouse.type !== 'hive') return
    yield* hiveFindings(loaded, warehouse, isAsked ? database : null)
  } finally {
    await database?.close()
  }
}

/** Whoever waits is at a terminal. */
const patienceMs = 10_000

function patient(loaded: LoadedConfig): LoadedConfig {
  const limited = <T extends { readonly retryTimeout: number }>(peer: T): T => {
    return { ...peer, retryTimeout: Math.min(peer.retryTimeout, patienceMs) }
  }
  const { config } = loaded
  const source = config.source.type === 'kafka' ? limited(config.source) : config.source
  const { registry } = source
  const known = registry?.type === 'confluent' ? { registry: limited(registry) } : {}
  return { ...loaded, config: { ...config, source: { ...source, ...known } } }
}

/** Null when the source is a file. */
async function kafkaFinding(loaded: LoadedConfig): Promise<Finding | null> {
  const { source } = loaded.config
  if (source.type !== 'kafka') return null
  const what = 'Kafka'
  try {
    const topics = await withLog(loaded, log => log.topics())
    return well(what, `${source.brokers.join(',')} answers, ${plural(topics.length, 'topic')}`)
  } catch (error) {
    return ill(what, adviceOf(error))
  }
}
