/**
 * Which partitions of source topics may be read now. Where the hop was taken away (`keyedBy`), what it has
 * is staged before anything else is read. A topic that got more partitions moves its keys to
 * others of them: it is refused until the operator confirms the new number. Then, once a new partition has
 * a record, those of before are read up to their ends of that moment and committed to the hop, whose order
 * stays; only then does anything go on. Where those ends are is a record of the owners' topic, so all
 * instances wait alike, also after a restart.
 */
import type { Log, LogBatch, ProducerRecord, TopicInfo, TopicPartition } from '../log/log.ts'
import { partitionName } from '../log/log.ts'
import { assert, SourceError } from '../model/errors.ts'
import { ownersTopic } from '../topology/internal-topics.ts'
import type { SourceNode } from '../topology/nodes.ts'
import { isHopDrained } from './hop-drained.ts'
import type { Owners, TopicGrowth, TopicLayout } from './owners.ts'
import { encodeGrowth, growthKey, isAdded } from './owners.ts'
import type { TaskContext } from './task.ts'

export type Admission =
  | { readonly kind: 'read' }
  /** Its task says with its opening where the partitions of before end; then ask again. */
  | { readonly kind: 'record' }
  /** Up to this offset, until the others are there too. */
  | { readonly kind: 'until'; readonly offset: number }
  | { readonly kind: 'wait' }

export interface SourceGateOptions {
  readonly log: Log
  readonly applicationId: string
  /** The topic as it is now; undefined when it is not known. */
  readonly infoOf: (topic: string) => TopicInfo | undefined
  /** The number of partitions that the operator confirmed. */
  readonly confirmedOf: (topic: string) => number | undefined
  /** Whether keys that move do no harm: changes are ordered by their positions. */
  readonly isByPosition: (topic: string) => boolean
  /** Where the topic is read without a hop: the hop that an earlier configuration may have left. */
  readonly formerHopOf: (topic: string) => string | null
}

const noLimit = Number.MAX_SAFE_INTEGER
/** How often what waits is looked at again. */
const lookEveryMs = 1000

export class SourceGate {
  readonly #options: SourceGateOptions
  readonly #waiting = new Map<string, TopicPartition>()
  readonly #limits = new Map<string, TopicPartition & { readonly offset: number }>()
  #nextLookMs = 0

  constructor(options: SourceGateOptions) {
    this.#options = options
  }

