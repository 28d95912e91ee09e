/** What shares a position, or has places that do not say which came first. */
import { describe, expect, it } from 'vitest'
import type { ChangeEvent } from '../../model/change-event.ts'
import type { Verdict } from '../../processors/drop-repeats.ts'
import { RepeatFilter } from '../../processors/drop-repeats.ts'
import { binlogAt, eventOf } from './samples.ts'

const at = (pos: number, parts: Partial<ChangeEvent> = {}) =>
  eventOf({ position: binlogAt(pos), ...parts })

const judgeAll = (filter: RepeatFilter, events: readonly ChangeEvent[]): Verdict[] =>
  events.map(event => filter.judge(event))

it('a row that is made as before, behind its delete at one place, is no repeat', () => {
  const [made, gone] = [at(100), at(100, { op: 'd' })]
  const filter = new RepeatFilter()
  judgeAll(filter, [at(50), made, gone])
  const restarted = new RepeatFilter(filter.save())
  expect([filter, restarted].map(one => one.judge(made))).toEqual(['in-doubt', 'in-doubt'])
  // The block comes again, and ends the run that it begins.
  expect(judgeAll(restarted, [at(50), made, gone, made, at(101)])).toEqual([
    'repeat',
    'in-doubt',
    'in-doubt',
    'in-doubt',
    'new',
  ])
  expect(restarted.run).toBeNull()
})

it('of several changes of a row at one place the first proves a run, and another has it read again', () => {
  const [made, gone] = [at(100), at(100, { op: 'd' })]
  for (const changes of [
    [made, gone],
    [made, gone, made, gone],
  ]) {
    const filter = new RepeatFilter()
    judgeAll(filter, [at(50), ...changes])
    const proven = new RepeatFilter(filter.save())
    expect(judgeAll(proven, [at(50), made])).toEqual(['repeat', 'in-doubt'])
    expect(proven.run).toBeNull()
    // What was dropped before it may have been new: nothing is lost.
    const unproven = new RepeatFilter(filter.save())
    expect(judgeAll(unproven, [at(50), gone])).toEqual(['repeat', 'reread'])
    expect(unproven.run).not.toBeNull()
  }
})

describe('a compressed transaction of MySQL', () => {
  const inPayload = (row: number, id: number, parts: Partial<ChangeEvent> = {}) => {
    const order = [1, 100, row]
    const position = binlogAt(100, { connector: 'mysql', order, text: `bin.000001:100:${row}` })
    return eventOf({ position, key: { id }, ...parts })
  }
  const before = at(50, { position: binlogAt(50, { connector: 'mysql' }) })
  const after = at(200, { position: binlogAt(200, { connector: 'mysql' }) })
  // Two rows are deleted, and made again: one of them as another.
  const statements = [
    inPayload(0, 1, { op: 'd' }),
    inPayload(1, 2, { op: 'd' }),
    inPayload(0, 1, { after: { id: 1, name: 'b', sex: 'F' } }),
    inPayload(1, 2),
  ]

  it('has rows that each statement counts anew: none of them is a repeat', () => {
    const filter = new RepeatFilter()
    const verdicts = judgeAll(filter, [before, ...statements, after])
    expect(verdicts).toEqual(['new', 'new', 'new', 'in-doubt', 'in-doubt', 'in-doubt'])
    expect(filter.run).toBeNull()
  })

  it('that is sent again is applied again, with what was dropped before it', () => {
    const filter = new RepeatFilter()
    judgeAll(filter, [before, ...statements.slice(0, 2), inPayload(0, 3)])
    expect(judgeAll(filter, [before, ...statements.slice(0, 2)])).toEqual([
      'repeat',
      'in-doubt',
      'reread',
    ])
  })
})
