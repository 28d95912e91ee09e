/**
 * The way of a source task's events: they are collected, sent through the chain together, keyed at its end
 * and handed on, all of a batch or none. A change that fails is found by sending them one by one.
 */
import type { ChangeEvent, EventBatch } from '../model/change-event.ts'
import { isSamePlace } from '../model/change-event.ts'
import { judgedEvent } from '../model/encoded-event.ts'
import { isDataError } from '../model/errors.ts'
import type { HopChange } from '../model/hop-frame.ts'
import type { SourceTable } from '../model/source-table.ts'
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
      for (const whole of wholeChanges(events)) this.#pushWhole(whole)
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

  /** The way of a whole table, which has no place among the events. Null when it ends on the way. */
  table(given: SourceTable): SourceTable | null {
    return this.#chain.table(given)
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

  #pushWhole(events: EventBatch): void {
    const { bad, onBad } = this.#options
    // One before it may have been passed just now.
    const judged = events.map(event => {
      return judgedEvent(event, event.isInDoubt || bad.isDoubtful(event.table))
    })
    try {
      this.#push(judged)
    } catch (error) {
      onBad(judged[0]!, error)
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

/** The events one by one; both halves of a changed key that came in one message together. */
function* wholeChanges(events: EventBatch): Generator<EventBatch> {
  for (let index = 0; index < events.length; index += 1) {
    const event = events[index]!
    const next = events[index + 1]
    if (next === undefined || !areHalves(event, next)) {
      yield [event]
      continue
    }
    yield [event, next]
    index += 1
  }
}

/** Else the delete of the old key would stay, and the row be lost. */
function areHalves(first: ChangeEvent, second: ChangeEvent): boolean {
  return first.op === 'd' && second.oldKey !== null && isSamePlace(first.origin, second.origin)
}
