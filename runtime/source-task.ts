/**
 * Sub-topology 0: one partition of one source topic. Records are decoded, repeats dropped, events sent
 * through the chain, keyed, and collected into frames for the partitions of the hop. Frames and offset
 * are committed together.
 */
import type { Decoded } from '../formats/decoder.ts'
import type { Log, LogBatch, ProducerRecord, TopicPartition } from '../log/log.ts'
import { partitionName } from '../log/log.ts'
import type { ChangeEvent, EventBatch, LogRecord } from '../model/change-event.ts'
import type { ForagerError } from '../model/errors.ts'
import { isDataError, ProcessingError, SourceError } from '../model/errors.ts'
import type { TruncateMarker } from '../model/staged-batch.ts'
import { RepeatFilter } from '../processors/drop-repeats.ts'
import { keyEvent } from '../processors/key-events.ts'
import type { Pipeline } from '../topology/topology.ts'
import { Chain } from './chain.ts'
import { HopWriter } from './hop-writer.ts'
import type { SchemaReader } from './schema-reader.ts'
import type { Task, TaskContext } from './task.ts'
import { TaskCommitter } from './task.ts'

export interface SourceTaskOptions {
  readonly context: TaskContext
  readonly pipeline: Pipeline
  readonly input: TopicPartition
  /** Of the input topic: the order of a truncate is known only when there is one. */
  readonly inputPartitions: number
  readonly hop: { readonly topic: string; readonly partitions: number }
  readonly schemas: SchemaReader
  readonly commitIntervalMs: number
}

/** What is counted for every event, and by which label. */
const tallyLabels = {
  forager_messages_total: 'kind',
  forager_repeats_dropped_total: 'table',
  forager_events_total: 'table',
} as const

type TallyName = keyof typeof tallyLabels

/** Null, or the offset from which reading must go on. */
type Outcome = number | null

