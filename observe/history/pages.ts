/** Reads of the record that may be long, part by part. */
import type { History, HistoryQuery, HistoryRow } from './history.ts'

const pageRows = 5000

/**
 * All rows of a query, in the order of `by` and then of their run and number. Rows that share their place in
 * it may be more than a page: each page begins where the one before ended, and passes over what was there.
 */
export async function* pagesOf<T = HistoryRow>(
  history: History,
  query: Omit<HistoryQuery, 'order' | 'limit' | 'isDescending'>,
  by: string,
): AsyncGenerator<T> {
  let from: number | null = null
  let seen = new Set<string>()
  let limit = pageRows
  for (;;) {
    const bounds = [
      ...(query.bounds ?? []),
      ...(from === null ? [] : [{ column: by, is: '>=', value: from } as const]),
    ]
    const order = [by, 'run_id', 'seq']
    const rows: readonly HistoryRow[] = await history.find({ ...query, bounds, order, limit })
    let isNew = false
    for (const row of rows) {
      const place = Number(row[by])
      const name = `${row.run_id} ${row.seq}`
      if (place === from && seen.has(name)) continue
      if (place !== from) seen = new Set()
      from = place
      seen.add(name)
      isNew = true
      yield row as T
    }
    if (rows.length < limit) return
    // So many share one place that a page holds no others.
    if (!isNew) limit *= 2
  }
}
