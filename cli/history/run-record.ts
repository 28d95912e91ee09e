/** The record of one run: what the application tells goes in, whatever becomes of the history. */
import { hostname } from 'node:os'
import type { History } from '../../observe/history/history.ts'
import { Recorder } from '../../observe/history/recorder.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Metrics } from '../../observe/metrics.ts'
import { systemClock } from '../../runtime/clock.ts'
import { systemRandom } from '../../runtime/random.ts'
import type { StreamsEvent } from '../../runtime/streams-events.ts'
import type { LoadedConfig } from '../config.ts'
import { version } from '../version.ts'
import { EventRows } from './event-rows.ts'
import { historyOf } from './open-history.ts'

export interface RunRecord {
  take(event: StreamsEvent): void
  /** Null while there is nothing to ask. */
  readonly readable: History | null
  /** How the run ended; null: well. */
  close(error: string | null): Promise<void>
}

/** How long a stop may take for rows that are not written yet. */
const stopMs = 5000

/** When it began, and something that two that begin at once do not share: they sort as they began. */
export function newRunId(): string {
  const time = new Date(systemClock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  return `${time}-${systemRandom.id().replaceAll('-', '').slice(0, 6)}`
}

export async function openRecord(
  loaded: LoadedConfig,
  parts: { readonly run: string; readonly logger: Logger; readonly metrics: Metrics },
): Promise<RunRecord> {
  const { applicationId, source, history: config } = loaded.config
  const history = await historyOf(loaded, true)
  if (history === null || config.type === 'none') {
    return { take: () => undefined, readable: null, close: () => Promise.resolve() }
  }
  const { retain: retainMs, maxRows, maxWaiting } = config
  const named = source.type === 'kafka' ? source.instanceId : undefined
  const recorder = new Recorder({
    ...parts,
    history,
    application: applicationId,
    instance: named ?? `${hostname()}:${process.pid}`,
    version: await version(),
    limits: { retainMs, maxRows, maxWaiting, stopMs },
    clock: systemClock,
  })
  const rows = new EventRows(recorder, systemClock)
  recorder.start()
  return {
    take: event => rows.take(event),
    get readable() {
      return recorder.readable
    },
    close: error => recorder.close(error),
  }
}
