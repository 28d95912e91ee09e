/** What a source task tells of runs of repeats. */
import type { TopicPartition } from '../log/log.ts'
import type { ChangeEvent } from '../model/change-event.ts'
import type { RepeatRun } from '../processors/drop-repeats.ts'
import type { TaskContext } from './task.ts'

/** The run ended with the event, which proved it; null: the event alone was one. */
export function reportDropped(
  { emit, logger }: TaskContext,
  task: { readonly id: string; readonly input: TopicPartition },
  event: ChangeEvent,
  run: RepeatRun | null,
): void {
  const count = (run?.count ?? 0) + 1
  const to = event.position?.text ?? ''
  const from = run?.fromPosition ?? to
  emit({ type: 'repeats-dropped', task: task.id, count, from, to })
  logger.info('repeats.dropped', { ...task.input, count, from, to })
}

/** Nothing more comes, and the run is not proven. */
export function reportUnproven(
  { logger }: TaskContext,
  input: TopicPartition,
  { fromOffset: offset, fromPosition, count }: RepeatRun,
): void {
  logger.warn('repeats.unproven', {
    ...input,
    offset,
    position: fromPosition,
    count,
    advice: 'they are read again until the end of the repeat comes, or the source log restarts',
  })
}
