/** Whatever a producer sends again and wherever the process starts anew: each change once, in order. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChangeEvent } from '../../model/change-event.ts'
import type { Verdict } from '../../processors/drop-repeats.ts'
import { RepeatFilter } from '../../processors/drop-repeats.ts'
import { binlogAt, eventOf } from './samples.ts'

const at = (pos: number, parts: Partial<ChangeEvent> = {}) =>
  eventOf({ position: binlogAt(pos), ...parts })

describe('a log in which blocks are sent again', () => {
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
    const many = new RepeatFilter()
    for (let id = 0; id < 1000; id += 1) many.judge(at(100, { key: { id }, after: big }))
    expect(many.save().length).toBeLessThan(2500)
  })
})
