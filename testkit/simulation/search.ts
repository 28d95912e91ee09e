/**
 * Looks for a seed that breaks a promise. What it finds it makes small (`shrink.ts`), and tells with its
 * story and how to replay it. It knows nothing of what it runs.
 */
import type { CaseFailure, SimulationCase } from './shrink.ts'
import { shrink } from './shrink.ts'
import { withoutSteps } from './story.ts'

/** What became of a case. */
export interface CaseRun {
  /** What happened, line by line. */
  readonly story: readonly string[]
  readonly counts: RunCounts
  /** Null: all promises were kept. */
  readonly failure: BrokenPromise | null
}

export interface RunCounts {
  readonly statements: number
  readonly faults: number
  readonly crashes: number
  /** How often all tables were read and judged. */
  readonly looks: number
}

export interface BrokenPromise extends CaseFailure {
  readonly cause: unknown
}

export interface SearchOptions {
  readonly seeds: Iterable<number>
  readonly caseOf: (seed: number) => SimulationCase
  readonly run: (given: SimulationCase) => Promise<CaseRun>
  /** So many cases are run at most to make a failing one small; 0: it stays as it is. */
  readonly maxShrinkRuns: number
  /** What to type to run the case again. */
  readonly replayOf: (given: SimulationCase) => string
  /** Told after each seed that kept its promises. */
  readonly onSeed?: (seed: number, summary: SearchSummary) => void
}

export interface SearchSummary extends RunCounts {
  readonly seeds: number
}

/** A seed broke a promise. `cause` is what the run threw. */
export class SimulationError extends Error {
  readonly seed: number
  /** Which promise, in a word: a heading of `docs/simulator.md`, or the code of what stopped the application. */
  readonly promise: string
  /** The smallest case that was found to break it. */
  readonly case: SimulationCase
  /** What happened in that case, up to the broken promise; each line begins with the simulated time in ms. */
  readonly story: readonly string[]
  /** The same with every step of the schedule. */
  readonly steps: readonly string[]
  /** What to type to run that case again. */
  readonly replay: string

  constructor(found: FoundCase) {
    const { failure, smallest, story, replay } = found
    super(messageOf(found), { cause: failure.cause })
    this.name = 'SimulationError'
    this.seed = smallest.seed
    this.promise = failure.promise
    this.case = smallest
    this.story = withoutSteps(story)
    this.steps = story
    this.replay = replay
  }
}

interface FoundCase {
  readonly whole: SimulationCase
  readonly first: CaseFailure
  readonly smallest: SimulationCase
  readonly failure: BrokenPromise
  readonly story: readonly string[]
  /** Cases that were run to make it small. */
  readonly runs: number
  readonly replay: string
}

const noCounts: SearchSummary = { seeds: 0, statements: 0, faults: 0, crashes: 0, looks: 0 }

/** Throws SimulationError of the first seed that breaks a promise. */
export async function searchSeeds(options: SearchOptions): Promise<SearchSummary> {
  const { seeds, caseOf, run, onSeed } = options
  let summary = noCounts
  for (const seed of seeds) {
    const whole = caseOf(seed)
    const { failure, story, counts } = await run(whole)
    if (failure !== null) throw await found(options, whole, { ...failure, story })
    summary = {
      seeds: summary.seeds + 1,
      statements: summary.statements + counts.statements,
      faults: summary.faults + counts.faults,
      crashes: summary.crashes + counts.crashes,
      looks: summary.looks + counts.looks,
    }
    onSeed?.(seed, summary)
  }
  return summary
}

async function found(
  { run, maxShrinkRuns, replayOf }: SearchOptions,
  whole: SimulationCase,
  first: BrokenPromise & { readonly story: readonly string[] },
): Promise<SimulationError> {
  const rerun = async (smaller: SimulationCase) => {
    const { failure, story } = await run(smaller)
    return failure === null ? null : { ...failure, story }
  }
  const { smallest, failure, runs } = await shrink(whole, first, rerun, maxShrinkRuns)
  return new SimulationError({
    whole,
    first,
    smallest,
    failure,
    story: failure.story,
    runs,
    replay: replayOf(smallest),
  })
}

/** Of a long story: how it began, and how it ended. */
const firstLines = 50
const lastLines = 10

function messageOf({ whole, first, smallest, failure, story, runs, replay }: FoundCase): string {
  const { cause, promise, faults, instances } = failure
  const what = cause instanceof Error ? cause.message : String(cause)
  const told = withoutSteps(story)
  const left = told.length - firstLines - lastLines
  const lines =
    left <= 0
      ? told
      : [...told.slice(0, firstLines), `… ${left} lines …`, ...told.slice(-lastLines)]
  const of = (now: number, before: number): string =>
    runs === 0 ? `${now}` : `${now} of ${before}`
  const size =
    `${of(smallest.statements.length, whole.statements.length)} statements, ` +
    `${of(instances, first.instances)} instances, ` +
    `${of(faults.length, first.faults.length)} faults`
  const which = runs === 0 ? 'The case' : `The smallest case that does, of ${runs} that were tried,`
  return [
    `seed ${smallest.seed} breaks a promise: ${what} (${promise})`,
    `${which} has ${size}.`,
    'Its story:',
    ...lines.map(line => `  ${line}`),
    `Replay it: ${replay}`,
  ].join('\n')
}
