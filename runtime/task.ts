/**
 * What every task has: one partition of one sub-topology, one transactional id, one transaction at a
 * time for its outputs and its offset. Opening a task fences whoever had it before, and only then asks
 * where to begin.
 */
import { crc32 } from 'node:zlib'
import type {
  CommittedOffset,
  GroupMembership,
  Log,
  LogBatch,
  LogProducer,
  ProducerRecord,
  TopicPartition,
} from '../log/log.ts'
import type { LogRecord } from '../model/change-event.ts'
import type { ReachPoint } from '../model/crash-points.ts'
import { assert, SourceError, StateError } from '../model/errors.ts'
import type { Logger } from '../observe/logger.ts'
import type { Metrics } from '../observe/metrics.ts'
import { ownersTopic } from '../topology/internal-topics.ts'
import type { Clock } from './clock.ts'
import type { Owners, TopicLayout } from './owners.ts'
import { encodeOwner } from './owners.ts'
import { readRemaining } from './read-all.ts'
import type { StreamsEvent } from './streams-events.ts'

/** What tasks share: one object for each running application. */
export interface TaskContext {
  readonly applicationId: string
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly reach: ReachPoint
  readonly emit: (event: StreamsEvent) => void
  /** The membership as of now: a task that commits with an older one is fenced. */
  readonly membership: () => GroupMembership
  /** Gives way when the current slice of work is long enough. */
  readonly rest: () => Promise<void>
  /** A table that cannot be written is held back and the others go on; else the application stops. */
  readonly quarantines: boolean
  /** What is known of the tasks of before, and of the topics that they read. */
  readonly owners: Owners
}

export interface Task {
  readonly id: string
  readonly input: TopicPartition
  /** Which of the three sub-topologies of its pipeline. */
  readonly stage: 0 | 1 | 2
  /** Fences, then resolves to the offset where reading begins. */
  open(): Promise<number>
  /** Takes a batch in. Resolves to an offset when reading must go on from there instead. */
  process(batch: LogBatch): Promise<number | null>
  /** Milliseconds until `maintain` has something to do; null when nothing is due. */
  remainingMs(): number | null
  /** Commits, closes windows, applies: what is due. */
  maintain(): Promise<void>
  /** The same for all that there is, due or not. */
  drain(): Promise<void>
  /** Of the first partition of a topic that grew: says up to where those before are read first. */
  recordGrowth?(): Promise<void>
  /**
   * Nothing more comes for a while by which dropped repeats could be proven: resolves to where reading
   * goes on so that they are applied; null when there are none.
   */
  endRun?(): Promise<number | null>
  /** StateError `task-fenced` when somebody else has the task by now. */
  confirm(): Promise<void>
  close(): Promise<void>
}

/** What a task writes beside its offset: enough to notice that its topic was replaced. */
interface OffsetMetadata {
  readonly v: 1
  /** Offset and fingerprint of the last record before the committed offset. */
  readonly last: readonly [number, number] | null
  /** The task's own: positions of repeats. */
  readonly state: string
}

/** What the task wrote of its own beside the offset. */
export function stateBeside({ metadata }: CommittedOffset): string {
  return (JSON.parse(metadata) as OffsetMetadata).state
}

/** Where a task goes on that has no past. */
export function emptyOffset(offset: number): CommittedOffset {
  const metadata: OffsetMetadata = { v: 1, last: null, state: '' }
  return { offset, metadata: JSON.stringify(metadata) }
}

/** The transactional side of a task. */
export class TaskCommitter {
  readonly #context: TaskContext
  readonly #id: string
  readonly #input: TopicPartition
  readonly #layout: TopicLayout | null
  #producer: LogProducer | null = null
  #hasCommitted: boolean
  #last: readonly [number, number] | null = null
  /** Processed last; its fingerprint is only taken for a commit. */
  #lastRecord: LogRecord | null = null

  /** `layout` is of the input, where that is a source topic. */
  constructor(
    context: TaskContext,
    id: string,
    input: TopicPartition,
    layout: TopicLayout | null = null,
  ) {
    this.#context = context
    this.#id = id
    this.#input = input
    this.#layout = layout
    this.#hasCommitted = context.owners.tasks.has(id)
  }

