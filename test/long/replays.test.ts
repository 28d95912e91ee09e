import { describe, expect, it } from 'vitest'
import { ofMysql, recordings } from '../main/recordings.ts'
import { replay } from '../main/replays.ts'

describe.each([...recordings, ofMysql])(
  'recorded events $name with blocks sent again',
  recording => {
    it('end equal, and no key’s position ever falls, for 200 seeds', async () => {
      let repeatsDropped = 0
      for (let seed = 1; seed <= 200; seed += 1) {
        const result = await replay(recording, seed)
        expect(result.problems, `seed ${seed}`).toEqual([])
        repeatsDropped += result.repeatsDropped
      }
      expect(repeatsDropped).toBeGreaterThan(recording === ofMysql ? 500 : 1000)
    })
  },
)
