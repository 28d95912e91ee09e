/** What a source task counts for every event: handed on at a commit, because labels cost more. */
import type { Metrics } from '../observe/metrics.ts'

/** By which label each of them is counted. */
const labels = {
  forager_messages_total: 'kind',
  forager_repeats_dropped_total: 'table',
  forager_events_total: 'table',
} as const

export class SourceCounts {
  readonly #counts: Readonly<Record<keyof typeof labels, Map<string, number>>> = {
    forager_messages_total: new Map(),
    forager_repeats_dropped_total: new Map(),
    forager_events_total: new Map(),
  }

  add(name: keyof typeof labels, label: string): void {
    const counts = this.#counts[name]
    counts.set(label, (counts.get(label) ?? 0) + 1)
  }

  handOn(metrics: Metrics): void {
    for (const [name, label] of Object.entries(labels) as [keyof typeof labels, string][]) {
      for (const [value, amount] of this.#counts[name]) {
        metrics.count(name, amount, { [label]: value })
      }
      this.#counts[name].clear()
    }
  }
}
