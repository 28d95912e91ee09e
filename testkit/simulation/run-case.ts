/** Runs a case of the search: one simulation, without what the case leaves out of it. */
import type { CaseRun } from './search.ts'
import type { SimulationCase } from './shrink.ts'
import type { FaultRates, SimulationOptions } from './simulator.ts'
import { runSeed, SimulationError } from './simulator.ts'

/** What is thrown is no broken promise, but an error of the simulation's own. */
export async function runCase(options: SimulationOptions, given: SimulationCase): Promise<CaseRun> {
  const { seed, statements, instances, withoutFaults, skippedFaults } = given
  const off: FaultRates = Object.fromEntries(withoutFaults.map(kind => [kind, false]))
  try {
    const { story, faults, crashes, looks } = await runSeed({
      ...options,
      seed,
      statements,
      faults: { ...options.faults, ...off },
      skippedFaults,
      ...(instances === null ? {} : { instances }),
    })
    const counts = { statements: statements.length, faults, crashes, looks }
    return { story, counts, failure: null }
  } catch (error) {
    if (!(error instanceof SimulationError)) throw error
    const { story, failure, cause } = error
    const counts = { statements: 0, faults: 0, crashes: 0, looks: 0 }
    return { story, counts, failure: { ...failure, cause } }
  }
}
