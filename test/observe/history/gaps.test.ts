import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { crashPoints } from '../../../model/crash-points.ts'
import { seededRandom } from '../../../runtime/random.ts'
import { inTemporaryFolder } from '../../log/logs.ts'
import { RecordedDriver, topologyOf } from './recorded-driver.ts'

/** Three runs that end well, of some windows and statements each. */
async function undisturbed<T>(
  action: (recorded: RecordedDriver) => Promise<T>,
  topology = topologyOf(),
): Promise<T> {
  return await inTemporaryFolder(async folder => {
    const recorded = await RecordedDriver.open(join(folder, 'history.sqlite'), topology)
    for (let run = 0; run < 3; run += 1) {
      for (let round = 0; round < 4; round += 1) {
        await recorded.change(
          [1, 2, 3, 4, 5, 6].map(id => id + round),
          1500,
        )
        // Commits of ten seconds are one row.
        await recorded.change([7], 10_000)
      }
      await recorded.drain()
      if (run < 2) await recorded.restart()
    }
    await recorded.end()
    return await action(recorded)
  })
}

describe('the ranges of a history', () => {
  it.each(['unknown', 'primary-key'] as const)('tile, keyed by %s', async keyedBy => {
    await undisturbed(async recorded => {
      const { gaps, unrecorded, tables, sources, windows, runsWithoutEnd } = await recorded.gaps()
      expect([gaps, unrecorded, runsWithoutEnd]).toEqual([[], [], 0])
      expect(sources.map(({ from, to }) => [from, to])).toEqual(
        await Promise.all(
          [0, 1].map(async partition => {
            const { end } = await recorded.driver.log.offsets({ topic: 's.demo.user', partition })
            return [0, end]
          }),
        ),
      )
      expect(windows).toHaveLength(keyedBy === 'unknown' ? 3 : 2)
      expect(windows.every(({ rows }) => rows > 5)).toBe(true)
      const [table] = tables
      expect(table).toMatchObject({ table: 'demo.user', waiting: 0, isHeldBack: false })
      expect(table!.applied).toBe(table!.batches)
      expect(table!.batches).toBeGreaterThan(20)
      expect(sources.reduce((sum, { events }) => sum + events, 0)).toBe(3 * 4 * 7)
    }, topologyOf(keyedBy))
  })

  it.each(Array.from({ length: 6 }, (_, index) => index + 1))(
    'have no gap over processes that die anywhere, seed %d',
    async seed => {
      const random = seededRandom(seed)
      const pick = (count: number): number => Math.floor(random.next() * count)
      await inTemporaryFolder(async folder => {
        const recorded = await RecordedDriver.open(join(folder, 'h'), topologyOf(), seed)
        let deaths = 0
        for (let round = 0; round < 25; round += 1) {
          if (pick(3) === 0) recorded.crashAt(crashPoints[pick(crashPoints.length)]!, 1 + pick(3))
          const ids = Array.from({ length: 1 + pick(5) }, () => 1 + pick(20))
          const lives = await recorded.change(ids, [100, 1500, 11_000][pick(3)]!)
          if (pick(2) === 0) await recorded.flush()
          if (lives) continue
          deaths += 1
          await recorded.begin()
        }
        while (!(await recorded.drain())) await recorded.begin()
        await recorded.end()
        const { gaps, tables, windows } = await recorded.gaps()
        expect(gaps).toEqual([])
        expect(tables).toMatchObject([{ table: 'demo.user', waiting: 0 }])
        expect(windows.length).toBeGreaterThan(0)
        expect(deaths).toBeGreaterThan(0)
      })
    },
  )
})

