/** Changes of Hive's columns that take effect minutes after their caller was told that nothing is known of them. */
import { expect, it } from 'vitest'
import { faultKinds, runSeed } from '../../testkit/simulation/simulator.ts'
import { shopSimulation } from './shop.ts'

const noFaults = Object.fromEntries(Object.keys(faultKinds).map(kind => [kind, false]))
const server = { keeps: { maxAgeMs: 3_600_000, maxBytes: 1_000_000 } }
const precision =
  /transaction \d+ changes a table: .*`(\w+)` CHANGE COLUMN `price` `price` decimal\((\d+),/

/** How often the decimal of a table became narrower. */
function narrowed(story: readonly string[]): number {
  const widest = new Map<string, number>()
  let count = 0
  for (const line of story) {
    const [, table, digits] = precision.exec(line) ?? []
    if (table === undefined) continue
    const most = widest.get(table) ?? 0
    if (Number(digits) < most) count += 1
    widest.set(table, Math.max(most, Number(digits)))
  }
  return count
}

const countOf = (story: readonly string[], text: string): number =>
  story.filter(line => line.includes(text)).length

it('seeds 1 to 12: one that waits for its lock is waited for, and every table ends as the source', async () => {
  let late = 0
  for (let seed = 1; seed <= 12; seed += 1) {
    const faults = { ...noFaults, pause: 0.2, rebalance: 0.2, crash: 0.1, 'ddl-late': 50 }
    const options = { ...shopSimulation(seed, { server }), log: 'brokers', faults } as const
    const { story } = await runSeed(options)
    late += countOf(story, ' fault ddl-late-')
    expect(narrowed(story), `seed ${seed}`).toBe(0)
  }
  expect(late).toBeGreaterThan(12)
})

it('seeds 11 to 30, and 83: one that reaches its server behind a wider one cuts values, until the next apply', async () => {
  let [delayed, cut, seen] = [0, 0, 0]
  // Seed 83 ends with a value that is cut when nobody looks at the columns behind the statement.
  for (const seed of [...Array.from({ length: 20 }, (_, index) => 11 + index), 83]) {
    const faults = { ...noFaults, pause: 0.2, 'ddl-late': 20, 'ddl-delayed': 60 }
    const options = { ...shopSimulation(seed, { server }), log: 'brokers', faults } as const
    const { story } = await runSeed({ ...options, statements: 100 })
    delayed += countOf(story, ' fault ddl-delayed-')
    cut += narrowed(story)
    seen += countOf(story, ' was changed meanwhile: column price is decimal(')
  }
  expect(delayed).toBeGreaterThan(100)
  expect(cut).toBeGreaterThan(3)
  expect(seen).toBeGreaterThan(1)
})
