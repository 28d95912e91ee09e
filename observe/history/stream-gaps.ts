/**
 * Whether the ranges of one task tile what it read: each begins where the one before ended. The tiles are
 * source commits, or windows. Where a task went on is told as well (marks): a new beginning (a new topic, a
 * reset) begins a new row of tiles, and behind a run that was killed it says what had been committed.
 */
import type { History } from './history.ts'
import { pagesOf } from './pages.ts'
import type { CheckedRuns } from './run-checks.ts'
import { endedWell } from './run-checks.ts'
import type { MarkRow, SourceRow, WindowRow } from './tables.ts'

/** What a hole is; the first two say that the data have it. */
export type GapKind = 'hole' | 'overlap' | 'not-applied' | 'rows-missing'

export interface Gap {
  readonly kind: GapKind
  /** `windows of 1_0 (shop-rows-repartition-0)`. */
  readonly where: string
  /** Half open; null where it is not of offsets. */
  readonly from: number | null
  readonly to: number | null
  readonly what: string
  /** Why it may be one of the record alone; null: nothing is known to be missing there. */
  readonly record: string | null
}

/** A part of which only the ends are known. */
export interface Unrecorded {
  readonly where: string
  /** Null: its beginning. */
  readonly from: number | null
  readonly to: number
  readonly why: string
}

export interface CheckedStream {
  readonly kind: 'sources' | 'windows'
  readonly task: string
  readonly topic: string
  readonly partition: number
  /** Of the last beginning. */
  readonly from: number
  readonly to: number
  readonly rows: number
  readonly events: number
  readonly firstPosition: string | null
  readonly lastPosition: string | null
  /** Written to the hop since the last beginning: its end, by partition. */
  readonly hopEnds: ReadonlyMap<number, number>
  readonly gaps: readonly Gap[]
  readonly unrecorded: readonly Unrecorded[]
}

interface StreamName {
  readonly task: string
  readonly topic: string
  readonly topic_id: string
  readonly topic_partition: number
}

export async function checkStreams(
  history: History,
  application: string,
  kind: 'sources' | 'windows',
  checked: CheckedRuns,
): Promise<readonly CheckedStream[]> {
  const names = await history.find({
    kind,
    columns: ['task', 'topic', 'topic_id', 'topic_partition'],
    isDistinct: true,
    where: { application },
    order: ['topic', 'topic_partition', 'task', 'topic_id'],
  })
  const streams: CheckedStream[] = []
  for (const name of names as unknown as readonly StreamName[]) {
    const found = await new StreamCheck(history, application, kind, name, checked).run()
    if (found !== null) streams.push(found)
  }
  return streams
}

type Tile = SourceRow | WindowRow

class StreamCheck {
  readonly #history: History
  readonly #kind: 'sources' | 'windows'
  readonly #name: StreamName
  readonly #checked: CheckedRuns
  readonly #where: string
  readonly #application: string
  readonly #gaps: Gap[] = []
  readonly #unrecorded: Unrecorded[] = []
  #openings: readonly MarkRow[] = []

  constructor(
    history: History,
    application: string,
    kind: 'sources' | 'windows',
    name: StreamName,
    checked: CheckedRuns,
  ) {
    this.#history = history
    this.#application = application
    this.#kind = kind
    this.#name = name
    this.#checked = checked
    const what = kind === 'sources' ? 'commits' : 'windows'
    this.#where = `${what} of ${name.task} (${name.topic}-${name.topic_partition})`
  }

