import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CounterRegistry, counters } from '../../observe/metrics.ts'

describe('the registry of counters', () => {
  const counts = fc.array(
    fc.record({
      amount: fc.nat(1000),
      table: fc.constantFrom('a', 'b', 'a"b'),
      outcome: fc.constantFrom('applied', 'already-applied'),
      turned: fc.boolean(),
    }),
  )

  it('sums what was counted, over the labels that are asked for', () => {
    fc.assert(
      fc.property(counts, list => {
        const registry = new CounterRegistry()
        for (const { amount, table, outcome, turned } of list) {
          const labels = turned ? { outcome, table } : { table, outcome }
          registry.count('forager_batches_applied_total', amount, labels)
        }
        const sumOf = (table?: string, outcome?: string): number =>
          list
            .filter(one => (table ?? one.table) === one.table)
            .filter(one => (outcome ?? one.outcome) === one.outcome)
            .reduce((sum, { amount }) => sum + amount, 0)
        const name = 'forager_batches_applied_total'
        expect(registry.total(name)).toBe(sumOf())
        expect(registry.total(name, { table: 'a' })).toBe(sumOf('a'))
        expect(registry.total(name, { table: 'b', outcome: 'applied' })).toBe(sumOf('b', 'applied'))
        expect(registry.total(name, { task: '1_0' })).toBe(0)
        expect(registry.total('forager_commits_total')).toBe(0)
      }),
    )
  })

  it('has no series of which nothing was counted', () => {
    const registry = new CounterRegistry()
    registry.count('forager_repeats_dropped_total', 0, { table: 'a' })
    expect(registry.series('forager_repeats_dropped_total')).toEqual([])
  })

  it('names counters as Prometheus does, and says what each of them counts', () => {
    for (const [name, help] of Object.entries(counters)) {
      expect(name).toMatch(/^forager_[a-z_]+_total$/)
      expect(help).toMatch(/^[A-Z].*\.$/)
    }
  })
})
