import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { EventRows } from '../../../cli/history/event-rows.ts'
import { reportOf } from '../../../cli/history/history-report.ts'
import { reportText } from '../../../cli/history/history-text.ts'
import type { History } from '../../../observe/history/history.ts'
import type { Recorder } from '../../../observe/history/recorder.ts'
import { sqliteHistory } from '../../../observe/history/sqlite-history.ts'
import { CounterRegistry } from '../../../observe/metrics.ts'
import type { StatementTold } from '../../../runtime/streams-events.ts'
import { ManualClock } from '../../../testkit/manual-clock.ts'
import { inTemporaryFolder } from '../../log/logs.ts'
import { application, gapsOf, recorderOf, sqlIn } from './recorded-driver.ts'

interface Site {
  readonly path: string
  readonly history: History
  readonly clock: ManualClock
  readonly metrics: CounterRegistry
  readonly record: (run: string, limits?: object) => Recorder
}

async function withSite(action: (site: Site) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async folder => {
    const path = join(folder, 'history.sqlite')
    const history = sqliteHistory({ path, isWriter: true })
    const clock = new ManualClock()
    const metrics = new CounterRegistry()
    const record = (run: string, limits: object = {}): Recorder => {
      return recorderOf({ history, clock, run, metrics, limits })
    }
    try {
      await action({ path, history, clock, metrics, record })
    } finally {
      await history.close()
    }
  })
}

/** A commit of the offset after the last. */
function commit(recorder: Recorder, offset: number): void {
  const range = { from_offset: offset, to_offset: offset + 1 }
  const at = { task: '0_t-0', topic: 't', topic_id: 'i', topic_partition: 0 }
  recorder.put('sources', { ...at, ...range, state: 'completed', events: 1, hop: '{}' })
}

function open(recorder: Recorder, offset: number, is_new: 0 | 1): void {
  const at = { task: '0_t-0', topic: 't', topic_id: 'i', topic_partition: 0 }
  recorder.put('marks', { ...at, mark: 'opened', at_offset: offset, is_new })
}

const inOrder = async (recorder: Recorder): Promise<void> =>
  expect(await recorder.flush()).toBe(true)

describe('a recorder', () => {
  it('whose database is locked waits, lets the oldest go, and tells what they covered', async () => {
    await withSite(async ({ path, metrics, record }) => {
      const recorder = record('run', { maxWaiting: 100 })
      open(recorder, 0, 1)
      for (let offset = 0; offset < 10; offset += 1) commit(recorder, offset)
      await inOrder(recorder)
      const other = new DatabaseSync(path)
      other.exec('BEGIN EXCLUSIVE')
      for (let offset = 10; offset < 150; offset += 1) commit(recorder, offset)
      expect(await recorder.flush()).toBe(false)
      for (let offset = 150; offset < 170; offset += 1) commit(recorder, offset)
      expect(metrics.total('forager_history_failures_total')).toBe(1)
      expect(metrics.total('forager_history_lost_total')).toBe(60)
      other.exec('ROLLBACK')
      other.close()
      await recorder.close(null)
      const { gaps, unrecorded, sources } = await gapsOf(path)
      expect(gaps).toEqual([])
      expect(unrecorded).toEqual([
        {
          where: 'commits of 0_t-0 (t-0)',
          from: 10,
          to: 70,
          why: 'the run run could not write down 60 rows',
        },
      ])
      expect(sources).toMatchObject([{ from: 0, to: 170, rows: 110 }])
      // Rows that somebody deletes are none that were lost.
      sqlIn(path, 'DELETE FROM forager_sources WHERE from_offset = 80')
      expect((await gapsOf(path)).gaps).toMatchObject([
        { kind: 'hole', from: 80, to: 81 },
        { kind: 'rows-missing', from: 82, to: 83 },
      ])
    })
  }, 120_000)

  it('that cannot open its database tries again, and writes all of it when it can', async () => {
    await inTemporaryFolder(async folder => {
      const path = join(folder, 'history.sqlite')
      await mkdir(path)
      const history = sqliteHistory({ path, isWriter: true })
      const metrics = new CounterRegistry()
      const recorder = recorderOf({ history, clock: new ManualClock(), run: 'run', metrics })
      for (let offset = 0; offset < 20; offset += 1) commit(recorder, offset)
      expect(await recorder.flush()).toBe(false)
      expect(await recorder.flush()).toBe(false)
      expect(metrics.total('forager_history_failures_total')).toBe(2)
      await rm(path, { recursive: true })
      await recorder.close(null)
      expect(sqlIn(path, 'SELECT count(*) AS n FROM forager_sources')).toMatchObject([{ n: 20 }])
      expect(metrics.total('forager_history_lost_total')).toBe(0)
    })
  })

  it('keeps what is newer than its age, and so many', async () => {
    await withSite(async ({ path, clock, history, record }) => {
      const first = record('first')
      for (let offset = 0; offset < 5; offset += 1) commit(first, offset)
      await first.close(null)
      clock.advance(10_000)
      await history.open()
      const second = record('second')
      for (let offset = 5; offset < 10; offset += 1) {
        commit(second, offset)
        clock.advance(1000)
      }
      await inOrder(second)
      await history.prune({ application, beforeMs: clock.now() - 3500, maxRows: 1000 })
      const left = sqlIn(path, 'SELECT from_offset AS at FROM forager_sources ORDER BY 1')
      expect(left.map(({ at }) => at)).toEqual([7, 8, 9])
      await second.close(null)
      // What was pruned is no gap, and no missing row.
      const { gaps, unrecorded } = await gapsOf(path)
      expect([gaps, unrecorded]).toEqual([[], []])
    })
  })

  it('that is closed says how the run ended', async () => {
    await withSite(async ({ path, record }) => {
      const recorder = record('run')
      commit(recorder, 0)
      await recorder.close('the disk is gone [storage-failed]')
      expect(sqlIn(path, 'SELECT state, error, last_seq FROM forager_runs')).toMatchObject([
        { state: 'failed', error: 'the disk is gone [storage-failed]', last_seq: 1 },
      ])
    })
  })
})

