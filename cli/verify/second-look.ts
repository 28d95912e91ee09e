/**
 * Differences of a table that is written to meanwhile: what was on its way at the first look is there at the
 * second one. What differs again counts only when its row in the source is the same as before: else it is
 * on its way again, and nothing is known of it.
 */
import type { Cell } from './column-pairs.ts'
import { Unreadable } from './column-pairs.ts'
import type { Difference, KeyedRow } from './compare-rows.ts'

/** More of one range are believed at once: so many are not on their way. */
const maxSuspects = 10_000

export class SecondLook {
  readonly #first = new Map<string, Difference>()
  readonly #seen = new Set<string>()
  readonly #onDifference: (difference: Difference) => void
  #isFull = false
  /** Rows that differ at both looks, and were changed in the source between them. */
  unsettled = 0

  constructor(onDifference: (difference: Difference) => void) {
    this.#onDifference = onDifference
  }

  /** Whether there is something to look at again. */
  get isNeeded(): boolean {
    return this.#first.size > 0
  }

  /** At the first look. */
  suspect(difference: Difference): void {
    if (this.#isFull) {
      this.#onDifference(difference)
      return
    }
    this.#first.set(nameOf(difference), difference)
    if (this.#first.size < maxSuspects) return
    this.#isFull = true
    for (const one of this.#first.values()) this.#onDifference(one)
    this.#first.clear()
  }

  /** At the second look, with all differences of the same range. */
  judge(difference: Difference): void {
    const key = keyOf(difference)
    const before = this.#first.get(nameOf(difference)) ?? this.#ofKey(key)
    // What differs for the first time now is on its way.
    if (before === undefined || this.#seen.has(nameOf(difference))) return
    this.#seen.add(nameOf(difference))
    if (isSameRow(sourceOf(before), sourceOf(difference))) this.#onDifference(difference)
    else this.unsettled += 1
  }

  /** A row that was different may be missing now. */
  #ofKey(key: string): Difference | undefined {
    const kinds = ['missing', 'extra', 'different'] as const
    return kinds.map(kind => this.#first.get(`${kind} ${key}`)).find(one => one !== undefined)
  }
}

function nameOf(difference: Difference): string {
  return `${difference.kind} ${keyOf(difference)}`
}

function keyOf(difference: Difference): string {
  return 'target' in difference ? difference.target.key : difference.source.key
}

function sourceOf(difference: Difference): KeyedRow | null {
  return 'source' in difference ? difference.source : null
}

function isSameRow(a: KeyedRow | null, b: KeyedRow | null): boolean {
  if (a === null || b === null) return a === b
  return a.cells.every((cell, place) => textOf(cell) === textOf(b.cells[place]!))
}

function textOf(cell: Cell): string {
  if (cell instanceof Unreadable) return `? ${cell.text}`
  if (cell instanceof Uint8Array) return `x ${Buffer.from(cell).toString('base64')}`
  return Array.isArray(cell) ? cell.map(textOf).join() : `${typeof cell} ${String(cell)}`
}
