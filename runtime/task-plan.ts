/**
 * From a topology to tasks: which topics are read and made, and which task each of their partitions
 * has. What tasks of one pipeline share is made once: its decoder, its warehouse, its staging.
 */
import { join } from 'node:path'
import type { Decoder } from '../formats/decoder.ts'
import type { TopicInfo, TopicPartition } from '../log/log.ts'
import { assert, StateError } from '../model/errors.ts'
import { isFollowed } from '../model/schema-change.ts'
import type { Logger } from '../observe/logger.ts'
import type { WindowPart } from '../processors/compact.ts'
import type { Staging } from '../sinks/staging.ts'
import type { Warehouse } from '../sinks/warehouse.ts'
import {
  appliedTopic,
  changelogTopic,
  deadLettersTopic,
  internalTopics,
  ownersTopic,
  parkedTopic,
  positionsStore,
  repartitionTopic,
  replayTopic,
  stagedTopic,
} from '../topology/internal-topics.ts'
import { hasHop } from '../topology/nodes.ts'
import type { Pipeline, Topology } from '../topology/topology.ts'
import type { ByPosition } from './compact-task.ts'
import { CompactTask } from './compact-task.ts'
import { HopOutput } from './hop-output.ts'
import { MergeTask } from './merge-task.ts'
import { decoderOf, SchemaReader } from './schema-reader.ts'
import { SourceTask } from './source-task.ts'
import type { StreamsOptions } from './streams.ts'
import type { Task, TaskContext } from './task.ts'
import { WindowOutput } from './window-output.ts'

export interface TaskPlan {
  /** All that the instance reads. */
  topics(): readonly string[]
  /** The topics of each source, by its name, as they are now. */
  setSources(sources: ReadonlyMap<string, readonly TopicInfo[]>): void
  createTask(at: TopicPartition, context: TaskContext): Promise<Task>
  close(): Promise<void>
}

interface LivePipeline {
  readonly pipeline: Pipeline
  sources: readonly TopicInfo[]
  /** Also one that an earlier configuration left: what it has is staged first. Null: there is none. */
  readonly hop: { readonly topic: string; readonly partitions: number; readonly id: string } | null
  /** `parked` is the topic of batches of tables that are held back. */
  readonly staged: {
    readonly topic: string
    readonly partitions: number
    readonly id: string
    readonly parked: string
  }
  readonly byPosition: ByPosition | null
  readonly schemas: SchemaReader
  readonly warehouse: Warehouse
  readonly staging: Staging
  /** Without a hop: which topic each target gets. */
  readonly topicOfTarget: Map<string, string>
}

/** `sources` are the topics of each source, by its name. Makes internal topics that are missing. */
export async function planTasks(
  topology: Topology,
  options: StreamsOptions,
  sources: ReadonlyMap<string, readonly TopicInfo[]>,
): Promise<TaskPlan> {
  const { log, applicationId } = options
  const known = await log.topics()
  refuseLostTopics(topology, options, known)
  await log.createTopic({ name: ownersTopic(applicationId), partitions: 1, cleanup: 'compact' })
  await log.createTopic({ name: appliedTopic(applicationId), partitions: 1, cleanup: 'compact' })
  if (topology.pipelines.some(({ source }) => source.onError === 'dead-letter')) {
    // One partition: letters are few, and are listed in the order in which they came.
    const name = deadLettersTopic(applicationId)
    await log.createTopic({ name, partitions: 1, cleanup: 'delete' })
  }
  const live: LivePipeline[] = []
  for (const pipeline of topology.pipelines) {
    const own = sources.get(pipeline.source.name) ?? []
    live.push(await openPipeline(pipeline, options, own, known))
  }
  return {
    topics: () =>
      live.flatMap(one => [
        ...one.sources.map(({ name }) => name),
        ...(one.hop === null ? [] : [one.hop.topic]),
        one.staged.topic,
        ...(one.byPosition === null ? [] : [one.byPosition.replay]),
      ]),
    setSources: now => {
      for (const one of live) one.sources = now.get(one.pipeline.source.name) ?? []
    },
    createTask: (at, context) => createTask(at, live, options, context),
    close: async () => {
      for (const { warehouse } of live) await warehouse.close()
    },
  }
}