  async run(): Promise<CheckedStream | null> {
    const { task, topic_id, topic, topic_partition } = this.#name
    const application = this.#application
    const openings: MarkRow[] = []
    const marks = { kind: 'marks', where: { application, mark: 'opened', task, topic_id } } as const
    for await (const mark of pagesOf<MarkRow>(this.#history, marks, 'recorded_ms'))
      openings.push(mark)
    const beginnings = openings.filter(({ is_new }) => is_new === 1)
    let last: Omit<CheckedStream, 'gaps' | 'unrecorded'> | null = null
    for (let index = -1; index < beginnings.length; index += 1) {
      const fromMs = beginnings[index]?.recorded_ms ?? 0
      const toMs = beginnings[index + 1]?.recorded_ms ?? Number.MAX_SAFE_INTEGER
      this.#openings = openings.filter(one => {
        return one.recorded_ms! >= fromMs && one.recorded_ms! < toMs
      })
      const tiles = await this.#walk(beginnings[index]?.at_offset ?? null, fromMs, toMs)
      if (tiles === null) continue
      last = { kind: this.#kind, task, topic, partition: topic_partition, ...tiles }
    }
    return last === null ? null : { ...last, gaps: this.#gaps, unrecorded: this.#unrecorded }
  }

  /** Since one beginning. Null when there is nothing. */
  async #walk(begin: number | null, fromMs: number, toMs: number) {
    const { task, topic_id } = this.#name
    const where = { application: this.#application, task, topic_id, state: 'completed' }
    const bounds = [
      { column: 'recorded_ms', is: '>=', value: fromMs },
      { column: 'recorded_ms', is: '<', value: toMs },
    ] as const
    const query = { kind: this.#kind, where, bounds }
    let first: Tile | null = null
    let before: Tile | null = null
    let firstPosition: string | null = null
    let lastPosition: string | null = null
    let end = begin
    let rows = 0
    let events = 0
    const hopEnds = new Map<number, number>()
    for await (const tile of pagesOf<Tile>(this.#history, query, 'from_offset')) {
      first ??= tile
      end ??= tile.from_offset!
      if (tile.from_offset! > end) this.#hole(end, tile.from_offset!, before, tile)
      if (tile.from_offset! < end) this.#overlap(tile, end)
      end = Math.max(end, tile.to_offset!)
      rows += 1
      events += tile.events ?? 0
      before = tile
      if (!('hop' in tile)) continue
      firstPosition ??= tile.first_position
      lastPosition = tile.last_position ?? lastPosition
      addHop(hopEnds, tile.hop)
    }
    if (first === null || end === null) return null
    if (begin === null && !this.#isPruned) {
      const why = 'nothing is recorded of what was before'
      this.#unrecorded.push({ where: this.#where, from: null, to: first.from_offset!, why })
    }
    // Rows at the end may be gone as well: whoever went on says from where.
    const wentOn = Math.max(...this.#openings.map(({ at_offset }) => at_offset ?? 0), end)
    if (wentOn > end) this.#hole(end, wentOn, before, null)
    const from = begin ?? first.from_offset!
    return { from, to: wentOn, rows, events, firstPosition, lastPosition, hopEnds }
  }

  get #isPruned(): boolean {
    return [...this.#checked.runs.values()].some(({ is_pruned }) => is_pruned === 1)
  }

  #overlap({ from_offset, run_id, seq }: Tile, end: number): void {
    this.#gaps.push({
      kind: 'overlap',
      where: this.#where,
      from: from_offset,
      to: end,
      what: `row ${seq} of the run ${run_id} begins again at ${from_offset}`,
      record: null,
    })
  }

  #hole(from: number, to: number, before: Tile | null, after: Tile | null): void {
    const where = this.#where
    const opening = this.#wentOnAt(to, before)
    if (opening !== null) {
      const why = `the run ${opening.run_id} went on at ${to}: they were committed before`
      this.#unrecorded.push({ where, from, to, why })
      return
    }
    const { task, topic_id } = this.#name
    const lost = this.#checked.lost.filter(one => {
      return one.of_kind === this.#kind && one.task === task && one.topic_id === topic_id
    })
    let at = from
    for (const { from_offset, to_offset, row_count, run_id } of lost.toSorted(byFrom)) {
      if (from_offset === null || to_offset === null || to_offset <= at || from_offset >= to)
        continue
      if (from_offset > at) this.#open(at, from_offset, before, after)
      const end = Math.min(to, to_offset)
      const why = `the run ${run_id} could not write down ${row_count} rows`
      this.#unrecorded.push({ where, from: Math.max(at, from_offset), to: end, why })
      at = end
    }
    if (at < to) this.#open(at, to, before, after)
  }

  /** Of a run that did not end well, the last commits may not have been written down. */
  #wentOnAt(offset: number, before: Tile | null): MarkRow | null {
    const index = this.#openings.findIndex(one => one.at_offset === offset)
    const found = this.#openings[index]
    if (found === undefined) return null
    const owners = [before?.run_id, this.#openings[index - 1]?.run_id].filter(run => run != null)
    const isWhole = (run: string): boolean =>
      run !== found.run_id && endedWell(this.#checked.runs.get(run))
    return owners.length > 0 && owners.every(isWhole) ? null : found
  }

  #open(from: number, to: number, before: Tile | null, after: Tile | null): void {
    const missing = this.#checked.missing.find(({ run, first, last }) => {
      if (run === before?.run_id) return last > before.seq!
      if (run === after?.run_id) return first < after.seq!
      const { started_ms, seen_ms } = this.#checked.runs.get(run)!
      const isBefore = after !== null && started_ms! > after.recorded_ms!
      return !isBefore && (before === null || seen_ms! >= before.recorded_ms!)
    })
    const what = this.#kind === 'sources' ? 'no commit has them' : 'no window has them'
    const record = missing === undefined ? null : missingText(missing)
    this.#gaps.push({ kind: 'hole', where: this.#where, from, to, what, record })
  }
}

export function missingText({
  run,
  first,
  last,
}: {
  run: string
  first: number
  last: number
}): string {
  const rows = first === last ? `row ${first}` : `rows ${first} to ${last}`
  return `${rows} of the run ${run} ${first === last ? 'is' : 'are'} missing`
}

function byFrom(a: { from_offset: number | null }, b: { from_offset: number | null }): number {
  return (a.from_offset ?? 0) - (b.from_offset ?? 0)
}

function addHop(ends: Map<number, number>, hop: string | null): void {
  const written = JSON.parse(hop ?? '{}') as Readonly<Record<string, readonly [number, number]>>
  for (const [partition, [, to]] of Object.entries(written)) {
    ends.set(Number(partition), Math.max(ends.get(Number(partition)) ?? 0, to))
  }
}
