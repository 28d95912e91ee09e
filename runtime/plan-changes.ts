/**
 * What would become of the columns of all tables if what waits were applied: parked and staged batches, then
 * what is ahead of them in the hop and in the source. The warehouse is asked only how its tables are: nothing
 * is changed anywhere, and no instance is disturbed.
 */
import type { Log, TopicInfo, TopicPartition } from '../log/log.ts'
import { ForagerError, WarehouseError } from '../model/errors.ts'
import { partitionOfBytes } from '../model/partitioner.ts'
import type { TruncateMarker } from '../model/staged-batch.ts'
import { decodeStagedBatch } from '../model/staged-batch.ts'
import { canUnite, unionSchema } from '../model/table-schema.ts'
import { silentLogger } from '../observe/logger.ts'
import type { WindowPart } from '../processors/compact.ts'
import type { WaitingBatch } from '../processors/merge.ts'
import { planApply } from '../processors/merge.ts'
import type { PlanStep, TableChanges } from '../processors/plan-table.ts'
import { planTable } from '../processors/plan-table.ts'
import type { OpenedTable, SinkContext, Warehouse } from '../sinks/warehouse.ts'
import { noLog } from '../sinks/warehouse.ts'
import {
  appliedTopic,
  internalTopics,
  parkedTopic,
  stagedTopic,
} from '../topology/internal-topics.ts'
import type { Pipeline, Topology } from '../topology/topology.ts'
import type { Quarantine, TableProgress } from './applied.ts'
import { noProgress, readApplied } from './applied.ts'
import type { NotRead } from './changes-ahead.ts'
import { changesAhead } from './changes-ahead.ts'
import { readParked } from './parked.ts'
import { readAll } from './read-all.ts'
import { selectTopics } from './source-topics.ts'
import { openTable } from './table-progress.ts'

export interface PlanOptions {
  readonly log: Log
  readonly applicationId: string
  readonly topology: Topology
  /** For the warehouse. */
  readonly context: Omit<SinkContext, 'logger' | 'reach'>
  /** Of each source, and of each hop, so many records are read. */
  readonly maxMessages: number
}

export interface PlannedTable extends TableChanges {
  readonly table: string
  /** Staged and not applied yet, parked ones among them. */
  readonly batchesWaiting: number
  /** Why it is held back now: the rest is what comes when it is resumed. Null: it is not. */
  readonly heldBack: Quarantine | null
}

export interface ChangePlan {
  readonly applicationId: string
  /** By name; also those of which nothing would change. */
  readonly tables: readonly PlannedTable[]
  /** Of sources and hops. */
  readonly messagesRead: number
  readonly notRead: readonly NotRead[]
  /** Source topics that are named and not there. */
  readonly missingTopics: readonly string[]
}

export async function planChanges(options: PlanOptions): Promise<ChangePlan> {
  const { log, applicationId, topology } = options
  const topics = await log.topics()
  const internal = internalTopics(topology, applicationId)
  const candidates = new Map(
    topics.filter(({ name }) => !internal.has(name)).map(topic => [topic.name, topic]),
  )
  const missing = new Set<string>()
  const plans: Omit<ChangePlan, 'applicationId' | 'missingTopics'>[] = []
  for (const pipeline of topology.pipelines) {
    const { source } = pipeline
    const sources = selectTopics(source.topics, candidates, name => void missing.add(name))
    plans.push(await planPipeline(pipeline, options, topics, sources))
  }
  const tables = plans.flatMap(plan => plan.tables)
  return {
    applicationId,
    tables: tables.toSorted((a, b) => (a.table < b.table ? -1 : 1)),
    messagesRead: plans.reduce((sum, plan) => sum + plan.messagesRead, 0),
    notRead: plans.flatMap(plan => plan.notRead),
    missingTopics: [...missing].sort(),
  }
}

