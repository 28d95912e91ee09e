import { describe, expect, it } from 'vitest'
import { difference } from './difference.ts'
import { fuzz, fuzzFiles, outcome } from './fuzz.ts'
import { Dissection } from './mutations.ts'
import { readRows } from './samples.ts'

const files = await fuzzFiles()

describe('a damaged file', () => {
  it('gives rows or an OrcError, for 6,000 mutations of all types and codecs', async () => {
    const { failures, outcomes } = await fuzz(files, 0, 6_000)
    expect(failures).toEqual([])
    // The damage must reach the data as well as the footers, or this test would prove nothing.
    expect(outcomes.get('rows')).toBeGreaterThan(1200)
    expect(outcomes.get('file-corrupt')).toBeGreaterThan(1500)
    expect(outcomes.get('file-not-orc')).toBeGreaterThan(150)
    expect(outcomes.get('feature-unsupported')).toBeGreaterThan(15)
    expect(outcomes.get('limit-exceeded')).toBeGreaterThan(1)
  }, 300_000)

  it('is damaged by the mutations alone, not by taking the file apart', async () => {
    for (const { name, bytes } of files) {
      expect(await outcome(bytes), name).toBe('rows')
      const rebuilt = new Dissection(bytes).rebuild()
      expect(difference(await readRows(rebuilt), await readRows(bytes)), name).toBeNull()
    }
  })
})
