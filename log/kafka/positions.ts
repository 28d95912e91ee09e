/** Where a reader is in each of its partitions, in the order in which they are served, and which rest. */
import type { TopicPartition } from '../log.ts'
import { partitionName } from '../log.ts'
import { failedOffset } from './fetch.ts'

export class Positions<P extends TopicPartition> {
  readonly #positions = new Map<string, P>()
  readonly #paused = new Set<string>()
  /** The offset that is asked for next. */
  readonly #offsetOf: (position: P) => number

  constructor(offsetOf: (position: P) => number) {
    this.#offsetOf = offsetOf
  }

  /** Instead of the one before, at its place. */
  set(position: P): void {
    this.#positions.set(partitionName(position), position)
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#paused.add(partitionName(partition))
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#paused.delete(partitionName(partition))
  }

  /** As `PartitionReader` has it. */
  keep(names: ReadonlySet<string> | null): void {
    if (names === null) this.#paused.clear()
    for (const name of this.#positions.keys()) {
      if (names?.has(name) !== true) this.#positions.delete(name)
    }
  }

  all(): Iterable<P> {
    return this.#positions.values()
  }

  /** Those that are not paused. They may be moved behind the others meanwhile. */
  readable(): readonly P[] {
    return [...this.#positions]
      .filter(([name]) => !this.#paused.has(name))
      .map(([, position]) => position)
  }

  /** False when the partition was sought elsewhere, or lost. */
  isCurrent(position: P): boolean {
    return this.#positions.get(partitionName(position)) === position
  }

  /** Behind those that wait longer. */
  moveBehind(position: P): void {
    const name = partitionName(position)
    this.#positions.delete(name)
    this.#positions.set(name, position)
  }

  /**
   * Whether an offset that was refused is not asked for any more, because its partition was paused, sought
   * or lost since: if it still holds, the next fetch says so again.
   */
  isStale(failure: unknown): boolean {
    const at = failedOffset(failure)
    if (at === null) return false
    const position = this.#positions.get(at.name)
    const isAsked = position !== undefined && this.#offsetOf(position) === at.offset
    return !isAsked || this.#paused.has(at.name)
  }

  clear(): void {
    this.#positions.clear()
  }
}
