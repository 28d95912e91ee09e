import { describe, expect, it } from 'vitest'
import { faultKinds, runSeed } from '../../testkit/simulation/simulator.ts'
import { anyShop, crashEverywhere, findsViolation, shopSimulation } from './shop.ts'

const noFaults = Object.fromEntries(Object.keys(faultKinds).map(kind => [kind, false]))

/** What the source did, without when. */
function workloadOf(story: readonly string[]): number {
  return story.filter(line => line.endsWith('source: a statement')).length
}

describe('the simulator', () => {
  it('tells the same story for the same seed', async () => {
    let [crashes, faults] = [0, 0]
    for (let seed = 201; seed <= 212; seed += 1) {
      const first = await runSeed(anyShop(seed))
      expect((await runSeed(anyShop(seed))).story, `seed ${seed}`).toEqual(first.story)
      crashes += first.crashes
      faults += first.faults
    }
    expect(crashes).toBeGreaterThan(0)
    expect(faults).toBeGreaterThan(10)
  })

  it('injects nothing that is switched off, and nothing that is skipped', async () => {
    const options = { ...shopSimulation(3), instances: 2 }
    const quiet = await runSeed({ ...options, faults: noFaults })
    expect(quiet).toMatchObject({ faults: 0, crashes: 0 })
    const crashing = { ...options, faults: { ...noFaults, crash: 0.3 } }
    const { crashes, story } = await runSeed(crashing)
    expect(crashes).toBeGreaterThan(0)
    const all = Array.from({ length: 1000 }, (_, index) => `crash-${index + 1}`)
    const skipped = await runSeed({ ...crashing, skippedFaults: all })
    expect(skipped.crashes).toBe(0)
    expect(skipped.story.some(line => line.includes('fault crash-1 (skipped)'))).toBe(true)
    expect(workloadOf(story)).toBe(workloadOf(skipped.story))
  })

  it.each(Object.keys(faultKinds))('goes on under faults of the kind %s alone', async kind => {
    const server = { keeps: { maxAgeMs: 3_600_000, maxBytes: 1_000_000 } }
    let faults = 0
    for (let seed = 1; seed <= 3; seed += 1) {
      const options = { ...shopSimulation(seed, { server }), log: 'brokers', instances: 2 } as const
      const seldom = ['lost-answer', 'compaction', 'late-assignment']
      const isSeldom = /^(statement|ddl)-/.test(kind) || seldom.includes(kind)
      const often = isSeldom ? 20 : 1
      const result = await runSeed({ ...options, faults: { ...noFaults, [kind]: often } })
      faults += result.faults
    }
    expect(faults).toBeGreaterThan(0)
  })

  it.each(['brokers', 'files'] as const)(
    'survives a crash at every fifth call of an injected interface, over the log in %s',
    async log => {
      const options = { ...shopSimulation(3), log, statements: 8 }
      // Each of them is a run of `npm run test:long`.
      expect(await crashEverywhere(options, 5)).toBeGreaterThan(200)
    },
  )

  it('finds it when repeats are not dropped', async () => {
    const isFound = await findsViolation(50, seed =>
      runSeed(shopSimulation(seed, { dropRepeats: false })),
    )
    expect(isFound).toBe(true)
  })
})
