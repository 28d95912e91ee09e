/**
 * The log of one process: a client of the simulation's brokers. Each request is a step of its own, so that
 * whatever others do may come between two of them, and between a request and its answer.
 */
import { EmbeddedConsumer } from '../../log/embedded-consumer.ts'
import type {
  CommittedOffset,
  ConsumerOptions,
  Log,
  LogBatch,
  LogConsumer,
  LogProducer,
  PollResult,
  TopicInfo,
  TopicPartition,
  TopicSpec,
  Transaction,
} from '../../log/log.ts'
import { partitionName } from '../../log/log.ts'
import { ForagerError, InvariantError, SourceError, StateError } from '../../model/errors.ts'
import type { Broker } from './broker.ts'
import type { Faults } from './faults.ts'
import { Fetches } from './fetches.ts'
import type { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'

export interface SimulatedLogOptions {
  readonly broker: Broker
  readonly process: Process
  readonly scheduler: Scheduler
  readonly faults: Faults
}

/** What is not decided or not marked is asked for again, ever less often. */
const firstAskMs = 20
const lastAskMs = 2000
/** Of a transaction that its owner does not end. */
const transactionTimeoutMs = 60_000
/** Of heartbeats, and of answers to them. */
const maxDeafMs = 8000
const nowhere = { start: 0, end: 0 }
/** A request that its sender does not wait for any more arrives within this. */
const maxLateMs = 5000

export class SimulatedLog implements Log {
  readonly #options: SimulatedLogOptions
  readonly #broker: Broker

  constructor(options: SimulatedLogOptions) {
    this.#options = options
    this.#broker = options.broker
  }

  topics(): Promise<readonly TopicInfo[]> {
    return this.#ask('list topics', () => this.#broker.topics())
  }

  createTopic(spec: TopicSpec): Promise<void> {
    return this.#ask(`create ${spec.name}`, () => this.#broker.createTopic(spec))
  }

  offsets(at: TopicPartition): Promise<{ readonly start: number; readonly end: number }> {
    return this.#ask(`offsets of ${partitionName(at)}`, () => this.#broker.offsets(at))
  }

  async offsetOfTime(at: TopicPartition, timeMs: number): Promise<number> {
    const { start, end } = await this.offsets(at)
    const { records } = this.#broker.read(at, start, Infinity)
    return records.find(({ timestampMs }) => timestampMs >= timeMs)?.offset ?? end
  }

  async decidedEnd(at: TopicPartition): Promise<number> {
    const name = partitionName(at)
    const written = await this.#ask(`end of ${name}`, () => this.#broker.writtenEnd(at))
    await waitUntil(this.#options.process, () => this.#broker.offsets(at).end >= written)
    return this.#broker.offsets(at).end
  }

  read(at: TopicPartition, offset: number, maxBytes: number): Promise<LogBatch> {
    return this.#ask(`read ${partitionName(at)} from ${offset}`, () =>
      this.#broker.read(at, offset, maxBytes),
    )
  }

  async committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedOffset | null)[]> {
    const names = partitions.map(partitionName).join(' ')
    const ask = () => partitions.map(at => this.#broker.committed(group, at))
    let found = await this.#ask(`committed offset of ${names}`, ask)
    await waitUntil(this.#options.process, () => {
      found = ask()
      return !found.includes(undefined)
    })
    return found.map(one => one ?? null)
  }

  async openProducer(id: string): Promise<LogProducer> {
    const epoch = await this.#ask(`open ${id}`, () => this.#broker.initId(id))
    await waitUntil(this.#options.process, () => this.#broker.isIdComplete(id))
    return new Producer(this.#options, id, epoch)
  }

  async openConsumer(options: ConsumerOptions): Promise<LogConsumer> {
    const { process } = this.#options
    return await this.#ask(
      'join the group',
      () => new Consumer(this.#options, this, process, options),
    )
  }

  deleteRecords(at: TopicPartition, before: number): Promise<void> {
    return this.#ask(`delete records of ${partitionName(at)} below ${before}`, () =>
      this.#broker.deleteRecords(at, before),
    )
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #ask<T>(what: string, effect: () => T): Promise<T> {
    return this.#options.process.call('log', what, effect)
  }
}

async function waitUntil({ clock }: Process, isTrue: () => boolean): Promise<void> {
  for (let waitMs = firstAskMs; !isTrue(); waitMs = Math.min(waitMs * 2, lastAskMs)) {
    await clock.sleep(waitMs)
  }
}

/** A member of a group, which polls in a step. */
class Consumer implements LogConsumer {
  readonly #options: SimulatedLogOptions
  readonly #inner: EmbeddedConsumer
  readonly #fetches: Fetches
  /** Of the topics of partitions that were read since they were sought. */
  readonly #topicIds = new Map<string, string | null>()
  readonly #process: Process
  /** Until then it hears nothing of its group. */
  #deafUntilMs = 0

  constructor(
    given: SimulatedLogOptions,
    log: SimulatedLog,
    process: Process,
    options: ConsumerOptions,
  ) {
    this.#options = given
    this.#process = process
    const { broker, faults, scheduler } = given
    const { coordinator } = broker
    this.#fetches = new Fetches({ faults, name: process.name, nowMs: () => scheduler.nowMs })
    this.#inner = new EmbeddedConsumer({
      ...options,
      log: {
        // A client waits for a topic that is gone: it may only be new.
        currentOffsets: at => (broker.topicId(at.topic) === null ? nowhere : broker.offsets(at)),
        onCommit: callback => broker.onNews(callback),
        read: (at, offset, maxBytes) => {
          this.#pin(at, offset)
          return log.read(at, offset, maxBytes)
        },
      },
      coordinator: {
        changeTopics: (group, id, topics) => coordinator.changeTopics(group, id, topics),
        isMember: (group, id) => this.#isDeaf || coordinator.isMember(group, id),
        leave: (group, id) => coordinator.leave(group, id),
        takeAssignment: (group, id) =>
          this.#isDeaf ? null : coordinator.takeAssignment(group, id),
        join: (group, member, onChange) => {
          coordinator.join(group, member, () => this.#hear(onChange))
          process.onSessionEnd = () => {
            coordinator.leave(group, member.id)
            this.#hear(onChange)
          }
        },
      },
      clock: process.clock,
      random: process.random,
      isSkewed: true,
    })
  }

  /** An offset means nothing in a topic that was made anew. */
  #pin(at: TopicPartition, offset: number): void {
    const name = partitionName(at)
    const id = this.#options.broker.topicId(at.topic)
    const known = this.#topicIds.get(name) ?? id
    this.#topicIds.set(name, known)
    if (known === id) return
    throw new SourceError('source-replaced', 'the topic was made anew while it was read', {
      context: { ...at, offset },
    })
  }

  get #isDeaf(): boolean {
    return this.#options.scheduler.nowMs < this.#deafUntilMs
  }

  /** The group has changed. A member that is told late reads on, and whatever it commits is refused. */
  #hear(onChange: () => void): void {
    const { faults, scheduler, process } = this.#options
    if (process.isGone) return
    if (!this.#isDeaf && faults.strikes('late-assignment', () => `${process.name} is not told`)) {
      this.#deafUntilMs = scheduler.nowMs + faults.amount('late-assignment', maxDeafMs)
    }
    if (this.#isDeaf) scheduler.at(this.#deafUntilMs, onChange)
    else onChange()
  }

  async poll(options: { maxWaitMs: number; maxBytes: number }): Promise<PollResult> {
    return await this.#process.call('log', 'poll', async () =>
      this.#fetches.handOut(await this.#inner.poll(options)),
    )
  }

  seek(at: TopicPartition, offset: number): void {
    this.#fetches.seek(at)
    this.#topicIds.delete(partitionName(at))
    this.#inner.seek(at, offset)
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#fetches.pause(partitions)
    this.#inner.pause(partitions)
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#fetches.resume(partitions)
    this.#inner.resume(partitions)
  }

  changeTopics(topics: readonly string[]): void {
    this.#inner.changeTopics(topics)
  }

  wakeup(): void {
    this.#inner.wakeup()
  }

  close(): Promise<void> {
    return this.#process.call('log', 'leave the group', () => this.#inner.close())
  }
}

