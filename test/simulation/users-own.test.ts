/** The simulator as users have it, by the example: bugs are found, told small, and can be replayed. */
import { describe, expect, it } from 'vitest'
import {
  activeOnly,
  activeUsers,
  activeUsersForEver,
  everything,
  users,
  usersOnce,
} from '../../examples/03-simulate.ts'
import type { WarehouseSink } from '../../sinks/warehouse.ts'
import type { SimulateOptions, Workload } from '../../testkit/index.ts'
import { SimulationError, simulate } from '../../testkit/index.ts'
import { faultKinds } from '../../testkit/simulation/simulator.ts'
import type { Topology } from '../../topology/topology.ts'

type Build = (sink: WarehouseSink) => Topology

async function errorOf(build: Build, workload: Workload, options: SimulateOptions) {
  try {
    await simulate(({ sink }) => build(sink), workload, options)
  } catch (error) {
    if (error instanceof SimulationError) return error
    throw error
  }
  throw new Error('no promise was broken')
}

describe('a bug of a topology', () => {
  it('that needs no fault is found by the first seeds, and shown by a few statements', async () => {
    const found = await errorOf(activeUsersForEver, activeOnly, { seeds: 5, maxShrinkRuns: 40 })
    expect(found.promise).toBe('ends-equal')
    expect(found.message).toContain('and should be absent')
    expect(found.case.statements.length).toBeLessThan(6)
    expect(found.case.instances).toBe(1)
    expect(found.story.some(line => line.includes('shop.user'))).toBe(true)
    // The case is the failure: the same one, step by step, each time.
    const again = await errorOf(activeUsersForEver, activeOnly, { replay: found.case })
    expect(again.steps).toEqual(found.steps)
    expect(again.case).toEqual(found.case)
  })

  it('that shows only when something fails is found by 50 seeds, and named with what failed', async () => {
    const found = await errorOf(usersOnce, everything, { seeds: 50, maxShrinkRuns: 8 })
    expect(found.promise).toBe('ends-equal')
    expect(found.story.some(line => / fault [a-z-]+-\d+: /.test(line))).toBe(true)
    expect(found.replay).toContain(`replay: { seed: ${found.seed},`)
    const calm = { ...found.case, withoutFaults: Object.keys(faultKinds) }
    await simulate(({ sink }) => usersOnce(sink), everything, { replay: calm })
  })
})

it.each([
  ['filters', activeUsers, activeOnly],
  ['leaves repeats to the stream', users, everything],
] as const)(
  'a topology that %s as it should keeps every promise',
  async (_how, build, workload) => {
    const told: number[] = []
    const onSeed = (seed: number) => told.push(seed)
    const summary = await simulate(({ sink }) => build(sink), workload, {
      seeds: 8,
      from: 3,
      onSeed,
    })
    expect(told).toEqual([3, 4, 5, 6, 7, 8, 9, 10])
    expect(summary).toMatchObject({ seeds: 8, statements: 480 })
    expect(summary.looks).toBeGreaterThan(8)
    expect(summary.faults).toBeGreaterThan(8)
  },
)

describe('what cannot be simulated is said at once', () => {
  const table = everything.tables['shop.user']!

  it.each<[string, Workload, SimulateOptions]>([
    [
      'the topology does not read shop.users; no table of the workload has the topic sim.shop.user',
      { tables: { 'shop.user': { ...table, topic: 'shop.users' } } },
      {},
    ],
    ['seeds is 0: give a whole number from 1', everything, { seeds: 0 }],
    ['instances is 1.5: give a whole number from 1', everything, { instances: 1.5 }],
    ['the workload cannot run: it has no tables', { tables: {} }, {}],
    [
      'there is no kind of fault crsh',
      everything,
      { replay: { seed: 1, withoutFaults: ['crsh'] } },
    ],
    ['statement 0 of the replay', everything, { replay: { seed: 1, statements: [0] } }],
  ])('%s', async (message, workload, options) => {
    await expect(simulate(({ sink }) => users(sink), workload, options)).rejects.toThrow(
      expect.objectContaining({
        code: 'config-invalid',
        message: expect.stringContaining(message),
      }),
    )
  })

  it('a table of another name, with what the warehouse has', async () => {
    const expected: Workload['expected'] = source => ({ 'ods.user': source['shop.user']! })
    const found = await errorOf(users, { ...everything, expected }, { seeds: 1, maxShrinkRuns: 0 })
    expect(found.message).toContain('the workload expects only ods.user')
  })
})
