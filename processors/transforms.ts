/**
 * The nodes between a source and its hop, as operators over batches of events: built-in ones are plain
 * functions over the batch, a user's own operators see single events. A truncate has no row: it goes
 * around them, and only routing has a word in it (`Transform.truncate`).
 */
import type { OperatorFunction } from 'rxjs'
import { concatMap, map } from 'rxjs'
import type { ChangeEvent, EventBatch } from '../model/change-event.ts'
import { ForagerError, ProcessingError } from '../model/errors.ts'
import type { Processor, ProcessorContext, ProcessorSupplier } from './processor.ts'
import type { TableRouter } from './route-tables.ts'

type BatchOperator = OperatorFunction<EventBatch, EventBatch>
type NodeContext = Omit<ProcessorContext, 'forward'>

export function filterEvents(
  name: string,
  predicate: (event: ChangeEvent) => boolean,
): BatchOperator {
  return map(batch => batch.filter(event => attempt(name, event, () => predicate(event))))
}

export function mapEvents(
  name: string,
  change: (event: ChangeEvent) => ChangeEvent,
): BatchOperator {
  return map(batch => batch.map(event => attempt(name, event, () => change(event))))
}

export function processEvents(
  name: string,
  supplier: ProcessorSupplier,
  context: NodeContext,
): { operator: BatchOperator; close: () => void } {
  const processor: Processor = supplier()
  let forwarded: ChangeEvent[] = []
  processor.init?.({ ...context, forward: event => void forwarded.push(event) })
  const operator = map((batch: EventBatch): EventBatch => {
    forwarded = []
    for (const event of batch) attempt(name, event, () => processor.process(event))
    return forwarded
  })
  return { operator, close: () => processor.close?.() }
}

/** Sends single events through the user's operators. */
export function pipeEvents(
  operators: readonly OperatorFunction<ChangeEvent, ChangeEvent>[],
): BatchOperator {
  return batches =>
    operators
      .reduce((stream, operator) => stream.pipe(operator), batches.pipe(concatMap(batch => batch)))
      .pipe(map(event => [event]))
}

/** Sends tables to their targets; those that nobody wants or that have no key end here, counted. */
export function routeEvents(
  router: TableRouter,
  { metrics, logger }: NodeContext,
): { operator: BatchOperator; truncate: (event: ChangeEvent) => ChangeEvent | null } {
  const route = (event: ChangeEvent): ChangeEvent | null => {
    const { table } = event
    const target = router.targetOf(table)
    if (target === null) {
      metrics.count('forager_events_unrouted_total', 1, { table })
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
  }
}

const refusal = 'it has no primary key: name its key columns with `key`'

function attempt<T>(name: string, event: ChangeEvent, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof ForagerError) throw error
    throw new ProcessingError('processor-failed', `"${name}" failed: ${String(error)}`, {
      context: { ...event.origin, table: event.table, node: name },
      cause: error,
    })
  }
}
