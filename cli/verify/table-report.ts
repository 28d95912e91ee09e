/** What a comparison says of a table, for people and for programs. */

import type { PolicyNote } from './by-policy.ts'
import type { Cell, ColumnPair } from './column-pairs.ts'
import { cellText } from './column-pairs.ts'
import type { Difference, KeyedRow } from './compare-rows.ts'

/** Values are JSON texts. */
export interface ReportedDifference {
  readonly kind: Difference['kind']
  readonly key: Readonly<Record<string, string>>
  /** Of a row that is on one side alone. */
  readonly row?: Readonly<Record<string, string>>
  readonly columns?: readonly {
    readonly column: string
    readonly source: string
    readonly target: string
  }[]
}

export interface TableReport {
  readonly table: string
  /** Tables of the source that go there. */
  readonly sources: readonly string[]
  /** `missing`: the target is not there. `refused`: no key, so a run passes it over as well. */
  readonly status: 'equal' | 'different' | 'missing' | 'refused' | 'not-compared'
  /** Why it is none of the first two. */
  readonly reason: string | null
  readonly sourceRows: number
  readonly targetRows: number
  readonly missing: number
  readonly extra: number
  readonly twice: number
  readonly twiceInSource: number
  readonly different: number
  /** Rows that differ and are changed all the time: see `second-look.ts`. */
  readonly unsettled: number
  /** In how many rows each column is different. */
  readonly differentColumns: Readonly<Record<string, number>>
  /** The first ones, in the order of keys. */
  readonly differences: readonly ReportedDifference[]
  /** Columns of the source that the target has not. */
  readonly missingColumns: readonly string[]
  /** Columns that were left out, and why. */
  readonly notCompared: readonly { readonly column: string; readonly reason: string }[]
  /** What differs because the target follows by a policy: no fault. */
  readonly byPolicy: readonly PolicyNote[]
  /** Columns of the target that no source has: nothing writes them. */
  readonly otherColumns: readonly string[]
}

export function emptyReport(table: string, sources: readonly string[]): TableReport {
  return {
    table,
    sources,
    status: 'equal',
    reason: null,
    sourceRows: 0,
    targetRows: 0,
    missing: 0,
    extra: 0,
    twice: 0,
    twiceInSource: 0,
    different: 0,
    unsettled: 0,
    differentColumns: {},
    differences: [],
    missingColumns: [],
    notCompared: [],
    byPolicy: [],
    otherColumns: [],
  }
}

/** Counts differences, and keeps the first ones. */
export class DifferenceCounter {
  readonly #pairs: readonly ColumnPair[]
  readonly #keys: readonly number[]
  readonly #maxKept: number
  readonly #counts = { missing: 0, extra: 0, twice: 0, 'twice-in-source': 0, different: 0 }
  readonly #columns = new Map<string, number>()
  readonly #kept: ReportedDifference[] = []

  constructor(pairs: readonly ColumnPair[], keys: readonly number[], maxKept: number) {
    this.#pairs = pairs
    this.#keys = keys
    this.#maxKept = maxKept
  }

  add(difference: Difference): void {
    this.#counts[difference.kind] += 1
    if (difference.kind === 'different') {
      for (const place of difference.columns) {
        const { name } = this.#pairs[place]!.target
        this.#columns.set(name, (this.#columns.get(name) ?? 0) + 1)
      }
    }
    if (this.#kept.length < this.#maxKept) this.#kept.push(this.#report(difference))
  }

  result() {
    const { missing, extra, twice, different } = this.#counts
    return {
      missing,
      extra,
      twice,
      twiceInSource: this.#counts['twice-in-source'],
      different,
      differentColumns: Object.fromEntries(this.#columns),
      differences: this.#kept,
    }
  }

  #report(difference: Difference): ReportedDifference {
    const { kind } = difference
    if (kind !== 'different') {
      const side = 'source' in difference ? 'source' : 'target'
      const row = 'source' in difference ? difference.source : difference.target
      return { kind, key: this.#keyOf(row, side), row: this.#rowOf(row, side) }
    }
    const { source, target, columns } = difference
    return {
      kind,
      key: this.#keyOf(source, 'source'),
      columns: columns.map(place => ({
        column: this.#pairs[place]!.target.name,
        source: this.#text(place, source.cells[place]!, 'source'),
        target: this.#text(place, target.cells[place]!, 'target'),
      })),
    }
  }

  #keyOf(row: KeyedRow, side: 'source' | 'target'): Record<string, string> {
    return this.#texts(row, side, this.#keys)
  }

  #rowOf(row: KeyedRow, side: 'source' | 'target'): Record<string, string> {
    return this.#texts(row, side, [...this.#pairs.keys()])
  }

  #texts(row: KeyedRow, side: 'source' | 'target', places: readonly number[]) {
    return Object.fromEntries(
      places.map(place => {
        return [this.#pairs[place]!.target.name, this.#text(place, row.cells[place]!, side)]
      }),
    )
  }

  #text(place: number, cell: Cell, side: 'source' | 'target'): string {
    return cellText(this.#pairs[place]![side].type, cell)
  }
}
