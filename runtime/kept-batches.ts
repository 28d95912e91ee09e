/**
 * Batches that a table has and whose files are kept for a while, where its rows keep no positions and come
 * through topics of several partitions. A truncate comes through one of them, late against the others: then
 * the table is emptied, and what was changed after the truncate is written again from these.
 *
 *     staged   ... 40 41 42 | 43 44 45 46 | 47 48 ...
 *              let go       | kept        | waiting
 *
 * Of what was let go the newest rows are known. A truncate that is newer than all of them finds everything
 * that it needs in what is kept and what waits; any other one is refused (`truncate-too-late`).
 */
import { assert, WarehouseError } from '../model/errors.ts'
import type { ChangeMark, NetChange } from '../model/net-change.ts'
import { areBeforeTruncate, NewestMarks } from '../model/newest-marks.ts'
import type { TruncatePoint } from '../model/position.ts'
import { isBeforeTruncate, newerTruncate } from '../model/position.ts'
import type { StagedBatch } from '../model/staged-batch.ts'
import type { ApplyPlan, WaitingBatch } from '../processors/merge.ts'
import type { KeepLimits } from '../sinks/warehouse.ts'
import type { TableProgress } from './applied.ts'

/** Of a table's progress; absent while nothing of it was ever kept. */
export interface KeptProgress {
  /** The newest truncate that is known by its point: rows that come later and are older are dropped. */
  readonly truncatedAt: TruncatePoint | null
  /** Staged offset: files of batches below it are gone, or going. */
  readonly from: number
  /** Of the rows of those, the newest. */
  readonly forgotten: readonly ChangeMark[]
}

interface Kept extends WaitingBatch {
  /** Milliseconds since the epoch. */
  readonly sinceMs: number
}

export class KeptBatches {
  /** Null: rows keep their positions, nothing is to be kept. */
  readonly #limits: KeepLimits | null
  /** The staged topic need not have it any more: the next owner would not find it. */
  readonly #isParked: (one: WaitingBatch) => boolean
  #progress: KeptProgress | null
  #kept: Kept[] = []
  #bytes = 0

  constructor(
    limits: KeepLimits | null,
    logged: TableProgress,
    isParked: (one: WaitingBatch) => boolean = () => false,
  ) {
    this.#limits = limits
    this.#isParked = isParked
    this.#progress = logged.kept ?? null
  }

  get progress(): { readonly kept?: KeptProgress } {
    return this.#progress === null ? {} : { kept: this.#progress }
  }