/** Events that go through the chain at once. */
const eventsAtOnce = 500
/** Frames that wait for a commit. */
const maxPendingBytes = 16 * 1024 * 1024

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
  readonly #tallies: Readonly<Record<TallyName, Map<string, number>>> = {
    forager_messages_total: new Map(),
    forager_repeats_dropped_total: new Map(),
    forager_events_total: new Map(),
  }

  constructor(options: SourceTaskOptions) {
    const { context, pipeline, input, hop } = options
    this.#options = options
    this.input = input
    this.id = `${pipeline.firstSubTopology}_${input.topic}-${input.partition}`
    this.#committer = new TaskCommitter(context, this.id, input)
    this.#hop = new HopWriter(input, hop)
    const { logger, metrics } = context
    this.#chain = new Chain(pipeline.transforms, { task: this.id, logger, metrics }, batch =>
      this.#collect(batch),
    )
  }

  async open(): Promise<number> {
    const { offset, state, isNew } = await this.#committer.open(log => this.#beginning(log))
    const { repeats, decoder } = parseState(state)
    this.#repeats = new RepeatFilter(repeats)
    this.#options.schemas.restore(decoder)
    this.#next = offset
    // Where it begins is committed at once: what comes before its first record must not be passed over.
    this.#committed = isNew ? -1 : offset
    if (isNew) this.#dirtySinceMs = this.#options.context.clock.monotonic()
    return offset
  }

  async process(batch: LogBatch): Promise<number | null> {
    const { context, schemas } = this.#options
    context.metrics.count('forager_records_consumed_total', batch.records.length, {
      topic: this.input.topic,
    })
    this.#dirtySinceMs ??= context.clock.monotonic()
    await schemas.catchUp()
    for (const record of batch.records) {
      const outcome = this.#processRecord(record)
      const reread = outcome instanceof Promise ? await outcome : outcome
      if (reread !== null) return reread
      this.#committer.noteRecord(record)
      this.#next = record.offset + 1
      if (this.#events.length < eventsAtOnce) continue
      this.#pushEvents()
      if (this.#hop.sizeBytes >= maxPendingBytes) await this.#commit()
      await context.rest()
    }
    this.#pushEvents()
    this.#next = batch.nextOffset
    // A commit on the way was of what came before it.
    this.#dirtySinceMs ??= context.clock.monotonic()
    return null
  }

  remainingMs(): number | null {
    if (this.#dirtySinceMs === null) return null
    const age = this.#options.context.clock.monotonic() - this.#dirtySinceMs
    return Math.max(0, this.#options.commitIntervalMs - age)
  }

  async maintain(): Promise<void> {
    if (this.remainingMs() === 0 || this.#hop.sizeBytes >= maxPendingBytes) await this.#commit()
  }

  async drain(): Promise<void> {
    await this.#commit()
    const { run } = this.#repeats
    if (run === null) return
    const { fromOffset: offset, fromPosition, count } = run
    this.#options.context.logger.warn('repeats.unproven', {
      ...this.input,
      offset,
      position: fromPosition,
      count,
      advice: 'they are read again until the end of the repeat comes, or the source log restarts',
    })
  }

  confirm(): Promise<void> {
    return this.#committer.confirm()
  }

  async close(): Promise<void> {
    this.#chain.close()
    await this.#committer.close()
  }

  async #beginning(log: Log): Promise<number> {
    const { at, offsets } = this.#options.pipeline.source.start
    const stated = offsets.get(partitionName(this.input))
    if (stated !== undefined) return stated
    if (typeof at === 'object') return await log.offsetOfTime(this.input, at.timeMs)
    const { start, end } = await log.offsets(this.input)
    return at === 'earliest' ? start : end
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

  /** What the policy says of an error that the record caused. */
  #pass(record: LogRecord, error: unknown): null {
    if (!isDataError(error) || this.#options.pipeline.source.onError === 'fail') throw error
    const { topic, partition, offset } = record
    this.#skip(error.at({ topic, partition, offset }))
    return null
  }

  #takeAll(decoded: Decoded): Outcome | Promise<Outcome> {
    this.#count('forager_messages_total', decoded.kind)
    if (decoded.kind !== 'changes') return null
    const [first, ...others] = decoded.events
    if (first === undefined) return null
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
    const { source } = this.#options.pipeline
    if (!source.dropRepeats) return this.#accept({ ...event, isInDoubt: true })
    const before = this.#repeats.run
    const verdict = this.#repeats.judge(event)
    if (verdict === 'reread') return this.#reread()
    if (verdict !== 'repeat') {
      return this.#accept({ ...event, isInDoubt: verdict === 'in-doubt' })
    }
    this.#count('forager_repeats_dropped_total', event.table)
    const { run } = this.#repeats
    if (run === null) this.#reportRun(event, before)
    // The offset stays here until the run is proven: what came before it is committed now.
    return before === null && run !== null ? this.#commitBefore(run.fromOffset) : null
  }

  async #commitBefore(offset: number): Promise<null> {
    this.#next = offset
    await this.#commit()
    return null
  }

  #reportRun(event: ChangeEvent, run: RepeatFilter['run']): void {
    const count = (run?.count ?? 0) + 1
    const to = event.position?.text ?? ''
    const from = run?.fromPosition ?? to
    this.#options.context.emit({ type: 'repeats-dropped', task: this.id, count, from, to })
    this.#options.context.logger.info('repeats.dropped', { ...this.input, count, from, to })
  }

  /** What was dropped was not proven a repeat: it is applied after all. */
  #reread(): number {
    const from = this.#repeats.run!.fromOffset
    this.#options.context.logger.warn('repeats.reread', { ...this.input, offset: from })
    this.#repeats.forget()
    this.#events = []
    this.#chain.reset()
    this.#hop.clear()
    this.#next = from
    return from
  }

  #accept(event: ChangeEvent): null {
    if (event.op === 't') this.#acceptTruncate(event)
    else this.#events.push(event)
    return null
  }

  #acceptTruncate(event: ChangeEvent): void {
    this.#pushEvents()
    this.#chain.complete()
    const routed = this.#chain.truncate(event)
    if (routed === null) return
    const isOrdered = this.#options.inputPartitions === 1
    if (!isOrdered && event.position === null) {
      throw new ProcessingError(
        'truncate-unordered',
        `the topic has ${this.#options.inputPartitions} partitions, and a truncate without a position ` +
          'came through one of them',
        { context: { ...event.origin, table: event.table } },
      )
    }
    const { position, sourceMs } = event
    const point = position === null ? null : { position, sourceMs }
    const { partitions } = this.#options.hop
    const marker: TruncateMarker = { ...event.origin, partitions, isOrdered, point }
    this.#hop.truncate(this.#options.pipeline.warehouse.sink.targetOf(routed.table), marker)
  }

  /** Sends what was collected through the chain; a bad event is found by sending them one by one. */
  #pushEvents(): void {
    const events = this.#events
    this.#events = []
    if (events.length === 0) return
    try {
      this.#chain.push(events)
    } catch (error) {
      if (!isDataError(error) || this.#options.pipeline.source.onError === 'fail') throw error
      this.#chain.reset()
      for (const event of events) this.#pushOne(event)
    }
  }

  #pushOne(event: ChangeEvent): void {
    try {
      this.#chain.push([event])
    } catch (error) {
      if (!isDataError(error)) throw error
      this.#chain.reset()
      this.#skip(error.at({ ...event.origin, table: event.table }))
    }
  }

  #skip(error: ForagerError): void {
    const { metrics, logger } = this.#options.context
    metrics.count('forager_messages_skipped_total', 1, { reason: error.code })
    logger.warn('message.skipped', { reason: error.describe() })
  }

  /** The end of the chain: keys the events and adds them to the frames of their partitions. */
  #collect(batch: EventBatch): void {
    const { sink } = this.#options.pipeline.warehouse
    for (const event of batch) {
      const target = sink.targetOf(event.table)
      const change = keyEvent(event, target.partitionBy)
      this.#hop.add({ target, change, offset: event.origin.offset })
      this.#count('forager_events_total', target.table)
    }
  }

  async #commit(): Promise<void> {
    this.#pushEvents()
    this.#chain.complete()
    this.#handOnCounts()
    const { context } = this.#options
    const { run } = this.#repeats
    const offset = run?.fromOffset ?? this.#next
    if (run !== null && !this.#hop.isEmpty && offset < this.#next) {
      this.#checkHeldBack()
      return
    }
    this.#dirtySinceMs = null
    if (offset === this.#committed && this.#hop.isEmpty) return
    const records: readonly ProducerRecord[] = this.#hop.take(context.clock.now())
    context.reach('source.before-commit')
    const state = JSON.stringify([this.#repeats.save(), this.#options.schemas.memory])
    await this.#committer.commit(records, offset, state)
    context.reach('source.committed')
    this.#committed = offset
  }

  /** Counted here and handed on at a commit: the labels of a counter cost more than an event. */
  #count(name: TallyName, label: string): void {
    const tally = this.#tallies[name]
    tally.set(label, (tally.get(label) ?? 0) + 1)
  }

  #handOnCounts(): void {
    for (const [name, labelName] of Object.entries(tallyLabels) as [TallyName, string][]) {
      for (const [label, amount] of this.#tallies[name]) {
        this.#options.context.metrics.count(name, amount, { [labelName]: label })
      }
      this.#tallies[name].clear()
    }
  }

  /** Within a run of drops nothing can be committed, so what is applied meanwhile must be little. */
  #checkHeldBack(): void {
    if (this.#hop.sizeBytes < maxPendingBytes * 4) return
    throw new SourceError(
      'source-log-restarted',
      'new events come between repeats that do not end: the log of the source was reset or restored',
      { context: { ...this.input, offset: this.#repeats.run!.fromOffset } },
    )
  }
}

/** The two texts that are kept beside the offset: see `RepeatFilter.save` and `Decoder.memory`. */
function parseState(state: string): { repeats: string; decoder: string } {
  if (state === '') return { repeats: '', decoder: '' }
  const [repeats = '', decoder = ''] = JSON.parse(state) as string[]
  return { repeats, decoder }
}
