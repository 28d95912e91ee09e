/**
 * What a source task counts and measures. What is counted for every event is handed on at a commit,
 * because labels cost more.
 */
import type { Replaced } from '../formats/decoder.ts'
import type { LogBatch, TopicPartition } from '../log/log.ts'
import type { Labels, Metrics } from '../observe/metrics.ts'

/** By which label each of them is counted. */
const labels = {
  forager_messages_total: 'kind',
  forager_repeats_dropped_total: 'table',
  forager_events_total: 'table',
  forager_truncates_ignored_total: 'table',
} as const

export class SourceCounts {
  readonly #counts: Readonly<Record<keyof typeof labels, Map<string, number>>> = {
    forager_messages_total: new Map(),
    forager_repeats_dropped_total: new Map(),
    forager_events_total: new Map(),
    forager_truncates_ignored_total: new Map(),
  }

  /** By table and reason. */
  readonly #replaced = new Map<string, { readonly labels: Labels; amount: number }>()

  add(name: keyof typeof labels, label: string, amount = 1): void {
    const counts = this.#counts[name]
    counts.set(label, (counts.get(label) ?? 0) + amount)
  }

  addReplaced(table: string, replaced: Replaced): void {
    for (const [reason, amount = 0] of Object.entries(replaced) as [string, number][]) {
      const key = `${reason} ${table}`
      const known = this.#replaced.get(key) ?? { labels: { table, reason }, amount: 0 }
      known.amount += amount
      this.#replaced.set(key, known)
    }
  }

  handOn(metrics: Metrics): void {
    for (const { labels: given, amount } of this.#replaced.values()) {
      metrics.count('forager_values_replaced_total', amount, given)
    }
    this.#replaced.clear()
    for (const [name, label] of Object.entries(labels) as [keyof typeof labels, string][]) {
      for (const [value, amount] of this.#counts[name]) {
        metrics.count(name, amount, { [label]: value })
      }
      this.#counts[name].clear()
    }
  }
}

export function partitionLabels({ topic, partition }: TopicPartition): Labels {
  return { topic, partition: String(partition) }
}

/** Records and bytes that were read. */
export function countRecords(metrics: Metrics, { topic, records }: LogBatch): void {
  let bytes = 0
  for (const { key, value } of records) bytes += (key?.length ?? 0) + (value?.length ?? 0)
  metrics.count('forager_records_consumed_total', records.length, { topic })
  metrics.count('forager_bytes_consumed_total', bytes, { topic })
}

/** How old the last change was when it was read; 0 when nothing waits behind it. */
export function measureLag(metrics: Metrics, batch: LogBatch, ageMs: number): void {
  const isBehind = batch.end > batch.nextOffset
  const seconds = isBehind ? Math.max(0, ageMs / 1000) : 0
  metrics.set('forager_lag_seconds', seconds, partitionLabels(batch))
}
