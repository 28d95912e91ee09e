/**
 * Predicates: which row groups may have a matching row, by their statistics and bloom filters. A group is
 * left out only when none of its rows can match; what is not known may match. As in SQL a null matches
 * nothing but `isNull`, and neither does its negation.
 */
import type { BloomFilter } from './bloom-filter.ts'
import { OrcError } from './errors.ts'
import { type Literal, literalOf } from './literal.ts'
import type { ColumnStatistics } from './statistics.ts'
import { listColumns, type OrcColumn, type OrcValue, type TimestampUnit } from './types.ts'

/** Values are in the form that the reader gives. `column` is a name, or `address.city` within structs. */
export type OrcPredicate =
  | { readonly column: string; readonly equals: OrcValue }
  | { readonly column: string; readonly in: readonly OrcValue[] }
  | { readonly column: string; readonly lessThan: OrcValue }
  | { readonly column: string; readonly atMost: OrcValue }
  | { readonly column: string; readonly greaterThan: OrcValue }
  | { readonly column: string; readonly atLeast: OrcValue }
  | { readonly column: string; readonly isNull: boolean }
  | { readonly and: readonly OrcPredicate[] }
  | { readonly or: readonly OrcPredicate[] }
  | { readonly not: OrcPredicate }

/** What is known of a column's values in some rows. */
export interface ColumnFacts {
  readonly statistics: ColumnStatistics | undefined
  readonly bloomFilter: BloomFilter | null
}

export type FactsOf = (columnId: number) => ColumnFacts

export interface BoundPredicate {
  /** The columns that it asks for. */
  readonly columnIds: ReadonlySet<number>
  mayMatch(factsOf: FactsOf): boolean
}

type Test = (factsOf: FactsOf) => boolean

const testNames: readonly string[] = [
  'equals',
  'in',
  'lessThan',
  'atMost',
  'greaterThan',
  'atLeast',
  'isNull',
  'and',
  'or',
  'not',
]

/** Throws `column-unknown`, and `option-invalid` for a value that the column cannot have. */
export function bindPredicate(
  predicate: OrcPredicate,
  root: OrcColumn,
  unit: TimestampUnit,
): BoundPredicate {
  const columnIds = new Set<number>()
  const columnOf = (path: string): OrcColumn => {
    const all = listColumns(root).filter(column => column.path === path && column.id !== root.id)
    const [found] = all
    if (found === undefined || !isOnePerRow(root, found)) {
      throw new OrcError('column-unknown', `a predicate asks for the column ${path}`)
    }
    if (all.length > 1) throw new OrcError('option-invalid', `two columns are called ${path}`)
    columnIds.add(found.id)
    return found
  }
  const bind = (one: OrcPredicate, isNegated: boolean): Test => {
    const tests = Object.keys(one).filter(name => name !== 'column')
    if (tests.length !== 1 || !testNames.includes(tests[0]!)) {
      // Of two tests in one object the second would be left out, and negated that loses rows.
      const message = `a predicate has one test, and not (${tests.join(', ')}): join them by \`and\``
      throw new OrcError('option-invalid', message)
    }
    if ('not' in one) return bind(one.not, !isNegated)
    if ('and' in one || 'or' in one) {
      const inner = 'and' in one ? one.and : one.or
      const parts = inner.map(part => bind(part, isNegated))
      const isEvery = 'and' in one !== isNegated
      return isEvery
        ? factsOf => parts.every(test => test(factsOf))
        : factsOf => parts.some(test => test(factsOf))
    }
    const column = columnOf(one.column)
    const isNested = !root.children.includes(column)
    const test = bindLeaf(one, column, { unit, isNested, isNegated })
    return factsOf => test(factsOf(column.id))
  }
  return { columnIds, mayMatch: bind(predicate, false) }
}

/** Within structs a column has one value a row; within lists, maps and unions it has not. */
function isOnePerRow(root: OrcColumn, column: OrcColumn): boolean {
  if (root === column) return true
  return root.type.kind === 'struct' && root.children.some(child => isOnePerRow(child, column))
}

interface LeafContext {
  readonly unit: TimestampUnit
  readonly isNested: boolean
  readonly isNegated: boolean
}

type Leaf = Extract<OrcPredicate, { column: string }>
type LeafTest = (facts: ColumnFacts) => boolean

function bindLeaf(
  leaf: Leaf,
  column: OrcColumn,
  { unit, isNested, isNegated }: LeafContext,
): LeafTest {
  if ('isNull' in leaf) {
    // A field is null too where the struct around it is, which its own statistics do not count.
    if (leaf.isNull === isNegated) return hasValue
    return ({ statistics }) => isNested || statistics?.hasNull !== false
  }
  const literal = (value: OrcValue): Literal => literalOf(column, value, unit)
  if ('in' in leaf) {
    const tests = leaf.in.map(value => valueTest('equals', literal(value), isNegated))
    return isNegated
      ? facts => tests.every(test => test(facts))
      : facts => tests.some(test => test(facts))
  }
  if ('equals' in leaf) return valueTest('equals', literal(leaf.equals), isNegated)
  if ('lessThan' in leaf) return valueTest('lessThan', literal(leaf.lessThan), isNegated)
  if ('atMost' in leaf) return valueTest('atMost', literal(leaf.atMost), isNegated)
  if ('greaterThan' in leaf) return valueTest('greaterThan', literal(leaf.greaterThan), isNegated)
  return valueTest('atLeast', literal(leaf.atLeast), isNegated)
}

type Comparison = 'equals' | 'differs' | 'lessThan' | 'atMost' | 'greaterThan' | 'atLeast'

const negations = {
  equals: 'differs',
  differs: 'equals',
  lessThan: 'atLeast',
  atMost: 'greaterThan',
  greaterThan: 'atMost',
  atLeast: 'lessThan',
} as const satisfies Record<Comparison, Comparison>

function valueTest(comparison: Comparison, literal: Literal, isNegated: boolean): LeafTest {
  const wanted = isNegated ? negations[comparison] : comparison
  return facts => {
    if (!hasValue(facts)) return false
    const { statistics, bloomFilter } = facts
    const range =
      statistics?.details === undefined
        ? null
        : literal.compare(statistics.details, statistics.valueCount)
    if (range !== null && !canBe(wanted, range)) return false
    if (wanted !== 'equals' || bloomFilter === null) return true
    return literal.hashes?.some(hash => bloomFilter.mayHave(hash)) ?? true
  }
}

function hasValue({ statistics }: ColumnFacts): boolean {
  return statistics === undefined || statistics.valueCount > 0
}

/** The least and the greatest value, each compared with the literal: below 0, 0, or above 0. */
function canBe(
  comparison: Comparison,
  { least, greatest }: { readonly least: number; readonly greatest: number },
): boolean {
  switch (comparison) {
    case 'equals':
      return least <= 0 && greatest >= 0
    case 'differs':
      return least !== 0 || greatest !== 0
    case 'lessThan':
      return least < 0
    case 'atMost':
      return least <= 0
    case 'greaterThan':
      return greatest > 0
    case 'atLeast':
      return greatest >= 0
  }
}
