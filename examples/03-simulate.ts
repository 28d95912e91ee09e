/**
 * 03 — The simulator finds what tests do not. Two bugs that a reader may pass over, each with the topology
 * that has it, the one without it, and the workload by which both are judged.
 *
 *     npx node examples/03-simulate.ts
 *
 * It prints, for each bug, the smallest case that shows it, and how to run that case again.
 */
import {
  type ChangeEvent,
  type ChangeStream,
  debeziumJson,
  inMemory,
  StreamsBuilder,
  type Topology,
  type WarehouseSink,
} from '../index.ts'
import { SimulationError, simulate, type Workload } from '../testkit/index.ts'

/** The source's table, and what the warehouse should have of it. All else is made up from seeds. */
export const activeOnly: Workload = {
  tables: {
    'shop.user': {
      key: ['id'],
      columns: {
        id: { type: 'int' },
        name: { type: 'string', nullable: true },
        status: { type: 'string', values: ['active', 'closed'] },
      },
    },
  },
  expected: source => ({
    'shop.user': source['shop.user']!.filter(({ status }) => status === 'active'),
  }),
}

/** Every row, as it is: that is what is expected when nothing is said. */
export const everything: Workload = { tables: activeOnly.tables }

const isActive = ({ after }: ChangeEvent): boolean => after?.status === 'active'

/** Bug: the change by which a user is closed does not pass, nor does a delete. The table keeps the row. */
export function activeUsersForEver(sink: WarehouseSink): Topology {
  return topologyOf(sink, users => users.filter(isActive, { name: 'active-only' }))
}

/** A user who is not active is one who is to be deleted. */
export function activeUsers(sink: WarehouseSink): Topology {
  const deleted = (event: ChangeEvent): ChangeEvent => ({
    ...event,
    op: 'd',
    before: event.before ?? event.after,
    after: null,
  })
  return topologyOf(sink, users =>
    users.map(event => (isActive(event) ? event : deleted(event)), { name: 'active-only' }),
  )
}

/**
 * Bug: what a task has read it may read again, when its transaction was not committed: it is the first
 * time for the tables, and not for this memory.
 */
export function usersOnce(sink: WarehouseSink): Topology {
  const seen = new Set<string>()
  const isNew = ({ op, key, position }: ChangeEvent): boolean => {
    const id = `${op} ${JSON.stringify(key)} ${position!.text}`
    return !seen.has(id) && seen.add(id).has(id)
  }
  return topologyOf(sink, users => users.filter(isNew, { name: 'once' }))
}

/** What is sent twice is dropped by `stream` itself, which keeps what it knows with its offsets. */
export function users(sink: WarehouseSink): Topology {
  return topologyOf(sink, same => same)
}

function topologyOf(
  sink: WarehouseSink,
  transform: (users: ChangeStream) => ChangeStream,
): Topology {
  const builder = new StreamsBuilder()
  transform(builder.stream('sim.shop.user', { name: 'users', format: debeziumJson() }))
    .repartition({ name: 'users-by-key', partitions: 2 })
    .compact({ name: 'users-window', flush: { maxAgeMs: 3000, maxRows: 6 }, store: inMemory() })
    .to(sink, { name: 'users-table' })
  return builder.build()
}

async function main(): Promise<void> {
  const pairs = [
    { bug: activeUsersForEver, mended: activeUsers, workload: activeOnly },
    { bug: usersOnce, mended: users, workload: everything },
  ]
  for (const { bug, mended, workload } of pairs) {
    process.stdout.write(`\n${bug.name}\n`)
    try {
      await simulate(({ sink }) => bug(sink), workload, { seeds: 200 })
    } catch (error) {
      if (!(error instanceof SimulationError)) throw error
      process.stdout.write(`${error.message}\n`)
    }
    const { seeds, faults } = await simulate(({ sink }) => mended(sink), workload, { seeds: 20 })
    process.stdout.write(`\n${mended.name}: ${seeds} seeds, ${faults} faults, all as it must be\n`)
  }
}

if (import.meta.main) await main()