  /** Partitions that are not read at all. */
  get waiting(): readonly TopicPartition[] {
    return [...this.#waiting.values()]
  }

  /** Partitions that are read up to an offset. */
  get limited(): readonly TopicPartition[] {
    return [...this.#limits.values()]
  }

  isLookDue(nowMs: number): boolean {
    if (this.#waiting.size === 0 && this.#limits.size === 0) return false
    if (nowMs < this.#nextLookMs) return false
    this.#nextLookMs = nowMs + lookEveryMs
    return true
  }

  /** SourceError `source-replaced`, `partitions-added`. */
  async admit(at: TopicPartition, owners: Owners): Promise<Admission> {
    const admission = await this.#admit(at, owners)
    const name = partitionName(at)
    this.forget(at)
    if (admission.kind === 'wait') this.wait(at)
    if (admission.kind === 'until') this.#limits.set(name, { ...at, offset: admission.offset })
    return admission
  }

  /** It is looked at again soon. */
  wait(at: TopicPartition): void {
    this.#waiting.set(partitionName(at), at)
  }

  forget(at: TopicPartition): void {
    this.#waiting.delete(partitionName(at))
    this.#limits.delete(partitionName(at))
  }

  /**
   * What of the batch may be read; `isLast`: the partition is to be paused at its end. A limit that was
   * not known in time is behind `position`, where the task is: it never goes back.
   */
  cut(batch: LogBatch, position: number): { readonly batch: LogBatch; readonly isLast: boolean } {
    const known = this.#limits.get(partitionName(batch))?.offset
    if (known === undefined || batch.nextOffset < known) return { batch, isLast: false }
    const limit = Math.max(known, position)
    const records = batch.records.filter(({ offset }) => offset < limit)
    return { batch: { ...batch, records, nextOffset: limit }, isLast: true }
  }

  async #admit(at: TopicPartition, owners: Owners): Promise<Admission> {
    const info = this.#options.infoOf(at.topic)
    if (info === undefined || at.partition >= info.partitions) return { kind: 'wait' }
    const hop = this.#options.formerHopOf(at.topic)
    if (hop !== null && !(await isHopDrained(this.#options, hop))) return { kind: 'wait' }
    const known = owners.layouts.get(at.topic)
    if (known === undefined || layoutOf(info) === null) return { kind: 'read' }
    if (known.topicId !== info.id) throw replaced(at.topic)
    const growth = owners.growths.get(at.topic)
    if (growth !== undefined && !(await this.#isDrained(at.topic, growth))) {
      const offset = growth.ends[at.partition]
      return offset === undefined ? { kind: 'wait' } : { kind: 'until', offset }
    }
    if (info.partitions <= known.partitions) return { kind: 'read' }
    if (this.#options.isByPosition(at.topic)) return { kind: 'read' }
    if (this.#options.confirmedOf(at.topic) !== info.partitions) throw grown(info, known)
    if (!(await this.#isWritten(info, known))) {
      // Until a producer uses the new ones, the old ones have everything, in order.
      return at.partition < known.partitions ? { kind: 'until', offset: noLimit } : { kind: 'wait' }
    }
    return at.partition === 0 ? { kind: 'record' } : { kind: 'wait' }
  }

  /** A partition that was added has a record: whoever wrote it has left the old order. */
  async #isWritten(info: TopicInfo, known: TopicLayout): Promise<boolean> {
    for (let partition = known.partitions; partition < info.partitions; partition += 1) {
      const { end } = await this.#options.log.offsets({ topic: info.name, partition })
      if (end > 0) return true
    }
    return false
  }

  async #isDrained(topic: string, { ends }: TopicGrowth): Promise<boolean> {
    const { log, applicationId } = this.#options
    const partitions = ends.map((_, partition) => ({ topic, partition }))
    const committed = await log.committed(applicationId, partitions)
    return ends.every((end, partition) => (committed[partition]?.offset ?? -1) >= end)
  }
}

/** Up to where the partitions of before are read before those that were added. */
export async function growthRecord(
  { owners, log, applicationId, clock }: TaskContext,
  { name: topic, id: topicId, partitions }: TopicInfo,
): Promise<ProducerRecord> {
  const known = owners.layouts.get(topic)
  assert(known !== undefined, 'a topic grew that was never read', { topic })
  const ends: number[] = []
  for (let partition = 0; partition < known.partitions; partition += 1) {
    ends.push(await log.decidedEnd({ topic, partition }))
  }
  return {
    topic: ownersTopic(applicationId),
    partition: 0,
    key: growthKey(topic),
    value: encodeGrowth({ topicId, partitions, ends }),
    timestampMs: clock.now(),
  }
}

/** Where a partition is begun that was never read before. */
export async function beginningOf(
  at: TopicPartition,
  log: Log,
  { start, topics }: SourceNode,
  owners: Owners,
): Promise<number> {
  const stated = start.offsets.get(partitionName(at))
  if (stated !== undefined) return stated
  const { start: first, end } = await log.offsets(at)
  if (start.at === 'earliest' || isAdded(owners, at)) return first
  if (typeof start.at === 'object') return await log.offsetOfTime(at, start.at.timeMs)
  // A topic that a pattern found later is not to lose what came before it was found.
  const { firstCommitMs } = owners
  const isFound = topics instanceof RegExp && firstCommitMs !== null
  return isFound ? await log.offsetOfTime(at, firstCommitMs) : end
}

/** Null for a file: it has the partitions that its lines name, and may be moved. */
export function layoutOf(info: TopicInfo): TopicLayout | null {
  return info.isFinite ? null : { topicId: info.id, partitions: info.partitions }
}

export function replaced(topic: string): SourceError {
  const message = 'the topic was deleted and made anew since it was read'
  return new SourceError('source-replaced', message, { context: { topic } })
}

function grown({ name: topic, partitions }: TopicInfo, known: TopicLayout): SourceError {
  const isMultiple = partitions % known.partitions === 0
  return new SourceError(
    'partitions-added',
    `the topic has ${partitions} partitions, and had ${known.partitions}` +
      (isMultiple
        ? ''
        : ': keys moved between those of before as well, so an incremental snapshot of its tables is ' +
          'needed afterwards, unless the producer was stopped when they were added') +
      `; to confirm: source.confirmPartitions: { "${topic}": ${partitions} }`,
    { context: { topic } },
  )
}
