/**
 * The simulator for topologies of one's own: many seeds of a made-up source through the real runtime over
 * simulated brokers, files and time, in which everything fails that may. `docs/simulator.md`
 *
 *     await simulate(({ sink }) => followUsers(sink), workload, { seeds: 200 })
 */
import { ConfigError } from '../model/errors.ts'
import { embedded } from '../sinks/embedded/embedded.ts'
import type { WarehouseSink } from '../sinks/warehouse.ts'
import { inMemory } from '../state/memory-store.ts'
import { Topology } from '../topology/topology.ts'
import { SeededDatabase } from './simulate/seeded-database.ts'
import { TableJudge } from './simulate/table-judge.ts'
import type { CheckedWorkload, Workload } from './simulate/workload.ts'
import { checkWorkload } from './simulate/workload.ts'
import { runCase } from './simulation/run-case.ts'
import type { CaseRun, SearchSummary } from './simulation/search.ts'
import { searchSeeds } from './simulation/search.ts'
import type { SimulationCase } from './simulation/shrink.ts'
import { faultKinds } from './simulation/simulator.ts'

/** Where a topology under simulation writes to. */
export interface SimulatedWarehouse {
  /** For sinks of its own: `embedded({ path, partitionBy })`. */
  readonly path: string
  /** For all others. */
  readonly sink: WarehouseSink
}

/** Called whenever an instance starts: what a topology remembers outside of its stores ends with the process. */
export type TopologyOf = (warehouse: SimulatedWarehouse) => Topology

export interface Replay extends Partial<Omit<SimulationCase, 'statements'>> {
  readonly seed: number
  /** The first so many, or these. */
  readonly statements?: number | readonly number[]
}

export interface SimulateOptions {
  /** How many seeds; default 100. */
  readonly seeds?: number
  /** The first one; default 1. The same seed is the same simulation. */
  readonly from?: number
  /** Processes that share the work. Default 1 to 3, by the seed. */
  readonly instances?: number
  /** Runs this case alone, as `SimulationError.case` has it; a seed is enough. */
  readonly replay?: Replay
  /** Cases that are run at most to make a failing one small; default 300. */
  readonly maxShrinkRuns?: number
  /** Told after each seed that kept its promises. */
  readonly onSeed?: (seed: number, summary: SearchSummary) => void
}

const defaults = { seeds: 100, from: 1, maxShrinkRuns: 300 }
const warehouse: SimulatedWarehouse = {
  path: '/warehouse',
  sink: embedded({ path: '/warehouse', stagingPath: '/staging' }),
}

/**
 * Rejects with SimulationError for the first seed that breaks a promise, with the smallest case that was
 * found to break it; with ConfigError `config-invalid` for a workload or options that cannot run.
 */
export async function simulate(
  topology: TopologyOf,
  workload: Workload,
  options: SimulateOptions = {},
): Promise<SearchSummary> {
  const {
    seeds,
    from,
    maxShrinkRuns,
    instances = null,
  } = { ...defaults, ...withoutUndefined(options) }
  checkCounts({ seeds, instances: instances ?? 1 })
  checkReplay(options.replay)
  const checked = checkWorkload(workload)
  checkTopics(topology(warehouse), checked)
  const given = options.replay === undefined ? {} : replayed(options.replay)
  const caseOf = (seed: number): SimulationCase => ({
    seed,
    statements: numbersTo(checked.statements),
    instances,
    withoutFaults: [],
    skippedFaults: [],
    ...given,
  })
  return await searchSeeds({
    seeds: options.replay === undefined ? rangeOf(from, seeds) : [options.replay.seed],
    caseOf,
    run: one => runTopology(topology, checked, one),
    maxShrinkRuns: options.replay === undefined ? maxShrinkRuns : 0,
    replayOf: replayText,
    ...(options.onSeed === undefined ? {} : { onSeed: options.onSeed }),
  })
}