async function planPipeline(
  pipeline: Pipeline,
  options: PlanOptions,
  topics: readonly TopicInfo[],
  sources: readonly TopicInfo[],
): Promise<Omit<ChangePlan, 'applicationId' | 'missingTopics'>> {
  const { context } = options
  // Upstream first, so that what moves on meanwhile is seen twice, and not missed.
  const ahead = await changesAhead(pipeline, { ...options, clock: context.clock, topics, sources })
  const staged = await StagedState.read(pipeline, options, topics)
  const { sink } = pipeline.warehouse
  const { warehouse } = sink.open({ ...context, logger: silentLogger, reach: () => undefined })
  try {
    const names = [...staged.tables, ...ahead.parts.map(({ target }) => target.table)]
    const tables: PlannedTable[] = []
    for (const table of new Set(names)) {
      const own = ahead.parts.filter(({ target }) => target.table === table)
      tables.push(await planOne(table, { pipeline, warehouse, staged, ahead: own }))
    }
    return { tables, messagesRead: ahead.messagesRead, notRead: ahead.notRead }
  } finally {
    await warehouse.close()
  }
}

interface PlanInput {
  readonly pipeline: Pipeline
  readonly warehouse: Warehouse
  readonly staged: StagedState
  readonly ahead: readonly WindowPart[]
}

async function planOne(
  table: string,
  { pipeline, warehouse, staged, ahead }: PlanInput,
): Promise<PlannedTable> {
  const progress = staged.progressOf(table)
  let opened: OpenedTable | null
  try {
    opened = await staged.look(table, warehouse)
  } catch (error) {
    if (!(error instanceof ForagerError) || error.retry === 'backoff') throw error
    const refused = { code: error.code, reason: error.message }
    const batchesWaiting = staged.waitingOf(table, progress.through?.offset ?? -1).length
    const nothing = { changes: [], statements: [], left: [], refused }
    return { table, batchesWaiting, heldBack: progress.quarantine, ...nothing }
  }
  const waiting = staged.waitingOf(table, opened?.through?.offset ?? -1)
  const policy = pipeline.warehouse.sink.policyOf(table)
  const steps = [...stepsOf(waiting), ...stepsAhead(ahead)]
  const changes = planTable({ table, opened, policy, warehouse }, steps)
  return { table, batchesWaiting: waiting.length, heldBack: progress.quarantine, ...changes }
}

/** As a merger takes them. A truncate that waits for tasks to pass it is a step of its own. */
function stepsOf(waiting: readonly WaitingBatch[]): readonly PlanStep[] {
  const steps: PlanStep[] = []
  for (let rest = waiting; rest.length > 0; ) {
    const covered = planApply(rest)?.covered ?? rest
    const batches = covered.map(({ batch }) => batch)
    const markers = markersOf(batches)
    steps.push({ batches, partitionBy: batches.at(-1)!.partitionBy, markers })
    rest = rest.slice(covered.length)
  }
  return steps
}

/** What fits together comes in one window, as far as can be foreseen. */
function stepsAhead(parts: readonly WindowPart[]): readonly PlanStep[] {
  const groups: WindowPart[][] = []
  let schema = parts[0]?.schema
  for (const part of parts) {
    const group = groups.at(-1)
    if (group !== undefined && canUnite(schema!, part.schema)) {
      group.push(part)
      schema = unionSchema(schema!, part.schema)
    } else {
      groups.push([part])
      schema = part.schema
    }
  }
  return groups.map(group => ({
    batches: group.map(({ schema: own, newest, sourceMs, creates }) => {
      const told = { schema: own, sourceMs, ...(newest === null ? {} : { newest }) }
      return creates ? { ...told, creates } : told
    }),
    partitionBy: group.at(-1)!.target.partitionBy,
    markers: markersOf(group),
  }))
}

/** Each task has the marker of one truncate. */
function markersOf(parts: readonly Pick<WindowPart, 'truncate'>[]): readonly TruncateMarker[] {
  const markers = parts.flatMap(({ truncate }) => truncate ?? [])
  const byKind = new Map(markers.map(marker => [marker.isDrop === true, marker]))
  return [...byKind.values()]
}

