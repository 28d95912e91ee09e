/**
 * What every place does that the record of what runs can be kept in, as data: cases that a test framework
 * runs one by one. They use assertions of Node alone. `make` gives another connection to the same place,
 * which is empty when a case begins.
 */
import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { StateError } from '../model/errors.ts'
import { findGaps } from '../observe/history/gaps.ts'
import type { History, HistoryEntry, HistoryRow } from '../observe/history/history.ts'
import { historyKinds } from '../observe/history/history.ts'
import { historyColumns } from '../observe/history/tables.ts'

export interface HistoryConformanceCase {
  readonly title: string
  /** Rejects when it does not conform. Two applications may share a place: `application` is the case's own. */
  readonly run: (make: MakeHistory, application: string) => Promise<void>
}

export type MakeHistory = (isWriter: boolean) => History

async function withHistory<T>(
  make: MakeHistory,
  action: (history: History) => Promise<T>,
  isWriter = true,
): Promise<T> {
  const history = make(isWriter)
  try {
    await history.open()
    return await action(history)
  } finally {
    await history.close()
  }
}

function statement(application: string, seq: number, more: HistoryRow = {}): HistoryEntry {
  const row = {
    run_id: `${application}-run`,
    seq,
    application,
    recorded_ms: 1000 + seq,
    state: 'inflight',
    table_name: 'ods.user',
    from_offset: seq,
    through_offset: seq,
    ...more,
  }
  return { kind: 'statements', row }
}

async function seqsOf(history: History, application: string): Promise<readonly unknown[]> {
  const rows = await history.find({
    kind: 'statements',
    columns: ['seq'],
    where: { application },
    order: ['seq'],
  })
  return rows.map(({ seq }) => seq)
}

/** What breaks text that is put together, and what databases treat in ways of their own. */
const hostile = [
  `'; DROP TABLE forager_statements; --`,
  `"quoted" \`ticks\` \\' \\\\ %s ? $1 :name`,
  'Straße 😀 ünï',
  'trailing space ',
  'UPPER',
  'upper',
]

const writing: readonly HistoryConformanceCase[] = [
  {
    title: 'every column of every kind comes back as it was written, and null as null',
    run: (make, application) =>
      withHistory(make, async history => {
        for (const kind of historyKinds) {
          const columns = Object.entries(historyColumns[kind])
          const full = Object.fromEntries(
            columns.map(([name, type], index) => {
              return [name, type === 'number' ? 2 ** 53 - 1 - index : `${kind} ${name}`]
            }),
          )
          const first = { ...full, run_id: `${application}-1`, application, recorded_ms: 1 }
          const empty = Object.fromEntries(columns.map(([name]) => [name, null]))
          const second = {
            ...empty,
            run_id: `${application}-2`,
            seq: 2,
            application,
            recorded_ms: 2,
          }
          await history.write([
            { kind, row: first },
            { kind, row: second },
          ])
          const found = await history.find({ kind, where: { application }, order: ['recorded_ms'] })
          deepEqual(
            found.map(row => ({ ...row })),
            [first, second],
          )
        }
      }),
  },
  {
    title: 'a row that is written again is replaced, whole',
    run: (make, application) =>
      withHistory(make, async history => {
        await history.write([statement(application, 1, { error: 'x', batches: 3 })])
        await history.write([statement(application, 1, { state: 'completed', batches: 4 })])
        const found = await history.find({ kind: 'statements', where: { application } })
        deepEqual(
          found.map(({ state, error, batches }) => [state, error, batches]),
          [['completed', null, 4]],
        )
      }),
  },
  {
    title: 'what is hostile is text, and looked up as it is',
    run: (make, application) =>
      withHistory(make, async history => {
        await history.write(
          hostile.map((table_name, seq) => statement(application, seq, { table_name })),
        )
        for (const [seq, table_name] of hostile.entries()) {
          const found = await history.find({
            kind: 'statements',
            where: { application, table_name },
          })
          deepEqual(
            found.map(row => [row.seq, row.table_name]),
            [[seq, table_name]],
          )
        }
      }),
  },
  {
    title: 'a value that does not fit is cut, and does not keep the others away',
    run: (make, application) =>
      withHistory(make, async history => {
        await history.write([
          statement(application, 1, { error: 'x'.repeat(100_000), error_code: 'y'.repeat(1000) }),
          statement(application, 2, { error: 'a\0b', rows_inserted: Number.NaN }),
          statement(application, 3, { rows_inserted: 1e300, error: '\ud800' }),
        ])
        const found = await history.find({
          kind: 'statements',
          where: { application },
          order: ['seq'],
        })
        const [first, second, third] = found
        ok(String(first!.error).length >= 1000)
        equal(first!.error_code, 'y'.repeat(64))
        deepEqual([second!.error, second!.rows_inserted], ['a\ufffdb', null])
        equal(third!.rows_inserted, null)
      }),
  },
  {
    title: 'a write is whole or not at all',
    run: (make, application) =>
      withHistory(make, async history => {
        const broken = statement(application, 2, { run_id: null })
        await rejects(history.write([statement(application, 1), broken]), isUnavailable)
        deepEqual(await seqsOf(history, application), [])
        await history.write([statement(application, 3)])
        deepEqual(await seqsOf(history, application), [3])
      }),
  },
  {
    title: 'many rows at once, and many connections beside each other',
    run: async (make, application) => {
      const count = 400
      await Promise.all(
        [0, 1, 2].map(writer =>
          withHistory(make, async history => {
            const entries = Array.from({ length: count }, (_, index) =>
              statement(application, writer * count + index),
            )
            await history.write(entries)
          }),
        ),
      )
      const seqs = await withHistory(make, history => seqsOf(history, application), false)
      deepEqual(seqs, [...Array(3 * count).keys()])
    },
  },
]

