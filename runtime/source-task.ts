/**
 * Sub-topology 0: one partition of one source topic. Records are decoded, repeats dropped, events sent
 * through the chain, keyed, and collected in the task's output: frames for the hop, or its own window. What
 * the output has and the offset are committed together.
 */
import type { Decoded, TableChange } from '../formats/decoder.ts'
import type { Log, LogBatch, TopicInfo, TopicPartition } from '../log/log.ts'
import type { ChangeEvent, LogRecord } from '../model/change-event.ts'
import { isSamePlace } from '../model/change-event.ts'
import { originalOf } from '../model/dead-letter.ts'
import { judgedEvent } from '../model/encoded-event.ts'
import type { HopChange } from '../model/hop-frame.ts'
import { RepeatFilter } from '../processors/drop-repeats.ts'
import { keepsRows } from '../processors/merge.ts'
import { hasHop } from '../topology/nodes.ts'
import type { Pipeline } from '../topology/topology.ts'
import { BadMessages } from './bad-messages.ts'
import { KeyedChain } from './keyed-chain.ts'
import { reportDropped, reportUnproven } from './repeat-reports.ts'
import type { SchemaReader } from './schema-reader.ts'
import { countRecords, measureLag, partitionLabels, SourceCounts } from './source-counts.ts'
import { keyUnordered, replayUnordered, tooMuchHeldBack } from './source-errors.ts'
import { SourceFacts } from './source-facts.ts'
import { beginningOf, growthRecord, layoutOf } from './source-gate.ts'
import type { SourceOutput } from './source-output.ts'
import { parseSourceState, sourceStateText } from './source-state.ts'
import { isByPlace, tableFrames } from './source-tables.ts'
import type { Task, TaskContext } from './task.ts'
import { TaskCommitter } from './task.ts'

export interface SourceTaskOptions {
  readonly context: TaskContext
  readonly id: string
  readonly pipeline: Pipeline
  readonly input: TopicPartition
  /** The input topic. The order of a truncate is known only when it has one partition. */
  readonly source: TopicInfo
  /** Its records are dead letters that were replayed: each is read as the message that it was. */
  readonly isReplay: boolean
  readonly output: SourceOutput
  readonly schemas: SchemaReader
}

/** Null, or the offset from which reading must go on. */
type Outcome = number | null

/** Letters that wait for a commit. */
const maxLetterBytes = 16 * 1024 * 1024
/** What waits for the end of a run of repeats. */
const maxHeldBackBytes = 4 * maxLetterBytes

export class SourceTask implements Task {
  readonly id: string
  readonly input: TopicPartition
  readonly stage = 0
  readonly #options: SourceTaskOptions
  readonly #committer: TaskCommitter
  readonly #chain: KeyedChain
  readonly #output: SourceOutput
  #repeats = new RepeatFilter()
  #next = 0
  #committed = 0
  /** Whatever waits, nothing can be committed before another record comes. */
  #isHeldBack = false
  readonly #bad: BadMessages
  /** Then the task of the key judges what is older; here nothing is. */
  readonly #isByPosition: boolean
  /** Of the batch that is processed now. */
  #records: readonly LogRecord[] = []
  readonly #counts = new SourceCounts()
  #facts: SourceFacts | null = null
  /** When the source made the last change that was read. */
  #sourceMs = 0

