import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChangeEvent } from '../../model/change-event.ts'
import { SourceError } from '../../model/errors.ts'
import type { Position } from '../../model/position.ts'
import type { Verdict } from '../../processors/drop-repeats.ts'
import { RepeatFilter } from '../../processors/drop-repeats.ts'
import { binlogAt, eventOf } from './samples.ts'

const day = 24 * 60 * 60 * 1000

const at = (pos: number, parts: Partial<ChangeEvent> = {}) =>
  eventOf({ position: binlogAt(pos), ...parts })

const snapshotAt = (pos: number, parts: Partial<ChangeEvent> = {}) =>
  eventOf({
    op: 'r',
    snapshot: 'yes',
    position: binlogAt(pos, { server: null, isSnapshot: true }),
    ...parts,
  })

const judgeAll = (filter: RepeatFilter, events: readonly ChangeEvent[]): Verdict[] =>
  events.map(event => filter.judge(event))

function postgresAt(commit: bigint | null, lsn: bigint, parts: Partial<Position> = {}): Position {
  return {
    ...binlogAt(0),
    connector: 'postgresql',
    server: null,
    log: 'demo',
    order: [commit, lsn],
    transaction: '1',
    text: `${commit}/${lsn}`,
    ...parts,
  }
}

describe('a producer that sends a block again', () => {
  it('A B A B C: the second A and B are repeats, C is new', () => {
    const [a, b, c] = [at(100), at(200), at(300)]
    const filter = new RepeatFilter()
    expect(judgeAll(filter, [a, b, a, b, c])).toEqual(['new', 'new', 'repeat', 'repeat', 'new'])
    expect(filter.run).toBeNull()
  })

  it('the offset stays before the repeats until the highest one comes again', () => {
    const [a, b, c] = [100, 200, 300].map((pos, offset) => at(pos, { offset } as never))
    const filter = new RepeatFilter()
    judgeAll(filter, [a!, b!, c!])
    const again = (event: ChangeEvent, offset: number): ChangeEvent => ({
      ...event,
      origin: { ...event.origin, offset },
    })
    filter.judge(again(a!, 13))
    expect(filter.run).toEqual({ fromOffset: 13, fromPosition: binlogAt(100).text, count: 1 })
    filter.judge(again(b!, 14))
    expect(filter.run).toMatchObject({ fromOffset: 13, count: 2 })
    filter.judge(again(c!, 15))
    expect(filter.run).toBeNull()
  })

  it('only the last one, again and again: each is a repeat that proves itself', () => {
    const last = at(100)
    const filter = new RepeatFilter()
    expect(judgeAll(filter, [last, last, last])).toEqual(['new', 'repeat', 'repeat'])
    expect(filter.run).toBeNull()
  })

  it('the delete and the insert of a changed key share a place and are both new, once', () => {
    const gone = at(100, { op: 'd', key: { id: 1 } })
    const made = at(100, { op: 'c', key: { id: 2 } })
    const filter = new RepeatFilter()
    expect(judgeAll(filter, [gone, made, gone, made])).toEqual(['new', 'new', 'repeat', 'repeat'])
    // Cut off between the two, it is sent again whole.
    const cut = new RepeatFilter()
    expect(judgeAll(cut, [at(50), gone, at(50), gone, made])).toEqual([
      'new',
      'new',
      'repeat',
      'repeat',
      'new',
    ])
  })

  it('one key in two tables at one place, and two ops on one key, are different changes', () => {
    const filter = new RepeatFilter()
    const events = [
      at(100, { table: 'demo.a' }),
      at(100, { table: 'demo.b' }),
      at(100, { table: 'demo.b', op: 'd' }),
    ]
    expect(judgeAll(filter, events)).toEqual(['new', 'new', 'new'])
    expect(judgeAll(filter, events)).toEqual(['repeat', 'repeat', 'repeat'])
  })

  it('truncates of more tables than are kept at one place are applied again rather than lost', () => {
    const truncates = Array.from({ length: 150 }, (_, index) =>
      at(100, { op: 't', key: null, after: null, table: `demo.t${index}` }),
    )
    const filter = new RepeatFilter()
    expect(new Set(judgeAll(filter, truncates))).toEqual(new Set(['new']))
    const again = judgeAll(filter, truncates)
    expect(again.filter(verdict => verdict === 'new').length).toBeGreaterThan(0)
    expect(again).toHaveLength(150)
  })
})

