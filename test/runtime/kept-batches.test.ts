import { describe, expect, it } from 'vitest'
import type { ChangeMark } from '../../model/net-change.ts'
import type { TruncatePoint } from '../../model/position.ts'
import type { ApplyPlan, WaitingBatch } from '../../processors/merge.ts'
import type { TableProgress } from '../../runtime/applied.ts'
import { noProgress } from '../../runtime/applied.ts'
import { KeptBatches } from '../../runtime/kept-batches.ts'
import { binlogAt, netOf, users } from '../processors/samples.ts'

const limits = { maxAgeMs: 1000, maxBytes: 100 }

const rowAt = (pos: number): ChangeMark => ({ position: binlogAt(pos).text, sourceMs: pos })
const pointAt = (pos: number): TruncatePoint => ({ position: binlogAt(pos), sourceMs: pos })

/** A batch whose newest row was changed there; null: it did not come through several partitions. */
function batchAt(offset: number, pos: number | null, sizeBytes = 10): WaitingBatch {
  const batch = {
    table: 'ods.user',
    partitionBy: null,
    task: '1_0',
    range: { from: offset, to: offset + 1 },
    schema: users,
    files: [{ path: `${offset}`, sizeBytes, rowCount: 1 }],
    rowCount: 1,
    eventCount: 1,
    truncate: null,
    sourceMs: { first: 0, last: pos ?? offset },
    ...(pos === null ? {} : { lastRows: [rowAt(pos)] }),
  }
  return { offset, batch }
}

const planOf = (...covered: WaitingBatch[]): ApplyPlan => {
  return { truncate: 'none', sources: covered, covered }
}

function truncated(kept: KeptBatches, pos: number, covered: WaitingBatch, isLossAccepted = false) {
  const plan = { ...planOf(covered), truncate: pointAt(pos) }
  return kept.planned(plan, noProgress, isLossAccepted)
}

const offsetsOf = (batches: readonly WaitingBatch[]) => batches.map(({ offset }) => offset)
const pathsOf = (batches: readonly { readonly files: readonly { readonly path: string }[] }[]) =>
  batches.map(({ files }) => files[0]!.path)

const applied = (kept: KeptBatches, plan: ApplyPlan, nowMs = 0, before = noProgress) =>
  pathsOf(kept.applied(plan, before, nowMs))

describe('batches whose files are kept', () => {
  it('are those that came through several partitions; others go at once', () => {
    const kept = new KeptBatches(limits, noProgress)
    expect(applied(kept, planOf(batchAt(0, null), batchAt(1, 100), batchAt(2, null)))).toEqual([
      '0',
      '2',
    ])
    expect(kept).toMatchObject({ count: 1, bytes: 10, from: 1 })
  })

  it('are none that were parked: their records are not in the staged topic, and their rows are forgotten', () => {
    const kept = new KeptBatches(limits, noProgress, ({ offset }) => offset === 1)
    expect(applied(kept, planOf(batchAt(1, 300), batchAt(2, 100)))).toEqual(['1'])
    expect(kept).toMatchObject({ count: 1, from: 2 })
    expect(() => truncated(kept, 200, batchAt(3, 400))).toThrow(/truncate/)
    expect(truncated(kept, 350, batchAt(3, 400)).truncate).toBe('all')
  })

  it('are none where rows keep their positions', () => {
    const kept = new KeptBatches(null, noProgress)
    expect(applied(kept, planOf(batchAt(0, 100)))).toEqual(['0'])
    expect(kept.progress).toEqual({})
    const plan = truncated(kept, 50, batchAt(1, 200))
    expect(plan).toMatchObject({ truncate: pointAt(50) })
  })

  it('go when they are old enough, or too large together, the oldest first', () => {
    const kept = new KeptBatches(limits, noProgress)
    applied(kept, planOf(batchAt(0, 100)), 0)
    applied(kept, planOf(batchAt(1, 200), batchAt(2, 300, 60)), 500)
    expect(pathsOf(kept.letGo(999))).toEqual([])
    expect(kept.expiresMs).toBe(1000)
    expect(pathsOf(kept.letGo(1000))).toEqual(['0'])
    applied(kept, planOf(batchAt(3, 400, 60)), 1000)
    expect(kept.expiresMs).toBe(0)
    expect(pathsOf(kept.letGo(1000))).toEqual(['1', '2'])
    expect(kept).toMatchObject({ count: 1, bytes: 60, from: 3 })
    expect(kept.progress.kept).toEqual({ truncatedAt: null, from: 3, forgotten: [rowAt(300)] })
  })
})

