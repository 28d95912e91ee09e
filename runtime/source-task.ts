/**
 * Sub-topology 0: one partition of one source topic. Records are decoded, repeats dropped, events sent
 * through the chain, keyed, and collected into frames for the partitions of the hop. Frames and offset
 * are committed together.
 */
import type { Decoded } from '../formats/decoder.ts'
import type { Log, LogBatch, ProducerRecord, TopicInfo, TopicPartition } from '../log/log.ts'
import type { ChangeEvent, EventBatch, LogRecord } from '../model/change-event.ts'
import { isSamePlace } from '../model/change-event.ts'
import { originalOf } from '../model/dead-letter.ts'
import { judgedEvent } from '../model/encoded-event.ts'
import { isDataError } from '../model/errors.ts'
import type { HopChange } from '../model/hop-frame.ts'
import { RepeatFilter } from '../processors/drop-repeats.ts'
import type { Pipeline } from '../topology/topology.ts'
import { BadMessages } from './bad-messages.ts'
import { Chain } from './chain.ts'
import { hopChangeOf, truncateMarker } from './hop-change.ts'
import { HopWriter } from './hop-writer.ts'
import { reportDropped, reportUnproven } from './repeat-reports.ts'
import type { SchemaReader } from './schema-reader.ts'
import { countRecords, measureLag, partitionLabels, SourceCounts } from './source-counts.ts'
import { keyUnordered, replayUnordered, tooMuchHeldBack } from './source-errors.ts'
import { beginningOf, growthRecord, layoutOf } from './source-gate.ts'
import { parseSourceState, sourceStateText } from './source-state.ts'
import type { Task, TaskContext } from './task.ts'
import { TaskCommitter } from './task.ts'

export interface SourceTaskOptions {
  readonly context: TaskContext
  readonly pipeline: Pipeline
  readonly input: TopicPartition
  /** The input topic. The order of a truncate is known only when it has one partition. */
  readonly source: TopicInfo
  /** Its records are dead letters that were replayed: each is read as the message that it was. */
  readonly isReplay: boolean
  readonly hop: { readonly topic: string; readonly partitions: number }
  readonly schemas: SchemaReader
  readonly commitIntervalMs: number
}

/** Null, or the offset from which reading must go on. */
type Outcome = number | null

/** Events that go through the chain at once. */
const eventsAtOnce = 500
/** Frames that wait for a commit. */
const maxPendingBytes = 16 * 1024 * 1024
/** Frames that wait for the end of a run of repeats. */
const maxHeldBackBytes = 4 * maxPendingBytes

export class SourceTask implements Task {
  readonly id: string
  readonly input: TopicPartition
  readonly stage = 0
  readonly #options: SourceTaskOptions
  readonly #committer: TaskCommitter
  readonly #chain: Chain
  readonly #hop: HopWriter
  #repeats = new RepeatFilter()
  #events: ChangeEvent[] = []
  #next = 0
  #committed = 0
  #dirtySinceMs: number | null = null
  /** What came to the end of the chain, until the push that brought it is whole. */
  #collected: HopChange[] = []
  readonly #bad: BadMessages
  /** Then the task of the key judges what is older; here nothing is. */
  readonly #isByPosition: boolean
  /** Of the batch that is processed now. */
  #records: readonly LogRecord[] = []
  readonly #counts = new SourceCounts()
  /** When the source made the last change that was read. */
  #sourceMs = 0

