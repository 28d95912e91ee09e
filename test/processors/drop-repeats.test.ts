import { crc32 } from 'node:zlib'
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
    expect(judgeAll(filter, events)).toEqual(['new', 'new', 'in-doubt'])
    // Of several changes of one row at one place none is dropped: the last one has to be the last.
    expect(judgeAll(filter, events)).toEqual(['repeat', 'in-doubt', 'in-doubt'])
  })

  it('more events at one place than are kept: the first of them end a run, the rest are applied in doubt', () => {
    // The rows of a page that PostgreSQL's COPY wrote share an LSN; so do the tables of a truncate.
    const page = Array.from({ length: 300 }, (_, id) => at(100, { key: { id } }))
    const filter = new RepeatFilter()
    expect(filter.judge(at(50))).toBe('new')
    const first = judgeAll(filter, page)
    const kept = first.lastIndexOf('new') + 1
    expect(kept).toBeGreaterThan(100)
    expect(first.slice(kept)).toEqual(Array(300 - kept).fill('in-doubt'))
    const restarted = new RepeatFilter(filter.save())
    for (const again of [filter, restarted]) {
      expect(again.judge(at(50))).toBe('repeat')
      expect(judgeAll(again, page)).toEqual([
        ...Array(kept).fill('repeat'),
        ...Array(300 - kept).fill('in-doubt'),
      ])
      expect(again.run).toBeNull()
      expect(again.judge(at(101))).toBe('new')
    }
  })

  it('two keys at one place are two changes, also where a hash of 32 bits is the same', () => {
    const keys = ['1xv33sb4r9', '5g37nvmt1'].map(id => ({ id }))
    const hashes = keys.map(key => crc32(JSON.stringify(['demo.user', key, 'c'])))
    expect(hashes[0]).toBe(hashes[1])
    const events = keys.map(key => at(100, { key }))
    const filter = new RepeatFilter()
    expect(judgeAll(filter, events)).toEqual(['new', 'new'])
    expect(judgeAll(filter, events)).toEqual(['repeat', 'repeat'])
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

  it('at the end of a run the same place with another row, or another global id, is no proof', () => {
    const original = at(100, { after: { id: 1, name: 'a', sex: 'M' } })
    for (const other of [
      at(100, { after: { id: 1, name: 'b', sex: 'M' } }),
      at(100, { position: binlogAt(100, { gtid: '0-1-9' }) }),
    ]) {
      const filter = new RepeatFilter()
      judgeAll(filter, [at(50), original, at(50)])
      expect(() => filter.judge(other)).toThrow(/reset or restored/)
      // Alone it says nothing of the log: it is applied.
      const alone = new RepeatFilter()
      alone.judge(original)
      expect(judgeAll(alone, [other, original])).toEqual(['in-doubt', 'in-doubt'])
    }
  })

  it('another key at the highest place does not end a run, and is not remembered within one', () => {
    const filter = new RepeatFilter()
    judgeAll(filter, [at(50), at(100), at(50)])
    const saved = filter.save()
    expect(filter.judge(at(100, { key: { id: 2 } }))).toBe('in-doubt')
    expect(filter.run).not.toBeNull()
    expect(filter.save()).toBe(saved)
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
  it('without a position', () => {
    const filter = new RepeatFilter()
    expect(judgeAll(filter, [eventOf(), eventOf()])).toEqual(['in-doubt', 'in-doubt'])
  })

  it('without a position among others, and so is all that is sent again with it', () => {
    const filter = new RepeatFilter()
    const events = [at(100), eventOf(), at(200)]
    expect(judgeAll(filter, [...events, at(100)])).toEqual([
      'new',
      'in-doubt',
      'in-doubt',
      'repeat',
    ])
    expect(filter.judge(eventOf())).toBe('reread')
    filter.forget()
    expect(judgeAll(filter, events)).toEqual(['in-doubt', 'in-doubt', 'in-doubt'])
    expect(filter.run).toBeNull()
  })

  it('of an Oracle cluster: threads do not compare, nor do transactions of one commit', () => {
    const oracle = (commit: bigint, place: number, server: string, transaction: string) =>
      eventOf({
        position: {
          ...binlogAt(0),
          connector: 'oracle',
          server,
          log: 'scn',
          order: [commit, place, commit - 1n, 1n, 0],
          transaction,
        },
      })
    const filter = new RepeatFilter()
    expect(
      judgeAll(filter, [
        oracle(100n, 2, '1', 'a'),
        oracle(100n, 1, '1', 'b'),
        oracle(100n, 2, '1', 'b'),
        oracle(99n, 1, '2', 'c'),
        oracle(101n, 1, '2', 'd'),
        oracle(101n, 1, '2', 'd'),
      ]),
    ).toEqual(['new', 'in-doubt', 'in-doubt', 'in-doubt', 'in-doubt', 'repeat'])
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
  it('are applied in doubt and never raise the highest place', () => {
    const filter = new RepeatFilter()
    expect(judgeAll(filter, [snapshotAt(300, { snapshot: 'first' }), snapshotAt(300)])).toEqual([
      'in-doubt',
      'in-doubt',
    ])
    // PostgreSQL: a row written before the snapshot and committed after it.
    expect(filter.judge(at(200))).toBe('new')
    expect(filter.judge(snapshotAt(200))).toBe('in-doubt')
    expect(filter.judge(snapshotAt(201))).toBe('in-doubt')
    expect(filter.judge(at(200))).toBe('repeat')
    expect(filter.run).toBeNull()
  })

  it('a row below the highest place begins anew: the first of its snapshot went elsewhere', () => {
    const filter = new RepeatFilter()
    judgeAll(filter, [at(900)])
    expect(judgeAll(filter, [snapshotAt(10), snapshotAt(10), at(11), at(10)])).toEqual([
      'in-doubt',
      'in-doubt',
      'in-doubt',
      'repeat',
    ])
    // In the middle of a run what was dropped is read again.
    expect(filter.judge(snapshotAt(5, { sourceMs: 2000 }))).toBe('reread')
  })

  it('a block that is sent again over the end of a snapshot is dropped to its end', () => {
    const first = [100, 200].map(sourceMs => snapshotAt(100, { snapshot: 'first', sourceMs }))
    const events = [...first, snapshotAt(100, { sourceMs: 201 }), at(110), at(120)]
    for (const count of [3, 4, 5]) {
      const filter = new RepeatFilter()
      judgeAll(filter, events)
      const again = new RepeatFilter(filter.save())
      expect(judgeAll(again, events.slice(-count))).toEqual(Array(count).fill('repeat'))
      expect(again.run).toBeNull()
      expect(again.judge(at(130))).toBe('new')
    }
  })

  it('an incremental row below the highest place begins no run, and what follows it is applied', () => {
    const row = snapshotAt(199, { snapshot: 'incremental' })
    const filter = new RepeatFilter()
    judgeAll(filter, [at(100), at(200)])
    expect(filter.judge(row)).toBe('in-doubt')
    expect(filter.run).toBeNull()
    // Was it sent again, the changes behind it must be, too: they bring its row up to date.
    expect(judgeAll(filter, [at(200), at(300)])).toEqual(['in-doubt', 'in-doubt'])
  })

  it('an incremental row within a run is a part of it', () => {
    const row = snapshotAt(150, { snapshot: 'incremental' })
    const filter = new RepeatFilter()
    const events = [at(100), row, at(200)]
    judgeAll(filter, events)
    expect(judgeAll(filter, events)).toEqual(['repeat', 'repeat', 'repeat'])
    expect(filter.run).toBeNull()
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
