/**
 * Counting. Names follow Prometheus: base units, `_total` for counters, labels with few values. What
 * is counted is listed here, so that nothing is dropped, skipped or replaced without a count.
 */
export type Labels = Readonly<Record<string, string>>

/** Every counter, and what it counts. */
export const counters = {
  forager_records_consumed_total: 'Records read from source topics, by topic.',
  forager_messages_total: 'Messages by what they turned out to be (label kind).',
  forager_events_total: 'Change events that entered the hop, by table.',
  forager_events_unrouted_total: 'Change events of tables that the configuration does not name.',
  forager_events_refused_total: 'Change events of tables that were refused, by table.',
  forager_repeats_dropped_total: 'Change events that the producer sent again, by table.',
  forager_messages_skipped_total: 'Bad messages that the policy skipped, by reason.',
  forager_patches_without_row_total: 'Partial rows that found no row to change, by table.',
  forager_net_changes_total: 'Net changes that left windows, by table.',
  forager_windows_closed_total: 'Windows that closed, by the limit that closed them.',
  forager_batches_staged_total: 'Batches staged, by table.',
  forager_batches_applied_total: 'Batches applied, by table and outcome.',
  forager_rows_inserted_total: 'Rows that applies inserted, by table.',
  forager_rows_updated_total: 'Rows that applies updated, by table.',
  forager_rows_deleted_total: 'Rows that applies deleted, by table.',
  forager_partition_searches_total: 'Net changes whose old partition had to be found by key.',
  forager_commits_total: 'Transactions that tasks committed, by sub-topology.',
} as const

export type CounterName = keyof typeof counters

export interface Metrics {
  count(name: CounterName, amount: number, labels?: Labels): void
}

/** Counts in memory; a summary is read from it. */
export class CounterRegistry implements Metrics {
  readonly #values = new Map<CounterName, Map<string, { labels: Labels; value: number }>>()

  count(name: CounterName, amount: number, labels: Labels = {}): void {
    if (amount === 0) return
    const series = this.#values.get(name) ?? new Map<string, { labels: Labels; value: number }>()
    this.#values.set(name, series)
    const key = JSON.stringify(labels)
    const known = series.get(key)
    if (known === undefined) series.set(key, { labels, value: amount })
    else known.value += amount
  }

  /** The sum over all series whose labels include the given ones. */
  total(name: CounterName, labels: Labels = {}): number {
    return this.series(name)
      .filter(one => Object.entries(labels).every(([key, value]) => one.labels[key] === value))
      .reduce((sum, { value }) => sum + value, 0)
  }

  series(name: CounterName): readonly { readonly labels: Labels; readonly value: number }[] {
    return [...(this.#values.get(name)?.values() ?? [])]
  }
}