/**
 * The topic of owners is made first: without it the others are what is left of an application, and the
 * tokens that its mergers wrote with are lost.
 */
function refuseLostTopics(
  topology: Topology,
  { applicationId }: StreamsOptions,
  known: readonly TopicInfo[],
): void {
  const internal = internalTopics(topology, applicationId)
  const names = known.map(({ name }) => name)
  const topic = ownersTopic(applicationId)
  // Dead letters outlive a reset, and may be replayed before the next start.
  const replays = topology.pipelines.map(({ source }) => replayTopic(applicationId, source.name))
  const kept = [topic, deadLettersTopic(applicationId), ...replays]
  const left = names.filter(name => !kept.includes(name) && internal.has(name))
  if (names.includes(topic) || left.length === 0) return
  throw new StateError('internal-topic-missing', `it is gone, and ${left.join(', ')} are there`, {
    context: { topic },
  })
}

async function openPipeline(
  pipeline: Pipeline,
  options: StreamsOptions,
  sources: readonly TopicInfo[],
  known: readonly TopicInfo[],
): Promise<LivePipeline> {
  const { log, applicationId, clock, logger, metrics } = options
  const { source, warehouse: node } = pipeline
  const staged = stagedTopic(applicationId, node.name)
  const parked = parkedTopic(applicationId, node.name)
  const hop = repartitionTopic(applicationId, pipeline.repartition.name)
  // They keep their partitions for as long as they live: keys are spread over the hop's, tables over the others.
  const existing = [hop, staged].flatMap(name => known.find(topic => topic.name === name) ?? [])
  const partitions = partitionsOf(pipeline, options, sources, existing[0])
  if (hasHop(source)) await log.createTopic({ name: hop, partitions, cleanup: 'delete' })
  await log.createTopic({ name: staged, partitions, cleanup: 'delete' })
  await log.createTopic({ name: parked, partitions, cleanup: 'delete' })
  const isHopThere = hasHop(source) || existing.some(({ name }) => name === hop)
  const byPosition = source.ordering === 'position' ? topicsByPosition(pipeline, options) : null
  if (byPosition !== null) {
    const { changelog, replay } = byPosition
    await log.createTopic({ name: changelog, partitions, cleanup: 'compact' })
    await log.createTopic({ name: replay, partitions: 1, cleanup: 'delete' })
  }
  const topics = await log.topics()
  const idOf = (name: string): string => topics.find(topic => topic.name === name)!.id
  const decoder = decoderOf(source, {
    onRecognised: (topic, format) => {
      logger.info('format.recognised', { topic, format })
      metrics.count('forager_topics_recognised_total', 1, { topic, format })
    },
  })
  warnOfMissing(decoder, known, logger)
  return {
    pipeline,
    sources,
    hop: isHopThere ? { topic: hop, partitions, id: idOf(hop) } : null,
    staged: { topic: staged, partitions, id: idOf(staged), parked },
    byPosition,
    schemas: new SchemaReader(decoder, log, clock),
    ...node.sink.open(options),
    topicOfTarget: new Map(),
  }
}

/** A topic of schema changes that was named: it may be made later, or the name be wrong. */
function warnOfMissing(decoder: Decoder, known: readonly TopicInfo[], logger: Logger): void {
  for (const topic of decoder.schemaTopics) {
    if (known.some(({ name }) => name === topic)) continue
    const reason =
      'there is no such topic of schema changes: until there is, types are read from the values alone. See ' +
      'that the name is the one that the producer writes to'
    logger.warn('schema-topic.missing', { topic, reason })
  }
}

/** Of internal topics of a pipeline; `existing` is one that was made before. */
function partitionsOf(
  { repartition }: Pipeline,
  { applicationId, logger }: StreamsOptions,
  sources: readonly TopicInfo[],
  existing: TopicInfo | undefined,
): number {
  const stated = repartition.partitions ?? existing?.partitions
  if (stated === undefined && sources.length === 0) {
    logger.warn('hop.one-partition', {
      topic: repartitionTopic(applicationId, repartition.name),
      advice:
        'no source topic is there yet, so the hop gets one partition, which stays: state ' +
        'repartition.partitions, or make the topics first (forager reset begins anew)',
    })
  }
  return stated ?? Math.max(1, ...sources.map(topic => topic.partitions))
}

