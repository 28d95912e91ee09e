/**
 * The way of a source task's events: they are collected, sent through the chain together, keyed at its end
 * and handed on, all of a batch or none. An event that fails is found by sending them one by one.
 */
import type { ChangeEvent, EventBatch } from '../model/change-event.ts'
import { judgedEvent } from '../model/encoded-event.ts'
import { isDataError } from '../model/errors.ts'
import type { HopChange } from '../model/hop-frame.ts'
import type { Pipeline } from '../topology/topology.ts'
import type { BadMessages } from './bad-messages.ts'
import { Chain } from './chain.ts'
import { hopChangeOf } from './hop-change.ts'
import type { TaskContext } from './task.ts'

/** Events that go through the chain at once. */
const eventsAtOnce = 500

export interface KeyedChainOptions {
  readonly context: TaskContext
  readonly task: string
  readonly pipeline: Pipeline
  readonly bad: BadMessages
  readonly onChange: (change: HopChange) => void
  /** Passes the event's message as bad. */
  readonly onBad: (event: ChangeEvent, error: unknown) => void
}

export class KeyedChain {
  readonly #options: KeyedChainOptions
  readonly #chain: Chain
  #events: ChangeEvent[] = []
  /** What came to the end of the chain, until the push that brought it is whole. */
  #collected: HopChange[] = []

  constructor(options: KeyedChainOptions) {
    this.#options = options
    const { context, task, pipeline } = options
    const { logger, metrics } = context
    this.#chain = new Chain(pipeline.transforms, { task, logger, metrics }, batch =>
      this.#collect(batch),
    )
  }

  /** It goes on with the next push. */
  add(event: ChangeEvent): void {
    this.#events.push(event)
  }

  /** As many wait as go through the chain at once. */
  get isFull(): boolean {
    return this.#events.length >= eventsAtOnce
  }

  /** Sends what was added through the chain. */
  push(): void {
    const events = this.#events
    this.#events = []
    if (events.length === 0) return
    try {
      this.#push(events)
    } catch (error) {
      const { onError } = this.#options.pipeline.source
      if (!isDataError(error) || onError === 'fail') throw error
      for (const event of events) this.#pushOne(event)
    }
  }

  /** The same, and what operators hold back. Before a commit. */
  complete(): void {
    this.push()
    try {
      this.#chain.complete()
    } finally {
      this.#handOn()
    }
  }

  /** Behind all that was added. Null when it ends on the way. */
  truncate(event: ChangeEvent): ChangeEvent | null {
    this.complete()
    return this.#chain.truncate(event)
  }

  /** Lets go of what was added, and of what operators hold. */
  reset(): void {
    this.#events = []
    this.#chain.reset()
  }

  close(): void {
    this.#chain.close()
  }

  /** All of them are handed on, or none. */
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
    this.#handOn()
  }

  #pushOne(event: ChangeEvent): void {
    const { bad, onBad } = this.#options
    // One before it may have been passed just now.
    const isInDoubt = event.isInDoubt || bad.isDoubtful(event.table)
    try {
      this.#push([judgedEvent(event, isInDoubt)])
    } catch (error) {
      onBad(event, error)
    }
  }

  /** The end of the chain: keys the events. */
  #collect(batch: EventBatch): void {
    const { source, warehouse } = this.#options.pipeline
    const isByPosition = source.ordering === 'position'
    for (const event of batch) {
      this.#collected.push(hopChangeOf(event, warehouse.sink, isByPosition))
    }
  }

  #handOn(): void {
    const collected = this.#collected
    this.#collected = []
    for (const change of collected) this.#options.onChange(change)
  }
}
