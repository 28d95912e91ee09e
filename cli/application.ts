/**
 * From a configuration to its parts: the topology of the main job, the log with its source, and the
 * running application over them.
 */
import { join, resolve } from 'node:path'
import type { ConnectorSettings } from '../formats/connector-settings.ts'
import { EmbeddedLog } from '../log/embedded-log.ts'
import { FileStorage } from '../log/file-storage.ts'
import type { KafkaLogOptions } from '../log/kafka/kafka-log.ts'
import type { SaslOptions, TlsOptions } from '../log/kafka/wire.ts'
import type { Log } from '../log/log.ts'
import type { LogStorage } from '../log/log-storage.ts'
import { MemoryStorage } from '../log/log-storage.ts'
import { openRecordedSource } from '../log/recorded-source.ts'
import type { Origin } from '../model/change-event.ts'
import type { ReachPoint } from '../model/crash-points.ts'
import type { SourceError } from '../model/errors.ts'
import { ForagerError, StateError } from '../model/errors.ts'
import { wildcardSource } from '../model/wildcard.ts'
import type { Logger } from '../observe/logger.ts'
import { silentLogger } from '../observe/logger.ts'
import type { Metrics } from '../observe/metrics.ts'
import { noMetrics } from '../observe/metrics.ts'
import type { TableRule } from '../processors/route-tables.ts'
import { TableRouter } from '../processors/route-tables.ts'
import { systemClock } from '../runtime/clock.ts'
import { nodeFileSystem } from '../runtime/file-system.ts'
import { systemRandom } from '../runtime/random.ts'
import { Streams } from '../runtime/streams.ts'
import { inMemory } from '../state/memory-store.ts'
import { persistent } from '../state/persistent-store.ts'
import type { StreamOptions } from '../topology/streams-builder.ts'
import { StreamsBuilder } from '../topology/streams-builder.ts'
import type { Topology } from '../topology/topology.ts'
import type { LoadedConfig } from './config.ts'
import type { Config, FileSourceConfig, KafkaSourceConfig } from './config-schema.ts'
import { formats } from './formats.ts'
import { loadClient } from './kafka-clients.ts'
import { refuseLostTopics } from './lost-topics.ts'
import { registryOf } from './registry.ts'
import { sinkOf, statePath } from './warehouse.ts'
import type { LineOf } from './with-lines.ts'
import { atLine, withLines } from './with-lines.ts'
import { withoutUndefined } from './without-undefined.ts'

/** Every topic of a file; of a cluster those that are named. */
export function sourceTopics({ source }: Config): RegExp | readonly string[] {
  if (source.type === 'file') return /.*/
  if (!source.topics.some(topic => topic.includes('*'))) return source.topics
  return new RegExp(`^(?:${source.topics.map(topic => wildcardSource(topic, '.*')).join('|')})$`)
}

function kafkaOptions({ source }: Config): Partial<StreamOptions> {
  if (source.type === 'file') return {}
  const { start: at, startOffsets, confirmPartitions } = source
  return { start: { at, offsets: new Map(Object.entries(startOffsets)) }, confirmPartitions }
}

/** Of the one source, in the topology and in names of topics. */
export const sourceName = 'events'

interface TopologyParts {
  readonly router?: TableRouter
  /** Where the records of a file stand in it. */
  readonly lineOf?: LineOf
}

