/**
 * Counting and measuring. Names follow Prometheus: base units, `_total` for counters, labels with few
 * values. What is measured is listed here, so that nothing is dropped, skipped or replaced without a
 * count; `docs/metrics.md` is generated from it, and `observe/prometheus.ts` shows it.
 */
export type Labels = Readonly<Record<string, string>>

/** Every counter, and what it counts. */
export const counters = {
  forager_records_consumed_total: 'Records read from source topics, by topic.',
  forager_messages_total: 'Messages by what they turned out to be (label kind).',
  forager_topics_recognised_total:
    'Topics whose format was found out, by format (format: auto); 1 for each run of an instance.',
  forager_events_total: 'Change events that entered the hop, by table.',
  forager_events_unrouted_total: 'Change events of tables that the configuration does not name.',
  forager_events_refused_total: 'Change events of tables that were refused, by table.',
  forager_values_replaced_total:
    'Values that Hive has no equal for and that are written as another one, by table and reason: ' +
    'zero_date (0000-00-00, as null), infinity (of PostgreSQL, as the first or last moment).',
  forager_truncates_ignored_total:
    'Truncates after which the rows stayed (`schemaChanges.truncate`), by target table.',
  forager_table_drops_ignored_total:
    'Tables that the source dropped and whose rows stayed (`schemaChanges.drop-table`), by target table.',
  forager_repeats_dropped_total: 'Change events that the producer sent again, by table.',
  forager_messages_skipped_total: 'Bad messages that the policy skipped, by reason.',
  forager_dead_letters_total: 'Bad messages that were kept as dead letters, by reason.',
  forager_patches_without_row_total: 'Partial rows that found no row to change, by table.',
  forager_superseded_changes_total:
    'Changes that came after a later one of their row, by table (ordering: position).',
  forager_restored_records_total: 'Records of changelogs read to restore stores, by task.',
  forager_net_changes_total: 'Net changes that left windows, by table.',
  forager_windows_closed_total: 'Windows that closed, by the limit that closed them.',
  forager_batches_staged_total: 'Batches staged, by table.',
  forager_batches_applied_total: 'Batches applied, by table and outcome.',
  forager_apply_failures_total: 'Applies that failed, by table and code of the error.',
  forager_schema_changes_total: 'Changes of columns that targets followed, by table and kind.',
  forager_schema_changes_failed_total:
    'Changes of columns that a warehouse could not make, and that its table goes on without, by table and kind.',
  forager_rows_inserted_total: 'Rows that applies inserted, by table.',
  forager_rows_updated_total: 'Rows that applies updated, by table.',
  forager_rows_deleted_total: 'Rows that applies deleted, by table.',
  forager_partition_searches_total: 'Net changes whose old partition had to be found by key.',
  forager_commits_total: 'Transactions that tasks committed, by sub-topology.',
  forager_bytes_consumed_total: 'Bytes of keys and values read from source topics, by topic.',
  forager_bytes_staged_total: 'Bytes of ORC files staged, by table.',
  forager_rebalances_total: 'Assignments that the group gave to this instance.',
  forager_tasks_fenced_total: 'Tasks that were closed because another owner took them.',
  forager_history_rows_total: 'Rows written to the history.',
  forager_history_failures_total: 'Writes to the history that failed; they are repeated.',
  forager_history_lost_total: 'Rows of the history that were let go, because too many waited.',
} as const

/** What has a value now, and what it is. */
export const gauges = {
  forager_tasks: 'Tasks that this instance has, by sub-topology (0 source, 1 window, 2 merge).',
  forager_lag_records: 'Offsets between what was read and the end, by topic and partition.',
  forager_lag_seconds:
    'Age, by the source’s clock, of the last change read while more waits, by topic and partition.',
  forager_window_age_seconds: 'Age of the open window, by task.',
  forager_window_rows: 'Net changes in the open window, by task.',
  forager_window_bytes: 'Size of the open window, by task.',
  forager_position_store_keys: 'Keys of which the last position is kept, by task.',
  forager_position_store_bytes: 'Size of the same.',
  forager_restore_remaining_records: 'Offsets that a store is still restored from, by task.',
  forager_batches_waiting: 'Staged batches that are not applied yet, by table.',
  forager_batches_kept: 'Staged batches that are applied and kept for truncates, by table.',
  forager_batches_kept_bytes: 'Size of their files.',
  forager_table_quarantined: '1 while the table is held back, by table.',
  forager_table_applied_time_seconds: 'When the table was last applied, in Unix time, by table.',
  forager_history_rows_waiting: 'Rows that are not written to the history yet.',
  forager_last_commit_time_seconds: 'When a task last committed, in Unix time, by task.',
} as const

/** Durations, in seconds, and what they are of. */
export const histograms = {
  forager_apply_duration_seconds: 'Applying batches to a table, by table.',
  forager_window_close_duration_seconds: 'Writing and staging a window, by task.',
  forager_restore_duration_seconds: 'Restoring a store from its changelog, by task.',
  forager_commit_duration_seconds: 'A transaction, by sub-topology.',
} as const

/** Upper bounds of the histograms' buckets, in seconds. */
export const durationBuckets = [0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const

export type CounterName = keyof typeof counters
export type GaugeName = keyof typeof gauges
export type HistogramName = keyof typeof histograms

export interface Metrics {
  count(name: CounterName, amount: number, labels?: Labels): void
  set(name: GaugeName, value: number, labels?: Labels): void
  /** The thing that it was the value of is gone: a partition or a task was lost. */
  forget(name: GaugeName, labels: Labels): void
  observe(name: HistogramName, seconds: number, labels?: Labels): void
}

export const noMetrics: Metrics = {
  count: () => undefined,
  set: () => undefined,
  forget: () => undefined,
  observe: () => undefined,
}

/** Everything goes to each of them. */
export function teeMetrics(...all: readonly Metrics[]): Metrics {
  return {
    count: (name, amount, labels) => {
      for (const one of all) one.count(name, amount, labels)
    },
    set: (name, value, labels) => {
      for (const one of all) one.set(name, value, labels)
    },
    forget: (name, labels) => {
      for (const one of all) one.forget(name, labels)
    },
    observe: (name, seconds, labels) => {
      for (const one of all) one.observe(name, seconds, labels)
    },
  }
}

/** Counts in memory; a summary is read from it. */
export class CounterRegistry implements Metrics {
  set(): void {}

  forget(): void {}

  observe(): void {}

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