function replayed({ statements, ...given }: Replay): Partial<SimulationCase> {
  if (statements === undefined) return given
  return {
    ...given,
    statements: typeof statements === 'number' ? numbersTo(statements) : statements,
  }
}

function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}

function* rangeOf(from: number, count: number): Generator<number> {
  for (let seed = from; seed < from + count; seed += 1) yield seed
}

async function runTopology(
  topology: TopologyOf,
  workload: CheckedWorkload,
  given: SimulationCase,
): Promise<CaseRun> {
  return await runCase(
    {
      seed: given.seed,
      tables: [],
      // Most seeds have brokers and several instances; some one instance over the local log.
      log: given.seed % 4 === 0 ? 'files' : 'brokers',
      topology: () => withoutDisk(topology(warehouse)),
      database: tell => {
        const { seed, statements } = given
        const database = new SeededDatabase({ seed, workload, statements, tell })
        return {
          source: database.source,
          isWhole: false,
          step: () => database.step(),
          mayResend: () => database.mayResend(),
          judge: (files, root) => new TableJudge(database.states, files, root),
        }
      },
    },
    given,
  )
}

/** A store on disk works in threads, whose order no seed decides: all are in memory. */
function withoutDisk(topology: Topology): Topology {
  const pipelines = topology.pipelines.map(pipeline => {
    return { ...pipeline, compact: { ...pipeline.compact, store: inMemory() } }
  })
  return Object.assign(Object.create(Topology.prototype) as Topology, { pipelines })
}

/** As an option of `simulate`: what is as it is by default is left out. */
function replayText(given: SimulationCase): string {
  const { statements } = given
  // The first so many are a number.
  const isWhole = statements.at(-1) === statements.length
  const entries = Object.entries({
    ...given,
    statements: isWhole ? statements.length : statements,
  }).filter(([, value]) => !(Array.isArray(value) && value.length === 0))
  const members = entries.map(
    ([name, value]) => `${name}: ${JSON.stringify(value).replaceAll('"', "'")}`,
  )
  return `simulate(topology, workload, { replay: { ${members.join(', ')} } })`
}

function checkCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (Number.isInteger(count) && count >= 1) continue
    throw new ConfigError('config-invalid', `${name} is ${count}: give a whole number from 1`)
  }
}

function checkReplay({ withoutFaults = [], statements = 1 }: Partial<Replay> = {}): void {
  const unknown = withoutFaults.find(kind => !(kind in faultKinds))
  if (unknown !== undefined) {
    const known = Object.keys(faultKinds).join(', ')
    throw new ConfigError(
      'config-invalid',
      `there is no kind of fault ${unknown}; known are ${known}`,
    )
  }
  const numbers = typeof statements === 'number' ? [statements] : statements
  const isRising = numbers.every((number, index) => number > (numbers[index - 1] ?? 0))
  if (numbers.length > 0 && isRising && numbers.every(Number.isInteger)) return
  throw new ConfigError(
    'config-invalid',
    `statement ${numbers.join()} of the replay: give numbers from 1, in their order`,
  )
}

/** Both would only be seen as tables that stay empty. */
function checkTopics({ pipelines }: Topology, { tables }: CheckedWorkload): void {
  const topics = tables.map(({ topic }) => topic)
  const named = pipelines.map(({ source }) => source.topics)
  const isRead = (topic: string): boolean =>
    named.some(one => (one instanceof RegExp ? one.test(topic) : one.includes(topic)))
  const unread = topics.filter(topic => !isRead(topic))
  const absent = named
    .flatMap(one => (one instanceof RegExp ? [] : one))
    .filter(topic => !topics.includes(topic))
  const problems = [
    ...unread.map(topic => `the topology does not read ${topic}`),
    ...absent.map(
      topic => `no table of the workload has the topic ${topic}, which the topology reads`,
    ),
  ]
  if (problems.length === 0) return
  const advice = 'give each table of the workload the `topic` that its source has'
  throw new ConfigError('config-invalid', `${problems.join('; ')}: ${advice}`)
}

function withoutUndefined<T extends object>(given: T): T {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as T
}
