/** Values of columns whose types change: what the simulated Hive makes of them is what Hive was seen to do. */
import { describe, expect, it } from 'vitest'
import { canBeChanged, converted } from '../../testkit/simulation/hive-values.ts'
import { runSeed } from '../../testkit/simulation/simulator.ts'
import { shopSimulation } from './shop.ts'

const keeps = { maxAgeMs: 3_600_000, maxBytes: 1_000_000 }

describe('a value of a column with another type', () => {
  it('is the same number in a wider one', () => {
    expect(converted(7, 'int', 'bigint')).toBe(7)
    expect(converted(7, 'int', 'decimal(12,2)')).toBe(700)
    expect(converted(-125, 'decimal(6,2)', 'decimal(12,4)')).toBe(-12_500)
    expect(converted(0.5, 'float', 'double')).toBe(0.5)
    expect(converted(null, 'int', 'bigint')).toBeNull()
    expect(converted(10 ** 15, 'decimal(18,0)', 'decimal(20,4)')).toBe(10_000_000_000_000_000_000n)
  })

  it('is rounded, or null, in a narrower one', () => {
    expect(converted(2 ** 40, 'bigint', 'int')).toBeNull()
    expect(converted(70_625, 'decimal(12,4)', 'decimal(6,2)')).toBe(706)
    expect(converted(70_650, 'decimal(12,4)', 'decimal(6,2)')).toBe(707)
    expect(converted(-70_650, 'decimal(12,4)', 'decimal(6,2)')).toBe(-707)
    expect(converted(10_000, 'decimal(6,0)', 'decimal(6,2)')).toBeNull()
    expect(converted(0.1, 'double', 'float')).toBe(Math.fround(0.1))
  })

  it('is never asked for where Hive refuses the change, and decimals it makes narrower', () => {
    expect(canBeChanged('int', 'bigint')).toBe(true)
    expect(canBeChanged('bigint', 'int')).toBe(false)
    expect(canBeChanged('double', 'float')).toBe(false)
    expect(canBeChanged('decimal(12,4)', 'decimal(6,2)')).toBe(true)
  })
})

it('seeds 1 to 25: columns are widened while rows of before are on their way, and every value is exact', async () => {
  const widened = { size: 0, rate: 0, price: 0 }
  for (let seed = 1; seed <= 25; seed += 1) {
    const { story } = await runSeed(shopSimulation(seed, { server: { keeps } }))
    for (const name of ['size', 'rate', 'price'] as const) {
      widened[name] += story.filter(line => line.includes(` CHANGE COLUMN \`${name}\` `)).length
    }
  }
  expect(widened.size).toBeGreaterThan(5)
  expect(widened.rate).toBeGreaterThan(5)
  expect(widened.price).toBeGreaterThan(15)
})
