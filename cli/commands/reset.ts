/**
 * `forager reset CONFIG`: begins an application anew, as Kafka Streams' reset tool does. It deletes what
 * Forager made for itself; source topics, dead letters and tables stay.
 */
import type { CommittedOffset, Log, TopicPartition } from '../../log/log.ts'
import { StateError } from '../../model/errors.ts'
import { readApplied } from '../../runtime/applied.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { systemRandom } from '../../runtime/random.ts'
import type { ApplicationStatus } from '../../runtime/status.ts'
import { emptyOffset } from '../../runtime/task.ts'
import type { ForgetOptions } from '../../sinks/embedded/forget-log.ts'
import { forgetLog, tablesOfLog } from '../../sinks/embedded/forget-log.ts'
import {
  appliedTopic,
  deadLettersTopic,
  internalTopics,
  ownersTopic,
} from '../../topology/internal-topics.ts'
import type { StartPosition } from '../../topology/nodes.ts'
import { buildTopology, kafkaLogOptions } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import type { KafkaSourceConfig } from '../config-schema.ts'
import { applicationStatus, withLog } from '../look.ts'
import { plural, writeOut } from '../output.ts'
import { UsageError } from '../usage-error.ts'
import { openStagingFiles, stagingPath, statePath, warehousePath } from '../warehouse.ts'

export interface ResetOptions {
  readonly execute: boolean
  /** Where the source is begun; absent: where the configuration says. */
  readonly to?: StartPosition['at']
}

interface ResetPlan {
  readonly status: ApplicationStatus
  /** In the order in which they are deleted. */
  readonly topics: readonly string[]
  readonly folders: readonly string[]
  readonly tables: readonly string[]
  /** Tables of these logs are to follow another one. Null: they do not know what log they follow. */
  readonly forget: ForgetOptions | null
  /** Folder of staged files, where it is not one of `folders`. */
  readonly staged: string | null
  readonly offsets: readonly (TopicPartition & CommittedOffset)[]
}

export async function resetCommand(loaded: LoadedConfig, options: ResetOptions): Promise<number> {
  const { source, applicationId } = loaded.config
  if (source.type === 'file' && options.to !== undefined) {
    throw new UsageError('--to is for Kafka: a file is read from its beginning')
  }
  const plan = await withLog(loaded, log => makePlan(loaded, log, options))
  const { members } = plan.status
  if (options.execute) {
    if (members.length > 0) {
      const text = `the group ${applicationId} has ${plural(members.length, 'member')}`
      throw new StateError('group-in-use', text)
    }
    if (source.type === 'kafka') await deleteInKafka(loaded, source, plan)
    else await deleteFolders(loaded, plan)
  }
  await writeOut(planText(loaded, plan, options))
  return 0
}

async function makePlan(loaded: LoadedConfig, log: Log, { to }: ResetOptions): Promise<ResetPlan> {
  const { applicationId } = loaded.config
  const status = await applicationStatus(loaded, log)
  const topics = new Map((await log.topics()).map(({ name, id }) => [name, id]))
  const internal = internalTopics(buildTopology(loaded), applicationId)
  // Owners are the last to go: whoever finds them without the others knows that something is missing.
  const last = ownersTopic(applicationId)
  const own = [...internal].filter(name => topics.has(name) && name !== last)
  if (topics.has(last)) own.push(last)
  const stagedIds = own.flatMap(name => (name.endsWith('-staged') ? [topics.get(name)!] : []))
  const topicIds = new Set([...stagedIds, ...(await appliedIds(log, topics, applicationId))])
  const { warehouse, staging } = loaded.config
  const isHive = warehouse.type === 'hive'
  const parts = { fileSystem: nodeFileSystem, random: systemRandom, topicIds }
  const forget = isHive ? null : { ...parts, root: warehousePath(loaded) }
  return {
    status,
    topics: own.filter(name => name !== deadLettersTopic(applicationId)),
    folders: await foldersOf(loaded),
    tables: forget === null ? status.tables.map(one => one.table) : await tablesOfLog(forget),
    forget,
    staged: staging.type === 'webhdfs' ? stagingPath(loaded) : null,
    offsets: to === undefined ? [] : await offsetsAt(log, status, to),
  }
}

