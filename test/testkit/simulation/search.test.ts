import { describe, expect, it } from 'vitest'
import type { CaseRun, SearchOptions } from '../../../testkit/simulation/search.ts'
import { SimulationError, searchSeeds } from '../../../testkit/simulation/search.ts'
import type { SimulationCase } from '../../../testkit/simulation/shrink.ts'

const numbers = Array.from({ length: 70 }, (_, index) => index + 1)

/** Statement 17 breaks a promise of seed 3, whatever else happens. */
function run({ seed, statements, ...given }: SimulationCase): Promise<CaseRun> {
  const story = statements.flatMap(number => [`7 source ${number}`, '8 · process 1.1: poll'])
  const counts = { statements: statements.length, faults: 2, crashes: 1, looks: 5 }
  const isBroken = seed === 3 && statements.includes(17)
  const failure = {
    promise: 'ends-equal',
    statement: 17,
    instances: given.instances ?? 2,
    faults: [],
    cause: new Error('it ended otherwise'),
  }
  return Promise.resolve({ story, counts, failure: isBroken ? failure : null })
}

const options: SearchOptions = {
  seeds: [1, 2],
  caseOf: seed => ({
    seed,
    statements: numbers,
    instances: null,
    withoutFaults: [],
    skippedFaults: [],
  }),
  run,
  maxShrinkRuns: 100,
  replayOf: ({ seed, statements }) => `replay ${seed} ${statements.join()}`,
}

async function errorOf(given: SearchOptions): Promise<SimulationError> {
  try {
    await searchSeeds(given)
  } catch (error) {
    if (error instanceof SimulationError) return error
    throw error
  }
  throw new Error('it found nothing')
}

describe('a search', () => {
  it('counts what it saw in seeds that keep their promises', async () => {
    const told: number[] = []
    const summary = await searchSeeds({
      ...options,
      onSeed: (seed, { looks }) => told.push(seed, looks),
    })
    expect(summary).toEqual({ seeds: 2, statements: 140, faults: 4, crashes: 2, looks: 10 })
    expect(told).toEqual([1, 5, 2, 10])
  })

  it('ends with the first seed that breaks one, made small, with its story and how to replay it', async () => {
    const error = await errorOf({ ...options, seeds: [1, 2, 3, 4] })
    expect(error).toMatchObject({
      seed: 3,
      promise: 'ends-equal',
      case: { seed: 3, statements: [17], instances: 1 },
      story: ['7 source 17'],
      steps: ['7 source 17', '8 · process 1.1: poll'],
      replay: 'replay 3 17',
    })
    expect((error.cause as Error).message).toBe('it ended otherwise')
    expect(error.message).toMatch(/^seed 3 breaks a promise: it ended otherwise \(ends-equal\)\n/)
    expect(error.message).toContain('1 of 70 statements, 1 of 2 instances, 0 of 0 faults')
    expect(error.message).toMatch(/\n {2}7 source 17\nReplay it: replay 3 17$/)
  })

  it('leaves the case as it is when it may run no other', async () => {
    const error = await errorOf({ ...options, seeds: [3], maxShrinkRuns: 0 })
    expect(error.case.statements).toEqual(numbers)
    expect(error.message).toContain('\nThe case has 70 statements, 2 instances, 0 faults.\n')
    expect(error.message).toContain('\n  7 source 50\n  … 10 lines …\n  7 source 61\n')
  })
})
