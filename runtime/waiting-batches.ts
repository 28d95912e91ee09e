/**
 * The batches that wait for one table, in staged order, and whether they may be applied: while the table is
 * held back they are parked; when it is resumed, what was parked is brought back before them. What becomes
 * of them is not decided here.
 */
import type { WaitingBatch } from '../processors/merge.ts'
import type { Quarantine } from './applied.ts'
import type { ParkedBatch } from './parked.ts'

export class WaitingBatches {
  #all: WaitingBatch[] = []
  #quarantine: Quarantine | null
  /** Staged offset of the operator's word that the table may go on; what is below was parked. */
  #resumesAt: number | null = null
  #isParkedRead = false
  /** Of those that wait. */
  #broughtBack: ReadonlySet<WaitingBatch> = new Set()
  #lastOffset = -1

  constructor(quarantine: Quarantine | null) {
    this.#quarantine = quarantine
  }

  get all(): readonly WaitingBatch[] {
    return this.#all
  }

  /** Highest staged offset that was read for the table. */
  get lastOffset(): number {
    return this.#lastOffset
  }

  get isHeldBack(): boolean {
    return this.#quarantine !== null && this.#resumesAt === null
  }

  get isToBringBack(): boolean {
    return this.#resumesAt !== null && !this.#isParkedRead
  }

  /** First staged offset that the table still needs; null when it needs none. */
  get heldFrom(): number | null {
    // What was brought back is in its topic until the table is resumed; else it may only be here.
    const unparked = this.#all.find(one => !this.#broughtBack.has(one))?.offset ?? null
    if (this.#resumesAt === null || unparked === null) return this.#resumesAt ?? unparked
    return Math.min(this.#resumesAt, unparked)
  }

  add(waiting: WaitingBatch): void {
    const { offset, batch } = waiting
    if (batch.resumes === true) {
      // Of a word that was given before this time it was held back, nothing is to be heard again.
      const after = this.#quarantine === null ? Infinity : (this.#quarantine.afterOffset ?? -1)
      if (offset > after) this.#resumesAt ??= offset
    } else if (offset > (this.#all.at(-1)?.offset ?? -1)) this.#all.push(waiting)
    this.#lastOffset = Math.max(this.#lastOffset, offset)
  }

  /** Its record is among those that are parked, and goes from the staged topic. */
  isBroughtBack(one: WaitingBatch): boolean {
    return this.#broughtBack.has(one)
  }

  /** Takes out the first ones: while they were applied, others may have come. */
  passFirst(count: number): void {
    this.#all = this.#all.slice(count)
  }

  /** Takes out those that the table has by now. */
  passThrough(offset: number): readonly WaitingBatch[] {
    const passed = this.#all.filter(one => one.offset <= offset)
    this.#all = this.#all.filter(one => one.offset > offset)
    return passed
  }

  /** Takes out those that are to be parked. */
  takeHeldBack(): readonly WaitingBatch[] {
    if (!this.isHeldBack) return []
    const parked = this.#all
    this.#all = []
    return parked
  }

  /**
   * What was parked comes before what waits. Resolves to how many there were. Files of batches through
   * `applied` are gone: the table has them.
   */
  async bringBack(
    table: string,
    found: AsyncIterable<ParkedBatch>,
    applied: number,
  ): Promise<number> {
    const parked = new Map<number, WaitingBatch>()
    for await (const { offset, batch } of found) {
      if (batch.table === table && offset > applied) parked.set(offset, { offset, batch })
    }
    this.#isParkedRead = true
    this.#broughtBack = new Set(parked.values())
    // A batch that was parked may have been read again since: it has its place among the others.
    const unparked = this.#all.filter(({ offset }) => !parked.has(offset))
    this.#all = [...parked.values(), ...unparked].sort((a, b) => a.offset - b.offset)
    return parked.size
  }

  /** The table was resumed, and all that was parked is applied. */
  get isResumed(): boolean {
    const resumesAt = this.#resumesAt
    if (resumesAt === null) return false
    return !this.#all.some(one => one.offset < resumesAt || this.#broughtBack.has(one))
  }

  /** Null: the table goes on. */
  holdBack(quarantine: Quarantine | null): void {
    this.#quarantine = quarantine
    // What was parked is in its topic still.
    this.#all = this.#all.filter(one => !this.#broughtBack.has(one))
    this.#broughtBack = new Set()
    this.#resumesAt = null
    this.#isParkedRead = false
  }
}
