/**
 * The loop of one instance: poll, give batches to their tasks, let tasks do what is due. Only polling,
 * committing, closing a window and applying wait; everything else is synchronous in between.
 */
import type { Assignment, LogBatch, LogConsumer, PollResult, TopicPartition } from '../log/log.ts'
import { partitionName } from '../log/log.ts'
import type { ErrorContext } from '../model/errors.ts'
import { ForagerError, InvariantError, WarehouseError } from '../model/errors.ts'
import type { Topology } from '../topology/topology.ts'
import { freshOf } from './fresh-records.ts'
import { readOwners } from './owners.ts'
import { Pacer } from './pacer.ts'
import { partitionLabels } from './source-counts.ts'
import type { Admission } from './source-gate.ts'
import { SourceGate } from './source-gate.ts'
import type { SelectedTopics } from './source-topics.ts'
import { SourceTopics } from './source-topics.ts'
import type { StreamsOptions } from './streams.ts'
import type { StreamsEvent } from './streams-events.ts'
import type { Task, TaskContext } from './task.ts'
import type { TaskPlan } from './task-plan.ts'
import { planTasks } from './task-plan.ts'

const maxPollWaitMs = 500
/** A task that is fenced again and again has a rival with the same application id. */
const maxFencedRounds = 10
const readAtOnce: Admission = { kind: 'read' }

export class Loop {
  readonly #topology: Topology
  readonly #options: StreamsOptions
  readonly #emit: (event: StreamsEvent) => void
  readonly #tasks = new Map<string, Task>()
  readonly #positions = new Map<string, number>()
  readonly #lost = new Map<string, TopicPartition>()
  readonly #sources: SourceTopics
  readonly #gate: SourceGate
  /** Monotonic milliseconds. */
  #nextRefreshMs = 0
  #consumer: LogConsumer | null = null
  #assignment: Assignment | null = null
  #plan: TaskPlan | null = null
  #context: Omit<TaskContext, 'owners'> | null = null
  /** Rounds in which a task was fenced: one rebalance may fence all of them at once. */
  #fencedRounds = 0
  #isFencedInRound = false
  #failure: WarehouseError | null = null
  #recordsRead = 0
  #recordsTotal: number | null = null

