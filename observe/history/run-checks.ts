/** Whether the record of each run is whole: rows are numbered, and what could not be written is told. */
import type { History } from './history.ts'
import { historyKinds } from './history.ts'
import { pagesOf } from './pages.ts'
import type { LostRow, RunRow, WindowRow } from './tables.ts'

/** Numbers of rows that are gone; both ends are. */
export interface MissingRows {
  readonly run: string
  readonly first: number
  readonly last: number
}

export interface CheckedRuns {
  readonly runs: ReadonlyMap<string, RunRow>
  readonly lost: readonly LostRow[]
  readonly missing: readonly MissingRows[]
  /** Of completed windows, fewer batches are there than they staged. */
  readonly shortWindows: readonly ShortWindow[]
}

export interface ShortWindow {
  readonly window: WindowRow
  readonly found: number
}

export async function checkRuns(history: History, application: string): Promise<CheckedRuns> {
  const where = { application }
  const runs = new Map<string, RunRow>()
  for await (const run of pagesOf<RunRow>(history, { kind: 'runs', where }, 'recorded_ms')) {
    runs.set(run.run_id!, run)
  }
  const lost: LostRow[] = []
  for await (const row of pagesOf<LostRow>(history, { kind: 'lost', where }, 'recorded_ms')) {
    lost.push(row)
  }
  const missing: MissingRows[] = []
  const shortWindows: ShortWindow[] = []
  for (const run of runs.values()) {
    const own = lost.filter(({ run_id }) => run_id === run.run_id)
    missing.push(...(await missingOf(history, run, own)))
    shortWindows.push(...(await shortWindowsOf(history, run)))
  }
  return { runs, lost, missing, shortWindows }
}

/** Whether all that the run did is in the record: it ended well, and wrote that down last. */
export function endedWell(run: RunRow | undefined): boolean {
  return run?.state === 'completed'
}

async function missingOf(
  history: History,
  run: RunRow,
  lost: readonly LostRow[],
): Promise<readonly MissingRows[]> {
  const last = run.last_seq ?? 0
  const isThere = new Uint8Array(last + 1)
  for (const { first_seq, last_seq } of lost) isThere.fill(1, first_seq ?? 0, (last_seq ?? -1) + 1)
  let least = run.is_pruned === 1 ? last + 1 : 1
  for (const kind of historyKinds) {
    if (kind === 'runs' || kind === 'lost') continue
    const query = { kind, columns: ['run_id', 'seq'], where: { run_id: run.run_id } }
    for await (const { seq } of pagesOf(history, query, 'seq')) {
      if (Number(seq) > last) continue
      isThere[Number(seq)] = 1
      least = Math.min(least, Number(seq))
    }
  }
  const missing: MissingRows[] = []
  for (let seq = least; seq <= last; seq += 1) {
    if (isThere[seq] === 1) continue
    const before = missing.at(-1)
    if (before?.last === seq - 1) missing[missing.length - 1] = { ...before, last: seq }
    else missing.push({ run: run.run_id!, first: seq, last: seq })
  }
  return missing
}

async function shortWindowsOf(
  history: History,
  { run_id, last_seq }: RunRow,
): Promise<readonly ShortWindow[]> {
  const found = new Map<string, number>()
  const batches = {
    kind: 'batches',
    columns: ['run_id', 'seq', 'window_id'],
    where: { run_id },
  } as const
  for await (const { window_id } of pagesOf(history, batches, 'seq')) {
    found.set(String(window_id), (found.get(String(window_id)) ?? 0) + 1)
  }
  const short: ShortWindow[] = []
  const windows = { kind: 'windows', where: { run_id, state: 'completed' } } as const
  for await (const window of pagesOf<WindowRow>(history, windows, 'seq')) {
    const count = found.get(window.window_id!) ?? 0
    const staged = window.batches ?? 0
    // A run that was killed meanwhile did not come to write them down.
    const isWritten = window.seq! + staged <= (last_seq ?? 0)
    if (isWritten && count < staged) short.push({ window, found: count })
  }
  return short
}
