/** What a run shows by HTTP while it lasts: metrics, status and health, when the configuration asks for it. */

import { GaugeRegistry } from '../observe/gauge-registry.ts'
import type { History } from '../observe/history/history.ts'
import { HttpServer } from '../observe/http-server.ts'
import type { Metrics } from '../observe/metrics.ts'
import { teeMetrics } from '../observe/metrics.ts'
import { PrometheusMetrics } from '../observe/prometheus.ts'
import type { StreamsEvent, StreamsState } from '../runtime/streams-events.ts'
import type { LoadedConfig } from './config.ts'
import { answerHistory } from './history/answer-history.ts'

export interface Observation {
  /** What the run counts into. */
  readonly metrics: Metrics
  watch(event: StreamsEvent): void
  close(): Promise<void>
}

/** Counts into the registry in any case. ConfigError when the port cannot be had. */
export async function openObservation(
  { config }: LoadedConfig,
  registry: Metrics,
  readHistory: () => History | null,
): Promise<Observation> {
  const { http } = config
  if (http === undefined) {
    return { metrics: registry, watch: () => undefined, close: () => Promise.resolve() }
  }
  const prometheus = new PrometheusMetrics(config.applicationId)
  const gauges = new GaugeRegistry()
  let state: StreamsState = 'created'
  const server = await HttpServer.open({
    host: http.host,
    port: http.port,
    contentType: prometheus.contentType,
    metrics: () => prometheus.text(),
    status: () => ({ applicationId: config.applicationId, state, ...gauges.values() }),
    history:
      http.token === undefined
        ? null
        : {
            token: http.token,
            answer: url => answerHistory(config.applicationId, readHistory(), url),
          },
    notReady: () => (state === 'running' ? null : `the application is ${state}`),
  })
  return {
    metrics: teeMetrics(registry, prometheus, gauges),
    watch: event => {
      if (event.type === 'state') state = event.state
    },
    close: () => server.close(),
  }
}
