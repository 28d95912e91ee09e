/**
 * The nodes between a source and its hop, as operators over batches of events: built-in ones are plain
 * functions over the batch, a user's own operators see single events. A truncate has no row: it goes
 * around them, and only routing has a word in it (`Transform.truncate`).
 */
import type { OperatorFunction } from 'rxjs'
import { concatMap, map, tap } from 'rxjs'
import type { ChangeEvent, EventBatch } from '../model/change-event.ts'
import { plainEvent } from '../model/encoded-event.ts'
import { ForagerError, ProcessingError, TopologyError } from '../model/errors.ts'
import type { SourceTable } from '../model/source-table.ts'
import { checkValues } from './check-values.ts'
import type { Processor, ProcessorContext, ProcessorSupplier } from './processor.ts'
import type { TableRouter } from './route-tables.ts'

type BatchOperator = OperatorFunction<EventBatch, EventBatch>
type NodeContext = Omit<ProcessorContext, 'forward'>

export function filterEvents(
  name: string,
  predicate: (event: ChangeEvent) => boolean,
): BatchOperator {
  return map(batch =>
    batch.map(plainEvent).filter(event => attempt(name, event, () => predicate(event))),
  )
}

export function mapEvents(
  name: string,
  change: (event: ChangeEvent) => ChangeEvent,
): BatchOperator {
  return map(batch =>
    batch.map(plainEvent).map(event => attempt(name, event, () => changed(name, event, change))),
  )
}

/** A truncate goes around `map`, and repeats are judged before it: table and key must stay. */
function changed(
  name: string,
  event: ChangeEvent,
  change: (event: ChangeEvent) => ChangeEvent,
): ChangeEvent {
  const result = change(event)
  if (result.table === event.table && result.key === event.key) {
    checkValues(name, result, event)
    return result
  }
  throw new TopologyError(
    'topology-invalid',
    'a map changed the table or the key of an event: tables are renamed with `route`, and a key is ' +
      'configured where the events are read',
    { context: { ...event.origin, table: event.table } },
  )
}

export function processEvents(
  name: string,
  supplier: ProcessorSupplier,
  context: NodeContext,
): { operator: BatchOperator; close: () => void } {
  const processor: Processor = supplier()
  let forwarded: ChangeEvent[] | null = null
  let given: ChangeEvent | null = null
  const forward = (event: ChangeEvent): void => {
    if (forwarded === null) throw forwardedLate(name)
    checkValues(name, event, given)
    forwarded.push(event)
  }
  processor.init?.({ ...context, forward })
  const operator = map((batch: EventBatch): EventBatch => {
    const collected: ChangeEvent[] = []
    forwarded = collected
    try {
      for (const event of batch.map(plainEvent)) {
        given = event
        attempt(name, event, () => processor.process(event))
      }
    } finally {
      forwarded = null
      given = null
    }
    return collected
  })
  return { operator, close: () => processor.close?.() }
}

/** What is forwarded later would be lost: its batch has gone on, and may be committed. */
function forwardedLate(node: string): TopologyError {
  return new TopologyError(
    'chain-asynchronous',
    `"${node}" forwarded an event outside of its process method`,
    { context: { node } },
  )
}

/** Sends single events through the user's operators. */
export function pipeEvents(
  name: string,
  operators: readonly OperatorFunction<ChangeEvent, ChangeEvent>[],
): BatchOperator {
  return batches => {
    // Operators may hold events back: those that come out as they went in are known by themselves.
    const given = new WeakSet<ChangeEvent>()
    const events = batches.pipe(
      concatMap(batch => batch.map(plainEvent)),
      tap(event => given.add(event)),
    )
    return operators
      .reduce((stream, operator) => stream.pipe(operator), events)
      .pipe(
        map(event => {
          if (!given.has(event)) checkValues(name, event, null)
          return [event]
        }),
      )
  }
}

/** Sends tables to their targets; those that nobody wants or that have no key end here, counted. */
export function routeEvents(
  router: TableRouter,
  { metrics, logger }: NodeContext,
): {
  operator: BatchOperator
  truncate: (event: ChangeEvent) => ChangeEvent | null
  table: (given: SourceTable) => SourceTable | null
} {
  const route = (event: ChangeEvent): ChangeEvent | null => {
    const { table } = event
    const target = router.targetOf(table)
    if (target === null) {
      metrics.count('forager_events_unrouted_total', 1, { table: router.labelOf(table) })
      return null
    }
    const routed = router.route(event, target)
    if (routed !== null) return routed
    metrics.count('forager_events_refused_total', 1, { table })
    if (router.refuse(table)) logger.warn('table.refused', { table, reason: refusal })
    return null
  }
  return {
    operator: map(batch => batch.flatMap(event => route(event) ?? [])),
    truncate: route,
    table: given => router.routeTable(given),
  }
}

const refusal = 'it has no primary key: name its key columns with `key`'

function attempt<T>(name: string, event: ChangeEvent, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof ForagerError) throw error.at({ node: name })
    throw new ProcessingError('processor-failed', `"${name}" failed: ${String(error)}`, {
      context: { ...event.origin, table: event.table, node: name },
      cause: error,
    })
  }
}
