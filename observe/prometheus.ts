/** What is counted and measured, in the form that Prometheus scrapes. The only file that imports prom-client. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { CounterName, GaugeName, HistogramName, Labels, Metrics } from './metrics.ts'
import { counters, durationBuckets, gauges, histograms } from './metrics.ts'

/** Labels that each metric has; a metric is made with all that it may be given. */
export const labelNames: Readonly<Record<CounterName | GaugeName | HistogramName, string[]>> = {
  forager_records_consumed_total: ['topic'],
  forager_messages_total: ['kind'],
  forager_topics_recognised_total: ['topic', 'format'],
  forager_events_total: ['table'],
  forager_events_unrouted_total: ['table'],
  forager_events_refused_total: ['table'],
  forager_values_replaced_total: ['table', 'reason'],
  forager_truncates_ignored_total: ['table'],
  forager_table_drops_ignored_total: ['table'],
  forager_repeats_dropped_total: ['table'],
  forager_messages_skipped_total: ['reason'],
  forager_dead_letters_total: ['reason'],
  forager_patches_without_row_total: ['table'],
  forager_superseded_changes_total: ['table'],
  forager_restored_records_total: ['task'],
  forager_net_changes_total: ['table'],
  forager_windows_closed_total: ['reason'],
  forager_batches_staged_total: ['table'],
  forager_batches_applied_total: ['table', 'outcome'],
  forager_apply_failures_total: ['table', 'code'],
  forager_schema_changes_total: ['table', 'kind'],
  forager_schema_changes_failed_total: ['table', 'kind'],
  forager_rows_inserted_total: ['table'],
  forager_rows_updated_total: ['table'],
  forager_rows_deleted_total: ['table'],
  forager_partition_searches_total: ['table'],
  forager_commits_total: ['sub_topology'],
  forager_bytes_consumed_total: ['topic'],
  forager_bytes_staged_total: ['table'],
  forager_rebalances_total: [],
  forager_tasks_fenced_total: [],
  forager_history_rows_total: [],
  forager_history_failures_total: [],
  forager_history_lost_total: [],
  forager_tasks: ['sub_topology'],
  forager_lag_records: ['topic', 'partition'],
  forager_lag_seconds: ['topic', 'partition'],
  forager_window_age_seconds: ['task'],
  forager_window_rows: ['task'],
  forager_window_bytes: ['task'],
  forager_position_store_keys: ['task'],
  forager_position_store_bytes: ['task'],
  forager_restore_remaining_records: ['task'],
  forager_batches_waiting: ['table'],
  forager_batches_kept: ['table'],
  forager_batches_kept_bytes: ['table'],
  forager_table_quarantined: ['table'],
  forager_table_applied_time_seconds: ['table'],
  forager_history_rows_waiting: [],
  forager_last_commit_time_seconds: ['task'],
  forager_apply_duration_seconds: ['table'],
  forager_window_close_duration_seconds: ['task'],
  forager_restore_duration_seconds: ['task'],
  forager_commit_duration_seconds: ['sub_topology'],
}

export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry()
  readonly #counters = new Map<CounterName, Counter>()
  readonly #gauges = new Map<GaugeName, Gauge>()
  readonly #histograms = new Map<HistogramName, Histogram>()

  constructor(applicationId: string) {
    const registers = [this.#registry]
    this.#registry.setDefaultLabels({ application: applicationId })
    // Event-loop delay, collections, memory and CPU of the process, by Node's usual names.
    collectDefaultMetrics({ register: this.#registry })
    for (const [name, help] of entries(counters)) {
      this.#counters.set(name, new Counter({ name, help, labelNames: labelNames[name], registers }))
    }
    for (const [name, help] of entries(gauges)) {
      this.#gauges.set(name, new Gauge({ name, help, labelNames: labelNames[name], registers }))
    }
    const buckets = [...durationBuckets]
    for (const [name, help] of entries(histograms)) {
      const options = { name, help, labelNames: labelNames[name], buckets, registers }
      this.#histograms.set(name, new Histogram(options))
    }
  }

  count(name: CounterName, amount: number, labels: Labels = {}): void {
    this.#counters.get(name)!.inc(labels, amount)
  }

  set(name: GaugeName, value: number, labels: Labels = {}): void {
    this.#gauges.get(name)!.set(labels, value)
  }

  forget(name: GaugeName, labels: Labels): void {
    this.#gauges.get(name)!.remove(labels)
  }

  observe(name: HistogramName, seconds: number, labels: Labels = {}): void {
    this.#histograms.get(name)!.observe(labels, seconds)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** All of it, as text. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }
}

function entries<N extends string>(metrics: Readonly<Record<N, string>>): [N, string][] {
  return Object.entries(metrics) as [N, string][]
}
