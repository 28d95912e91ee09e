/** The topology that the simulations run: two tables, one of them with partitions, through one path. */
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { Format } from '../../formats/decoder.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import type { SimulationOptions } from '../../testkit/simulation/simulator.ts'
import type { KeyedBy, Ordering } from '../../topology/nodes.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import type { Topology } from '../../topology/topology.ts'

export interface ShopFaults {
  readonly dropRepeats?: boolean
  readonly format?: Format
  readonly ordering?: Ordering
  readonly spreads?: boolean
  readonly keyedBy?: KeyedBy
}

export function shopSimulation(seed: number, faults: ShopFaults = {}): SimulationOptions {
  // A half of the seeds run over a broker that outlives the process, a half over the local log.
  const log = seed % 2 === 0 ? 'files' : 'memory'
  const { spreads = false, keyedBy } = faults
  // Without the hop a truncate through several partitions is refused.
  const truncates = keyedBy === 'primary-key' ? 'ordered' : true
  const topology = (): Topology => shopTopology(seed, faults)
  return { seed, log, tables: ['user', 'product'], spreads, truncates, topology }
}

function shopTopology(seed: number, faults: ShopFaults): Topology {
  const { dropRepeats = true, format = debeziumJson(), ordering = 'log' } = faults
  const { keyedBy = 'unknown' } = faults
  const builder = new StreamsBuilder()
  builder
    .stream(/^sim\./, { name: 'events', format, dropRepeats, ordering, keyedBy })
    .route(new TableRouter([{ from: 'shop.*', to: '{table}' }]), { name: 'route-tables' })
    .repartition({ name: 'rows', partitions: 1 + (seed % 3) })
    .compact({ name: 'window', flush: { maxAgeMs: 3000, maxRows: 6 }, store: inMemory() })
    .to(
      embedded({
        path: '/warehouse',
        // Small, so that a table has many files.
        targetFileRows: 4,
        retainMs: 2000,
        partitionBy: table =>
          table === 'product' ? { column: 'month', unit: 'year_month' } : null,
      }),
      { name: 'tables' },
    )
  return builder.build()
}

/** Whether the judge finds a broken promise within so many seeds. */
export async function findsViolation(
  seeds: number,
  simulate: (seed: number) => Promise<unknown>,
): Promise<boolean> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    try {
      await simulate(seed)
    } catch (error) {
      if ((error as Error).name === 'SimulationError') return true
      throw error
    }
  }
  return false
}
