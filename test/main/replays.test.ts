import { describe, expect, it } from 'vitest'
import { deletingTombstones } from '../faults/deleting-tombstones.ts'
import { ofMysql, recordings } from './recordings.ts'
import { type ReplayFaults, replay } from './replays.ts'

const seeds = Array.from({ length: 6 }, (_, index) => index + 1)

describe.each([...recordings, ofMysql])(
  'recorded events $name with blocks sent again',
  recording => {
    it('end equal, and no key’s position ever falls, for 6 seeds', async () => {
      let repeatsDropped = 0
      let applies = 0
      for (const seed of seeds) {
        const result = await replay(recording, seed)
        expect(result.problems, `seed ${seed}`).toEqual([])
        repeatsDropped += result.repeatsDropped
        applies += result.applies
      }
      // m6 has 14 changes, all of one table.
      const isSmall = recording === ofMysql
      expect(repeatsDropped).toBeGreaterThan(seeds.length * (isSmall ? 2 : 4))
      expect(applies).toBeGreaterThan(seeds.length * (isSmall ? 3 : 15))
    })
  },
)

describe('the same, with a rule broken', () => {
  const failsFor = async (faults: ReplayFaults): Promise<boolean> => {
    for (const recording of recordings) {
      for (const seed of seeds) {
        if ((await replay(recording, seed, { ...faults, stepRate: 0.7 })).problems.length > 0)
          return true
      }
    }
    return false
  }

  it('is found when repeats are not dropped', async () => {
    expect(await failsFor({ dropRepeats: false })).toBe(true)
  })

  it('is found when a tombstone deletes by itself', async () => {
    expect(await failsFor({ format: deletingTombstones() })).toBe(true)
  })
})
