/**
 * What differs because the target follows its source by a policy (`docs/schema-changes.md`): columns that it
 * keeps or leaves out, and rows from before a change that no message told of. It is told apart from what is
 * wrong, and only where it can be shown.
 */
import { commonType, isSameType } from '../../model/column-type.ts'
import type { FollowedSchema, SchemaPolicy } from '../../model/schema-change.ts'
import type { Column } from '../../model/table-schema.ts'
import type { Cell, ColumnPair } from './column-pairs.ts'
import { areCellsEqual, pairOf } from './column-pairs.ts'
import type { Difference } from './compare-rows.ts'
import type { SourceColumn } from './source-database.ts'

/** A difference that is no fault. */
export interface PolicyNote {
  /** As it is in the target, where that has it. */
  readonly column: string
  readonly reason: string
  /** In how many rows; null: it is of the column. */
  readonly rows: number | null
}

export interface ColumnSides {
  /** The source has them, and the target has not. */
  readonly missing: readonly SourceColumn[]
  /** Names of the target's columns that the source has not. */
  readonly others: readonly string[]
  readonly pairs: readonly ColumnPair[]
}

export interface PolicySides {
  readonly notes: readonly PolicyNote[]
  readonly missing: readonly SourceColumn[]
  readonly others: readonly string[]
  /** Of the target: the source dropped them, or renamed them without a word. */
  readonly kept: readonly string[]
  /** A column that keeps its old name: the source's, with the name in the target. */
  readonly renamed: { readonly source: SourceColumn; readonly target: string } | null
}

/** What of the columns is as the policy says. `followed` null: it is not known how the target followed. */
export function judgeColumns(
  { missing, others, pairs }: ColumnSides,
  policy: SchemaPolicy,
  followed: FollowedSchema | null,
): PolicySides {
  const own = new Map(followed?.schema.columns.map(one => [one.name.toLowerCase(), one]))
  const ofTarget = (name: string): Column | undefined => own.get(name.toLowerCase())
  const kept = others.filter(name => ofTarget(name)?.isDropped === true)
  const live = others.filter(name => ofTarget(name) !== undefined && !kept.includes(name))
  const isRenamed = isLeft(policy.rename) && missing.length === 1 && live.length === 1
  const renamed = isRenamed ? { source: missing[0]!, target: live[0]! } : null
  // A column that the target once had is missing.
  const isLeftOut = ({ name }: SourceColumn): boolean => {
    const isKnown = policy.add === 'ignore' || (policy.add === 'try_evolve' && followed !== null)
    return renamed === null && isKnown && ofTarget(name) === undefined
  }
  const notes: PolicyNote[] = kept.map(column => {
    const reason = 'only the target has it: the source dropped or renamed it, and it stays'
    return { column, reason, rows: null }
  })
  if (renamed !== null) {
    const reason = `the source calls it ${renamed.source.name}, and schemaChanges.rename is "${policy.rename}"`
    notes.push({ column: renamed.target, reason, rows: null })
  }
  for (const { name } of missing.filter(isLeftOut)) {
    const reason = `only the source has it, and schemaChanges.add is "${policy.add}"`
    notes.push({ column: name, reason, rows: null })
  }
  notes.push(...(isLeft(policy.widen) ? pairs.flatMap(pair => narrowNote(pair, policy)) : []))
  const isNoted = new Set(notes.map(({ column }) => column))
  return {
    notes,
    missing: renamed === null ? missing.filter(one => !isLeftOut(one)) : [],
    others: others.filter(name => !isNoted.has(name)),
    kept,
    renamed,
  }
}

function isLeft(mode: SchemaPolicy['add']): boolean {
  return mode === 'ignore' || mode === 'try_evolve'
}

function narrowNote({ source, target }: ColumnPair, policy: SchemaPolicy): readonly PolicyNote[] {
  const common = commonType(target.type, source.type)
  const isWide = target.type.kind === 'string' || common === null || isSameType(common, target.type)
  if (isWide) return []
  const reason = `it is narrower than in the source (${source.declared}), and schemaChanges.widen is "${policy.widen}"`
  return [{ column: target.name, reason, rows: null }]
}

export interface RowJudgeInput {
  readonly pairs: readonly ColumnPair[]
  /** Behind the cells of the pairs a row of the target has those of these columns. */
  readonly kept: readonly {
    readonly name: string
    readonly pair: (to: SourceColumn) => ColumnPair | null
  }[]
  /** What the source gives a new row, by place; null: no constant, or it is null. */
  readonly defaults: readonly Cell[]
  readonly followed: FollowedSchema | null
}

/** Tells rows that differ only by null where no message brought a value. */
export class RowJudge {
  readonly #input: RowJudgeInput
  readonly #own: ReadonlyMap<string, Column>
  readonly #rows = new Map<
    string,
    { readonly column: string; readonly reason: string; rows: number }
  >()

  constructor(input: RowJudgeInput) {
    this.#input = input
    const columns = input.followed?.schema.columns ?? []
    this.#own = new Map(columns.map(one => [one.name.toLowerCase(), one]))
  }

  get notes(): readonly PolicyNote[] {
    return [...this.#rows.values()]
  }

  /** Whether all of the difference is so; it is counted then. */
  explains(difference: Difference): boolean {
    if (difference.kind !== 'different') return false
    const reasons = difference.columns.map(place => {
      return this.#reasonOf(place, difference.source.cells[place]!, difference.target.cells)
    })
    if (reasons.includes(null)) return false
    for (const [index, place] of difference.columns.entries()) {
      this.#count(this.#input.pairs[place]!.target.name, reasons[index]!)
    }
    return true
  }

  #reasonOf(place: number, source: Cell, target: readonly Cell[]): string | null {
    const { pairs, kept, defaults } = this.#input
    if (target[place] !== null || source === null) return null
    const pair = pairs[place]!
    for (const [index, { name, pair: pairWith }] of kept.entries()) {
      const old = pairWith(pair.source)
      const cell = target[pairs.length + index] ?? null
      if (old === null || cell === null || !areCellsEqual(old, source, cell)) continue
      return `null in rows from before the source renamed ${name} to it without a word: ${name} has their values`
    }
    const own = this.#own.get(pair.target.name.toLowerCase())
    const isUntold = own?.nullable === true && (own.initialDefault ?? null) === null
    const isDefault = isUntold && defaults[place] !== null && isSameCell(source, defaults[place]!)
    return isDefault
      ? 'null in rows that are older than the column: no message told its default'
      : null
  }

  #count(column: string, reason: string): void {
    const name = `${column}\0${reason}`
    const known = this.#rows.get(name)
    if (known === undefined) this.#rows.set(name, { column, reason, rows: 1 })
    else known.rows += 1
  }
}

function isSameCell(a: Cell, b: Cell): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0
  return a === b
}

/** How a kept column would be compared with one of the source. */
export function pairWithKept(
  name: string,
  type: ColumnPair['target']['type'],
  binaryMode: string | undefined,
): (source: SourceColumn) => ColumnPair | null {
  return source => {
    const pair = pairOf(source, { name, type }, { binaryMode })
    return typeof pair === 'string' ? null : pair
  }
}
