/**
 * What a client has fetched, on its way to whoever polls: a range comes again, or a fetch is handed out by a
 * later poll than it came for. What was sought elsewhere or lost meanwhile is never handed out, as with
 * clients of Kafka; records of one partition that come for the first time stay in order.
 */
import type { Assignment, LogBatch, PollResult, TopicPartition } from '../../log/log.ts'
import { partitionName } from '../../log/log.ts'
import type { Faults } from './faults.ts'

export interface FetchesOptions {
  readonly faults: Faults
  /** Of the process. */
  readonly name: string
  readonly nowMs: () => number
}

/** Fetched, and not handed out yet. */
interface Held {
  readonly untilMs: number
  readonly batches: LogBatch[]
}

/** Of what may come again. */
const maxRemembered = 30
const maxHeldMs = 5000

export class Fetches {
  readonly #options: FetchesOptions
  /** Records that were handed out since the partition was sought; the last ones. */
  readonly #handedOut = new Map<string, LogBatch>()
  readonly #held = new Map<string, Held>()
  readonly #paused = new Set<string>()
  #memberId = ''

  constructor(options: FetchesOptions) {
    this.#options = options
  }

  seek(at: TopicPartition): void {
    this.#forget(partitionName(at))
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.#paused.add(partitionName(at))
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.#paused.delete(partitionName(at))
  }

  /** What the poll hands out that came to this. */
  handOut(result: PollResult): PollResult {
    if (result.kind === 'assigned') {
      this.#keepOnly(result.assignment)
      return result
    }
    const fresh = [...this.#dueOf(this.#options.nowMs()), ...result.batches].filter(batch => {
      return !this.#mayHold(batch)
    })
    return { kind: 'records', batches: fresh.flatMap(batch => this.#mayRepeat(batch)) }
  }

  /** A partition that others had meanwhile is sought anew. */
  #keepOnly({ membership, partitions }: Assignment): void {
    const isSame = membership.memberId === this.#memberId
    this.#memberId = membership.memberId
    if (!isSame) this.#paused.clear()
    const kept = new Set(isSame ? partitions.map(partitionName) : [])
    for (const name of [...this.#handedOut.keys(), ...this.#held.keys()]) {
      if (!kept.has(name)) this.#forget(name)
    }
  }

  #forget(name: string): void {
    this.#handedOut.delete(name)
    this.#held.delete(name)
  }

  #dueOf(nowMs: number): readonly LogBatch[] {
    const due = [...this.#held].filter(([name, { untilMs }]) => {
      const isDue = untilMs <= nowMs || this.#options.faults.isOver
      return isDue && !this.#paused.has(name)
    })
    for (const [name] of due) this.#held.delete(name)
    return due.flatMap(([, { batches }]) => batches)
  }

  #mayHold(batch: LogBatch): boolean {
    const { faults, nowMs } = this.#options
    const name = partitionName(batch)
    const held = this.#held.get(name)
    if (held !== undefined) held.batches.push(batch)
    else if (batch.records.length > 0 && faults.strikes('fetched-late', () => this.#where(batch))) {
      const untilMs = nowMs() + faults.amount('fetched-late', maxHeldMs)
      this.#held.set(name, { untilMs, batches: [batch] })
    }
    return this.#held.has(name)
  }

  /** The batch, and perhaps some of what came before it once more: in front, behind, or within it. */
  #mayRepeat(batch: LogBatch): readonly LogBatch[] {
    const { faults } = this.#options
    const name = partitionName(batch)
    const before = this.#handedOut.get(name)
    const known = [...(before?.records ?? []), ...batch.records].slice(-maxRemembered)
    this.#handedOut.set(name, { ...batch, records: known })
    const isStruck = known.length > 0 && faults.strikes('fetched-again', () => this.#where(batch))
    if (!isStruck) return [batch]
    const how = faults.choose('fetched-again', 4)
    const again = known.slice(faults.choose('fetched-again', known.length))
    if (how === 0) return [batch, { ...batch, records: again }]
    if (how === 1) return [{ ...batch, records: [...batch.records, ...again] }]
    const older = again.filter(record => !batch.records.includes(record))
    if (how === 2 || before === undefined) {
      return [{ ...batch, records: [...older, ...batch.records] }]
    }
    return [{ ...before, records: older }, batch]
  }

  #where(batch: LogBatch): string {
    const [first] = batch.records
    return `${this.#options.name}: ${partitionName(batch)} from ${first?.offset ?? batch.nextOffset}`
  }
}