describe('a truncate that is known by its point', () => {
  it('empties the table, and writes again what is newer of what is kept', async () => {
    const kept = new KeptBatches(limits, noProgress)
    applied(kept, planOf(batchAt(0, 100), batchAt(1, 300)))
    const plan = truncated(kept, 200, batchAt(2, 400))
    expect(plan.truncate).toBe('all')
    expect(offsetsOf(plan.sources)).toEqual([1, 2])
    expect(offsetsOf(plan.covered)).toEqual([2])
    const rows = async function* () {
      yield [netOf({ key: 'a', last: rowAt(200) }), netOf({ key: 'b', last: rowAt(201) })]
      yield [netOf({ key: 'c', last: rowAt(50) })]
    }
    const left = await Array.fromAsync(kept.withoutTruncated(plan, rows()))
    expect(left.flat().map(({ key }) => key)).toEqual(['b'])
    // And so it is of everything that comes later.
    applied(kept, plan)
    const later = await Array.fromAsync(kept.withoutTruncated(planOf(), rows()))
    expect(later.flat().map(({ key }) => key)).toEqual(['b'])
  })

  it('is a repeat when a newer one was applied', () => {
    const kept = new KeptBatches(limits, noProgress)
    applied(kept, truncated(kept, 200, batchAt(0, 300)))
    for (const pos of [200, 100]) {
      expect(truncated(kept, pos, batchAt(1, 400)).truncate, String(pos)).toBe('none')
    }
    expect(truncated(kept, 201, batchAt(1, 400)).truncate).toBe('all')
  })

  it('is refused when rows that are newer may have been let go', () => {
    const kept = new KeptBatches(limits, noProgress)
    applied(kept, planOf(batchAt(0, 300)))
    kept.letGo(1000)
    expect(() => truncated(kept, 299, batchAt(1, 400))).toThrow(
      expect.objectContaining({ code: 'truncate-too-late', retry: 'never' }),
    )
    expect(truncated(kept, 300, batchAt(1, 400)).truncate).toBe('all')
    // The operator has accepted it.
    const plan = truncated(kept, 299, batchAt(1, 400), true)
    expect(plan.truncate).toBe('all')
    applied(kept, plan)
    expect(truncated(kept, 300, batchAt(2, 400)).truncate).toBe('all')
  })

  it('is refused of rows from before anything was kept, unless it was made later', () => {
    const before: TableProgress = {
      ...noProgress,
      through: { topicId: 't', offset: 5 },
      appliedAtMs: 1000,
    }
    const kept = new KeptBatches(limits, before)
    applied(kept, planOf(batchAt(6, 300)), 2000, before)
    expect(() => truncated(kept, 1000, batchAt(7, 1500))).toThrow(/staged files are gone/)
    expect(truncated(kept, 1001, batchAt(7, 1500)).truncate).toBe('all')
  })
})

describe('the next owner', () => {
  it('finds again what was kept, and not what was let go, or is older than the truncate', () => {
    const first = new KeptBatches(limits, noProgress)
    const batches = [batchAt(0, 100), batchAt(1, 200), batchAt(2, null), batchAt(3, 300)]
    applied(first, planOf(...batches))
    first.letGo(500)
    applied(first, truncated(first, 200, batchAt(4, 400)))
    const logged = { ...noProgress, ...first.progress }
    const next = new KeptBatches(limits, logged)
    const found = [...batches, batchAt(4, 400)].filter(one => next.keepAgain(one, 700))
    expect(offsetsOf(found)).toEqual([3, 4])
    expect(next).toMatchObject({ from: 3, expiresMs: 1700 })
    expect(truncated(next, 200, batchAt(5, 500)).truncate).toBe('none')
  })

  it('does not take for kept what it reads again and was let go', () => {
    const first = new KeptBatches(limits, noProgress)
    const batches = [batchAt(0, 100), batchAt(1, 200)]
    applied(first, planOf(batches[0]!), 0)
    applied(first, planOf(batches[1]!), 500)
    first.letGo(1000)
    const logged = { ...noProgress, through: { topicId: 't', offset: 1 }, ...first.progress }
    const next = new KeptBatches(limits, logged)
    expect(pathsOf(next.keep(batches, logged, 1100))).toEqual(['0'])
    expect(next).toMatchObject({ count: 1, from: 1 })
    expect(() => truncated(next, 99, batchAt(2, 300))).toThrow(/staged files are gone/)
  })
})
