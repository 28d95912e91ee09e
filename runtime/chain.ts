/**
 * The chain of a task: its transforms as one RxJS pipeline over batches. This class owns every
 * `subscribe` of the code base, because RxJS alone would lose events here: an error inside a
 * subscriber does not reach the caller, values after an operator's error are dropped in silence, and
 * an operator may hold values back, end early or emit later. So: a failure is kept and thrown from
 * `push`, the pipeline is completed and built anew at every commit, and an operator that ends early or
 * is not synchronous is refused by its node's name.
 */
import type { Observable } from 'rxjs'
import { Subject, Subscription, tap } from 'rxjs'
import type { ChangeEvent, EventBatch } from '../model/change-event.ts'
import { ForagerError, ProcessingError, TopologyError } from '../model/errors.ts'
import type { SourceTable } from '../model/source-table.ts'
import type { ProcessorContext } from '../processors/processor.ts'
import type { Transform, TransformNode } from '../topology/nodes.ts'

type NodeContext = Omit<ProcessorContext, 'forward'>

interface LiveNode {
  readonly name: string
  readonly transform: Transform
  isComplete: boolean
}

export class Chain {
  readonly #nodes: readonly TransformNode[]
  readonly #context: NodeContext
  readonly #onBatch: (batch: EventBatch) => void
  #live: readonly LiveNode[] = []
  #input = new Subject<EventBatch>()
  #subscription = Subscription.EMPTY
  #failure: { readonly error: unknown } | null = null
  #state: 'idle' | 'pushing' | 'completing' = 'idle'

  constructor(
    nodes: readonly TransformNode[],
    context: NodeContext,
    onBatch: (batch: EventBatch) => void,
  ) {
    this.#nodes = nodes
    this.#context = context
    this.#onBatch = onBatch
    this.#build()
  }

  /** Runs the batch through to its end. Throws what a node or the end of the chain threw. */
  push(batch: EventBatch): void {
    this.#throwFailure()
    this.#state = 'pushing'
    this.#input.next(batch)
    this.#state = 'idle'
    this.#throwFailure()
  }

  /** Lets go of what operators hold back, and starts anew. Before every commit. */
  complete(): void {
    this.#throwFailure()
    this.#state = 'completing'
    this.#input.complete()
    this.#state = 'idle'
    this.#throwFailure()
    const late = this.#live.find(node => !node.isComplete)
    if (late !== undefined) throw asynchronous(late.name)
    this.reset()
  }

  /** Drops what operators hold, and a failure with it. */
  reset(): void {
    for (const { transform } of this.#live) transform.close?.()
    // Timers of an operator that waits must not reach the new pipeline, nor keep the process alive.
    this.#subscription.unsubscribe()
    this.#failure = null
    this.#build()
  }

  /** A truncate's way: around the operators. Null when it ends on the way. */
  truncate(event: ChangeEvent): ChangeEvent | null {
    return this.#live.reduce<ChangeEvent | null>((passed, { transform }) => {
      if (passed === null || transform.truncate === undefined) return passed
      return transform.truncate(passed)
    }, event)
  }

  /** The same of a whole table. */
  table(given: SourceTable): SourceTable | null {
    let passed: SourceTable | null = given
    for (const { transform } of this.#live) {
      if (passed === null) return null
      const unknown: SourceTable = { name: passed.name, schema: null, isShared: passed.isShared }
      passed = transform.table === undefined ? unknown : transform.table(passed)
    }
    return passed
  }

  close(): void {
    for (const { transform } of this.#live) transform.close?.()
    this.#subscription.unsubscribe()
    this.#live = []
  }

  #build(): void {
    this.#input = new Subject<EventBatch>()
    this.#live = this.#nodes.map(({ name, supply }) => {
      return { name, transform: supply(this.#context), isComplete: false }
    })
    const watched = this.#live.reduce<Observable<EventBatch>>(
      (stream, node) => stream.pipe(node.transform.operator, this.#watch(node)),
      this.#input,
    )
    this.#subscription = watched.subscribe({
      next: batch => this.#deliver(batch),
      error: (error: unknown) => this.#fail(error),
    })
  }

  /** Sees a node emit or end at the wrong time, and which one it was that threw. */
  #watch(node: LiveNode) {
    return tap<EventBatch>({
      next: () => {
        if (this.#state === 'idle') this.#fail(asynchronous(node.name))
      },
      complete: () => {
        node.isComplete = true
        if (this.#state !== 'completing') this.#fail(endedEarly(node.name))
      },
      error: (error: unknown) => this.#fail(ofNode(node.name, error)),
    })
  }

  #deliver(batch: EventBatch): void {
    if (this.#failure !== null || batch.length === 0) return
    try {
      this.#onBatch(batch)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** The first failure is the cause of the others. */
  #fail(error: unknown): void {
    this.#failure ??= { error }
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error
  }
}

/** What a user's operator throws knows nothing of its node. */
function ofNode(node: string, error: unknown): unknown {
  if (error instanceof ForagerError) return error
  return new ProcessingError('processor-failed', `"${node}" failed: ${String(error)}`, {
    context: { node },
    cause: error,
  })
}

function asynchronous(node: string): TopologyError {
  return new TopologyError(
    'chain-asynchronous',
    `the operators of "${node}" emit or complete later than the events that they were given`,
    { context: { node } },
  )
}

function endedEarly(node: string): TopologyError {
  return new TopologyError('chain-ended-early', `the operators of "${node}" ended their stream`, {
    context: { node },
  })
}
