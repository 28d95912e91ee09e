/**
 * A processor of one's own: three methods, as in Kafka Streams. A supplier makes one for each task, so
 * that what it keeps is a task's alone. What it keeps in fields is gone after a crash; it must be
 * possible to do without.
 */
import type { ChangeEvent } from '../model/change-event.ts'
import type { Logger } from '../observe/logger.ts'
import type { Metrics } from '../observe/metrics.ts'

export interface ProcessorContext {
  /** Sends an event on. Only while `process` runs. */
  forward(event: ChangeEvent): void
  /** `0_shop.public.orders-3`: sub-topology, topic and partition. */
  readonly task: string
  readonly logger: Logger
  readonly metrics: Metrics
}

export interface Processor {
  init?(context: ProcessorContext): void
  process(event: ChangeEvent): void
  close?(): void
}

export type ProcessorSupplier = () => Processor
