import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { ReportOptions } from '../../cli/history/history-report.ts'
import { reportOf as read } from '../../cli/history/history-report.ts'
import { sqliteHistory } from '../../observe/history/sqlite-history.ts'
import { crashConfig, crashEvents } from '../fixtures/crash-config.ts'
import { gapsOf, sqlIn } from '../observe/history/recorded-driver.ts'
import type { Program } from './program.ts'
import { configText, inFolder } from './program.ts'
import { changeLine, fileOf, goodLines } from './recorded.ts'

const historyFile = '.forager/shop-history.sqlite'

const lines = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    return changeLine(index, 'c', index + 1, JSON.stringify({ id: index + 1, name: `n${index}` }))
  })

/** In this process, because starting one takes long. */
async function reportOf(program: Program, options: Partial<ReportOptions> = {}) {
  const history = sqliteHistory({ path: program.path(historyFile), isWriter: false })
  try {
    await history.open()
    return await read(history, { application: 'shop', limit: 20, ...options })
  } finally {
    await history.close()
  }
}

const gapsIn = (program: Program) => gapsOf(program.path(historyFile), null, 'shop')

describe('forager history', () => {
  it('tells what ran, with the ids of the log lines, and that it tiles', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(lines(5)))
      const ran = await program.run(['run', 'forager.yaml', '--log', 'json', '--quiet'])
      expect(ran.code).toBe(0)
      const logged = ran.stderr
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Readonly<Record<string, unknown>>)
      const runs = new Set(logged.map(({ run }) => run))
      expect(runs.size).toBe(1)
      const named = (event: string) => logged.filter(line => line.event === event)

      const told = await program.run(['history', 'forager.yaml', '--json'])
      const report = JSON.parse(told.stdout) as Readonly<Record<string, readonly object[]>>
      expect(report.runs).toMatchObject([
        { runId: [...runs][0], state: 'completed', error: null, endedAt: expect.any(String) },
      ])
      expect(report.sources).toMatchObject([
        {
          task: '0_s.demo.user-0',
          fromOffset: 0,
          toOffset: 5,
          events: 5,
          repeats: 0,
          bad: 0,
          firstPosition: 'bin.000001:100:0@1',
          lastPosition: 'bin.000001:104:0@1',
          firstSourceAt: '2026-01-01T00:00:00.000Z',
          lastSourceAt: '2026-01-01T00:00:00.004Z',
        },
      ])
      expect(report.windows).toMatchObject([
        { windowId: named('window.closed')[0]!.window, state: 'completed', events: 5, batches: 1 },
      ])
      expect(report.batches).toMatchObject([
        {
          tableName: 'ods.user',
          batch: named('batch.staged')[0]!.batch,
          windowId: named('window.closed')[0]!.window,
          rowCount: 5,
          firstPosition: 'bin.000001:100:0@1',
          lastPosition: 'bin.000001:104:0@1',
        },
      ])
      expect(report.statements).toMatchObject([
        {
          statement: named('batch.applied')[0]!.statement,
          state: 'completed',
          outcome: 'applied',
          rowsInserted: 5,
          batches: 1,
          firstPosition: 'bin.000001:100:0@1',
          lastPosition: 'bin.000001:104:0@1',
          isInterrupted: false,
        },
      ])
      const gaps = await program.run(['history', 'forager.yaml', '--gaps'])
      expect(gaps.stdout).toContain('No gap: ranges tile from the source to the tables.')
      expect(gaps.code).toBe(0)
    })
  })

  it('goes on over runs; of a table, since a time, and so many', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      for (const count of [3, 6, 9]) {
        await program.write('events.jsonl', fileOf(lines(count)))
        expect((await program.run(['run', 'forager.yaml', '--quiet'])).code).toBe(0)
      }
      const all = await reportOf(program, { table: 'ods.user' })
      expect(all.statements).toHaveLength(3)
      expect([all.runs, all.windows]).toEqual([[], []])
      const newest = await reportOf(program, { table: 'ods.user', limit: 1 })
      expect(newest.statements).toEqual([all.statements[0]])
      const since = await reportOf(program, { sinceMs: all.statements[0]!.recorded_ms! })
      expect([since.statements.length, since.windows.length]).toEqual([1, 0])
      const hostile = await reportOf(program, { table: `ods.user'; DROP TABLE forager_runs; --` })
      expect(hostile.statements).toEqual([])
      expect((await reportOf(program)).runs).toHaveLength(3)
      const text = await program.run(['history', 'forager.yaml', 'ods.user'])
      expect(text.stdout).toMatch(/│ ods\.user\/\d+-1\s+│ completed/)
      expect(text.stdout).toContain('bin.000001:106:0@1 … bin.000001:108:0@1')
      expect(await gapsIn(program)).toMatchObject({ gaps: [], unrecorded: [] })
    })
  })

  it('begins anew with a reset, which it outlives', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(lines(5)))
      await program.run(['run', 'forager.yaml', '--quiet'])
      const reset = await program.run(['reset', 'forager.yaml', '--execute'])
      expect(reset.code).toBe(0)
      await program.write('events.jsonl', fileOf(lines(8)))
      expect((await program.run(['run', 'forager.yaml', '--quiet'])).code).toBe(0)
      expect(await gapsIn(program)).toMatchObject({
        gaps: [],
        unrecorded: [],
        sources: [{ from: 0, to: 8, events: 8 }],
        tables: [{ table: 'ods.user', batches: 2, applied: 2 }],
      })
      expect((await reportOf(program)).runs).toHaveLength(2)
    })
  })

  it('shows a gap, where it is, and ends with 1', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      for (const count of [3, 6, 9]) {
        await program.write('events.jsonl', fileOf(lines(count)))
        await program.run(['run', 'forager.yaml', '--quiet'])
      }
      const path = program.path(historyFile)
      sqlIn(path, 'DELETE FROM forager_sources WHERE from_offset = 3')
      const found = await program.run(['history', 'forager.yaml', '--gaps'])
      expect(found.code).toBe(1)
      expect(found.stdout).toMatch(
        /\n2 gaps:\n {2}commits of 0_s\.demo\.user-0 \(s\.demo\.user-0\): offsets 3 to 5: no commit has them\. It may be a gap of the record alone: row \d+ of the run \S+ is missing\.\n/,
      )
    })
  })

  it('says what is wrong where there is none', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(goodLines()))
      const early = await program.run(['history', 'forager.yaml'])
      expect([early.code, early.stdout]).toEqual([1, ''])
      expect(early.stderr).toMatch(
        /^error: there is no [^\n]*\.forager\/shop-history\.sqlite yet: a run writes it \[history-unavailable\]\. [^\n]*\n$/,
      )
      await program.run(['run', 'forager.yaml', '--quiet'])
      const unknown = await program.run(['history', 'forager.yaml', 'ods.usr', '--gaps'])
      expect([unknown.code, unknown.stderr]).toEqual([
        1,
        'error: nothing is recorded of the table ods.usr; did you mean "ods.user"?\n',
      ])
      await program.write('forager.yaml', configText({ more: 'history: { type: none }' }))
      expect((await program.run(['run', 'forager.yaml', '--quiet'])).code).toBe(0)
      const none = await program.run(['history', 'forager.yaml'])
      expect(none.stderr).toBe('error: forager.yaml records no history: history.type is none\n')
    })
  })
})