const reading: readonly HistoryConformanceCase[] = [
  {
    title: 'rows are found by value, by null and by bounds, in order, and so many',
    run: (make, application) =>
      withHistory(make, async history => {
        await history.write(
          [0, 1, 2, 3, 4].map(seq =>
            statement(application, seq, {
              table_name: seq % 2 === 0 ? null : 'odd',
              batches: -seq,
            }),
          ),
        )
        const find = async (query: object): Promise<readonly unknown[]> => {
          const given = { kind: 'statements', columns: ['seq'], where: { application } } as const
          return (await history.find({ ...given, ...query })).map(({ seq }) => seq)
        }
        deepEqual(
          await find({ where: { application, table_name: null }, order: ['seq'] }),
          [0, 2, 4],
        )
        deepEqual(await find({ where: { application, table_name: 'odd' }, order: ['seq'] }), [1, 3])
        const bounds = [
          { column: 'seq', is: '>', value: 0 },
          { column: 'seq', is: '<=', value: 3 },
        ]
        deepEqual(await find({ bounds, order: ['batches'] }), [3, 2, 1])
        deepEqual(await find({ order: ['seq'], isDescending: true, limit: 2 }), [4, 3])
        const distinct = await history.find({
          kind: 'statements',
          columns: ['table_name'],
          isDistinct: true,
          where: { application },
        })
        equal(distinct.length, 2)
      }),
  },
  {
    title: 'who only reads sees what is committed, and makes nothing',
    run: async (make, application) => {
      await withHistory(make, async history => {
        await history.write([statement(application, 1)])
        await withHistory(
          make,
          async reader => deepEqual(await seqsOf(reader, application), [1]),
          false,
        )
        await history.write([statement(application, 2)])
      })
      await withHistory(
        make,
        async reader => deepEqual(await seqsOf(reader, application), [1, 2]),
        false,
      )
    },
  },
  {
    title:
      'old rows go, and those beyond so many, of this application alone; runs say that theirs went',
    run: (make, application) =>
      withHistory(make, async history => {
        const other = `${application}-other`
        const run = (run_id: string, seen_ms: number): HistoryEntry => {
          return { kind: 'runs', row: { run_id, seq: 0, application, recorded_ms: 1000, seen_ms } }
        }
        const seqs = [1, 2, 3, 4, 5, 6]
        await history.write([
          run(`${application}-run`, 5000),
          run(`${application}-gone`, 1001),
          ...seqs.map(seq => statement(application, seq)),
          ...seqs.map(seq => statement(other, seq)),
        ])
        await history.prune({ application, beforeMs: 1002, maxRows: 1000 })
        deepEqual(await seqsOf(history, application), [3, 4, 5, 6])
        await history.prune({ application, beforeMs: 0, maxRows: 2 })
        deepEqual(await seqsOf(history, application), [5, 6])
        deepEqual(await seqsOf(history, other), seqs)
        const runs = await history.find({ kind: 'runs', where: { application } })
        deepEqual(
          runs.map(({ run_id, is_pruned }) => [run_id, is_pruned]),
          [[`${application}-run`, 1]],
        )
        // Whoever writes the run again does not take that back.
        await history.write([run(`${application}-run`, 6000)])
        const [again] = await history.find({ kind: 'runs', where: { application } })
        deepEqual([again!.seen_ms, again!.is_pruned], [6000, 1])
      }),
  },
  {
    title: 'gaps are found in it',
    run: (make, application) =>
      withHistory(make, async history => {
        const row = (kind: 'sources' | 'runs', seq: number, more: HistoryRow): HistoryEntry => {
          const head = { run_id: application, seq, application, recorded_ms: 10 + seq }
          return { kind, row: { ...head, state: 'completed', ...more } }
        }
        const at = { task: '0_t-0', topic: 't', topic_id: 'i', topic_partition: 0 }
        const commit = (seq: number, from_offset: number, to_offset: number): HistoryEntry =>
          row('sources', seq, { ...at, from_offset, to_offset, events: 1, hop: '{"0":[0,1]}' })
        const opened: HistoryRow = { ...at, mark: 'opened', at_offset: 0, is_new: 1 }
        await history.write([
          row('runs', 0, { started_ms: 1, seen_ms: 99, ended_ms: 99, last_seq: 4, is_pruned: 0 }),
          {
            kind: 'marks',
            row: { run_id: application, seq: 1, application, recorded_ms: 11, ...opened },
          },
          commit(2, 0, 10),
          commit(3, 10, 20),
          commit(4, 25, 30),
        ])
        const { gaps } = await findGaps(history, application, null)
        deepEqual(
          gaps.map(({ kind, from, to, record }) => [kind, from, to, record]),
          [['hole', 20, 25, null]],
        )
      }),
  },
  {
    title: 'a closed one says that it is not open, and can be opened again',
    run: async (make, application) => {
      const history = make(true)
      await rejects(history.write([statement(application, 1)]), isUnavailable)
      await history.open()
      await history.write([statement(application, 1)])
      await history.close()
      await rejects(history.write([statement(application, 2)]), isUnavailable)
      await history.open()
      deepEqual(await seqsOf(history, application), [1])
      await history.close()
    },
  },
]

function isUnavailable(error: unknown): boolean {
  ok(error instanceof StateError, `${String(error)} is no StateError`)
  equal(error.code, 'history-unavailable')
  return true
}

export const historyConformance: readonly HistoryConformanceCase[] = [...writing, ...reading]
