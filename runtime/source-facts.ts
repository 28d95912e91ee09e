/** What a source task tells of each commit: counts, and where in the source's log its events were. */
import type { ProducerRecord } from '../log/log.ts'
import type { ChangeEvent } from '../model/change-event.ts'
import type { Position } from '../model/position.ts'
import type { OffsetRange } from '../model/staged-batch.ts'
import type { SourceCommitted, TaskInput, TaskOpened } from './streams-events.ts'

interface Place {
  readonly position: Position | null
  readonly sourceMs: number
}

export class SourceFacts {
  readonly #task: string
  readonly #input: TaskInput
  /** Where the last commit ended. */
  #from: number
  #first: Place | null = null
  /** Of the last event: two fields, because they are set for every event. */
  #lastPosition: Position | null = null
  #lastMs = 0
  events = 0
  repeats = 0
  bad = 0

  constructor(task: string, input: TaskInput, from: number) {
    this.#task = task
    this.#input = input
    this.#from = from
  }

  opened(isNew: boolean): TaskOpened {
    const offset = this.#from
    return { type: 'task-opened', task: this.#task, input: this.#input, offset, isNew }
  }

  accept({ position, sourceMs }: ChangeEvent): void {
    this.#first ??= { position, sourceMs }
    this.#lastPosition = position
    this.#lastMs = sourceMs
  }

  /** What was taken in since the last commit is read again. */
  clear(): void {
    this.#first = null
    this.#lastPosition = null
    this.#lastMs = 0
    this.events = 0
    this.repeats = 0
    this.bad = 0
  }

  /** `offsets` are those of the records that went to the hop, in their order, and of others behind them. */
  committed(
    to: number,
    hop: readonly ProducerRecord[],
    offsets: readonly number[],
  ): SourceCommitted {
    const { events, repeats, bad } = this
    const first = this.#first
    const told: SourceCommitted = {
      type: 'source-committed',
      task: this.#task,
      input: this.#input,
      range: { from: this.#from, to },
      events,
      repeats,
      bad,
      positions: { first: first?.position?.text ?? '', last: this.#lastPosition?.text ?? '' },
      sourceMs: { first: first?.sourceMs ?? 0, last: this.#lastMs },
      hop: rangesOf(hop, offsets),
    }
    this.#from = to
    this.clear()
    return told
  }
}

function rangesOf(
  records: readonly ProducerRecord[],
  offsets: readonly number[],
): ReadonlyMap<number, OffsetRange> {
  const ranges = new Map<number, OffsetRange>()
  for (const [index, { partition }] of records.entries()) {
    const offset = offsets[index]!
    const from = ranges.get(partition)?.from ?? offset
    ranges.set(partition, { from, to: offset + 1 })
  }
  return ranges
}