  /**
   * Fences the owner before, then reads what it committed. Throws when the log no longer fits. `begin`
   * is where a task starts that never committed; absent: at the first record.
   */
  async open(
    begin?: (log: Log) => Promise<number>,
  ): Promise<{ readonly offset: number; readonly state: string; readonly isNew: boolean }> {
    const { log, applicationId } = this.#context
    this.#producer = await log.openProducer(`${applicationId}-${this.#id}`)
    const [committed] = await log.committed(applicationId, [this.#input])
    const { start, end } = await log.offsets(this.#input)
    if (committed === null || committed === undefined) {
      if (this.#hasCommitted)
        throw this.#outOfRange('the task committed before, and its offset is gone')
      const offset = begin === undefined ? start : await begin(log)
      return { offset, state: '', isNew: true }
    }
    // A topic that says otherwise was read before the owner before committed for the first time.
    this.#hasCommitted = true
    const { offset, metadata } = committed
    const { last, state } = JSON.parse(metadata) as OffsetMetadata
    if (offset < start || offset > end) {
      throw this.#outOfRange(`the task is at offset ${offset}, the topic has ${start} to ${end}`)
    }
    await this.#checkLast(last, start)
    this.#last = last
    return { offset, state, isNew: false }
  }

  /** Remembers the record, for the fingerprint beside the next offset. */
  noteRecord(record: LogRecord): void {
    this.#lastRecord = record
  }

  /** One transaction. Resolves to the offsets of the records, in order. */
  async commit(
    records: readonly ProducerRecord[],
    offset: number | null,
    state = '',
  ): Promise<readonly number[]> {
    assert(this.#producer !== null, 'a task commits before it was opened', { task: this.#id })
    const { membership, metrics } = this.#context
    if (this.#lastRecord !== null) {
      this.#last = [this.#lastRecord.offset, fingerprint(this.#lastRecord)]
      this.#lastRecord = null
    }
    const metadata: OffsetMetadata = { v: 1, last: this.#last, state }
    const offsets =
      offset === null ? [] : [{ ...this.#input, offset, metadata: JSON.stringify(metadata) }]
    const isFirst = offset !== null && !this.#hasCommitted
    const all = isFirst ? [...records, this.#ownerRecord(true)] : records
    const { clock } = this.#context
    const began = clock.monotonic()
    const written = await this.#producer.commit({ records: all, offsets, group: membership() })
    if (isFirst) this.#hasCommitted = true
    const stage = { sub_topology: this.#id.split('_')[0]! }
    metrics.count('forager_commits_total', 1, stage)
    metrics.observe('forager_commit_duration_seconds', (clock.monotonic() - began) / 1000, stage)
    metrics.set('forager_last_commit_time_seconds', clock.now() / 1000, { task: this.#id })
    return written
  }

  /**
   * The offset of the owner's record, which is written for it. It ascends with every owner, and is fenced as
   * they are: what carries a lower one is of an owner before. `beginning` is the offset that a task which
   * never committed begins at: it is committed with it.
   */
  async takeToken(beginning: number | null = null): Promise<number> {
    // The first offset of a task comes with such a record anyway.
    const records = beginning === null ? [this.#ownerRecord()] : []
    const [token] = await this.commit(records, beginning)
    assert(token !== undefined, 'the owner of a task got no token', { task: this.#id })
    return token
  }

  /** An empty transaction: StateError `task-fenced` when the id or the membership has a newer owner. */
  async confirm(): Promise<void> {
    const group = this.#context.membership()
    await this.#producer?.commit({ records: [], offsets: [], group })
  }

  /** Says in the compacted topic of owners that this task has an owner, and a committed offset. */
  #ownerRecord(hasOffset = this.#hasCommitted): ProducerRecord {
    const { applicationId, clock } = this.#context
    const layout = this.#layout
    const source = layout === null ? {} : { source: { topic: this.#input.topic, ...layout } }
    return {
      topic: ownersTopic(applicationId),
      partition: 0,
      key: Buffer.from(this.#id),
      value: encodeOwner({ hasOffset, ...source }),
      timestampMs: clock.now(),
    }
  }

  async close(): Promise<void> {
    this.#context.metrics.forget('forager_last_commit_time_seconds', { task: this.#id })
    await this.#producer?.close()
    this.#producer = null
  }

  /**
   * The record before the offset must be the one that was processed. One that is gone proves nothing: a
   * compacted topic loses records that have a successor, and the owner before may still delete what it applied.
   */
  async #checkLast(last: OffsetMetadata['last'], start: number): Promise<void> {
    if (last === null || last[0] < start) return
    const { records } = await readRemaining(this.#context.log, this.#input, last[0], 1)
    const [record] = records
    if (record?.offset !== last[0] || fingerprint(record) === last[1]) return
    throw new SourceError(
      'source-replaced',
      `the record at offset ${last[0]} is not the one that was processed`,
      { context: { ...this.#input, offset: last[0], task: this.#id } },
    )
  }

  #outOfRange(message: string): StateError {
    return new StateError('offset-out-of-range', message, {
      context: { ...this.#input, task: this.#id },
    })
  }
}

function fingerprint({ key, value }: LogRecord): number {
  return crc32(value ?? '', crc32(key ?? ''))
}