/** The topics of staged and of parked batches, and how far the log says that the tables are. */
class StagedState {
  readonly #log: Log
  readonly #topic: TopicInfo | null
  readonly #waiting: ReadonlyMap<string, readonly WaitingBatch[]>
  readonly #progress: ReadonlyMap<string, TableProgress>

  private constructor(
    log: Log,
    topic: TopicInfo | null,
    waiting: ReadonlyMap<string, readonly WaitingBatch[]>,
    progress: ReadonlyMap<string, TableProgress>,
  ) {
    this.#log = log
    this.#topic = topic
    this.#waiting = waiting
    this.#progress = progress
  }

  static async read(
    { warehouse }: Pipeline,
    { log, applicationId }: PlanOptions,
    topics: readonly TopicInfo[],
  ): Promise<StagedState> {
    const find = (name: string): TopicInfo | null => {
      return topics.find(topic => topic.name === name) ?? null
    }
    const staged = find(stagedTopic(applicationId, warehouse.name))
    const waiting = new Map<string, Map<number, WaitingBatch>>()
    const add = ({ offset, batch }: WaitingBatch): void => {
      const own = waiting.get(batch.table) ?? new Map<number, WaitingBatch>()
      if (batch.resumes !== true) waiting.set(batch.table, own.set(offset, { offset, batch }))
    }
    for (const at of partitionsOf(staged)) {
      for await (const { offset, value } of readAll(log, at)) {
        add({ offset, batch: decodeStagedBatch(value!) })
      }
    }
    for (const at of partitionsOf(find(parkedTopic(applicationId, warehouse.name)))) {
      for await (const parked of readParked(log, at)) add(parked)
    }
    const progress = new Map<string, TableProgress>()
    const hasApplied = staged !== null && find(appliedTopic(applicationId)) !== null
    for await (const one of hasApplied ? readApplied(log, applicationId) : []) {
      const isOfThisLog = one.through === null || one.through.topicId === staged!.id
      if (isOfThisLog) progress.set(one.table, one)
    }
    const sorted = [...waiting].map(([table, own]) => {
      return [table, [...own.values()].sort((a, b) => a.offset - b.offset)] as const
    })
    return new StagedState(log, staged, new Map(sorted), progress)
  }

  /** Those that something waits of, and those that are held back. */
  get tables(): readonly string[] {
    const known = [...this.#progress].filter(([table, { quarantine, through }]) => {
      return quarantine !== null || this.waitingOf(table, through?.offset ?? -1).length > 0
    })
    const unknown = [...this.#waiting.keys()].filter(table => !this.#progress.has(table))
    return [...known.map(([table]) => table), ...unknown]
  }

  progressOf(table: string): TableProgress {
    return this.#progress.get(table) ?? noProgress
  }

  /** In the order in which they were staged. */
  waitingOf(table: string, appliedThrough: number): readonly WaitingBatch[] {
    return (this.#waiting.get(table) ?? []).filter(({ offset }) => offset > appliedThrough)
  }

  /** How the table is. WarehouseError for one that no batch could be applied to. */
  async look(table: string, warehouse: Warehouse): Promise<OpenedTable | null> {
    const topic = this.#topic
    const { through, followed, evolving } = this.progressOf(table)
    if (topic === null) {
      const opened = await warehouse.look(table, { through, followed, evolving })
      const known = opened?.through ?? noLog
      if (known.topicId === noLog.topicId) return opened
      const message = `the table was written through the log ${known.topicId}, which is not there any more`
      throw new WarehouseError('warehouse-ahead', message, { context: { table } })
    }
    const partition = partitionOfBytes(Buffer.from(table), topic.partitions)
    const at = { topic: topic.name, partition }
    const { end } = await this.#log.offsets(at)
    const staged = { log: this.#log, at, topicId: topic.id, end }
    return await openTable(table, warehouse, this.progressOf(table), staged, 'look')
  }
}

function partitionsOf(topic: TopicInfo | null): readonly TopicPartition[] {
  return Array.from({ length: topic?.partitions ?? 0 }, (_, partition) => {
    return { topic: topic!.name, partition }
  })
}
