/** The gauges as they are now, in memory: what an instance says of itself is read from them. */
import type { GaugeName, Labels, Metrics } from './metrics.ts'

export interface GaugeValue {
  readonly labels: Labels
  readonly value: number
}

export class GaugeRegistry implements Metrics {
  readonly #values = new Map<GaugeName, Map<string, GaugeValue>>()

  set(name: GaugeName, value: number, labels: Labels = {}): void {
    const series = this.#values.get(name) ?? new Map<string, GaugeValue>()
    this.#values.set(name, series)
    series.set(JSON.stringify(labels), { labels, value })
  }

  forget(name: GaugeName, labels: Labels): void {
    this.#values.get(name)?.delete(JSON.stringify(labels))
  }

  count(): void {}

  observe(): void {}

  /** By the gauge's name without its prefix: labels and value of each series. */
  values(): Readonly<Record<string, readonly object[]>> {
    const entries = [...this.#values].map(([name, series]) => {
      const values = [...series.values()].map(({ labels, value }) => ({ ...labels, value }))
      return [name.replace(/^forager_/, ''), values] as const
    })
    return Object.fromEntries(entries)
  }
}
