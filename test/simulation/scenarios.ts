/** What is simulated, by name: for `npm run simulate`, and for tests of new seeds. */
import type { SimulationOptions } from '../../testkit/simulation/simulator.ts'
import { anyShop, shopSimulation } from './shop.ts'

const neverTooLate = { maxAgeMs: 3_600_000, maxBytes: 1_000_000 }
const server = { keeps: neverTooLate }

export const scenarios = {
  /** One of the others, by the seed: what tests run. */
  any: (seed: number): SimulationOptions => anyShop(seed),
  /** Two tables, one of them with partitions, over the embedded warehouse. */
  shop: (seed: number): SimulationOptions => shopSimulation(seed),
  /** A producer that sends the changes of a row through any partition, under `ordering: position`. */
  spread: (seed: number): SimulationOptions =>
    shopSimulation(seed, { spreads: true, ordering: 'position' }),
  /** Many truncates, into tables whose rows keep no positions. */
  truncates: (seed: number): SimulationOptions => ({
    ...shopSimulation(seed, { server }),
    truncateShare: 0.06,
  }),
  /** A table of which nothing is there before the middle of it. */
  'late-table': (seed: number): SimulationOptions => ({
    ...shopSimulation(seed),
    appearing: ['product'],
  }),
  /** A connector that leaves the large value of a row out where its key changes, and knows no row before. */
  'changed-keys': (seed: number): SimulationOptions => ({
    ...shopSimulation(seed, seed % 3 === 0 ? {} : { server: { keeps: neverTooLate } }),
    connector: 'postgresql',
    // Of a server's statement without an answer it is not known which row is under a key then: docs/adr/0023.
    oldKeysStayFree: seed % 3 !== 0,
  }),
  /** Tables that the source drops and makes again, and that their targets follow. */
  drops: (seed: number): SimulationOptions =>
    shopSimulation(seed, { drops: 'evolve', ...(seed % 2 === 0 ? {} : { server }) }),
  /** A topic of a pattern that is deleted. */
  'deleted-topic': (seed: number): SimulationOptions => ({
    ...shopSimulation(seed, seed % 2 === 0 ? {} : { server }),
    deleting: { tables: ['product'], anew: false },
  }),
  /** A producer that keys by primary key. */
  'without-hop': (seed: number): SimulationOptions =>
    shopSimulation(seed, { keyedBy: 'primary-key' }),
}

export type Scenario = keyof typeof scenarios

export const scenarioNames = Object.keys(scenarios) as readonly Scenario[]