describe('a log that was restored or reset', () => {
  it('something higher before the highest came again: the drops were no repeats', () => {
    const filter = new RepeatFilter()
    judgeAll(filter, [at(100), at(500)])
    const low = eventOf({ position: binlogAt(200), offset: 40 })
    expect(filter.judge(low)).toBe('repeat')
    try {
      filter.judge(eventOf({ position: binlogAt(600), offset: 41 }))
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(SourceError)
      expect((error as SourceError).code).toBe('source-log-restarted')
      expect((error as SourceError).context).toMatchObject({ topic: 'shop', offset: 40 })
      expect((error as SourceError).message).toContain(binlogAt(200).text)
    }
  })

  it('the same place with another row, or another global id, is not the same change', () => {
    const original = at(100, { after: { id: 1, name: 'a', sex: 'M' } })
    for (const other of [
      at(100, { after: { id: 1, name: 'b', sex: 'M' } }),
      at(100, { position: binlogAt(100, { gtid: '0-1-9' }) }),
    ]) {
      const filter = new RepeatFilter()
      filter.judge(original)
      expect(() => filter.judge(other)).toThrow(/reset or restored/)
    }
  })

  it('another server in the middle of a run: what was dropped is read again and applied', () => {
    const filter = new RepeatFilter()
    judgeAll(filter, [at(100), at(500), at(200)])
    const elsewhere = eventOf({ position: binlogAt(50, { server: '9' }) })
    expect(filter.judge(elsewhere)).toBe('reread')
    expect(filter.run).not.toBeNull()
    filter.forget()
    expect(judgeAll(filter, [at(200), elsewhere])).toEqual(['in-doubt', 'in-doubt'])
  })

  it('a snapshot that begins in the middle of a run: the same', () => {
    const filter = new RepeatFilter()
    judgeAll(filter, [at(100), at(500), at(200, { op: 'd' })])
    const first = snapshotAt(900, { snapshot: 'first' })
    expect(filter.judge(first)).toBe('reread')
    filter.forget()
    expect(judgeAll(filter, [at(200, { op: 'd' }), first])).toEqual(['in-doubt', 'in-doubt'])
    expect(filter.run).toBeNull()
  })
})

describe('in doubt an event is applied', () => {
  it('without a position, in a run too', () => {
    const filter = new RepeatFilter()
    judgeAll(filter, [at(100), at(500), at(200)])
    expect(filter.judge(eventOf())).toBe('in-doubt')
    expect(filter.run).not.toBeNull()
    expect(filter.judge(at(500))).toBe('repeat')
    expect(filter.run).toBeNull()
  })

  it('with a place that does not compare, and it is the highest from then on', () => {
    const filter = new RepeatFilter()
    filter.judge(at(500))
    const other = (pos: number) => eventOf({ position: binlogAt(pos, { server: '9' }) })
    expect(judgeAll(filter, [other(100), other(200), other(100)])).toEqual([
      'in-doubt',
      'in-doubt',
      'repeat',
    ])
  })

  it('PostgreSQL before its first commit: compared within a transaction, else applied', () => {
    const stream = (commit: bigint | null, lsn: bigint, transaction: string) =>
      eventOf({ position: postgresAt(commit, lsn, { transaction }) })
    const filter = new RepeatFilter()
    expect(filter.judge(stream(null, 30n, '1'))).toBe('new')
    expect(filter.judge(stream(null, 31n, '1'))).toBe('new')
    expect(filter.judge(stream(null, 30n, '1'))).toBe('repeat')
    expect(new RepeatFilter().judge(stream(null, 29n, '2'))).toBe('new')
    const other = new RepeatFilter()
    judgeAll(other, [stream(10n, 30n, '1')])
    expect(other.judge(stream(null, 5n, '2'))).toBe('in-doubt')
  })

  it('PostgreSQL: written before and committed after is new, not a repeat', () => {
    const filter = new RepeatFilter()
    const events = [postgresAt(10n, 30n), postgresAt(40n, 20n)].map(position =>
      eventOf({ position }),
    )
    expect(judgeAll(filter, events)).toEqual(['new', 'new'])
  })
})

describe('snapshots', () => {
  it('are applied in doubt, never raise the highest place, and repeat only strictly below it', () => {
    const filter = new RepeatFilter()
    expect(judgeAll(filter, [snapshotAt(300, { snapshot: 'first' }), snapshotAt(300)])).toEqual([
      'in-doubt',
      'in-doubt',
    ])
    // PostgreSQL: a row written before the snapshot and committed after it.
    expect(filter.judge(at(200))).toBe('new')
    expect(filter.judge(snapshotAt(200))).toBe('in-doubt')
    expect(filter.judge(snapshotAt(201))).toBe('in-doubt')
    expect(filter.judge(snapshotAt(199))).toBe('repeat')
    expect(filter.judge(at(200))).toBe('repeat')
    expect(filter.run).toBeNull()
  })

  it('a block that is sent again over the end of a snapshot is dropped to its end', () => {
    const events = [snapshotAt(100, { snapshot: 'first' }), snapshotAt(100), at(110), at(120)]
    const filter = new RepeatFilter()
    judgeAll(filter, events)
    expect(judgeAll(filter, [...events.slice(1), at(130)])).toEqual([
      'repeat',
      'repeat',
      'repeat',
      'new',
    ])
  })

  it('a first one forgets: lower places are no repeats any more', () => {
    const filter = new RepeatFilter()
    judgeAll(filter, [at(900)])
    expect(
      judgeAll(filter, [snapshotAt(10, { snapshot: 'first' }), snapshotAt(10), at(11)]),
    ).toEqual(['in-doubt', 'in-doubt', 'in-doubt'])
  })
})