/** The one topology of the program: all tables of a configuration through one path. */
export function buildTopology(
  loaded: LoadedConfig,
  { router = routerOf(loaded.config), lineOf }: TopologyParts = {},
): Topology {
  const { config } = loaded
  const format = formats[config.source.format]({ registry: registryOf(loaded) })
  const builder = new StreamsBuilder()
  const { window, state } = config
  builder
    .stream(sourceTopics(config), {
      name: sourceName,
      format: lineOf === undefined ? format : withLines(format, lineOf),
      onError: config.onError,
      ...kafkaOptions(config),
      // Null: no rule wants the table, and its rows are not read at all.
      hintsOf: table => router.hintsOf(table),
      connectorSettings: withoutUndefined(config.source.connector) as ConnectorSettings,
      incarnation: config.source.incarnation,
      dropRepeats: config.source.dropRepeats,
      ordering: config.source.ordering,
      keyedBy: config.source.keyedBy,
    })
    .route(router, { name: 'route-tables' })
    .repartition({
      name: 'rows',
      ...(config.repartition.partitions === undefined
        ? {}
        : { partitions: config.repartition.partitions }),
    })
    .compact({
      name: 'window',
      flush: { maxAgeMs: window.maxAge, maxRows: window.maxRows, maxBytes: window.maxBytes },
      store: state.store === 'memory' ? inMemory() : persistent({ memoryBytes: state.memory }),
    })
    .to(sinkOf(loaded), { name: 'tables' })
  return builder.build()
}

export interface RunningParts {
  readonly streams: Streams
  /** The error, with its line where the source is a file. */
  readonly withLine: (error: unknown) => unknown
  readonly close: () => Promise<void>
}

export type OpenLog = (config: Config, source: KafkaSourceConfig) => Promise<Log>

/** Opens the log. It is closed by `close`. */
export async function openApplication(
  loaded: LoadedConfig,
  {
    router,
    openLog: openOther,
    ...parts
  }: {
    readonly logger: Logger
    readonly metrics: Metrics
    readonly reach: ReachPoint
    readonly router?: TableRouter
    /** Of a log in place of the cluster that the configuration names. */
    readonly openLog?: OpenLog
  },
): Promise<RunningParts> {
  const { config } = loaded
  const { source } = config
  const { log, lineOf } =
    source.type === 'file'
      ? await openWholeFile(loaded, source, parts)
      : { log: await (openOther ?? openKafka)(config, source), lineOf: undefined }
  const given = { ...(router && { router }), ...(lineOf && { lineOf }) }
  const streams = new Streams(buildTopology(loaded, given), {
    applicationId: config.applicationId,
    log,
    stateDir: statePath(loaded),
    commitIntervalMs: config.commitInterval,
    stopTimeoutMs: config.stopTimeout,
    ...(source.type === 'kafka' && {
      topicRefreshMs: source.topicRefresh,
      topicTimeoutMs: source.retryTimeout,
    }),
    ...parts,
  })
  const withLine = (error: unknown): unknown =>
    lineOf === undefined ? error : atLine(error, lineOf)
  return { streams, withLine, close: () => log.close() }
}

/** The local log, unless the file lost what was read from it. */
async function openWholeFile(
  loaded: LoadedConfig,
  source: FileSourceConfig,
  parts: { readonly logger: Logger; readonly metrics: Metrics },
): Promise<{ readonly log: Log; readonly lineOf: LineOf }> {
  const { log, lineOf } = await openLocalLog(loaded, source, parts)
  try {
    await refuseLostTopics(log, loaded.config.applicationId)
  } catch (error) {
    await log.close()
    throw error
  }
  return { log, lineOf }
}

/** The log of the application, to look at, whatever state it is in. */
export async function openLog(loaded: LoadedConfig): Promise<Log> {
  const { config } = loaded
  const { source } = config
  if (source.type === 'kafka') return await openKafka(config, source)
  const parts = { logger: silentLogger, metrics: noMetrics }
  return (await openLocalLog(loaded, source, parts)).log
}

/**
 * The same for who changes nothing by looking. StateError `state-locked`: a local log serves one process at a
 * time.
 */
export async function openLogReadOnly(loaded: LoadedConfig): Promise<Log> {
  const { config } = loaded
  const { source } = config
  if (source.type === 'kafka') return await openKafka(config, source)
  const folder = join(statePath(loaded), 'log')
  const isThere = (await nodeFileSystem.stat(folder)) !== null
  const storage = isThere
    ? new FileStorage(nodeFileSystem, folder, { isReadOnly: true })
    : new MemoryStorage()
  const parts = { logger: silentLogger, metrics: noMetrics, storage }
  return (await unlessLocked(() => openLocalLog(loaded, source, parts))).log
}

