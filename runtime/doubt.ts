/** What a table's merger cannot know of its server: statements that may be under way, or may have taken effect. */
import type { TableProgress } from './applied.ts'

export class Doubt {
  /** Staged offset that such statements lead to at most; -1: there is none. */
  #through: number
  /** Such a statement changes the table's columns, or fills them. */
  #isEvolving: boolean

  constructor({ claim, evolving }: TableProgress) {
    this.#through = claim?.through ?? -1
    this.#isEvolving = evolving !== null
  }

  get isThere(): boolean {
    return this.#through >= 0 || this.#isEvolving
  }

  /** Of an apply: files that it reads are needed again. */
  get isOfApply(): boolean {
    return this.#through >= 0
  }

  /** Readers may have seen all of such a statement: less of it would be a step back. */
  isBeyond(offset: number): boolean {
    return offset < this.#through
  }

  /** No such statement has it. */
  isBeyondClaim(offset: number): boolean {
    return offset > this.#through
  }

  /** What the claim of an apply through this offset says. */
  with(through: number): number {
    return Math.max(through, this.#through)
  }

  claimed(through: number): void {
    this.#through = this.with(through)
  }

  evolving(isEvolving: boolean): void {
    this.#isEvolving = isEvolving
  }

  /** One apply may not cover all that is in doubt: a batch with another schema ends it. */
  applied(offset: number): void {
    this.#isEvolving = false
    if (offset >= this.#through) this.#through = -1
  }
}