  get count(): number {
    return this.#kept.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** First staged offset that is kept; null when none is. */
  get from(): number | null {
    return this.#kept[0]?.offset ?? null
  }

  /** When the oldest one is to be let go, in milliseconds since the epoch; null when none is kept. */
  get expiresMs(): number | null {
    const [first] = this.#kept
    if (first === undefined || this.#limits === null) return null
    return this.#bytes > this.#limits.maxBytes ? 0 : first.sinceMs + this.#limits.maxAgeMs
  }

  /**
   * The plan of an apply as the table can carry it out: a truncate that is known by its point empties it, and
   * what is kept is written again. `isLossAccepted`: the operator knows that not all of it is there. Throws
   * WarehouseError `truncate-too-late`.
   */
  planned(plan: ApplyPlan, before: TableProgress, isLossAccepted: boolean): ApplyPlan {
    if (this.#limits === null || typeof plan.truncate === 'string') return plan
    const known = this.#progress?.truncatedAt ?? null
    const point = plan.truncate
    // The same one through another task of the hop, or an older one.
    if (known !== null && newerTruncate(known, point) === known) {
      return { ...plan, truncate: 'none' }
    }
    const { forgotten } = this.#progress ?? beginning(before, 0)
    if (!isLossAccepted && !areBeforeTruncate(forgotten, point)) throw tooLate(point)
    const kept = this.#kept.filter(({ batch }) => !areBeforeTruncate(batch.lastRows ?? [], point))
    return { ...plan, truncate: 'all', point, sources: [...kept, ...plan.sources] }
  }

  /** What is left of a batch's changes after the newest truncate. */
  async *withoutTruncated(
    { point }: ApplyPlan,
    changes: AsyncIterable<readonly NetChange[]>,
  ): AsyncGenerator<readonly NetChange[]> {
    const truncatedAt = point ?? this.#progress?.truncatedAt ?? null
    if (truncatedAt === null) yield* changes
    else {
      for await (const part of changes) {
        const left = part.filter(({ last }) => !isBeforeTruncate(last, truncatedAt))
        if (left.length > 0) yield left
      }
    }
  }

  /** There is no table to empty; rows that come later may be older than its truncate. */
  passed({ point, covered }: ApplyPlan, before: TableProgress): void {
    if (point !== undefined) this.#truncate(point, before, covered[0]!.offset)
  }

  /** The plan was carried out. Returns the batches whose files nobody needs any more. */
  applied(plan: ApplyPlan, before: TableProgress, nowMs: number): readonly StagedBatch[] {
    if (this.#limits === null) return plan.covered.map(({ batch }) => batch)
    if (plan.point !== undefined) this.#truncate(plan.point, before, plan.covered[0]!.offset)
    const isEmptied = plan.truncate === 'all' && plan.point === undefined
    const gone = isEmptied ? this.#letAllGo() : []
    return [...gone, ...this.keep(plan.covered, before, nowMs)]
  }

  /** Of batches that are in the table. Returns those that need not be kept. */
  keep(
    applied: readonly WaitingBatch[],
    before: TableProgress,
    sinceMs: number,
  ): readonly StagedBatch[] {
    if (this.#limits === null) return applied.map(({ batch }) => batch)
    return applied.flatMap(one => (this.#keepOne(one, before, sinceMs) ? [] : [one.batch]))
  }

  /** A batch below the committed offset that the table has: whether it was kept by the owner before. */
  keepAgain(one: WaitingBatch, sinceMs: number): boolean {
    if (this.#limits === null || this.#progress === null) return false
    if (one.offset < this.#progress.from || !this.#isOfUse(one.batch)) return false
    this.#add(one, sinceMs)
    return true
  }

  /** Those that are too old, or too many. From here on their rows are forgotten. */
  letGo(nowMs: number): readonly StagedBatch[] {
    const gone: StagedBatch[] = []
    while ((this.expiresMs ?? Infinity) <= nowMs) gone.push(this.#forgetFirst())
    return gone
  }

  #keepOne(one: WaitingBatch, before: TableProgress, sinceMs: number): boolean {
    const { batch, offset } = one
    // It is read again, because another table holds its partition back: its file may be gone.
    if (offset < (this.#progress?.from ?? 0)) return false
    if (batch.lastRows === undefined) {
      const { last: sourceMs } = batch.sourceMs
      if (batch.rowCount > 0 && this.#progress !== null) this.#forget([{ position: '', sourceMs }])
      return false
    }
    if (!this.#isOfUse(batch)) return false
    this.#progress ??= beginning(before, offset)
    if (this.#isParked(one)) {
      this.#forget(batch.lastRows)
      return false
    }
    this.#add(one, sinceMs)
    return true
  }

  /** Some row of it may be newer than a truncate to come. */
  #isOfUse({ lastRows = [] }: StagedBatch): boolean {
    const known = this.#progress?.truncatedAt ?? null
    return known === null ? lastRows.length > 0 : !areBeforeTruncate(lastRows, known)
  }

  #add({ offset, batch }: WaitingBatch, sinceMs: number): void {
    assert(offset > (this.#kept.at(-1)?.offset ?? -1), 'a batch is kept twice', {
      table: batch.table,
    })
    this.#kept.push({ offset, batch, sinceMs })
    this.#bytes += bytesOf(batch)
  }

  #truncate(truncatedAt: TruncatePoint, before: TableProgress, offset: number): void {
    const known = this.#progress ?? beginning(before, offset)
    // What was forgotten is older than the truncate, and so older than every one to come.
    this.#progress = { ...known, truncatedAt, forgotten: [] }
  }

  #letAllGo(): readonly StagedBatch[] {
    const gone: StagedBatch[] = []
    while (this.#kept.length > 0) gone.push(this.#forgetFirst())
    return gone
  }

  #forgetFirst(): StagedBatch {
    const { offset, batch } = this.#kept.shift()!
    this.#bytes -= bytesOf(batch)
    this.#forget(batch.lastRows ?? [])
    this.#progress = { ...this.#progress!, from: offset + 1 }
    return batch
  }

  #forget(newest: readonly ChangeMark[]): void {
    const known = this.#progress!
    const { marks: forgotten } = new NewestMarks([...known.forgotten, ...newest])
    this.#progress = { ...known, forgotten }
  }
}

/** Of rows that the table had before anything was kept, only when they were written is known. */
function beginning({ through, appliedAtMs }: TableProgress, from: number): KeptProgress {
  const isEmpty = through === null
  const forgotten = isEmpty ? [] : [{ position: '', sourceMs: appliedAtMs ?? Infinity }]
  return { truncatedAt: null, from, forgotten }
}

function bytesOf({ files }: StagedBatch): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

function tooLate({ position }: TruncatePoint): WarehouseError {
  return new WarehouseError(
    'truncate-too-late',
    `rows that are newer than the truncate at ${position.text} may be in the table, and their staged files are gone`,
  )
}
