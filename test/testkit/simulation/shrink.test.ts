import { describe, expect, it } from 'vitest'
import type { CaseFailure, SimulationCase } from '../../../testkit/simulation/shrink.ts'
import { shrink } from '../../../testkit/simulation/shrink.ts'

const whole: SimulationCase = {
  seed: 7,
  statements: Array.from({ length: 60 }, (_, index) => index + 1),
  instances: null,
  withoutFaults: [],
  skippedFaults: [],
}

/** Faults of a run, of which a case leaves some out. */
const faults = [
  { name: 'crash-1', kind: 'crash' },
  { name: 'pause-1', kind: 'pause' },
  { name: 'crash-2', kind: 'crash' },
  { name: 'disk-full-1', kind: 'disk-full' },
  { name: 'crash-3', kind: 'crash' },
]

function faultsOf({ withoutFaults, skippedFaults }: SimulationCase) {
  return faults.filter(
    ({ name, kind }) => !withoutFaults.includes(kind) && !skippedFaults.includes(name),
  )
}

interface Needs {
  readonly statements?: readonly number[]
  readonly instances?: number
  readonly faults?: readonly string[]
}

/** A run that breaks its promise when it has all of these. */
function failsWith(needs: Needs) {
  return (given: SimulationCase): Promise<CaseFailure | null> => {
    const names = faultsOf(given).map(({ name }) => name)
    // Without a word of it there are three.
    const instances = given.instances ?? 3
    const isFailing =
      (needs.statements ?? []).every(number => given.statements.includes(number)) &&
      instances >= (needs.instances ?? 1) &&
      (needs.faults ?? []).every(name => names.includes(name))
    const statement = given.statements.at(-1)!
    const failure = { promise: 'ends-equal', statement, instances, faults: faultsOf(given) }
    return Promise.resolve(isFailing ? failure : null)
  }
}

async function smallestOf(needs: Needs, maxRuns = 500) {
  const run = failsWith(needs)
  return await shrink(whole, (await run(whole))!, run, maxRuns)
}

describe('a failing case is made small', () => {
  it('to one statement and no fault, where any will do', async () => {
    const { smallest, failure } = await smallestOf({})
    expect(smallest).toMatchObject({ statements: [1], instances: 1 })
    expect(failure.faults).toEqual([])
  })

  it('to the statements, instances and faults that it takes, and no others', async () => {
    const needs = { statements: [3, 17, 18, 41], instances: 2, faults: ['crash-2', 'disk-full-1'] }
    const { smallest, failure } = await smallestOf(needs)
    expect(smallest.statements).toEqual(needs.statements)
    expect(smallest.instances).toBe(2)
    expect(failure.faults.map(({ name }) => name)).toEqual(needs.faults)
    expect(smallest.withoutFaults).toEqual(['pause'])
    expect(smallest.skippedFaults).toEqual(['crash-1', 'crash-3'])
  })

  it('first to the statements that were made when the promise broke', async () => {
    const tried: number[] = []
    await shrink(
      whole,
      { promise: 'p', statement: 9, instances: 1, faults: [] },
      ({ statements }) => {
        tried.push(statements.length)
        const isFailing = statements.includes(9)
        return Promise.resolve(
          isFailing ? { promise: 'p', statement: 9, instances: 1, faults: [] } : null,
        )
      },
      500,
    )
    expect(tried[0]).toBe(9)
    expect(Math.max(...tried)).toBe(9)
  })

  it('never to one that breaks another promise', async () => {
    const failure = { promise: 'ends-equal', statement: 60, instances: 1, faults: faultsOf(whole) }
    const other = { ...failure, promise: 'one-row-a-key' }
    const shrunk = await shrink(whole, failure, () => Promise.resolve(other), 500)
    expect(shrunk.smallest).toBe(whole)
    expect(shrunk.failure).toBe(failure)
  })

  it('where other faults happen once one is left out', async () => {
    // Each fault that is skipped brings one more at the end, as in a run that goes on for longer.
    const run = (given: SimulationCase): Promise<CaseFailure | null> => {
      const skipped = new Set(given.skippedFaults)
      const happened = Array.from({ length: 3 + skipped.size }, (_, index) => index + 1)
        .map(number => ({ name: `crash-${number}`, kind: 'crash' }))
        .filter(({ name }) => !skipped.has(name))
      const isFailing = given.withoutFaults.length === 0
      const failure = { promise: 'p', statement: 1, instances: 1, faults: happened }
      return Promise.resolve(isFailing ? failure : null)
    }
    const shrunk = await shrink(whole, (await run(whole))!, run, 80)
    expect(shrunk.runs).toBeLessThanOrEqual(80)
    expect(await run(shrunk.smallest)).not.toBeNull()
  })

  it('with no more runs than it is given, and none twice', async () => {
    const names: string[] = []
    const run = failsWith({ statements: [3, 17, 41], faults: ['crash-1', 'crash-3'] })
    const counted = (given: SimulationCase) => {
      names.push(JSON.stringify(given))
      return run(given)
    }
    const shrunk = await shrink(whole, (await run(whole))!, counted, 12)
    expect(shrunk.runs).toBe(12)
    expect(names).toHaveLength(12)
    expect(await run(shrunk.smallest)).not.toBeNull()
    names.length = 0
    await shrink(whole, (await run(whole))!, counted, 500)
    expect(new Set(names).size).toBe(names.length)
  })
})
