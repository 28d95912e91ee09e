import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../model/errors.ts'
import type { NetChange } from '../../model/net-change.ts'
import { netChangeValues } from '../../model/net-change.ts'
import { policyOf, schemaChangeModes } from '../../model/schema-change.ts'
import type { StagedBatch, TruncateMarker } from '../../model/staged-batch.ts'
import { internSchema } from '../../model/table-schema.ts'
import { foldChange } from '../../processors/fold-change.ts'
import type { WaitingBatch } from '../../processors/merge.ts'
import { foldStreams, planApply, planUnder } from '../../processors/merge.ts'
import { schemaOf } from '../model/samples.ts'
import { binlogAt, netOf, users } from './samples.ts'

const markerOf = (parts: Partial<TruncateMarker> = {}): TruncateMarker => ({
  topic: 'shop',
  partition: 0,
  offset: 9,
  partitions: 2,
  isOrdered: true,
  point: null,
  ...parts,
})

const unordered = (pos: number, sourceMs = pos): TruncateMarker =>
  markerOf({ isOrdered: false, point: { position: binlogAt(pos), sourceMs } })

/** Batches in staged order; each is `[task, marker, bytes]`. */
function waiting(
  ...batches: readonly (readonly [task: string, truncate?: TruncateMarker | null, bytes?: number])[]
): WaitingBatch[] {
  return batches.map(([task, truncate = null, sizeBytes = 10], offset) => {
    const batch: StagedBatch = {
      table: 'ods.user',
      partitionBy: null,
      task,
      range: { from: offset, to: offset + 1 },
      schema: users,
      files: [{ path: `${offset}`, sizeBytes, rowCount: 1 }],
      rowCount: 1,
      eventCount: 1,
      truncate,
      sourceMs: { first: 0, last: 0 },
    }
    return { offset, batch }
  })
}

/** The plan as staged offsets. */
function planned(batches: readonly WaitingBatch[], maxBytes = 1000) {
  const plan = planApply(batches, undefined, maxBytes)
  if (plan === null) return null
  return {
    truncate: plan.truncate,
    sources: plan.sources.map(({ offset }) => offset),
    covered: plan.covered.map(({ offset }) => offset),
  }
}

const plain = (...offsets: number[]) => ({ truncate: 'none', sources: offsets, covered: offsets })

describe('a truncate that was staged before its mode was set', () => {
  const batches = waiting(['0'], ['1', markerOf()], ['0', markerOf()])
  const plan = { truncate: 'all', sources: batches.slice(1), covered: batches } as const

  it('leaves the rows under lenient and ignore, and those of before as well', () => {
    for (const mode of ['lenient', 'ignore'] as const) {
      expect(planUnder(policyOf(mode), plan, true)).toEqual({
        truncate: 'none',
        sources: batches,
        covered: batches,
      })
    }
  })

  it('is nothing to a table that is not there, unless the plan makes it', () => {
    const empty = internSchema({ columns: [], key: [] })
    const markers = batches.map(one => ({ ...one, batch: { ...one.batch, schema: empty } }))
    const nothing = { truncate: 'all', sources: markers, covered: markers } as const
    for (const mode of schemaChangeModes) {
      const { truncate } = planUnder(policyOf(mode), nothing, false)
      expect(truncate).toBe(mode === 'evolve' || mode === 'try_evolve' ? 'all' : 'none')
    }
    expect(() => planUnder(policyOf('exception'), plan, false)).toThrow(/"exception"/)
  })

  it('empties the table under evolve, and holds it back under exception', () => {
    expect(planUnder(policyOf('evolve'), plan, true)).toBe(plan)
    expect(() => planUnder(policyOf('exception'), plan, true)).toThrow(
      /schemaChanges.truncate is "exception"/,
    )
  })
})

