/** A running application: a topology over a log. `run` ends when it is told to, or with the source. */
import type { Observable } from 'rxjs'
import { Subject } from 'rxjs'
import type { Log } from '../log/log.ts'
import type { ReachPoint } from '../model/crash-points.ts'
import { ForagerError, StateError } from '../model/errors.ts'
import type { Logger } from '../observe/logger.ts'
import { silentLogger } from '../observe/logger.ts'
import type { Metrics } from '../observe/metrics.ts'
import { noMetrics } from '../observe/metrics.ts'
import type { Topology } from '../topology/topology.ts'
import type { Clock } from './clock.ts'
import { systemClock } from './clock.ts'
import type { FileSystem } from './file-system.ts'
import { nodeFileSystem } from './file-system.ts'
import { Loop } from './loop.ts'
import type { Random } from './random.ts'
import { systemRandom } from './random.ts'
import type { StreamsEvent } from './streams-events.ts'

export interface StreamsOptions {
  /** Prefix of internal topics and transactional ids; the group. */
  readonly applicationId: string
  readonly log: Log
  /** For stores and staging. One process at a time. */
  readonly stateDir: string
  /** How often sub-topology 0 commits. */
  readonly commitIntervalMs: number
  /** How long a stop may take before the group is left without what it was about to stage. */
  readonly stopTimeoutMs: number
  /** How often it is looked for topics that came, went or grew. */
  readonly topicRefreshMs: number
  /** How long a source topic that is named may be missing. */
  readonly topicTimeoutMs: number
  /**
   * A table that cannot be written is held back, and its batches are parked, until it is resumed. Else the
   * application goes on for a while and stops, which suits sources that have an end.
   */
  readonly quarantines: boolean
  /** About how much one poll brings. */
  readonly maxPollBytes: number
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  /** Called at each named point of `docs/exactly-once.md`. For tests. */
  readonly reach: ReachPoint
}

type Given = Pick<StreamsOptions, 'applicationId' | 'log' | 'stateDir'> & Partial<StreamsOptions>

const defaultCommitIntervalMs = 1000
/** A container gets 30 s from Kubernetes before it is killed. */
const defaultStopTimeoutMs = 25_000
const defaultTopicRefreshMs = 30_000
const defaultTopicTimeoutMs = 120_000
const defaultMaxPollBytes = 4 * 1024 * 1024
/** Leaving the group must not take long either. */
const maxLeaveMs = 2000
/** How long other tables go on when one cannot be written: else a restart would bring them no further. */
const goOnMs = 10_000

export class Streams {
  readonly events: Observable<StreamsEvent>
  readonly #topology: Topology
  readonly #options: StreamsOptions
  readonly #events = new Subject<StreamsEvent>()

  constructor(topology: Topology, options: Given) {
    this.#topology = topology
    this.#options = withDefaults(options)
    this.events = this.#events.asObservable()
  }

  /**
   * Runs until the signal aborts: then what was read is committed and open windows are staged. With
   * `until: 'end'` it runs until finite sources are read, and all of it is applied. Resolves to which of
   * the two it was. StateError `stop-timed-out` when stopping took too long: the group was left, and what
   * was under way is to be ended with the process.
   */
  async run(signal?: AbortSignal, { until }: { until?: 'end' } = {}): Promise<'ended' | 'stopped'> {
    const options = { ...this.#options, quarantines: until !== 'end' }
    const loop = new Loop(this.#topology, options, event => this.#events.next(event))
    const ended = new AbortController()
    const running = this.#run(loop, signal, until)
    if (signal === undefined) return await running
    try {
      return await Promise.race([running, this.#limitStop(signal, ended.signal)])
    } catch (error) {
      if (!(error instanceof ForagerError) || error.code !== 'stop-timed-out') throw error
      this.#events.next({ type: 'state', state: 'error' })
      running.catch(() => undefined)
      // The others need not wait for the session to end.
      await Promise.race([
        loop.leave().catch(() => undefined),
        this.#options.clock.sleep(maxLeaveMs, ended.signal),
      ])
      throw error
    } finally {
      ended.abort()
    }
  }

  /** Rejects when it was told to stop and has not ended in time. */
  async #limitStop(signal: AbortSignal, ended: AbortSignal): Promise<never> {
    const { clock, stopTimeoutMs } = this.#options
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true, signal: ended })
    })
    await clock.sleep(stopTimeoutMs, ended)
    throw new StateError(
      'stop-timed-out',
      `it did not stop within ${Math.round(stopTimeoutMs / 1000)} s`,
    )
  }

  async #run(
    loop: Loop,
    signal: AbortSignal | undefined,
    until?: 'end',
  ): Promise<'ended' | 'stopped'> {
    const stop = (): void => loop.wakeup()
    signal?.addEventListener('abort', stop)
    try {
      await loop.start()
      const outcome = await this.#loop(loop, signal, until)
      this.#events.next({ type: 'state', state: 'stopping' })
      await loop.drainForStop()
      await loop.close()
      this.#events.next({ type: 'state', state: 'stopped' })
      return outcome
    } catch (error) {
      this.#events.next({ type: 'state', state: 'error' })
      // The cause is what went wrong first; closing over it may fail as well.
      await loop.close().catch(() => undefined)
      throw error
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  async #loop(
    loop: Loop,
    signal: AbortSignal | undefined,
    until?: 'end',
  ): Promise<'ended' | 'stopped'> {
    let failedAtMs: number | null = null
    while (signal?.aborted !== true) {
      const { clock } = this.#options
      if (loop.failure !== null) failedAtMs ??= clock.monotonic()
      const isOver = failedAtMs !== null && clock.monotonic() - failedAtMs >= goOnMs
      // What stops it is thrown when it is drained.
      if (until !== 'end' && isOver) return 'stopped'
      const isBusy = await loop.step(until === 'end' ? 0 : loop.pollWaitMs())
      if (until === 'end' && !isBusy && (await loop.drainAll())) return 'ended'
      await clock.yield()
    }
    return 'stopped'
  }
}

export function withDefaults(given: Given): StreamsOptions {
  return {
    commitIntervalMs: defaultCommitIntervalMs,
    stopTimeoutMs: defaultStopTimeoutMs,
    topicRefreshMs: defaultTopicRefreshMs,
    topicTimeoutMs: defaultTopicTimeoutMs,
    maxPollBytes: defaultMaxPollBytes,
    quarantines: false,
    fileSystem: nodeFileSystem,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    metrics: noMetrics,
    reach: () => undefined,
    ...given,
  }
}
