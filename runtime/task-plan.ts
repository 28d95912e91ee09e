/**
 * From a topology to tasks: which topics are read and made, and which task each of their partitions
 * has. What tasks of one pipeline share is made once: its decoder, its warehouse, its staging.
 */
import { join } from 'node:path'
import type { TopicInfo, TopicPartition } from '../log/log.ts'
import { assert, StateError } from '../model/errors.ts'
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
import type { Pipeline, Topology } from '../topology/topology.ts'
import type { ByPosition } from './compact-task.ts'
import { CompactTask } from './compact-task.ts'
import { MergeTask } from './merge-task.ts'
import { SchemaReader } from './schema-reader.ts'
import { SourceTask } from './source-task.ts'
import type { StreamsOptions } from './streams.ts'
import type { Task, TaskContext } from './task.ts'

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
  readonly hop: { readonly topic: string; readonly partitions: number }
  readonly staged: { readonly topic: string; readonly partitions: number; readonly id: string }
  /** Topic of batches of tables that are held back. */
  readonly parked: string
  readonly byPosition: ByPosition | null
  readonly schemas: SchemaReader
  readonly warehouse: Warehouse
  readonly staging: Staging
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
    const hop = repartitionTopic(applicationId, pipeline.repartition.name)
    const existing = known.find(({ name }) => name === hop)
    const own = sources.get(pipeline.source.name) ?? []
    live.push(await openPipeline(pipeline, options, own, existing))
  }
  return {
    topics: () =>
      live.flatMap(one => [
        ...one.sources.map(({ name }) => name),
        one.hop.topic,
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
  /** The hop, where it was made before. */
  existing: TopicInfo | undefined,
): Promise<LivePipeline> {
  const { log, applicationId, clock } = options
  const { source, repartition, warehouse: node } = pipeline
  const hop = repartitionTopic(applicationId, repartition.name)
  const staged = stagedTopic(applicationId, node.name)
  const parked = parkedTopic(applicationId, node.name)
  const widest = Math.max(1, ...sources.map(topic => topic.partitions))
  // A hop keeps its partitions for as long as it lives: the keys are spread over them.
  const partitions = repartition.partitions ?? existing?.partitions ?? widest
  if (sources.length === 0 && existing === undefined && repartition.partitions === undefined) {
    options.logger.warn('hop.one-partition', {
      topic: hop,
      advice:
        'no source topic is there yet, so the hop gets one partition, which stays: state ' +
        'repartition.partitions, or make the topics first (forager reset begins anew)',
    })
  }
  await log.createTopic({ name: hop, partitions, cleanup: 'delete' })
  await log.createTopic({ name: staged, partitions, cleanup: 'delete' })
  await log.createTopic({ name: parked, partitions, cleanup: 'delete' })
  const byPosition = source.ordering === 'position' ? topicsByPosition(pipeline, options) : null
  if (byPosition !== null) {
    const { changelog, replay } = byPosition
    await log.createTopic({ name: changelog, partitions, cleanup: 'compact' })
    await log.createTopic({ name: replay, partitions: 1, cleanup: 'delete' })
  }
  const id = (await log.topics()).find(({ name }) => name === staged)!.id
  const decoder = source.format.createDecoder(source)
  return {
    pipeline,
    sources,
    hop: { topic: hop, partitions },
    staged: { topic: staged, partitions, id },
    parked,
    byPosition,
    schemas: new SchemaReader(decoder, log, clock),
    ...node.sink.open(options),
  }
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
    const { pipeline, sources, hop, staged, parked, byPosition, schemas, warehouse, staging } = one
    const source = sources.find(topic => topic.name === at.topic)
    const isReplay = at.topic === byPosition?.replay
    if (source !== undefined || isReplay) {
      return new SourceTask({
        context,
        pipeline,
        input: at,
        source: source ?? replayOf(at),
        isReplay,
        hop,
        schemas,
        commitIntervalMs: options.commitIntervalMs,
      })
    }
    if (at.topic === hop.topic) {
      const stores = join(options.stateDir, 'stores')
      await options.fileSystem.makeDirectory(stores)
      const name = `${pipeline.compact.name}-${at.partition}`
      const folder = join(stores, name)
      return new CompactTask({
        context,
        pipeline,
        input: at,
        staged: { ...staged, parked },
        staging,
        folder,
        byPosition,
      })
    }
    if (at.topic === staged.topic) {
      const { id: topicId, partitions } = staged
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