/** Also of staged topics that are gone by now. */
async function appliedIds(
  log: Log,
  topics: ReadonlyMap<string, string>,
  applicationId: string,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  if (!topics.has(appliedTopic(applicationId))) return ids
  for await (const { through } of readApplied(log, applicationId)) {
    if (through !== null) ids.add(through.topicId)
  }
  return ids
}

async function foldersOf(loaded: LoadedConfig): Promise<readonly string[]> {
  const found: string[] = []
  const isLocal = loaded.config.staging.type === 'local'
  const staged = isLocal ? [stagingPath(loaded)] : []
  for (const folder of new Set([...staged, statePath(loaded)])) {
    if ((await nodeFileSystem.stat(folder)) !== null) found.push(folder)
  }
  return found
}

async function offsetsAt(
  log: Log,
  { tasks }: ApplicationStatus,
  to: StartPosition['at'],
): Promise<(TopicPartition & CommittedOffset)[]> {
  const offsets: (TopicPartition & CommittedOffset)[] = []
  for (const { subTopology, topic, partition } of tasks) {
    if (subTopology !== 0) continue
    const at = { topic, partition }
    const { start, end } = await log.offsets(at)
    const found =
      typeof to === 'object'
        ? await log.offsetOfTime(at, to.timeMs)
        : { earliest: start, latest: end }[to]
    offsets.push({ ...at, ...emptyOffset(found) })
  }
  return offsets
}

/** The group first: a cluster refuses that while it has members, and nothing is changed then. */
async function deleteInKafka(
  loaded: LoadedConfig,
  source: KafkaSourceConfig,
  plan: ResetPlan,
): Promise<void> {
  const { config } = loaded
  const { KafkaAdmin } = await import('../../log/kafka/admin.ts')
  const admin = new KafkaAdmin(kafkaLogOptions(config, source))
  try {
    await admin.deleteGroup(config.applicationId)
    await deleteFolders(loaded, plan)
    for (const topic of plan.topics) await admin.deleteTopic(topic)
    await admin.setOffsets(config.applicationId, plan.offsets)
  } finally {
    await admin.close()
  }
}

async function deleteFolders(
  loaded: LoadedConfig,
  { forget, folders, staged }: ResetPlan,
): Promise<void> {
  if (forget !== null) await forgetLog(forget)
  if (staged !== null) await openStagingFiles(loaded).remove(staged)
  for (const folder of folders) await nodeFileSystem.remove(folder)
}

function planText(
  { config, path }: LoadedConfig,
  { status, topics, folders, staged, tables, offsets }: ResetPlan,
  { execute, to }: ResetOptions,
): string {
  const { applicationId, members, tasks } = status
  const committed = tasks.filter(one => one.committed !== null).length
  const lines = [execute ? 'Deleted:' : 'Nothing was changed. With --execute this is deleted:']
  if (committed > 0) {
    lines.push(`  the offsets of the group ${applicationId}, of ${plural(committed, 'partition')}`)
  }
  lines.push(...topics.map(topic => `  the topic ${topic}`))
  lines.push(...folders.map(folder => `  the folder ${folder}`))
  if (staged !== null) lines.push(`  the folder ${staged} of HDFS`)
  if (lines.length === 1) lines.push('  nothing: there is nothing of it')
  lines.push('What stays:', '  the source, and dead letters')
  if (tables.length > 0) {
    lines.push(`  ${plural(tables.length, 'table')} with all rows: ${tables.join(', ')}`)
  }
  const start = config.source.type === 'file' ? 'the beginning' : startText(config.source.start)
  const from = to === undefined ? start : `${startText(to)}, ${plural(offsets.length, 'partition')}`
  lines.push(
    `The next run reads the source from ${from}. What is read again is applied again: tables show older`,
    'rows meanwhile, and end as the source is. A row that was deleted before what is read begins stays:',
    'where the source does not reach back to the beginning of its tables, remove the warehouse as well.',
  )
  if (!execute && members.length > 0) {
    const hosts = members.map(({ clientId, host }) => `${clientId} at ${host}`).join(', ')
    lines.push(`First stop ${plural(members.length, 'instance')} (${hosts}): ${path} is running.`)
  }
  return `${lines.join('\n')}\n`
}

function startText(at: StartPosition['at']): string {
  if (at === 'earliest') return 'its first record'
  return at === 'latest' ? 'its end' : new Date(at.timeMs).toISOString()
}