describe('after forgetting', () => {
  it('events stay in doubt until the source’s time has passed all that was seen, clocks aside', () => {
    const filter = new RepeatFilter()
    const latest = 50 * day
    judgeAll(filter, [at(100, { sourceMs: latest }), at(200, { sourceMs: latest - day })])
    filter.forget()
    expect(filter.judge(at(10, { sourceMs: latest + day }))).toBe('in-doubt')
    expect(filter.judge(at(11, { sourceMs: latest + day + 1 }))).toBe('new')
  })

  it('what was never seen leaves no doubt', () => {
    const filter = new RepeatFilter()
    filter.forget()
    expect(filter.judge(at(10, { sourceMs: 0 }))).toBe('in-doubt')
    expect(filter.judge(at(11, { sourceMs: 1 }))).toBe('new')
  })
})

describe('over restarts', () => {
  /** A log of places, some shared by two changes, as a producer sends it that crashes now and then. */
  const history = fc
    .record({
      steps: fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }),
      crashes: fc.array(fc.record({ after: fc.nat(40), back: fc.nat(12) }), { maxLength: 5 }),
    })
    .map(({ steps, crashes }) => {
      const originals = steps.flatMap((isChangedKey, step) =>
        isChangedKey
          ? [at(step, { op: 'd', key: { id: step } }), at(step, { key: { id: -step - 1 } })]
          : [
              at(step, {
                key: { id: step % 4 },
                after: { id: step % 4, name: `${step}`, sex: null },
              }),
            ],
      )
      const sent: number[] = []
      let next = 0
      for (const { after, back } of crashes) {
        const end = Math.min(originals.length, next + after)
        for (; next < end; next += 1) sent.push(next)
        next = Math.max(0, next - back)
      }
      for (; next < originals.length; next += 1) sent.push(next)
      const log = sent.map((index, offset) => {
        const event = originals[index]!
        return { index, event: { ...event, origin: { ...event.origin, offset } } }
      })
      return { log, count: originals.length }
    })

  it('however often blocks are sent again, every change is applied once and in order', () => {
    fc.assert(
      fc.property(history, ({ log, count }) => {
        const filter = new RepeatFilter()
        const applied = log.filter(({ event }) => filter.judge(event) !== 'repeat')
        expect(applied.map(({ index }) => index)).toEqual([...Array(count).keys()])
      }),
      { numRuns: 1000 },
    )
  })

  it('what is saved at any committed offset gives the same verdicts', () => {
    fc.assert(
      fc.property(
        history,
        fc.array(fc.boolean(), { minLength: 200, maxLength: 200 }),
        ({ log }, crash) => {
          const verdicts: Verdict[] = []
          let filter = new RepeatFilter()
          let committed = { offset: 0, memory: '' }
          let restarts = 0
          for (let offset = 0; offset < log.length; offset += 1) {
            if (crash[offset + restarts] === true && restarts < 20) {
              restarts += 1
              filter = new RepeatFilter(committed.memory)
              offset = committed.offset
            }
            const wasInRun = filter.run !== null
            const verdict = filter.judge(log[offset]!.event)
            if (verdicts[offset] !== undefined) expect(verdict).toBe(verdicts[offset])
            verdicts[offset] = verdict
            // As a source task commits: up to the run when it begins, and not within it.
            if (filter.run === null) committed = { offset: offset + 1, memory: filter.save() }
            else if (!wasInRun) committed = { offset: filter.run.fromOffset, memory: filter.save() }
          }
          const straight = new RepeatFilter()
          expect(verdicts).toEqual(log.map(({ event }) => straight.judge(event)))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('saving changes nothing, and what is saved is short', () => {
    const [saving, silent] = [new RepeatFilter(), new RepeatFilter()]
    const big = { id: 1, name: 'x'.repeat(10_000), sex: null }
    const events = Array.from({ length: 300 }, (_, index) =>
      at(100 + Math.floor(index / 100), { key: { id: index }, after: big }),
    )
    for (const event of [...events, ...events.slice(150)]) {
      saving.save()
      expect(saving.judge(event)).toBe(silent.judge(event))
    }
    // It has to fit in the metadata of an offset: Kafka takes 4 KB by default.
    const few = new RepeatFilter()
    judgeAll(few, events.slice(0, 20))
    expect(few.save().length).toBeLessThan(2000)
  })
})