describe('a statement under way when its process died', () => {
  const told: StatementTold = {
    type: 'statement',
    statement: 'ods.user/5-1',
    table: 'ods.user',
    token: 5,
    attempt: 1,
    topicId: 'staged',
    from: 0,
    through: 1,
    batches: 2,
    positions: { first: 'a', last: 'b' },
    sourceMs: { first: 1, last: 2 },
    state: 'requested',
  }

  it('is inflight, and interrupted once another run has the table', async () => {
    await withSite(async ({ path, history, clock, record }) => {
      const first = record('first')
      const rows = new EventRows(first, clock)
      rows.take(told)
      clock.advance(10)
      rows.take({ ...told, state: 'inflight' })
      await inOrder(first)
      const states = async (): Promise<unknown> => {
        const { statements } = await reportOf(history, { application, limit: 9 })
        return statements.map(({ statement, state, is_interrupted }) => [
          statement,
          state,
          is_interrupted,
        ])
      }
      expect(await states()).toEqual([['ods.user/5-1', 'inflight', false]])
      clock.advance(60_000)
      const second = record('second')
      const others = new EventRows(second, clock)
      const tables = [{ table: 'ods.user', through: -1 }]
      others.take({ type: 'tables-opened', task: '2_0', token: 9, topicId: 'staged', tables })
      clock.advance(1)
      const again = { ...told, statement: 'ods.user/9-1', token: 9 }
      others.take(again)
      others.take({ ...again, state: 'inflight' })
      const receipt = {
        outcome: 'already-applied' as const,
        rowsInserted: 0,
        rowsUpdated: 0,
        rowsDeleted: 0,
        rowsSearched: 0,
      }
      others.take({ ...again, state: 'completed', outcome: 'already-applied', receipt })
      await inOrder(second)
      expect(await states()).toEqual([
        ['ods.user/9-1', 'completed', false],
        ['ods.user/5-1', 'inflight', true],
      ])
      const report = await reportOf(history, { application, table: 'ods.user', limit: 9 })
      const text = reportText(report, clock.now())
      expect(text).toMatch(/│ ods\.user\/9-1 │ completed: already-applied │ 0 to 1/)
      expect(text).toMatch(/│ ods\.user\/5-1 │ interrupted \(inflight\)\s+│ 0 to 1/)
      expect((await gapsOf(path)).runsWithoutEnd).toBe(2)
    })
  })

  it('that failed is told with the reason, and its table is held back', async () => {
    await withSite(async ({ path, history, clock, record }) => {
      const recorder = record('other')
      const own = new EventRows(recorder, clock)
      own.take(told)
      own.take({
        ...told,
        state: 'failed',
        error: { code: 'statement-failed', message: 'no space' },
      })
      const reason = { code: 'statement-failed', message: 'no space' }
      own.take({ type: 'table-held', table: 'ods.user', reason })
      await recorder.close(null)
      await history.open()
      const { statements, marks } = await reportOf(history, { application, limit: 9 })
      expect(statements).toMatchObject([
        { state: 'failed', error_code: 'statement-failed', error: 'no space' },
      ])
      expect(marks).toMatchObject([{ mark: 'held-back', note: 'statement-failed: no space' }])
      expect((await gapsOf(path)).tables).toMatchObject([{ isHeldBack: true }])
    })
  })
})