  constructor(options: SourceTaskOptions) {
    const { context, id, pipeline, input, output } = options
    this.#options = options
    this.input = input
    this.id = id
    this.#committer = new TaskCommitter(context, id, input, layoutOf(options.source))
    this.#isByPosition = pipeline.source.ordering === 'position'
    this.#output = output
    this.#bad = new BadMessages(context, id, pipeline.source)
    this.#chain = new KeyedChain({
      context,
      task: id,
      pipeline,
      bad: this.#bad,
      onChange: change => this.#handOn(change),
      onBad: (event, error) => this.#passEvent(event, error),
    })
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
    const isCommitted = await this.#output.open(this.#committer, { offset, isNew })
    this.#committed = isCommitted ? offset : -1
    this.#facts = new SourceFacts(this.id, { ...input, topicId: this.#options.source.id }, offset)
    context.emit(this.#facts.opened(isNew))
    return offset
  }

  async process(batch: LogBatch): Promise<number | null> {
    const { context, schemas, isReplay } = this.#options
    countRecords(context.metrics, batch)
    await schemas.catchUp()
    this.#records = isReplay ? batch.records.map(originalOf) : batch.records
    const outcome = await this.#processRecords(batch)
    // A task that has nothing to do keeps no batch.
    this.#records = []
    return outcome
  }

  async #processRecords(batch: LogBatch): Promise<number | null> {
    const { context } = this.#options
    for (let index = 0; index < batch.records.length; index += 1) {
      const record = batch.records[index]!
      const outcome = this.#processRecord(this.#records[index]!)
      const reread = outcome instanceof Promise ? await outcome : outcome
      if (reread !== null) return reread
      this.#committer.noteRecord(record)
      this.#next = record.offset + 1
      if (!this.#chain.isFull) continue
      this.#chain.push()
      await this.#output.settle()
      if (this.#isFull) await this.#commit()
      await context.rest()
    }
    this.#chain.push()
    await this.#output.settle()
    this.#repeats.settle()
    this.#next = batch.nextOffset
    this.#output.advance(this.#next)
    this.#isHeldBack = false
    measureLag(context.metrics, batch, context.clock.now() - this.#sourceMs)
    return null
  }

  remainingMs(): number | null {
    if (this.#isHeldBack) return null
    return this.#isFull ? 0 : this.#output.remainingMs()
  }

  async maintain(): Promise<void> {
    if (this.remainingMs() === 0) await this.#commit()
    this.#output.measure()
  }

  async drain(): Promise<void> {
    await this.#commit()
    const { run } = this.#repeats
    if (run === null) return
    // There may be nothing more to prove the run by. What was accepted within it is in doubt anyway:
    // it is applied, and once more when the run is read again.
    if (!this.#output.isEmpty) await this.#write(run.fromOffset)
    reportUnproven(this.#options.context, this.input, run)
  }

  async recordGrowth(): Promise<void> {
    const { context, source } = this.#options
    const growth = await growthRecord(context, source)
    await this.#committer.commit([growth], null)
    context.logger.info('partitions.confirmed', { topic: source.name })
  }

  async endRun(): Promise<number | null> {
    return this.#repeats.run === null ? null : await this.#reread()
  }

  confirm(): Promise<void> {
    return this.#committer.confirm()
  }

  async close(): Promise<void> {
    this.#chain.close()
    await this.#output.close()
    this.#options.context.metrics.forget('forager_lag_seconds', partitionLabels(this.input))
    await this.#committer.close()
  }

  /** An offset when reading must go on from there. A promise only where something has to wait. */
  #processRecord(record: LogRecord): Outcome | Promise<Outcome> {
    try {
      const decoded = this.#options.schemas.decode(record)
      const outcome =
        decoded instanceof Promise
          ? decoded.then(found => this.#takeAll(found, record))
          : this.#takeAll(decoded, record)
      if (!(outcome instanceof Promise)) return outcome
      return outcome.catch((error: unknown) => this.#pass(record, error))
    } catch (error) {
      return this.#pass(record, error)
    }
  }

  /** As the policy says; the next record follows. */
  #pass(record: LogRecord, error: unknown): null {
    this.#bad.pass(record, error)
    this.#facts!.bad += 1
    return null
  }

  #takeAll(decoded: Decoded, record: LogRecord): Outcome | Promise<Outcome> {
    this.#counts.add('forager_messages_total', decoded.kind)
    if (decoded.kind === 'schema-change') this.#tellTables(decoded.changes, record)
    if (decoded.kind !== 'changes') return null
    const [first, ...others] = decoded.events
    if (first === undefined) return null
    const { partitions } = this.#options.source
    const canBeOrdered = this.#isByPosition && first.position !== null
    if (partitions > 1 && !decoded.isKeyOrdered && !canBeOrdered) {
      throw keyUnordered(decoded.events, partitions)
    }
    if (decoded.replaced !== undefined) this.#counts.addReplaced(first.table, decoded.replaced)
    const outcome = this.#take(first)
    if (others.length === 0 && !(outcome instanceof Promise)) return outcome
    return this.#takeInTurn(outcome, others)
  }

  /** Sent again they change nothing. */
  #tellTables(changes: readonly TableChange[], record: LogRecord): void {
    const { sink } = this.#options.pipeline.warehouse
    const route = this.#chain.table.bind(this.#chain)
    for (const frame of tableFrames(changes, record, { sink, route })) this.#output.tell(frame)
    this.#sourceMs = changes.at(-1)?.sourceMs ?? this.#sourceMs
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
    this.#facts!.repeats += 1
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
  async #reread(): Promise<number> {
    const from = this.#repeats.run!.fromOffset
    this.#options.context.logger.warn('repeats.reread', { ...this.input, offset: from })
    this.#repeats.forget()
    this.#chain.reset()
    await this.#output.clear(from)
    this.#bad.clear()
    this.#facts!.clear()
    this.#next = from
    return from
  }

  #accept(event: ChangeEvent): null {
    this.#sourceMs = event.sourceMs
    this.#facts!.accept(event)
    if (event.op === 't') this.#acceptTruncate(event)
    else this.#chain.add(event)
    return null
  }

  #acceptTruncate(event: ChangeEvent): void {
    const routed = this.#chain.truncate(event)
    if (routed === null) return
    const { sink } = this.#options.pipeline.warehouse
    const target = sink.targetOf(routed.table)
    const policy = sink.policyOf(target.table)
    // Not even rows of one window are to go.
    if (keepsRows(policy.truncate)) {
      this.#counts.add('forager_truncates_ignored_total', target.table)
      return
    }
    this.#output.truncate(target, event, {
      isRefused: policy.truncate === 'exception',
      isByPlace: isByPlace(policy, event.position),
    })
  }

  #passEvent(event: ChangeEvent, error: unknown): void {
    // Events do not outlive their batch: see `process`.
    const record = this.#records.find(one => isSamePlace(one, event.origin))
    this.#bad.pass(record!, error, event.table)
    this.#facts!.bad += 1
  }

  #handOn(change: HopChange): void {
    this.#output.add(change)
    this.#counts.add('forager_events_total', change.target.table)
    this.#facts!.events += 1
  }

  get #isFull(): boolean {
    return this.#output.isFull || this.#bad.sizeBytes >= maxLetterBytes
  }

  async #commit(): Promise<void> {
    this.#chain.complete()
    const { context } = this.#options
    this.#counts.handOn(context.metrics)
    const { run } = this.#repeats
    const offset = run?.fromOffset ?? this.#next
    const { isEmpty, sizeBytes } = this.#output
    const isNothing = isEmpty && this.#bad.sizeBytes === 0
    const isInRun = run !== null && offset < this.#next && !isNothing
    if (isInRun && sizeBytes + this.#bad.sizeBytes >= maxHeldBackBytes) {
      throw tooMuchHeldBack(this.input, offset)
    }
    this.#isHeldBack = isInRun || (offset === this.#committed && isEmpty)
    if (!this.#isHeldBack) await this.#write(offset)
  }

  /** What the output has, letters and offset, in one transaction. */
  async #write(offset: number): Promise<void> {
    const { context, pipeline, schemas, isReplay } = this.#options
    const outputs = await this.#output.take(offset)
    // What is within a run is read again, and its letters are written when the offset passes them.
    const letters = this.#bad.take(this.#repeats.run === null ? undefined : offset)
    context.reach('source.before-commit')
    const state = sourceStateText({
      repeats: this.#repeats.save(),
      decoder: schemas.memoryOf(this.input.topic),
      doubtful: this.#bad.save(),
    })
    const offsets = await this.#committer.commit([...outputs, ...letters], offset, state)
    context.reach('source.committed')
    this.#committed = offset
    await this.#output.committed(offsets)
    context.emit(this.#facts!.committed(offset, hasHop(pipeline.source) ? outputs : [], offsets))
    if (isReplay) await context.log.deleteRecords(this.input, offset)
  }
}