function topicsByPosition(
  { source, compact }: Pipeline,
  { applicationId }: StreamsOptions,
): ByPosition {
  return {
    changelog: changelogTopic(applicationId, positionsStore(compact.name)),
    replay: replayTopic(applicationId, source.name),
  }
}

/** Nobody adds partitions to it. */
function replayOf({ topic }: TopicPartition): TopicInfo {
  return { name: topic, partitions: 1, id: '', isFinite: true }
}

async function createTask(
  at: TopicPartition,
  live: readonly LivePipeline[],
  options: StreamsOptions,
  context: TaskContext,
): Promise<Task> {
  for (const one of live) {
    const { pipeline, sources, hop, staged, byPosition, warehouse, staging } = one
    const source = sources.find(topic => topic.name === at.topic)
    if (source !== undefined || at.topic === byPosition?.replay) {
      return await createSourceTask(at, one, options, context)
    }
    if (at.topic === hop?.topic) {
      const folder = await storeFolder(options, `${pipeline.compact.name}-${at.partition}`)
      const marksLastRows = (part: WindowPart): boolean =>
        warehouse.keeps !== null && (part.isSpread || followsDrops(pipeline, part))
      const given = {
        context,
        pipeline,
        input: at,
        topicId: hop.id,
        staged,
        staging,
        marksLastRows,
      }
      return new CompactTask({ ...given, folder, byPosition })
    }
    if (at.topic === staged.topic) {
      const { id: topicId, partitions, parked } = staged
      return new MergeTask({
        context,
        pipeline,
        input: at,
        topicId,
        partitions,
        parked,
        warehouse,
        staging,
      })
    }
  }
  assert(false, 'a partition was assigned that no pipeline reads', { ...at })
}

async function createSourceTask(
  input: TopicPartition,
  live: LivePipeline,
  options: StreamsOptions,
  context: TaskContext,
): Promise<Task> {
  const { pipeline, sources, byPosition, schemas, hop, staged, staging, warehouse } = live
  const id = `${pipeline.firstSubTopology}_${input.topic}-${input.partition}`
  const source = sources.find(topic => topic.name === input.topic) ?? replayOf(input)
  const given = { context, id, pipeline, input, source, schemas }
  const isReplay = input.topic === byPosition?.replay
  if (hasHop(pipeline.source)) {
    assert(hop !== null, 'a pipeline with a hop has none')
    const { commitIntervalMs } = options
    const isByPosition = byPosition !== null
    const output = new HopOutput({ context, input, source, hop, isByPosition, commitIntervalMs })
    return new SourceTask({ ...given, isReplay, output })
  }
  const { limits, store, name } = pipeline.compact
  // No name of a node has the character between.
  const place = `${encodeURIComponent(input.topic)}-${input.partition}`
  const output = new WindowOutput({
    context,
    task: id,
    input,
    topicId: source.id,
    limits,
    store,
    folder: await storeFolder(options, `${name}~${place}`),
    staged,
    staging,
    // Truncates through several partitions are refused where there is no hop.
    marksLastRows: part => warehouse.keeps !== null && followsDrops(pipeline, part),
    source,
    hop: repartitionTopic(options.applicationId, pipeline.repartition.name),
    topicOfTarget: live.topicOfTarget,
  })
  return new SourceTask({ ...given, isReplay, output })
}

/** Then what is newer has to be found among staged files where rows have no positions. */
function followsDrops({ warehouse }: Pipeline, { target }: WindowPart): boolean {
  return isFollowed(warehouse.sink.policyOf(target.table)['drop-table'])
}

/** Makes the one that it lies in. */
async function storeFolder(
  { stateDir, fileSystem }: StreamsOptions,
  name: string,
): Promise<string> {
  const stores = join(stateDir, 'stores')
  await fileSystem.makeDirectory(stores)
  return join(stores, name)
}
