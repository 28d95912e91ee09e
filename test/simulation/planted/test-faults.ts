/** The test of planted faults: each is found within its seeds, and the seed that shows it passes without it. */
import { expect, it } from 'vitest'
import { runSeed, SimulationError } from '../../../testkit/simulation/simulator.ts'
import type { PlantedFault } from './planted-fault.ts'
import { simulationOf } from './planted-fault.ts'

export function testFaults(faults: readonly PlantedFault[]): void {
  it.each(faults)('finds it: $name', async fault => {
    const seed = await findFault(fault)
    expect(seed, `no seed from 1 to ${fault.foundWithin} shows it`).not.toBeNull()
    await runSeed(simulationOf(fault, seed!))
  })
}

/** The first seed of which the judge says what the fault breaks; null: none of so many. */
async function findFault(fault: PlantedFault): Promise<number | null> {
  for (let seed = 1; seed <= fault.foundWithin; seed += 1) {
    try {
      await runSeed(simulationOf(fault, seed, fault.plant()))
    } catch (error) {
      if (!(error instanceof SimulationError)) throw error
      // A fault may show in other ways as well.
      if (fault.says.test(firstLineOf(error))) return seed
    }
  }
  return null
}

/** What comes behind it is the story. */
function firstLineOf({ message }: SimulationError): string {
  return message.split('\n')[0]!
}