  constructor(options: SourceTaskOptions) {
    const { context, pipeline, input, hop } = options
    this.#options = options
    this.input = input
    this.id = `${pipeline.firstSubTopology}_${input.topic}-${input.partition}`
    this.#committer = new TaskCommitter(context, this.id, input, layoutOf(options.source))
    this.#isByPosition = pipeline.source.ordering === 'position'
    this.#hop = new HopWriter(input, hop, this.#isByPosition)
    this.#bad = new BadMessages(context, this.id, pipeline.source)
    const { logger, metrics } = context
    this.#chain = new Chain(pipeline.transforms, { task: this.id, logger, metrics }, batch =>
      this.#collect(batch),
    )
  }

  async open(): Promise<number> {
    const { context, pipeline, input, isReplay } = this.#options
    const begin = (log: Log): Promise<number> =>
      beginningOf(input, log, pipeline.source, context.owners)
    // A letter may have been replayed before the first start.
    const { offset, state, isNew } = await this.#committer.open(isReplay ? undefined : begin)
    const { repeats, decoder, doubtful } = parseSourceState(state)
    this.#repeats = new RepeatFilter(repeats)
    this.#options.schemas.restore(decoder)
    this.#bad.restore(doubtful)
    this.#next = offset
    // Where it begins is committed at once: what comes before its first record must not be passed over.
    this.#committed = isNew ? -1 : offset
    if (isNew) this.#dirtySinceMs = context.clock.monotonic()
    return offset
  }

  async process(batch: LogBatch): Promise<number | null> {
    const { context, schemas, isReplay } = this.#options
    countRecords(context.metrics, batch)
    this.#dirtySinceMs ??= context.clock.monotonic()
    await schemas.catchUp()
    this.#records = isReplay ? batch.records.map(originalOf) : batch.records
    const outcome = await this.#processRecords(batch)
    // A task that has nothing to do keeps no batch.
    this.#records = []
    return outcome
  }

  async #processRecords(batch: LogBatch): Promise<number | null> {
    const { context } = this.#options
    for (const [index, record] of batch.records.entries()) {
      const outcome = this.#processRecord(this.#records[index]!)
      const reread = outcome instanceof Promise ? await outcome : outcome
      if (reread !== null) return reread
      this.#committer.noteRecord(record)
      this.#next = record.offset + 1
      if (this.#events.length < eventsAtOnce) continue
      this.#pushEvents()
      if (this.#pendingBytes >= maxPendingBytes) await this.#commit()
      await context.rest()
    }
    this.#pushEvents()
    this.#repeats.settle()
    this.#next = batch.nextOffset
    // After a commit in the middle of the batch the rest of it is due in its turn.
    if (this.#next !== this.#committed) this.#dirtySinceMs ??= context.clock.monotonic()
    measureLag(context.metrics, batch, context.clock.now() - this.#sourceMs)
    return null
  }

  remainingMs(): number | null {
    if (this.#dirtySinceMs === null) return null
    const age = this.#options.context.clock.monotonic() - this.#dirtySinceMs
    return Math.max(0, this.#options.commitIntervalMs - age)
  }

  async maintain(): Promise<void> {
    if (this.remainingMs() === 0 || this.#pendingBytes >= maxPendingBytes) await this.#commit()
  }

  async drain(): Promise<void> {
    await this.#commit()
    const { run } = this.#repeats
    if (run === null) return
    // There may be nothing more to prove the run by. What was accepted within it is in doubt anyway:
    // it is applied, and once more when the run is read again.
    if (!this.#hop.isEmpty) await this.#write(run.fromOffset)
    reportUnproven(this.#options.context, this.input, run)
  }

  async recordGrowth(): Promise<void> {
    const { context, source } = this.#options
    const growth = await growthRecord(context, source)
    await this.#committer.commit([growth], null)
    context.logger.info('partitions.confirmed', { topic: source.name })
  }

  endRun(): number | null {
    return this.#repeats.run === null ? null : this.#reread()
  }

  confirm(): Promise<void> {
    return this.#committer.confirm()
  }

  async close(): Promise<void> {
    this.#chain.close()
    this.#options.context.metrics.forget('forager_lag_seconds', partitionLabels(this.input))
    await this.#committer.close()
  }

  /** An offset when reading must go on from there. A promise only where something has to wait. */
  #processRecord(record: LogRecord): Outcome | Promise<Outcome> {
    try {
      const decoded = this.#options.schemas.decode(record)
      const outcome =
        decoded instanceof Promise
          ? decoded.then(found => this.#takeAll(found))
          : this.#takeAll(decoded)
      if (!(outcome instanceof Promise)) return outcome
      return outcome.catch((error: unknown) => this.#pass(record, error))
    } catch (error) {
      return this.#pass(record, error)
    }
  }

  /** As the policy says; the next record follows. */
  #pass(record: LogRecord, error: unknown): null {
    this.#bad.pass(record, error)
    return null
  }

  #takeAll(decoded: Decoded): Outcome | Promise<Outcome> {
    this.#counts.add('forager_messages_total', decoded.kind)
    if (decoded.kind !== 'changes') return null
    const [first, ...others] = decoded.events
    if (first === undefined) return null
    const { partitions } = this.#options.source
    if (partitions > 1 && !decoded.isKeyOrdered && !this.#isByPosition) {
      throw keyUnordered(first, partitions)
    }
    const outcome = this.#take(first)
    if (others.length === 0 && !(outcome instanceof Promise)) return outcome
    return this.#takeInTurn(outcome, others)
  }

  async #takeInTurn(
    first: Outcome | Promise<Outcome>,
    others: readonly ChangeEvent[],
  ): Promise<Outcome> {
    let outcome = await first
    for (const event of others) {
      if (outcome !== null) return outcome
      outcome = await this.#take(event)
    }
    return outcome
  }

  #take(event: ChangeEvent): Outcome | Promise<Outcome> {
    const { source, pipeline, isReplay } = this.#options
    if (isReplay && event.position === null) throw replayUnordered(event)
    // A truncate has no key: sent again it may come through another partition, among others that are
    // higher. It needs no judgement, because its point makes it harmless: see `newerTruncate`.
    const isOrdered = event.op !== 't' || source.partitions === 1
    const isJudged = pipeline.source.dropRepeats && !this.#isByPosition && isOrdered
    if (!isJudged) return this.#accept(judgedEvent(event, true))
    const before = this.#repeats.run
    const verdict = this.#repeats.judge(event)
    if (verdict === 'reread') return this.#reread()
    if (verdict !== 'repeat') {
      const isInDoubt = verdict === 'in-doubt' || this.#bad.isDoubtful(event.table)
      return this.#accept(judgedEvent(event, isInDoubt))
    }
    this.#counts.add('forager_repeats_dropped_total', event.table)
    const { run } = this.#repeats
    if (run === null) reportDropped(this.#options.context, this, event, before)
    // The offset stays here until the run is proven: what came before it is committed now.
    return before === null && run !== null ? this.#commitBefore(run.fromOffset) : null
  }

  async #commitBefore(offset: number): Promise<null> {
    this.#next = offset
    await this.#commit()
    return null
  }

  /** What was dropped was not proven a repeat: it is applied after all. */
  #reread(): number {
    const from = this.#repeats.run!.fromOffset
    this.#options.context.logger.warn('repeats.reread', { ...this.input, offset: from })
    this.#repeats.forget()
    this.#events = []
    this.#chain.reset()
    this.#hop.clear()
    this.#bad.clear()
    this.#next = from
    return from
  }

  #accept(event: ChangeEvent): null {
    this.#sourceMs = event.sourceMs
    if (event.op === 't') this.#acceptTruncate(event)
    else this.#events.push(event)
    return null
  }

  #acceptTruncate(event: ChangeEvent): void {
    this.#pushEvents()
    this.#completeChain()
    const routed = this.#chain.truncate(event)
    if (routed === null) return
    const { source, hop } = this.#options
    const isOrdered = source.partitions === 1 && !this.#isByPosition
    const marker = truncateMarker(event, { isOrdered, partitions: hop.partitions, source })
    this.#hop.truncate(this.#options.pipeline.warehouse.sink.targetOf(routed.table), marker)
  }

  /** Sends what was collected through the chain; a bad event is found by sending them one by one. */
  #pushEvents(): void {
    const events = this.#events
    this.#events = []
    if (events.length === 0) return
    try {
      this.#push(events)
    } catch (error) {
      if (!isDataError(error) || this.#options.pipeline.source.onError === 'fail') throw error
      for (const event of events) this.#pushOne(event)
    }
  }

  /** All of them reach the hop, or none. */
  #push(events: EventBatch): void {
    try {
      this.#chain.push(events)
      // What operators hold back would go with an event that fails later, or fail in its place.
      if (this.#options.pipeline.source.onError !== 'fail') this.#chain.complete()
    } catch (error) {
      this.#collected = []
      this.#chain.reset()
      throw error
    }
    this.#handOnCollected()
  }

  #pushOne(event: ChangeEvent): void {
    // One before it may have been passed just now.
    const isInDoubt = event.isInDoubt || this.#bad.isDoubtful(event.table)
    try {
      this.#push([judgedEvent(event, isInDoubt)])
    } catch (error) {
      // Events do not outlive their batch: see `process`.
      const record = this.#records.find(one => isSamePlace(one, event.origin))
      this.#bad.pass(record!, error, event.table)
    }
  }

  /** The end of the chain: keys the events. */
  #collect(batch: EventBatch): void {
    const { sink } = this.#options.pipeline.warehouse
    for (const event of batch) {
      this.#collected.push(hopChangeOf(event, sink, this.#isByPosition))
    }
  }

  #handOnCollected(): void {
    for (const change of this.#collected) {
      this.#hop.add(change)
      this.#counts.add('forager_events_total', change.target.table)
    }
    this.#collected = []
  }

  #completeChain(): void {
    try {
      this.#chain.complete()
    } finally {
      this.#handOnCollected()
    }
  }

  async #commit(): Promise<void> {
    this.#pushEvents()
    this.#completeChain()
    const { context } = this.#options
    this.#counts.handOn(context.metrics)
    // Also when it is held back: only another record can change that.
    this.#dirtySinceMs = null
    const { run } = this.#repeats
    const offset = run?.fromOffset ?? this.#next
    const isHeldBack = run !== null && this.#pendingBytes > 0 && offset < this.#next
    if (isHeldBack && this.#pendingBytes >= maxHeldBackBytes) {
      throw tooMuchHeldBack(this.input, offset)
    }
    if (isHeldBack || (offset === this.#committed && this.#hop.isEmpty)) return
    await this.#write(offset)
  }

  /** Frames and letters that wait for a commit. */
  get #pendingBytes(): number {
    return this.#hop.sizeBytes + this.#bad.sizeBytes
  }

  /** Frames, letters and offset, in one transaction. */
  async #write(offset: number): Promise<void> {
    const { context, schemas, isReplay } = this.#options
    // What is within a run is read again, and its letters are written when the offset passes them.
    const letters = this.#bad.take(this.#repeats.run === null ? undefined : offset)
    const records: readonly ProducerRecord[] = [...this.#hop.take(context.clock.now()), ...letters]
    context.reach('source.before-commit')
    const state = sourceStateText({
      repeats: this.#repeats.save(),
      decoder: schemas.memory,
      doubtful: this.#bad.save(),
    })
    await this.#committer.commit(records, offset, state)
    context.reach('source.committed')
    this.#committed = offset
    if (isReplay) await context.log.deleteRecords(this.input, offset)
  }
}
