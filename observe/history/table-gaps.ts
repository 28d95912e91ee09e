/**
 * Whether every batch that was staged for a table is in it: covered by a statement that was completed, or
 * behind all of them, where it waits or is held back.
 */
import type { History } from './history.ts'
import { pagesOf } from './pages.ts'
import type { CheckedRuns } from './run-checks.ts'
import { endedWell } from './run-checks.ts'
import type { Gap, Unrecorded } from './stream-gaps.ts'
import { missingText } from './stream-gaps.ts'
import type { BatchRow, MarkRow, StatementRow } from './tables.ts'

export interface CheckedTable {
  readonly table: string
  readonly batches: number
  readonly applied: number
  readonly waiting: number
  readonly isHeldBack: boolean
  /** Of the last change of the source that is applied. */
  readonly lastPosition: string | null
  readonly gaps: readonly Gap[]
  readonly unrecorded: readonly Unrecorded[]
}

export async function checkTables(
  history: History,
  application: string,
  only: string | null,
  checked: CheckedRuns,
): Promise<readonly CheckedTable[]> {
  const names = new Set<string>()
  for (const kind of ['batches', 'statements'] as const) {
    const columns = ['table_name']
    const given = { kind, columns, isDistinct: true, where: { application } }
    for (const { table_name } of await history.find(given)) names.add(String(table_name))
  }
  const tables: CheckedTable[] = []
  for (const table of [...names].sort()) {
    if (only !== null && only !== table) continue
    tables.push(await new TableCheck(history, application, table, checked).run())
  }
  return tables
}

interface Covered {
  readonly from: number
  readonly through: number
  readonly batches: number
  readonly row: StatementRow | null
}

/** With how many of its batches were met. */
interface Counted {
  readonly statement: Covered
  found: number
}

class TableCheck {
  readonly #history: History
  readonly #application: string
  readonly #table: string
  readonly #checked: CheckedRuns
  readonly #gaps: Gap[] = []
  readonly #unrecorded: Unrecorded[] = []
  #marks: readonly MarkRow[] = []

  constructor(history: History, application: string, table: string, checked: CheckedRuns) {
    this.#history = history
    this.#application = application
    this.#table = table
    this.#checked = checked
  }

