/** Looks for a seed of a scenario that breaks a promise; the error tells the line that replays it. */
import type { Scenario } from '../../test/simulation/scenarios.ts'
import { scenarios } from '../../test/simulation/scenarios.ts'
import { runCase } from '../../testkit/simulation/run-case.ts'
import type { CaseRun, SearchSummary } from '../../testkit/simulation/search.ts'
import { searchSeeds } from '../../testkit/simulation/search.ts'
import type { SimulationCase } from '../../testkit/simulation/shrink.ts'
import { replayLine } from './case-text.ts'

export interface ScenarioSearch {
  readonly scenario: Scenario
  readonly seeds: Iterable<number>
  /** What is not as the seed says. */
  readonly given?: Partial<Omit<SimulationCase, 'seed'>>
  /** Default 300. */
  readonly maxShrinkRuns?: number
  readonly onRun?: (run: CaseRun) => void
  readonly onSeed?: (seed: number, summary: SearchSummary) => void
}

const statements = Array.from({ length: 60 }, (_, index) => index + 1)
const whole = { statements, instances: null, withoutFaults: [], skippedFaults: [] }

/** Throws SimulationError. */
export async function searchScenario(search: ScenarioSearch): Promise<SearchSummary> {
  const { scenario, seeds, given, maxShrinkRuns = 300, onRun, onSeed } = search
  return await searchSeeds({
    seeds,
    caseOf: seed => ({ seed, ...whole, ...given }),
    run: async one => {
      const run = await runCase(scenarios[scenario](one.seed), one)
      onRun?.(run)
      return run
    },
    maxShrinkRuns,
    replayOf: smallest => replayLine(scenario, smallest),
    ...(onSeed === undefined ? {} : { onSeed }),
  })
}

/** Seeds from one on, until the time is over; one at least. */
export function* seedsUntil(first: number, untilMs: number): Generator<number> {
  let seed = first
  do {
    yield seed
    seed += 1
  } while (Date.now() < untilMs)
}