describe('a row that somebody deleted', () => {
  it.each([
    ['the first', '= 0'],
    ['another', '> 0'],
  ])('of sources is found where it was: %s', async (_, place) => {
    await undisturbed(async recorded => {
      const [row] = recorded.sql(
        `SELECT * FROM forager_sources WHERE from_offset ${place} ORDER BY recorded_ms, seq LIMIT 1`,
      )
      const { run_id, seq, task, from_offset, to_offset } = row!
      recorded.sql(`DELETE FROM forager_sources WHERE run_id = '${run_id}' AND seq = ${seq}`)
      const { gaps, unrecorded } = await recorded.gaps()
      expect(gaps).toMatchObject([
        {
          kind: 'hole',
          where: `commits of ${task} (s.demo.user-${row!.topic_partition})`,
          from: from_offset,
          to: to_offset,
          record: `row ${seq} of the run ${run_id} is missing`,
        },
        { kind: 'rows-missing', from: seq, to: Number(seq) + 1 },
      ])
      expect(unrecorded).toEqual([])
    })
  })

  it.each([
    ['the first', 'ASC'],
    ['the last', 'DESC'],
  ])('of windows is found where it was: %s of a run', async (_, order) => {
    await undisturbed(async recorded => {
      const [row] = recorded.sql(
        `SELECT * FROM forager_windows WHERE run_id = 'run-001' ORDER BY recorded_ms ${order}, seq LIMIT 1`,
      )
      const { run_id, seq, task, from_offset, to_offset } = row!
      recorded.sql(`DELETE FROM forager_windows WHERE run_id = '${run_id}' AND seq = ${seq}`)
      const { gaps } = await recorded.gaps()
      expect(gaps).toMatchObject([
        { kind: 'hole', from: from_offset, to: to_offset },
        { kind: 'rows-missing', from: seq },
      ])
      expect(gaps[0]!.where).toMatch(
        new RegExp(`^windows of ${task} \\(test-rows-repartition-\\d\\)$`),
      )
    })
  })

  it('of batches is missed by its window and by the statement that applied it', async () => {
    await undisturbed(async recorded => {
      const [row] = recorded.sql(
        'SELECT * FROM forager_batches ORDER BY staged_offset LIMIT 1 OFFSET 5',
      )
      const { run_id, seq, window_id } = row!
      recorded.sql(`DELETE FROM forager_batches WHERE run_id = '${run_id}' AND seq = ${seq}`)
      const { gaps } = await recorded.gaps('demo.user')
      expect(gaps.map(({ kind }) => kind)).toEqual(['rows-missing', 'rows-missing', 'rows-missing'])
      expect(gaps[0]!.what).toMatch(
        /^the statement demo\.user\/\d+-\d+ applied \d+ batches, and \d+ are recorded$/,
      )
      expect(gaps[1]!.what).toContain(
        `the window ${window_id} staged 1 batches, and 0 are recorded`,
      )
      expect(gaps[2]).toMatchObject({ from: seq, to: Number(seq) + 1 })
    })
  })

  it('of statements leaves its batches unapplied; the last one is missed by its number', async () => {
    await undisturbed(async recorded => {
      const rows = recorded.sql('SELECT * FROM forager_statements ORDER BY through_offset')
      const first = rows[1]!
      const last = rows.at(-1)!
      for (const { run_id, seq } of [first, last]) {
        recorded.sql(`DELETE FROM forager_statements WHERE run_id = '${run_id}' AND seq = ${seq}`)
      }
      const { gaps, tables } = await recorded.gaps()
      const unapplied = gaps.filter(({ kind }) => kind === 'not-applied')
      expect(unapplied).toHaveLength(Number(first.batches))
      expect(unapplied[0]).toMatchObject({ from: first.from_offset })
      expect(tables[0]!.waiting).toBe(last.batches)
      expect(gaps.filter(({ kind }) => kind === 'rows-missing')).toMatchObject([
        { where: `the record of the run ${first.run_id}`, from: first.seq },
        { where: `the record of the run ${last.run_id}`, from: last.seq },
      ])
    })
  })

  it('of all that a run did is found as well', async () => {
    await undisturbed(async recorded => {
      for (const kind of ['sources', 'windows', 'batches', 'statements', 'marks']) {
        recorded.sql(`DELETE FROM forager_${kind} WHERE run_id = 'run-002'`)
      }
      const { gaps } = await recorded.gaps()
      const holes = gaps.filter(({ kind }) => kind === 'hole')
      expect(holes).toHaveLength(5)
      expect(gaps.filter(({ kind }) => kind === 'rows-missing')).toMatchObject([
        { where: 'the record of the run run-002', from: 1 },
      ])
    })
  })
})

describe('ranges that the record has whole, and that do not tile', () => {
  it('are a gap of the data, and an overlap', async () => {
    await undisturbed(async recorded => {
      // As if a task had gone on too far, and another one too early.
      const rows = recorded.sql(
        "SELECT * FROM forager_windows WHERE task = '1_1' AND run_id = 'run-002' ORDER BY from_offset",
      )
      const second = rows[1]!
      const where = `WHERE run_id = '${second.run_id}' AND seq = ${second.seq}`
      recorded.sql(`UPDATE forager_windows SET from_offset = from_offset + 1 ${where}`)
      const third = rows[2]!
      recorded.sql(
        `UPDATE forager_windows SET from_offset = from_offset - 1 WHERE run_id = '${third.run_id}' AND seq = ${third.seq}`,
      )
      const { gaps } = await recorded.gaps()
      const from = Number(second.from_offset)
      const end = Number(third.from_offset)
      expect(gaps).toMatchObject([
        { kind: 'hole', from, to: from + 1, record: null },
        { kind: 'overlap', from: end - 1, to: end, record: null },
      ])
    })
  })
})