  async run(): Promise<CheckedTable> {
    const where = { application: this.#application, table_name: this.#table }
    const marks: MarkRow[] = []
    for await (const mark of pagesOf<MarkRow>(
      this.#history,
      { kind: 'marks', where },
      'recorded_ms',
    )) {
      marks.push(mark)
    }
    this.#marks = marks
    const topics = await this.#topics()
    const sum = { batches: 0, applied: 0, waiting: 0, lastPosition: null as string | null }
    for (const [index, topicId] of topics.entries()) {
      const found = await this.#walk(topicId, index === topics.length - 1)
      sum.batches += found.batches
      sum.applied += found.applied
      sum.waiting = found.waiting
      sum.lastPosition = found.lastPosition ?? sum.lastPosition
    }
    const held = marks.findLast(({ mark }) => mark === 'held-back' || mark === 'resumed')
    const isHeldBack = held?.mark === 'held-back'
    return {
      table: this.#table,
      ...sum,
      isHeldBack,
      gaps: this.#gaps,
      unrecorded: this.#unrecorded,
    }
  }

  /** Staged topics, the present one last: `forager reset` makes another one. */
  async #topics(): Promise<readonly string[]> {
    const latest = new Map<string, number>()
    for (const kind of ['batches', 'statements'] as const) {
      const where = { application: this.#application, table_name: this.#table }
      const columns = ['staged_topic_id']
      for (const { staged_topic_id: id } of await this.#history.find({
        kind,
        columns,
        isDistinct: true,
        where,
      })) {
        const [row] = await this.#history.find({
          kind,
          columns: ['recorded_ms'],
          where: { ...where, staged_topic_id: id! },
          order: ['recorded_ms'],
          isDescending: true,
          limit: 1,
        })
        latest.set(String(id), Math.max(latest.get(String(id)) ?? 0, Number(row?.recorded_ms)))
      }
    }
    return [...latest].sort(([, a], [, b]) => a - b).map(([id]) => id)
  }

  async #walk(topicId: string, isPresent: boolean) {
    const covered = await this.#covered(topicId)
    const last = covered.reduce((end, { through }) => Math.max(end, through), -1)
    const sum = { batches: 0, applied: 0, waiting: 0, lastPosition: null as string | null }
    let lastMs = -1
    // Both ascend: those statements are open that may have the batch.
    let open: Counted[] = []
    let next = 0
    const where = {
      application: this.#application,
      table_name: this.#table,
      staged_topic_id: topicId,
    }
    const query = { kind: 'batches', where } as const
    for await (const batch of pagesOf<BatchRow>(this.#history, query, 'staged_offset')) {
      const offset = batch.staged_offset!
      for (; next < covered.length && covered[next]!.from <= offset; next += 1) {
        open.push({ statement: covered[next]!, found: 0 })
      }
      open = this.#closeBefore(open, offset)
      for (const one of open) one.found += 1
      sum.batches += 1
      if (open.length > 0 || this.#isKnown(batch, topicId)) {
        sum.applied += 1
        // Batches of several tasks come in any order: the source's clock tells the last one.
        if ((batch.last_source_ms ?? -1) >= lastMs) sum.lastPosition = batch.last_position
        lastMs = Math.max(lastMs, batch.last_source_ms ?? -1)
      } else if (offset < last) this.#notApplied(batch)
      else if (isPresent) sum.waiting += 1
    }
    const rest = covered.slice(next).map(statement => ({ statement, found: 0 }))
    this.#closeBefore([...open, ...rest], Number.POSITIVE_INFINITY)
    return sum
  }

  /** Those that have the offset; the others have all their batches by now. */
  #closeBefore(open: readonly Counted[], offset: number): Counted[] {
    const over = open.filter(({ statement }) => statement.through < offset)
    for (const { statement, found } of over) {
      if (found < statement.batches) this.#fewBatches(statement, found)
    }
    return open.filter(({ statement }) => statement.through >= offset)
  }

  async #covered(topicId: string): Promise<readonly Covered[]> {
    const where = {
      application: this.#application,
      table_name: this.#table,
      staged_topic_id: topicId,
      state: 'completed',
    }
    const covered: Covered[] = []
    for await (const row of pagesOf<StatementRow>(
      this.#history,
      { kind: 'statements', where },
      'from_offset',
    )) {
      const { from_offset: from, through_offset: through, batches } = row
      covered.push({ from: from!, through: through!, batches: batches ?? 0, row })
    }
    for (const lost of this.#lostOf('statements')) {
      const { from_offset: from, to_offset: to } = lost
      if (from !== null && to !== null)
        covered.push({ from, through: to - 1, batches: 0, row: null })
    }
    return covered.sort((a, b) => a.from - b.from)
  }

  #lostOf(kind: 'statements' | 'batches') {
    return this.#checked.lost.filter(one => one.of_kind === kind && one.table_name === this.#table)
  }

  /** A merger that took the table over says how far it was: what a killed run did last need not be here. */
  #isKnown({ staged_offset, recorded_ms }: BatchRow, topicId: string): boolean {
    const mark = this.#marks.find(one => {
      const isThrough = one.mark === 'table-opened' && one.topic_id === topicId
      return isThrough && one.at_offset! >= staged_offset! && one.recorded_ms! >= recorded_ms!
    })
    if (mark === undefined || !this.#hasDied(mark.recorded_ms!, mark.run_id!)) return false
    const from = staged_offset!
    const why = `no statement is recorded, and the run ${mark.run_id} found the table applied through ${mark.at_offset}`
    this.#unrecorded.push({ where: this.#where, from, to: from + 1, why })
    return true
  }

  get #where(): string {
    return `batches of ${this.#table}`
  }

  /** Whether a run before did not come to write down all that it did. */
  #hasDied(beforeMs: number, run: string): boolean {
    return [...this.#checked.runs.values()].some(one => {
      return one.run_id !== run && one.started_ms! <= beforeMs && !endedWell(one)
    })
  }

  #notApplied({ staged_offset, batch, run_id, window_id }: BatchRow): void {
    const missing = this.#checked.missing[0]
    this.#gaps.push({
      kind: 'not-applied',
      where: this.#where,
      from: staged_offset,
      to: staged_offset! + 1,
      what: `no completed statement has ${batch} (window ${window_id}, run ${run_id}), and later ones were applied`,
      record: missing === undefined ? null : missingText(missing),
    })
  }

  /** Batches may be older than what is kept. */
  get #isPruned(): boolean {
    return [...this.#checked.runs.values()].some(({ is_pruned }) => is_pruned === 1)
  }

  /** A statement applied more batches than are recorded. */
  #fewBatches({ from, through, batches, row }: Covered, found: number): void {
    const isLost = this.#lostOf('batches').length > 0
    const isOfKilled = this.#hasDied(row!.recorded_ms!, '')
    const what = `the statement ${row!.statement} applied ${batches} batches, and ${found} are recorded`
    if (isLost || isOfKilled || this.#isPruned) {
      this.#unrecorded.push({ where: this.#where, from, to: through + 1, why: what })
      return
    }
    const missing = this.#checked.missing[0]
    const record = missing === undefined ? 'rows of batches are missing' : missingText(missing)
    this.#gaps.push({
      kind: 'rows-missing',
      where: this.#where,
      from,
      to: through + 1,
      what,
      record,
    })
  }
}