class Producer implements LogProducer {
  readonly #options: SimulatedLogOptions
  readonly #id: string
  readonly #epoch: number
  #underWay: Promise<unknown> = Promise.resolve()
  #isVoid = false

  constructor(options: SimulatedLogOptions, id: string, epoch: number) {
    this.#options = options
    this.#id = id
    this.#epoch = epoch
  }

  commit(transaction: Transaction): Promise<readonly number[]> {
    const decided = this.#underWay.then(() => this.#commit(transaction))
    this.#underWay = decided.catch(() => undefined)
    return decided
  }

  close(): Promise<void> {
    this.#isVoid = true
    return Promise.resolve()
  }

  async #commit({ records, offsets, group }: Transaction): Promise<readonly number[]> {
    const { broker, process } = this.#options
    if (this.#isVoid) throw this.#fenced('the id is void since its last transaction')
    // Brokers refuse a transaction whose predecessor has no markers yet; clients ask again.
    await waitUntil(process, () => broker.isIdComplete(this.#id))
    let isDecided = false
    try {
      const written = await process.call(
        'log',
        `send ${records.length} records of ${this.#id}`,
        () => this.#begun(() => broker.append(this.#id, this.#epoch, records)),
      )
      if (offsets.length > 0 || records.length === 0) {
        const told = offsets.map(at => `${partitionName(at)} ${at.offset}`).join(' ')
        await process.call('log', `send offsets of ${this.#id}: ${told}`, () =>
          this.#begun(() => broker.addOffsets(this.#id, this.#epoch, offsets, group)),
        )
      }
      isDecided = true
      await this.#end()
      return written
    } catch (error) {
      this.#isVoid = true
      if (!(error instanceof ForagerError) || error instanceof InvariantError) throw error
      if (!isDecided) await this.#abort()
      throw error.code === 'task-fenced' ? error : this.#fenced(error.message)
    }
  }

  /** The coordinator ends what nobody ends for a minute. */
  #begun<T>(effect: () => T): T {
    const { broker, scheduler } = this.#options
    const before = broker.currentOf(this.#id)
    const result = effect()
    const current = broker.currentOf(this.#id)
    if (current !== null && current !== before) {
      scheduler.at(scheduler.nowMs + transactionTimeoutMs, () => broker.expire(current))
    }
    return result
  }

  async #end(): Promise<void> {
    const { broker, process, scheduler, faults } = this.#options
    const what = `commit ${this.#id}`
    const isLost = faults.strikes('lost-answer', () => `${process.name}: ${what}`)
    const commit = (): void => broker.end(this.#id, this.#epoch, true)
    await process.call('log', what, () => {
      if (!isLost) {
        commit()
        return
      }
      // It arrives, it arrives late, or it never does.
      const how = faults.choose('lost-answer', 3)
      if (how === 0) commit()
      else if (how === 1) {
        const transaction = broker.currentOf(this.#id)
        const arriveMs = scheduler.nowMs + faults.amount('lost-answer', maxLateMs)
        scheduler.at(arriveMs, () => {
          if (broker.currentOf(this.#id) === transaction && transaction?.state === 'open') commit()
        })
      }
      throw this.#fenced('whether it was committed is not known')
    })
  }

  async #abort(): Promise<void> {
    const { broker, process } = this.#options
    try {
      await process.call('log', `abort ${this.#id}`, () => broker.end(this.#id, this.#epoch, false))
    } catch (error) {
      if (!(error instanceof ForagerError)) throw error
    }
  }

  #fenced(reason: string): StateError {
    return new StateError('task-fenced', `the transaction of ${this.#id} ended: ${reason}`)
  }
}
