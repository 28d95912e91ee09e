/** A member of a group of the embedded log: positions, pausing, and polling with a wait. */
import { assert } from '../model/errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Random } from '../runtime/random.ts'
import type { EmbeddedLog } from './embedded-log.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import type { ConsumerOptions, LogBatch, LogConsumer, PollResult, TopicPartition } from './log.ts'
import { partitionName } from './log.ts'

export interface EmbeddedConsumerOptions {
  readonly group: string
  readonly topics: readonly string[]
  readonly setOf?: ConsumerOptions['setOf']
  readonly log: Pick<EmbeddedLog, 'currentOffsets' | 'onCommit' | 'read'>
  readonly coordinator: Pick<
    GroupCoordinator,
    'changeTopics' | 'isMember' | 'join' | 'leave' | 'takeAssignment'
  >
  readonly clock: Clock
  readonly random: Random
  readonly isSkewed: boolean
}

/** Why a wait ends; without one each abort makes an exception with its stack. */
const woken = 'woken'

export class EmbeddedConsumer implements LogConsumer {
  readonly #options: EmbeddedConsumerOptions
  readonly #positions = new Map<string, TopicPartition & { offset: number }>()
  readonly #paused = new Set<string>()
  #topics: readonly string[]
  #memberId: string
  #wake: (() => void) | null = null
  #isWoken = false
  #isClosed = false

  constructor(options: EmbeddedConsumerOptions) {
    this.#options = options
    this.#topics = options.topics
    this.#memberId = this.#join()
  }

  async poll(options: { maxWaitMs: number; maxBytes: number }): Promise<PollResult> {
    assert(!this.#isClosed, 'a consumer polls after it was closed')
    // Before the first look: what is committed between looking and waiting must end the wait.
    const forget = this.#options.log.onCommit(() => this.wakeup())
    try {
      const first = await this.#pollOnce(options.maxBytes)
      const isEmpty = first.kind === 'records' && first.batches.length === 0
      if (!isEmpty || options.maxWaitMs <= 0) return first
      await this.#wait(options.maxWaitMs)
      return await this.#pollOnce(options.maxBytes)
    } finally {
      this.#isWoken = false
      forget()
    }
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#positions.set(partitionName(partition), { ...partition, offset })
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#paused.add(partitionName(partition))
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#paused.delete(partitionName(partition))
  }

  changeTopics(topics: readonly string[]): void {
    const { coordinator, group } = this.#options
    this.#topics = topics
    coordinator.changeTopics(group, this.#memberId, topics)
  }

  wakeup(): void {
    this.#isWoken = true
    this.#wake?.()
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#options.coordinator.leave(this.#options.group, this.#memberId)
    this.wakeup()
    return Promise.resolve()
  }

  #join(): string {
    const { coordinator, group, setOf, random } = this.#options
    const topics = this.#topics
    const memberId = random.id()
    coordinator.join(group, { id: memberId, topics, setOf }, () => this.wakeup())
    return memberId
  }

  async #pollOnce(maxBytes: number): Promise<PollResult> {
    if (this.#isClosed) return { kind: 'records', batches: [] }
    const { coordinator, group, log } = this.#options
    if (!coordinator.isMember(group, this.#memberId)) {
      // The group gave up on it: it comes back as another member, and keeps nothing of before.
      this.#positions.clear()
      this.#paused.clear()
      this.#memberId = this.#join()
    }
    const assignment = coordinator.takeAssignment(group, this.#memberId)
    if (assignment !== null) {
      const kept = new Set(assignment.partitions.map(partitionName))
      for (const name of this.#positions.keys()) if (!kept.has(name)) this.#positions.delete(name)
      return { kind: 'assigned', assignment }
    }
    const ready = this.#order().filter(({ offset, ...partition }) => {
      return offset < log.currentOffsets(partition).end
    })
    const batches: LogBatch[] = []
    for (const { offset, ...partition } of ready) {
      batches.push(await log.read(partition, offset, Math.ceil(maxBytes / ready.length)))
    }
    // Not before: what is read beside a partition that cannot be read is read again.
    for (const { topic, partition, nextOffset } of batches) {
      this.seek({ topic, partition }, nextOffset)
    }
    return { kind: 'records', batches }
  }

  /** Positions that are not paused; skewed: a random few of them, so that some lag far behind. */
  #order(): (TopicPartition & { offset: number })[] {
    const open = [...this.#positions].filter(([name]) => !this.#paused.has(name))
    const positions = open.map(([, position]) => position)
    if (!this.#options.isSkewed || positions.length < 2) return positions
    const { random } = this.#options
    const shuffled = positions
      .map(position => ({ position, rank: random.next() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ position }) => position)
    // A partition that has nothing to read must not stand for the one that has.
    const { log } = this.#options
    const ready = shuffled.filter(({ offset, ...at }) => offset < log.currentOffsets(at).end)
    return ready.slice(0, 1 + Math.floor(random.next() ** 3 * ready.length))
  }

  async #wait(milliseconds: number): Promise<void> {
    if (this.#isWoken) return
    const controller = new AbortController()
    this.#wake = () => controller.abort(woken)
    await this.#options.clock.sleep(milliseconds, controller.signal)
    this.#wake = null
  }
}
