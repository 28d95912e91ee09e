import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { areBeforeTruncate, NewestMarks } from '../../model/newest-marks.ts'
import type { Position, TruncatePoint } from '../../model/position.ts'
import { isBeforeTruncate, markOf } from '../../model/position.ts'
import { binlogAt } from '../processors/samples.ts'

const small = fc.integer({ min: 0, max: 12 })

const binlog = fc
  .record({
    file: small,
    pos: small,
    row: fc.integer({ min: 0, max: 2 }),
    server: fc.constantFrom('1', '2', null),
    log: fc.constantFrom('mysql-bin', 'binlog'),
    name: fc.constantFrom('m1', 'm1@restored'),
  })
  .map(({ file, pos, row, server, ...rest }): Position => {
    const at = server === null ? '' : `@${server}`
    const text = `${rest.log}.${String(file).padStart(6, '0')}:${pos}:${row}${at}`
    return binlogAt(pos, { order: [file, pos, row], server, text, ...rest })
  })

const postgres = fc
  .record({ commit: fc.option(small), lsn: small })
  .map(({ commit, lsn }): Position => {
    const text = commit === null ? String(lsn) : `${commit}/${lsn}`
    return binlogAt(0, { connector: 'postgresql', log: 'demo', order: [commit, lsn], text })
  })

const oracle = fc.oneof(
  fc.record({ commit: small, place: fc.option(small) }).map(({ commit, place }): Position => {
    const order = [commit, place]
    return binlogAt(0, { connector: 'oracle', log: 'scn', order, text: `${commit}/${place}` })
  }),
  small.map((number): Position => {
    const digits = number.toString(16).padStart(4, '0')
    const text = `lcr:${digits}`
    return binlogAt(0, { connector: 'oracle', log: 'lcr4', order: [BigInt(number)], text })
  }),
)

const position = fc.oneof(binlog, postgres, oracle)
const mark = fc.record({ position: position.map(markOf), sourceMs: small })
const point: fc.Arbitrary<TruncatePoint> = fc.record({ position, sourceMs: small })

describe('the newest rows of some batches', () => {
  it('tell of any truncate whether every row came before it', () => {
    fc.assert(
      fc.property(fc.array(mark, { maxLength: 12 }), point, (marks, truncate) => {
        const { marks: newest } = new NewestMarks(marks)
        const expected = marks.every(one => isBeforeTruncate(one, truncate))
        expect(areBeforeTruncate(newest, truncate)).toBe(expected)
      }),
      { numRuns: 5000 },
    )
  })

  it('can be united: those of two batches tell of both', () => {
    fc.assert(
      fc.property(fc.array(mark), fc.array(mark), point, (a, b, truncate) => {
        const parts = [a, b].flatMap(marks => new NewestMarks(marks).marks)
        const { marks: united } = new NewestMarks(parts)
        const expected = [...a, ...b].every(one => isBeforeTruncate(one, truncate))
        expect(areBeforeTruncate(united, truncate)).toBe(expected)
      }),
      { numRuns: 2000 },
    )
  })

  it('without a place are before a truncate only when the clock was', () => {
    const { marks } = new NewestMarks([{ position: '', sourceMs: 10 }])
    const at = (sourceMs: number) => ({ position: binlogAt(1), sourceMs })
    expect(areBeforeTruncate(marks, at(10))).toBe(false)
    expect(areBeforeTruncate(marks, at(11))).toBe(true)
  })

  it('of more logs than are told apart count by the clock', () => {
    const rows = Array.from({ length: 17 }, (_, log) => {
      return { position: `log${log}.000001:5:0@1`, sourceMs: log }
    })
    const { marks } = new NewestMarks(rows)
    expect(marks).toEqual([{ position: '', sourceMs: 16 }])
    const after = { position: binlogAt(9, { log: 'log0', server: '1' }), sourceMs: 16 }
    expect(areBeforeTruncate(marks, after)).toBe(false)
    expect(areBeforeTruncate(marks, { ...after, sourceMs: 17 })).toBe(true)
  })
})
