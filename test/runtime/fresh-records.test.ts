import { describe, expect, it } from 'vitest'
import type { LogBatch } from '../../log/log.ts'
import { freshOf } from '../../runtime/fresh-records.ts'

function batchOf(offsets: readonly number[], nextOffset: number): LogBatch {
  const at = { topic: 'hop', partition: 0 }
  const rest = { ...at, key: null, value: null, headers: [], timestampMs: 0 }
  return { ...at, records: offsets.map(offset => ({ ...rest, offset })), nextOffset, end: 9 }
}

function freshOffsets(offsets: readonly number[], nextOffset: number, position: number) {
  const fresh = freshOf(batchOf(offsets, nextOffset), position)
  return fresh && [fresh.records.map(({ offset }) => offset), fresh.nextOffset]
}

describe('of a batch that a poll hands out', () => {
  it('all is taken from the position on, over the gaps that markers leave', () => {
    const batch = batchOf([4, 5, 8], 9)
    expect(freshOf(batch, 4)).toBe(batch)
    expect(freshOf(batch, 3)).toBe(batch)
    const empty = batchOf([], 6)
    expect(freshOf(empty, 5)).toBe(empty)
    expect(freshOf(empty, 6)).toBe(empty)
  })

  it('what was there before is not taken again', () => {
    expect(freshOffsets([2, 3, 4, 5], 6, 4)).toEqual([[4, 5], 6])
    expect(freshOffsets([4, 5, 6, 4, 5, 6, 7], 8, 4)).toEqual([[4, 5, 6, 7], 8])
    expect(freshOffsets([2, 3], 6, 4)).toEqual([[], 6])
  })

  it('nothing is taken, and the position stays, when all of it was there', () => {
    expect(freshOffsets([2, 3], 4, 4)).toBeNull()
    expect(freshOffsets([2, 3], 4, 6)).toBeNull()
    expect(freshOffsets([], 5, 6)).toBeNull()
  })
})