  constructor(topology: Topology, options: StreamsOptions, emit: (event: StreamsEvent) => void) {
    this.#topology = topology
    this.#options = options
    this.#emit = emit
    this.#sources = new SourceTopics(topology, options)
    this.#gate = new SourceGate({
      ...options,
      infoOf: topic => this.#sources.infoOf(topic),
      isByPosition: topic => this.#sources.sourceOf(topic)?.ordering === 'position',
      formerHopOf: topic => this.#sources.formerHopOf(topic),
      confirmedOf: topic => this.#sources.sourceOf(topic)?.confirmedPartitions.get(topic),
    })
  }

  /** Makes the internal topics and joins the group. */
  async start(): Promise<void> {
    const { log, applicationId, clock, logger, metrics, reach } = this.#options
    const pacer = new Pacer(clock)
    const sources = await this.#sources.load()
    this.#recordsTotal = await this.#countRecords(sources)
    this.#nextRefreshMs = clock.monotonic() + this.#options.topicRefreshMs
    this.#context = {
      applicationId,
      log,
      clock,
      logger,
      metrics,
      reach,
      emit: this.#emit,
      membership: () => this.#assignment!.membership,
      rest: () => pacer.rest(),
      quarantines: this.#options.quarantines,
    }
    this.#plan = await planTasks(this.#topology, this.#options, sources)
    const topics = this.#plan.topics()
    await this.#sources.watch(await readOwners(log, applicationId))
    // Each sub-topology is spread by itself; all source topics are one.
    const setOf = (topic: string): string => (this.#sources.isInternal(topic) ? topic : '')
    this.#consumer = await log.openConsumer({ group: applicationId, topics, setOf })
  }

  /** One round. True when there was something to do. */
  async step(maxWaitMs: number): Promise<boolean> {
    this.#isFencedInRound = false
    const result = await this.#poll(maxWaitMs)
    if (result.kind === 'assigned') {
      await this.#reassign(result.assignment)
      return true
    }
    const polled = result.batches.map(batch => ({ batch, task: this.#taskAt(batch) }))
    await this.#lookAtTopics()
    await this.#reopenLost()
    for (const { batch, task } of polled) {
      // Lost on the way; or opened anew, and then it goes on at its committed offset: this begins behind it.
      if (task !== undefined && this.#taskAt(batch) === task) await this.#process(task, batch)
    }
    const tasks = [...this.#tasks.values()]
    const isBusy = result.batches.length > 0 || tasks.some(task => task.remainingMs() === 0)
    await this.#each(tasks, task => task.maintain())
    if (isBusy) this.#reportProgress()
    return isBusy
  }

  /** How long a poll may wait for records before a task has something to do. */
  pollWaitMs(): number {
    const remaining = [...this.#tasks.values()].map(task => task.remainingMs() ?? maxPollWaitMs)
    return Math.ceil(Math.min(maxPollWaitMs, ...remaining))
  }

  /**
   * Brings what there is to its end: sources, then windows, then tables. False when there is more to
   * read first; call it again when a round had nothing to do. Throws at the end what a table could not
   * be written for.
   */
  async drainAll(): Promise<boolean> {
    for (const stage of [0, 1, 2] as const) {
      if (!(await this.#isAtEnd(stage))) return false
      await this.#drain(stage)
    }
    if (!(await this.#isAtEnd(2))) return false
    if (this.#failure !== null) throw this.#failure
    return true
  }

  /** Commits sources and stages windows; what is not applied yet is applied at the next start. */
  async drainForStop(): Promise<void> {
    await this.#drain(0)
    await this.#drain(1)
    if (this.#failure !== null) throw this.#failure
  }

  /** Why a table cannot be written. The others go on; who runs the loop brings it to its end soon. */
  get failure(): WarehouseError | null {
    return this.#failure
  }

  async close(): Promise<void> {
    for (const task of this.#tasks.values()) await task.close()
    this.#tasks.clear()
    await this.#consumer?.close()
    this.#consumer = null
    await this.#plan?.close()
  }

  /** Leaves the group without a word to the tasks. The loop is of no use any more. */
  async leave(): Promise<void> {
    await this.#consumer?.close()
  }

  wakeup(): void {
    this.#consumer?.wakeup()
  }

  /** An offset that is gone may only say that a partition has another owner, who applied and deleted. */
  async #poll(maxWaitMs: number): Promise<PollResult> {
    const maxBytes = this.#options.maxPollBytes
    try {
      return await this.#consumer!.poll({ maxWaitMs, maxBytes })
    } catch (error) {
      const task = error instanceof ForagerError ? this.#taskAt(error.context) : undefined
      if (task === undefined) throw error
      await this.#unlessFenced(task, () => Promise.reject(error as Error))
      return { kind: 'records', batches: [] }
    }
  }

  #taskAt({ topic, partition }: ErrorContext): Task | undefined {
    if (topic === undefined || partition === undefined) return undefined
    return this.#tasks.get(partitionName({ topic, partition }))
  }

  async #process(task: Task, batch: LogBatch): Promise<void> {
    const name = partitionName(batch)
    const position = this.#positions.get(name) ?? 0
    const fresh = freshOf(batch, position)
    if (fresh === null) return
    await this.#unlessFenced(task, async () => {
      const { batch: admitted, isLast } = this.#gate.cut(fresh, position)
      const reread =
        (await task.process(admitted)) ?? (isLast ? await task.endRun?.() : null) ?? null
      const next = reread ?? admitted.nextOffset
      this.#positions.set(name, next)
      this.#options.metrics.set('forager_lag_records', batch.end - next, partitionLabels(batch))
      if (reread !== null || isLast) this.#consumer!.seek(task.input, next)
      if (reread === null && isLast) this.#consumer!.pause([task.input])
      if (task.stage === 0) this.#recordsRead += fresh.records.length
      if (!this.#isFencedInRound) this.#fencedRounds = 0
    })
  }

  async #reassign(assignment: Assignment): Promise<void> {
    this.#emit({ type: 'state', state: 'rebalancing' })
    // Under another id it is a new member: somebody else may have had its partitions meanwhile.
    const isNewMember = this.#assignment?.membership.memberId !== assignment.membership.memberId
    this.#assignment = assignment
    this.#options.metrics.count('forager_rebalances_total', 1)
    this.#lost.clear()
    for (const at of this.#gate.waiting) this.#gate.forget(at)
    const wanted = new Map(assignment.partitions.map(at => [partitionName(at), at]))
    for (const [name, task] of this.#tasks) {
      if (wanted.has(name) && !isNewMember) continue
      this.#tasks.delete(name)
      this.#options.metrics.forget('forager_lag_records', partitionLabels(task.input))
      this.#gate.forget(task.input)
      await task.close()
    }
    await this.#open([...wanted].filter(([name]) => !this.#tasks.has(name)).map(([, at]) => at))
    this.#countTasks()
    this.#options.logger.info('tasks.assigned', { tasks: [...this.#tasks.keys()].join(' ') })
    this.#emit({ type: 'state', state: 'running' })
  }

  async #open(partitions: readonly TopicPartition[]): Promise<void> {
    const { log, applicationId } = this.#options
    // The group may know of a topic, or of its partitions, before this instance does.
    if (partitions.some(at => this.#isNews(at))) await this.#refreshTopics()
    let owners = await readOwners(log, applicationId)
    for (const at of partitions) {
      this.#consumer!.pause([at])
      const isSource = !this.#sources.isInternal(at.topic)
      let admission = isSource ? await this.#gate.admit(at, owners) : readAtOnce
      if (admission.kind === 'wait') continue
      const task = await this.#plan!.createTask(at, { ...this.#context!, owners })
      this.#tasks.set(partitionName(at), task)
      await this.#unlessFenced(task, async () => {
        const offset = await task.open()
        if (admission.kind === 'record') {
          await task.recordGrowth?.()
          owners = await readOwners(log, applicationId)
          admission = await this.#gate.admit(at, owners)
        }
        this.#positions.set(partitionName(at), offset)
        this.#consumer!.seek(at, offset)
        if (admission.kind !== 'until' || offset < admission.offset) this.#consumer!.resume([at])
      })
    }
  }

  #isNews({ topic, partition }: TopicPartition): boolean {
    if (this.#sources.isInternal(topic)) return false
    return partition >= (this.#sources.infoOf(topic)?.partitions ?? 0)
  }

  async #lookAtTopics(): Promise<void> {
    const { clock, topicRefreshMs } = this.#options
    const now = clock.monotonic()
    if (now >= this.#nextRefreshMs) {
      this.#nextRefreshMs = now + topicRefreshMs
      await this.#refreshTopics()
    }
    if (this.#gate.isLookDue(now)) await this.#lookAtGate()
  }

  /** Topics of a pattern that came or went, and partitions that were added. */
  async #refreshTopics(): Promise<void> {
    const news = await this.#sources.refresh()
    if (news === null) return
    this.#plan!.setSources(this.#sources.selected)
    this.#consumer!.changeTopics(this.#plan!.topics())
    // Opening them again asks whether they may be read on.
    for (const task of this.#tasks.values()) {
      if (news.grown.includes(task.input.topic)) await this.#lose(task)
    }
  }

  async #lookAtGate(): Promise<void> {
    const { log, applicationId } = this.#options
    const owners = await readOwners(log, applicationId)
    for (const at of this.#gate.limited) {
      const { kind } = await this.#gate.admit(at, owners)
      const task = this.#tasks.get(partitionName(at))
      if (kind === 'read') this.#consumer!.resume([at])
      // Its limit is not known yet: opening it again finds it, or makes it known.
      else if (kind !== 'until' && task !== undefined) await this.#lose(task)
    }
    if (this.#gate.waiting.length > 0) await this.#open(this.#gate.waiting)
  }

  async #lose(task: Task): Promise<void> {
    this.#tasks.delete(partitionName(task.input))
    this.#consumer!.pause([task.input])
    this.#lost.set(partitionName(task.input), task.input)
    await task.close()
  }

  /** A task that lost its id or its partition is closed; it opens again if it is still ours. */
  async #unlessFenced(task: Task, action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      if (!(error instanceof ForagerError)) throw error
      if (error.code === 'topic-missing') {
        await this.#withoutTopic(task, error)
        return
      }
      const hasOwner = await isFenced(task, error)
      // Of a topic that was made anew: looking again says so.
      if (!hasOwner && error.code === 'offset-out-of-range') await this.#refreshTopics()
      if (!hasOwner) throw error
      if (!this.#isFencedInRound) this.#fencedRounds += 1
      this.#isFencedInRound = true
      if (this.#fencedRounds > maxFencedRounds) throw error
      this.#options.metrics.count('forager_tasks_fenced_total', 1)
      this.#options.logger.warn('task.fenced', { task: task.id, reason: error.message })
      await this.#lose(task)
    }
  }

  /** A source topic was deleted: looking again says what becomes of it. Of no other topic may that be. */
  async #withoutTopic(task: Task, error: ForagerError): Promise<void> {
    await this.#lose(task)
    this.#lost.delete(partitionName(task.input))
    await this.#refreshTopics()
    if (error.context.topic !== task.input.topic || task.stage !== 0) throw error
    this.#gate.wait(task.input)
  }

  async #reopenLost(): Promise<void> {
    if (this.#lost.size === 0) return
    const lost = [...this.#lost.values()]
    this.#lost.clear()
    await this.#open(lost)
  }

  async #drain(stage: Task['stage']): Promise<void> {
    const tasks = [...this.#tasks.values()].filter(task => task.stage === stage)
    await this.#each(tasks, task => task.drain())
  }

  /** What one task cannot write does not hold back the others. */
  async #each(tasks: readonly Task[], action: (task: Task) => Promise<void>): Promise<void> {
    for (const task of tasks) {
      try {
        await this.#unlessFenced(task, () => action(task))
      } catch (error) {
        if (!(error instanceof WarehouseError)) throw error
        this.#failure ??= error
      }
    }
  }

  async #isAtEnd(stage: Task['stage']): Promise<boolean> {
    if (this.#assignment === null || this.#lost.size > 0) return false
    if (this.#gate.waiting.length > 0 || this.#gate.limited.length > 0) return false
    for (const [name, task] of this.#tasks) {
      if (task.stage !== stage) continue
      const { end } = await this.#options.log.offsets(task.input)
      if ((this.#positions.get(name) ?? 0) < end) return false
    }
    return true
  }

  /** Null when some source has no end. */
  async #countRecords(sources: SelectedTopics): Promise<number | null> {
    let total = 0
    for (const topic of [...sources.values()].flat()) {
      if (!topic.isFinite) return null
      for (let partition = 0; partition < topic.partitions; partition += 1) {
        const at = { topic: topic.name, partition }
        const { start, end } = await this.#options.log.offsets(at)
        total += end - start
      }
    }
    return total
  }

  #countTasks(): void {
    for (const stage of [0, 1, 2] as const) {
      const own = [...this.#tasks.values()].filter(task => task.stage === stage)
      this.#options.metrics.set('forager_tasks', own.length, { sub_topology: String(stage) })
    }
  }

  #reportProgress(): void {
    const recordsTotal = this.#recordsTotal
    this.#emit({ type: 'progress', recordsRead: this.#recordsRead, recordsTotal })
  }
}

/** Who took a task over cleans up behind it: then the owner before may fail in another way first. */
async function isFenced(task: Task, error: ForagerError): Promise<boolean> {
  if (error.code === 'task-fenced') return true
  if (error instanceof InvariantError) return false
  try {
    await task.confirm()
    return false
  } catch (reason) {
    return reason instanceof ForagerError && reason.code === 'task-fenced'
  }
}
