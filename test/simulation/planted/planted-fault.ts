/** A fault that a test plants, and what is simulated with it and without. */
import type { SimulationOptions, Wraps } from '../../../testkit/simulation/simulator.ts'
import type { ShopFaults } from '../shop.ts'
import { shopSimulation } from '../shop.ts'

/** A part of what is simulated. */
export interface Part {
  readonly shop?: ShopFaults
  readonly wrap?: Wraps
  readonly options?: Partial<SimulationOptions>
}

export interface PlantedFault {
  /** Of its row in `docs/reliability.md`. */
  readonly name: string
  /** What is simulated, with the fault and without it. */
  readonly over?: Part
  /** Made anew for each seed: a fault may keep something. */
  readonly plant: () => Part
  /** Of the seeds from 1 on. */
  readonly foundWithin: number
  /** What the judge says. */
  readonly says: RegExp
}

export function simulationOf(
  { over = {} }: PlantedFault,
  seed: number,
  planted: Part = {},
): SimulationOptions {
  return {
    ...shopSimulation(seed, { ...over.shop, ...planted.shop }),
    ...over.options,
    wrap: { ...over.wrap, ...planted.wrap },
  }
}

/** Tables of Hive whose staged files are kept for as long as a simulation lasts. */
export const hive: ShopFaults = {
  server: { keeps: { maxAgeMs: 3_600_000, maxBytes: 1_000_000 } },
}