describe('which batches one apply covers', () => {
  it('all that wait, in staged order, up to a size, and at least one', () => {
    expect(planned([])).toBeNull()
    expect(planned(waiting(['a'], ['b'], ['a']))).toEqual(plain(0, 1, 2))
    expect(planned(waiting(['a', null, 600], ['b', null, 400], ['a', null, 1]))).toEqual(
      plain(0, 1),
    )
    expect(planned(waiting(['a', null, 5000], ['b', null, 1]))).toEqual(plain(0))
    expect(planned(waiting(['a', null, 1000]))).toEqual(plain(0))
  })

  it('those that waited when it was planned: others come while it is carried out', () => {
    const batches = waiting(['a'], ['b'])
    const plan = planApply(batches, undefined, 1000)
    batches.push(...waiting(['a'], ['b'], ['a']).slice(2))
    expect(plan?.covered.map(({ offset }) => offset)).toEqual([0, 1])
    expect(plan?.sources.map(({ offset }) => offset)).toEqual([0, 1])
  })

  it('what fits into one table, and no batch that was staged before one that does not', () => {
    const [a, b, c] = waiting(['a'], ['b'], ['a'])
    const other = schemaOf({ id: 'int', name: 'string', sex: 'string' }, ['name'])
    const changed = { ...c!, batch: { ...c!.batch, schema: other } }
    expect(planned([a!, b!, changed])).toEqual(plain(0, 1))
    expect(planned([changed])).toEqual(plain(2))
  })

  it('what comes before an ordered truncate is applied first', () => {
    expect(planned(waiting(['a'], ['b'], ['a', markerOf()], ['b']))).toEqual(plain(0, 1))
  })

  it('an ordered truncate waits for the marker of every task', () => {
    const [first, last] = [['a', markerOf()] as const, ['b', markerOf()] as const]
    expect(planned(waiting(first))).toBeNull()
    expect(planned(waiting(first, ['a'], ['b'], ['a']))).toBeNull()
    expect(planned(waiting(first, last))).toEqual({
      truncate: 'all',
      sources: [0, 1],
      covered: [0, 1],
    })
    const alone = markerOf({ partitions: 1 })
    expect(planned(waiting(['a', alone]))).toMatchObject({ truncate: 'all' })
  })

  it('of each task only what lies behind its marker is read; the rest is gone with the table', () => {
    // b's batch 2 was staged before b passed the marker: its rows were truncated.
    const batches = waiting(['a', markerOf()], ['a'], ['b'], ['b', markerOf()], ['a'])
    expect(planned(batches)).toEqual({ truncate: 'all', sources: [0, 1, 3], covered: [0, 1, 2, 3] })
  })

  it('of two truncates the newer one counts, wherever its markers lie', () => {
    const [one, two] = [markerOf({ offset: 1 }), markerOf({ offset: 2 })]
    // b met both in one window, and its batch carries the last.
    expect(planned(waiting(['a', one], ['b', two], ['a']))).toBeNull()
    expect(planned(waiting(['a', one], ['b', two], ['a', two], ['b']))).toEqual({
      truncate: 'all',
      sources: [1, 2],
      covered: [0, 1, 2],
    })
    expect(planned(waiting(['a', one], ['b', one], ['a', two], ['b', two]))).toEqual({
      truncate: 'all',
      sources: [0, 1],
      covered: [0, 1],
    })
    expect(planned(waiting(['a', one], ['a', two], ['b', one]))).toBeNull()
    expect(planned(waiting(['a', one], ['a', two], ['b', one], ['b', two]))).toEqual({
      truncate: 'all',
      sources: [1, 3],
      covered: [0, 1, 2, 3],
    })
  })

  it('of two that come through different topics each is known by its own, whatever its offset', () => {
    const [one, two] = [markerOf({ offset: 9 }), markerOf({ topic: 'other', offset: 2 })]
    // a met both in one window, and its batch carries the last.
    expect(planned(waiting(['b', one], ['a', two]))).toBeNull()
    expect(planned(waiting(['b', one], ['a', two], ['b', two], ['b']))).toEqual({
      truncate: 'all',
      sources: [1, 2],
      covered: [0, 1, 2],
    })
    const same = markerOf({ topic: 'other', offset: 9 })
    expect(planned(waiting(['b', one], ['a', same]))).toBeNull()
  })

  it('of truncates known by their place the highest counts, whichever was staged last', () => {
    const point = { position: binlogAt(200), sourceMs: 200 }
    for (const batches of [
      waiting(['a', unordered(100)], ['b', unordered(200)], ['a']),
      waiting(['a', unordered(200)], ['b', unordered(100)], ['a']),
    ]) {
      expect(planned(batches)).toEqual({ truncate: point, sources: [0, 1, 2], covered: [0, 1, 2] })
    }
  })

  it('a truncate known by its place that does not fit in is not acted on yet', () => {
    const batches = waiting(['a', null, 900], ['b', unordered(100), 900])
    expect(planned(batches)).toEqual(plain(0))
    expect(planned(batches.slice(1))).toMatchObject({ truncate: { sourceMs: 100 } })
  })

  it('always covers a head of what waits, and ends with nothing but a truncate that waits', () => {
    const tasks = ['a', 'b', 'c']
    const script = fc.array(fc.nat(99), { maxLength: 40 })
    fc.assert(
      fc.property(script, choices => {
        // Each task passes truncates 1, 2, 3 … in this order, at its own time.
        const passed = new Map(tasks.map(task => [task, 0]))
        const batches = waiting(
          ...choices.map(choice => {
            const task = tasks[choice % 3]!
            const isMarker = choice % 4 === 0
            if (isMarker) passed.set(task, passed.get(task)! + 1)
            const offset = passed.get(task)!
            return [task, isMarker ? markerOf({ partitions: 3, offset }) : null] as const
          }),
        )
        let left = batches
        for (
          let plan = planApply(left, undefined, 25);
          plan !== null;
          plan = planApply(left, undefined, 25)
        ) {
          expect(plan.covered.length).toBeGreaterThan(0)
          expect(left.slice(0, plan.covered.length)).toEqual(plan.covered)
          const inOrder = plan.covered.filter(one => plan.sources.includes(one))
          expect(inOrder).toEqual(plan.sources)
          if (plan.truncate === 'none') expect(plan.sources).toEqual(plan.covered)
          left = left.slice(plan.covered.length)
        }
        // What is left begins with a marker that some task has not passed.
        const markers = new Map(
          left.filter(one => one.batch.truncate).map(one => [one.batch.task, one]),
        )
        if (left.length > 0) expect(left[0]!.batch.truncate).not.toBeNull()
        const newest = Math.max(0, ...[...markers.values()].map(one => one.batch.truncate!.offset))
        const arrived = [...markers.values()].filter(one => one.batch.truncate!.offset === newest)
        expect(left.length === 0 || arrived.length < 3).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('streams of net changes', () => {
  type Stream = readonly (readonly NetChange[])[]

  async function* streamOf(batches: Stream): AsyncGenerator<readonly NetChange[]> {
    for (const batch of batches) {
      await Promise.resolve()
      yield batch
    }
  }

  async function folded(streams: readonly Stream[]) {
    const all: NetChange[] = []
    for await (const part of foldStreams(streams.map(streamOf))) {
      expect(part.length).toBeGreaterThan(0)
      all.push(...part)
    }
    return all
  }

  const shown = (changes: readonly NetChange[]) =>
    changes.map(change => [change.key, change.kind, netChangeValues(change), change.last.sourceMs])

  const keys = fc.uniqueArray(fc.constantFrom('\0', 'a', 'b', 'c', 'd', 'e', '\xff'))
  const stream: fc.Arbitrary<Stream> = fc
    .record({
      keys,
      kinds: fc.array(fc.constantFrom('upsert' as const, 'patch' as const, 'delete' as const), {
        minLength: 7,
        maxLength: 7,
      }),
      sizes: fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }),
      salt: fc.nat(999),
    })
    .map(({ keys: unsorted, kinds, sizes, salt }) => {
      const changes = [...unsorted].sort().map((key, index) => {
        const kind = kinds[index]!
        const row = kind === 'delete' ? null : [1, `${salt}`, kind === 'patch' ? undefined : 'M']
        return netOf({ key, kind, row, last: { position: '', sourceMs: salt } })
      })
      // Batches of any size, empty ones among them.
      const batches: NetChange[][] = []
      for (let index = 0; changes.length > 0; index += 1) {
        batches.push(changes.splice(0, index < sizes.length ? sizes[index] : 2))
      }
      return batches
    })

  it('become one in key order, folded where they share a key, the later stream being newer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stream, { minLength: 2, maxLength: 5 }), async streams => {
        const naive = new Map<string, NetChange>()
        for (const change of streams.flat(2)) {
          const older = naive.get(change.key)
          naive.set(change.key, older === undefined ? change : foldChange(older, change))
        }
        const expected = [...naive].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change)
        expect(shown(await folded(streams))).toEqual(shown(expected))
      }),
      { numRuns: 300 },
    )
  })

  it('one alone, none, and empty ones', async () => {
    const one = [[netOf({ key: 'a' })], [netOf({ key: 'b' })]]
    expect(shown(await folded([one]))).toEqual(shown(one.flat()))
    expect(await folded([])).toEqual([])
    expect(await folded([[], [[]], []])).toEqual([])
  })

  it('of many keys come in parts', async () => {
    const many = Array.from({ length: 2500 }, (_, index) =>
      netOf({ key: String.fromCharCode(index >> 8, index & 0xff) }),
    )
    const sizes: number[] = []
    for await (const part of foldStreams([streamOf([many]), streamOf([])])) sizes.push(part.length)
    expect(sizes).toEqual([1000, 1000, 500])
  })

  it('that are not in key order, or have a key twice, are refused, over batches too', async () => {
    const other: Stream = [[netOf({ key: 'z' })]]
    for (const bad of [
      [[netOf({ key: 'b' }), netOf({ key: 'a' })]],
      [[netOf({ key: 'a' }), netOf({ key: 'a' })]],
      [[netOf({ key: 'b' })], [netOf({ key: 'a' })]],
      [[netOf({ key: 'a' })], [], [netOf({ key: 'a' })]],
    ]) {
      await expect(folded([bad, other])).rejects.toThrow(InvariantError)
    }
  })

  it('an error in one of them is thrown', async () => {
    async function* broken(): AsyncGenerator<readonly NetChange[]> {
      yield await Promise.resolve([netOf({ key: 'a' })])
      throw new Error('damaged')
    }
    const reading = async () => {
      for await (const part of foldStreams([broken(), streamOf([])])) expect(part).toBeDefined()
    }
    await expect(reading()).rejects.toThrow('damaged')
  })
})

describe('halves of changed keys beside a truncate', () => {
  const half = { half: 'new', oldKey: '1', newKey: '2', isPartial: true } as const
  const withHalf = (one: WaitingBatch): WaitingBatch => {
    return { ...one, batch: { ...one.batch, changedKeys: [half] } }
  }

  it('go with it where they came before, also when nothing is waited for any more', () => {
    const [first, ...others] = waiting(['1'], ['0', markerOf()], ['1', markerOf()])
    const plan = planApply([withHalf(first!), ...others], () => false)
    expect(plan?.sources.map(({ offset }) => offset)).toEqual([1, 2])
  })

  it('leave the plan as it is where its batches do not fit beside each other', () => {
    const other = schemaOf({ id: 'string', other: 'string' }, ['other'])
    const [first, second, third] = waiting(['0', markerOf()], ['0'], ['1', markerOf()])
    const odd = (one: WaitingBatch) => ({ ...one, batch: { ...one.batch, schema: other } })
    const plan = planApply([withHalf(first!), odd(second!), odd(third!)])
    expect(plan?.covered).toHaveLength(3)
  })
})