/** The local log with the file of recorded events beside it. */
async function openLocalLog(
  loaded: LoadedConfig,
  { path, repartitionInto }: FileSourceConfig,
  parts: {
    readonly logger: Logger
    readonly metrics: Metrics
    readonly storage?: LogStorage
  },
): Promise<{ readonly log: Log; readonly lineOf: LineOf }> {
  const file = resolve(loaded.folder, path)
  const source = await openRecordedSource({
    fileSystem: nodeFileSystem,
    path: file,
    onBadLine: error => passBadLine(loaded.config, error, parts),
    ...(repartitionInto === undefined ? {} : { repartitionInto }),
  })
  const log = await EmbeddedLog.open({
    storage: parts.storage ?? new FileStorage(nodeFileSystem, join(statePath(loaded), 'log')),
    clock: systemClock,
    random: systemRandom,
    sources: [source],
  })
  const lineOf = (at: Origin): ReturnType<LineOf> => {
    const line = source.lineOf(at)
    return line === null ? {} : { file, line }
  }
  return { log, lineOf }
}

/**
 * The log of an application for who only looks into it, beside instances that run; null when there is
 * none yet. StateError `state-locked`: a local log serves one process at a time.
 */
export async function openOwnLog(loaded: LoadedConfig): Promise<Log | null> {
  const { config } = loaded
  const { source } = config
  if (source.type === 'kafka') return await openKafka(config, source)
  const folder = join(statePath(loaded), 'log')
  if ((await nodeFileSystem.stat(folder)) === null) return null
  const storage = new FileStorage(nodeFileSystem, folder)
  return await unlessLocked(() => EmbeddedLog.open({ storage }))
}

async function unlessLocked<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof ForagerError) || error.code !== 'state-locked') throw error
    throw new StateError(
      'state-locked',
      `a local log serves one process at a time: try again when the run has ended (${error.message})`,
      { context: error.context, cause: error },
    )
  }
}

/** The client is loaded only where it is used. */
async function openKafka(config: Config, source: KafkaSourceConfig): Promise<Log> {
  const { KafkaLog } = await import('../log/kafka/kafka-log.ts')
  return new KafkaLog({ ...kafkaLogOptions(config, source), ...(await loadClient(source.client)) })
}

export function kafkaLogOptions(config: Config, source: KafkaSourceConfig): KafkaLogOptions {
  const { tls, sasl, instanceId, replicationFactor, sessionTimeout } = source
  return {
    brokers: source.brokers,
    clientId: source.clientId ?? config.applicationId,
    clock: systemClock,
    random: systemRandom,
    processingGuarantee: config.processingGuarantee,
    requestTimeoutMs: source.requestTimeout,
    retryTimeoutMs: source.retryTimeout,
    rebalanceTimeoutMs: source.rebalanceTimeout,
    sessionTimeoutMs: sessionTimeout,
    // Three beats fit into a session, and one is not sent more often than needed.
    heartbeatIntervalMs: Math.min(3000, Math.floor(sessionTimeout / 3)),
    ...(tls === undefined ? {} : { tls: withoutUndefined(tls) as TlsOptions }),
    ...(sasl === undefined ? {} : { sasl: withoutUndefined(sasl) as SaslOptions }),
    ...(instanceId === undefined ? {} : { instanceId }),
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
  }
}

function passBadLine(
  config: Config,
  error: SourceError,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
): void {
  if (config.onError === 'fail') throw error
  // It is no message that could be a dead letter; and it stays in its file.
  metrics.count('forager_messages_skipped_total', 1, { reason: error.code })
  logger.warn('message.skipped', { reason: error.describe() })
}

/** Which source tables go where, by the rules of the configuration. */
export function routerOf(config: Config): TableRouter {
  return new TableRouter(rulesOf(config))
}

export function rulesOf({ tables }: Config): readonly TableRule[] {
  const rules = tables.map(({ columns, ...rule }) =>
    withoutUndefined({ ...rule, columns: columns && withoutUndefined(columns) }),
  )
  return rules as readonly TableRule[]
}
