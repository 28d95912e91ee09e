/** The topology that the simulations run: two tables, one of them with partitions, through one path. */
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { Format } from '../../formats/decoder.ts'
import { assert } from '../../model/errors.ts'
import type { NetChange } from '../../model/net-change.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import type { SchemaChangeMode } from '../../model/schema-change.ts'
import { isFollowed } from '../../model/schema-change.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import { seededRandom } from '../../runtime/random.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import type { KeepLimits, WarehouseSink } from '../../sinks/warehouse.ts'
import { inMemory } from '../../state/memory-store.ts'
import type { StateStoreSupplier } from '../../state/state-store.ts'
import type { ProcessSite, SimulationOptions } from '../../testkit/simulation/simulator.ts'
import { runSeed } from '../../testkit/simulation/simulator.ts'
import type { KeyedBy, Ordering } from '../../topology/nodes.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import type { Topology } from '../../topology/topology.ts'

export interface ServerFaults {
  readonly keeps: KeepLimits
  /** A truncate takes all rows, newer ones as well. */
  readonly losesNewer?: boolean
}

export interface ShopFaults {
  readonly dropRepeats?: boolean
  readonly format?: Format
  readonly ordering?: Ordering
  readonly spreads?: boolean
  readonly keyedBy?: KeyedBy
  /** Of the hop, by the number of the process. */
  readonly hopPartitions?: (start: number) => number
  readonly store?: StateStoreSupplier
  /** What a test puts between the runtime and its warehouse. */
  readonly overSink?: (sink: WarehouseSink) => WarehouseSink
  /** The source drops tables and makes them again; what becomes of them by the policy. */
  readonly drops?: SchemaChangeMode
  /** The tables are of Hive, and their rows keep no positions. */
  readonly server?: ServerFaults
}

export function shopSimulation(seed: number, faults: ShopFaults = {}): SimulationOptions {
  // A quarter of the seeds run over the local log, the others over brokers.
  const log = seed % 4 === 0 ? 'files' : 'brokers'
  const { spreads = false, keyedBy } = faults
  // Without the hop a truncate through several partitions is refused.
  const truncates = keyedBy === 'primary-key' ? 'ordered' : true
  const topology = (site: ProcessSite): Topology => shopTopology(seed, faults, site)
  const options = { seed, log, tables: ['user', 'product'], spreads, truncates, topology } as const
  if (faults.drops === undefined) return options
  return { ...options, drops: isFollowed(faults.drops) ? 'followed' : 'kept' }
}

function shopTopology(seed: number, faults: ShopFaults, site: ProcessSite): Topology {
  const { dropRepeats = true, format = debeziumJson(), ordering = 'log' } = faults
  const { keyedBy = 'unknown', server, hopPartitions = () => 1 + (seed % 3) } = faults
  const { store = inMemory(), overSink = same } = faults
  const partitionBy = (table: string): PartitionBy | null =>
    table === 'product' ? { column: 'month', unit: 'year_month' } : null
  const tables = embedded({
    path: '/warehouse',
    stagingPath: '/staging',
    // Small, so that a table has many files.
    targetFileRows: 4,
    retainMs: 2000,
    partitionBy,
  })
  // A third of the seeds follow a column that is dropped.
  const followed = server === undefined ? 'evolve' : 'try_evolve'
  const schemaChanges = seed % 3 === 0 ? followed : 'lenient'
  const policy = { drop: schemaChanges, 'drop-table': faults.drops ?? 'lenient' } as const
  const rule = { from: 'shop.*', to: '{table}', schemaChanges: policy }
  // Over a restart a table may be left out for a while, and windows become larger or smaller.
  const isWhole = site.isLast || site.random.next() < 0.85
  const builder = new StreamsBuilder()
  builder
    .stream(isWhole ? /^sim\./ : /^sim\.shop\.user$/, {
      name: 'events',
      format,
      dropRepeats,
      ordering,
      keyedBy,
    })
    .route(new TableRouter([rule]), { name: 'route-tables' })
    .repartition({ name: 'rows', partitions: hopPartitions(site.start) })
    .compact({ name: 'window', flush: limitsOf(site), store })
    .to(overSink(server === undefined ? tables : hiveSink(site, server, partitionBy)), {
      name: 'tables',
    })
  return builder.build()
}

