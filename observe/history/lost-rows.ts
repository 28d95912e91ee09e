/**
 * What rows covered that were let go before they could be written: a row for each task and each table, so
 * that it stays small however long it takes. Numbered downwards: their own numbers are not of the rows.
 */
import type { HistoryEntry, HistoryRow, HistoryValue } from './history.ts'

export class LostRows {
  readonly #rows = new Map<string, HistoryRow>()
  #seq = 0

  get size(): number {
    return this.#rows.size
  }

  add({ kind, row }: HistoryEntry, nowMs: number): void {
    const { task = null, table_name = null, topic_id = null, topic_partition = null } = row
    const key = JSON.stringify([kind, task, table_name, topic_id, topic_partition])
    const known = this.#rows.get(key)
    const [from, to] = rangeOf(kind, row)
    const seq = Number(row.seq)
    if (known === undefined) this.#seq -= 1
    this.#rows.set(key, {
      run_id: row.run_id!,
      seq: known?.seq ?? this.#seq,
      application: row.application!,
      recorded_ms: nowMs,
      of_kind: kind,
      task,
      table_name,
      topic_id,
      topic_partition,
      from_offset: least(known?.from_offset, from),
      to_offset: greatest(known?.to_offset, to),
      row_count: Number(known?.row_count ?? 0) + 1,
      first_seq: least(known?.first_seq, seq),
      last_seq: greatest(known?.last_seq, seq),
      note: null,
    })
  }

  rows(): readonly HistoryRow[] {
    return [...this.#rows.values()]
  }

  /** They are written; one that grew meanwhile is to be written again. */
  remove(written: readonly HistoryRow[]): void {
    for (const [key, row] of this.#rows) if (written.includes(row)) this.#rows.delete(key)
  }
}

/** Which offsets nobody can look up any more. Of what did not come to its end there are none. */
function rangeOf(
  kind: HistoryEntry['kind'],
  row: HistoryRow,
): readonly [HistoryValue, HistoryValue] {
  const { state, from_offset = null, to_offset = null } = row
  if (kind === 'batches') return [row.staged_offset!, Number(row.staged_offset) + 1]
  if (state !== 'completed') return [null, null]
  if (kind === 'statements') return [from_offset, Number(row.through_offset) + 1]
  return [from_offset, to_offset]
}

function least(a: HistoryValue | undefined, b: HistoryValue): HistoryValue {
  return a == null || b === null ? (a ?? b) : Math.min(Number(a), Number(b))
}

function greatest(a: HistoryValue | undefined, b: HistoryValue): HistoryValue {
  return a == null || b === null ? (a ?? b) : Math.max(Number(a), Number(b))
}