describe('a run whose history cannot be written', () => {
  it('goes on, says so once, and ends well', async () => {
    await inFolder(async program => {
      const more = 'history: { type: sqlite, path: events.jsonl/history.sqlite }'
      await program.write('forager.yaml', configText({ more }))
      await program.write('events.jsonl', fileOf(lines(5)))
      const ran = await program.run(['run', 'forager.yaml', '--quiet'])
      expect([ran.code, ran.stdout]).toEqual([0, ''])
      expect(ran.stderr).toMatch(
        /^WARN {2}history\.failed address=\S+ reason="[^\n]*"\nWARN {2}history\.unwritten rows=\d+\n$/,
      )
      expect((await program.tables())['ods.user']).toHaveLength(5)
    })
  })

  it.each(['postgres', 'mariadb'])('because no %s is there, does not wait for it', async type => {
    await inFolder(async program => {
      const more = `history: { type: ${type}, host: 127.0.0.1, port: 9, user: u, password: p, database: d }`
      await program.write('forager.yaml', configText({ more }))
      await program.write('events.jsonl', fileOf(lines(5)))
      const ran = await program.run(['run', 'forager.yaml', '--quiet'])
      expect(ran.code).toBe(0)
      expect(ran.stderr).toContain(
        `history.failed address=${type === 'postgres' ? 'postgresql' : type}://127.0.0.1:9/d`,
      )
      expect(ran.stderr).toContain('ECONNREFUSED')
      expect((await program.tables())['ods.user']).toHaveLength(5)
      const asked = await program.run(['history', 'forager.yaml'])
      expect([asked.code, asked.stdout]).toEqual([1, ''])
      expect(asked.stderr).toMatch(
        /^error: [^\n]*ECONNREFUSED[^\n]* \[history-unavailable\]\. [^\n]*\n$/,
      )
    })
  })
})

describe('a run that was killed', () => {
  it('is seen, and the next one closes the record without a gap', async () => {
    const point = 'window.sealed:8'
    await inFolder(async program => {
      const events = await readFile(crashEvents)
      await program.write('events.jsonl.gz', events)
      await program.write('forager.yaml', largeConfig)
      const args = ['run', 'forager.yaml', '--quiet']
      const killed = await program.run(args, { env: { FORAGER_CRASH_AT: point } })
      expect(killed.code).toBeNull()
      expect((await program.run(args)).code).toBe(0)
      expect(await gapsIn(program)).toMatchObject({
        gaps: [],
        runsWithoutEnd: 1,
        tables: [{ table: 'ods.t100k', waiting: 0 }],
      })
      const { runs } = await reportOf(program)
      expect(runs.map(({ state }) => state)).toEqual(['completed', 'inflight'])
    })
  }, 180_000)
})

const largeConfig = crashConfig('window: { maxRows: 5000 }')
