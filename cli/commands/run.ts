/** `forager run CONFIG`: runs until the source ends, or until it is told to stop. */
import cliProgress from 'cli-progress'
import type { CrashPoint, ReachPoint } from '../../model/crash-points.ts'
import { crashPoints } from '../../model/crash-points.ts'
import { ConfigError } from '../../model/errors.ts'
import type { Logger } from '../../observe/logger.ts'
import { jsonLogger, textLogger } from '../../observe/logger.ts'
import { CounterRegistry } from '../../observe/metrics.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { StreamsEvent } from '../../runtime/streams-events.ts'
import { openApplication } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import { saveRefused } from '../refused-tables.ts'
import { formatSummary } from '../summary.ts'

export interface RunOptions {
  /** Log lines: as JSON, as text from `info` on, or only what goes wrong. */
  readonly log: 'json' | 'info' | 'warn'
  readonly quiet: boolean
}

export async function runCommand(loaded: LoadedConfig, options: RunOptions): Promise<number> {
  const metrics = new CounterRegistry()
  const progress = progressLine(options)
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  const logger = loggerOf(options, progress)
  try {
    await runOnce(loaded, { logger, metrics, stop, progress })
  } catch (error) {
    // What went wrong first is what is told.
    await saveRefused(loaded, metrics).catch(() => undefined)
    throw error
  } finally {
    progress.stop()
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
  await saveRefused(loaded, metrics)
  if (stop.signal.aborted) process.stderr.write('Stopped. Run it again to go on.\n')
  if (!options.quiet) process.stdout.write(formatSummary(metrics))
  return 0
}

async function runOnce(
  loaded: LoadedConfig,
  parts: {
    readonly logger: Logger
    readonly metrics: CounterRegistry
    readonly stop: AbortController
    readonly progress: ProgressLine
  },
): Promise<void> {
  const { streams, close } = await openApplication(loaded, { ...parts, reach: crashPointHook() })
  const watching = streams.events.forEach(event => {
    parts.progress.show(event)
  })
  try {
    const hasEnd = loaded.config.source.type === 'file'
    await streams.run(parts.stop.signal, hasEnd ? { until: 'end' } : {})
  } finally {
    await close()
  }
  void watching
}

interface ProgressLine {
  show(event: StreamsEvent): void
  /** A line above the progress line. */
  write(line: string): void
  stop(): void
}

function progressLine({ quiet, log }: RunOptions): ProgressLine {
  const write = (line: string): void => void process.stderr.write(`${line}\n`)
  if (quiet || log !== 'warn' || !process.stderr.isTTY) {
    return { show: () => undefined, write, stop: () => undefined }
  }
  const bar = new cliProgress.SingleBar({
    format:
      '{bar} {percentage}% | {value}/{total} records | {changes} net changes | {tables} applies',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  })
  let changes = 0
  let tables = 0
  let isStarted = false
  return {
    show: event => {
      if (event.type === 'window-closed') changes += event.netChanges
      if (event.type === 'batch-applied') tables += 1
      if (event.type !== 'progress' || event.recordsTotal === null) return
      if (!isStarted) bar.start(event.recordsTotal, 0, { changes, tables })
      isStarted = true
      bar.update(event.recordsRead, { changes, tables })
    },
    write: line => {
      if (isStarted) process.stderr.write('\r\x1b[K')
      write(line)
    },
    stop: () => bar.stop(),
  }
}

function loggerOf({ log }: RunOptions, progress: ProgressLine): Logger {
  const write = (line: string): void => progress.write(line)
  return log === 'json' ? jsonLogger(write, () => systemClock.now()) : textLogger(write, log)
}

/** `FORAGER_CRASH_AT=point:count` kills the process there: the crash tests use it. */
function crashPointHook(): ReachPoint {
  const given = process.env.FORAGER_CRASH_AT
  if (given === undefined || given === '') return () => undefined
  const [point = '', count = '1'] = given.split(':')
  if (!crashPoints.includes(point as CrashPoint)) {
    throw new ConfigError('config-invalid', `FORAGER_CRASH_AT: there is no crash point "${point}"`)
  }
  let left = Number(count)
  return reached => {
    if (reached !== point) return
    left -= 1
    if (left === 0) process.kill(process.pid, 'SIGKILL')
  }
}