function limitsOf({ random }: ProcessSite) {
  const maxAgeMs = 1000 + Math.floor(random.next() * 4000)
  return { maxAgeMs, maxRows: 3 + Math.floor(random.next() ** 2 * 30) }
}

function hiveSink(
  site: ProcessSite,
  { keeps, losesNewer = false }: ServerFaults,
  partitionBy: (table: string) => PartitionBy | null,
): WarehouseSink {
  const sink = site.hive({ partitionBy, keeps })
  if (!losesNewer) return sink
  return {
    ...sink,
    open: context => {
      const { warehouse, staging } = sink.open(context)
      const applyOf = warehouse.apply.bind(warehouse)
      const apply: typeof warehouse.apply = request =>
        applyOf(request.truncate === 'all' ? { ...request, changes: none() } : request)
      return { staging, warehouse: Object.assign(warehouse, { apply }) }
    },
  }
}

async function* none(): AsyncGenerator<readonly NetChange[]> {
  // Nothing is written again.
}

const same = (sink: WarehouseSink): WarehouseSink => sink

/** Of which a quarter of the seeds have one. */
const dropModes = ['evolve', 'try_evolve', 'lenient', 'ignore'] as const

/** All that seeds can be: what the shop's tables are in, how they are ordered, and how often they are emptied. */
export function anyShop(seed: number): SimulationOptions {
  const random = seededRandom(seed)
  const server = { keeps: { maxAgeMs: 24 * 3_600_000, maxBytes: 64 * 1024 * 1024 } }
  const where: ShopFaults = random.next() < 0.6 ? { server } : {}
  const order = random.next()
  // Without the hop, or in any order, a truncate has no place.
  const shop = (faults: ShopFaults) => ({ ...shopSimulation(seed, faults), statements: 40 })
  if (order < 0.15) return shop({ ...where, keyedBy: 'primary-key' })
  if (order < 0.3) return shop({ ...where, spreads: true, ordering: 'position' })
  const truncateShare = random.next() < 0.2 ? 0.06 : 0.01
  const mode = dropModes[Math.floor(random.next() * dropModes.length * 4)]
  const drops = mode === undefined ? {} : { drops: mode }
  const isDeleted = random.next() < 0.08
  const deleting = isDeleted ? { deleting: { tables: ['product'], anew: false } } : {}
  // What tells of tables that are dropped is MySQL's.
  const isPostgres = mode === undefined && random.next() < 0.3
  const connector = isPostgres ? ('postgresql' as const) : ('mysql' as const)
  const keys = { connector, oldKeysStayFree: where.server !== undefined }
  return { ...shop({ ...where, ...drops }), truncateShare, ...deleting, ...keys }
}

/** Once at each point where a process can crash, or at every so many of them. Resolves to how many there are. */
export async function crashEverywhere(options: SimulationOptions, every = 1): Promise<number> {
  const { calls } = await runSeed({ ...options, instances: 2, crashAtCall: 0 })
  for (let call = 1; call <= calls; call += every) {
    const { crashes } = await runSeed({ ...options, instances: 2, crashAtCall: call })
    assert(crashes === 1, `there was no crash at call ${call} of ${calls}`)
  }
  return calls
}

/** Whether the judge finds a broken promise within so many seeds. */
export async function findsViolation(
  seeds: number,
  run: (seed: number) => Promise<unknown>,
): Promise<boolean> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    try {
      await run(seed)
    } catch (error) {
      if ((error as Error).name === 'SimulationError') return true
      throw error
    }
  }
  return false
}
