/**
 * Makes a failing case of the simulator small: fewer statements, fewer instances, whole kinds of faults
 * off, then single faults and single statements off, one by one, over and over, as long as what is left
 * still breaks the same promise. It knows nothing of what it runs.
 */

/** All that a run is made from. The same case gives the same story. */
export interface SimulationCase {
  readonly seed: number
  /** The statements of the source's program that are made, by their numbers from 1, in order. */
  readonly statements: readonly number[]
  /** Null: so many as the seed says. */
  readonly instances: number | null
  /** Kinds of faults that never happen. */
  readonly withoutFaults: readonly string[]
  /** Single faults that do not happen, by their names in the story: `crash-2`. */
  readonly skippedFaults: readonly string[]
}

/** What a run of a case came to that broke a promise. */
export interface CaseFailure {
  /** Which one, in a word: a smaller case must break the same. */
  readonly promise: string
  /** The last statement that the source had made by then. */
  readonly statement: number
  readonly instances: number
  /** What had failed by then. */
  readonly faults: readonly { readonly name: string; readonly kind: string }[]
}

export interface Shrunk<Failure> {
  readonly smallest: SimulationCase
  readonly failure: Failure
  /** How many cases were run for it. */
  readonly runs: number
}

/** `run` gives null when all promises are kept. At most `maxRuns` cases are run. */
export async function shrink<Failure extends CaseFailure>(
  failing: SimulationCase,
  failure: Failure,
  run: (smaller: SimulationCase) => Promise<Failure | null>,
  maxRuns: number,
): Promise<Shrunk<Failure>> {
  const search = new Search(failing, failure, run, maxRuns)
  let before: SimulationCase
  do {
    before = search.smallest
    await fewerStatements(search)
    await fewerInstances(search)
    await fewerKinds(search)
    await skipEach(search, faultsOf, (smallest, names) => ({
      ...smallest,
      skippedFaults: [...smallest.skippedFaults, ...names],
    }))
    await skipEach(search, statementsOf, (smallest, numbers) => ({
      ...smallest,
      statements: smallest.statements.filter(number => !numbers.includes(number)),
    }))
  } while (search.smallest !== before)
  return { smallest: search.smallest, failure: search.failure, runs: search.runs }
}

class Search<Failure extends CaseFailure> {
  smallest: SimulationCase
  failure: Failure
  runs = 0
  readonly #run: (smaller: SimulationCase) => Promise<Failure | null>
  readonly #maxRuns: number
  /** Cases that keep the promise, or break another one. */
  readonly #others = new Set<string>()

  constructor(
    failing: SimulationCase,
    failure: Failure,
    run: (smaller: SimulationCase) => Promise<Failure | null>,
    maxRuns: number,
  ) {
    this.smallest = failing
    this.failure = failure
    this.#run = run
    this.#maxRuns = maxRuns
  }

  /** Whether the case breaks the same promise: it is the smallest one then. */
  async isSmaller(smaller: SimulationCase): Promise<boolean> {
    const name = JSON.stringify(smaller)
    if (this.runs >= this.#maxRuns || this.#others.has(name)) return false
    this.runs += 1
    const failure = await this.#run(smaller)
    if (failure?.promise !== this.failure.promise) {
      this.#others.add(name)
      return false
    }
    this.smallest = smaller
    this.failure = failure
    return true
  }
}

type AnySearch = Search<CaseFailure>

/** Halves, then quarters, and so on: what is left out at the end takes the rest of the run with it. */
async function fewerStatements(search: AnySearch): Promise<void> {
  const made = search.smallest.statements.filter(number => number <= search.failure.statement)
  if (made.length < search.smallest.statements.length)
    await search.isSmaller(firstOf(search, made.length))
  for (let less = search.smallest.statements.length >> 1; less >= 1; ) {
    const left = search.smallest.statements.length - less
    if (!(left >= 1 && (await search.isSmaller(firstOf(search, left))))) less >>= 1
  }
}

function firstOf({ smallest }: AnySearch, count: number): SimulationCase {
  return { ...smallest, statements: smallest.statements.slice(0, count) }
}

async function fewerInstances(search: AnySearch): Promise<void> {
  for (let instances = 1; instances < search.failure.instances; instances += 1) {
    if (await search.isSmaller({ ...search.smallest, instances })) return
  }
}

/** All at once, then one after the other. */
async function fewerKinds(search: AnySearch): Promise<void> {
  const kinds = kindsOf(search)
  if (kinds.length === 0 || (await search.isSmaller(without(search, kinds)))) return
  for (const kind of kinds) await search.isSmaller(without(search, [kind]))
}

function kindsOf({ failure }: AnySearch): string[] {
  return [...new Set(failure.faults.map(({ kind }) => kind))]
}

function without({ smallest }: AnySearch, kinds: readonly string[]): SimulationCase {
  const withoutFaults = [...new Set([...smallest.withoutFaults, ...kinds])].sort()
  return { ...smallest, withoutFaults }
}

function faultsOf({ failure }: AnySearch): string[] {
  return failure.faults.map(({ name }) => name)
}

/** The last one stands: without it the program would be a shorter one. */
function statementsOf({ smallest }: AnySearch): number[] {
  return smallest.statements.slice(0, -1)
}

/** Parts of the list, large ones first (Zeller and Hildebrandt, "Simplifying and Isolating", 2002). */
async function skipEach<Item>(
  search: AnySearch,
  listOf: (search: AnySearch) => Item[],
  skip: (smallest: SimulationCase, items: readonly Item[]) => SimulationCase,
): Promise<void> {
  for (let size = listOf(search).length; size >= 1; size >>= 1) {
    for (let start = 0; start < listOf(search).length; ) {
      const part = listOf(search).slice(start, start + size)
      if (!(await search.isSmaller(skip(search.smallest, part)))) start += size
    }
  }
}
