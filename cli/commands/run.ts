/** `forager run CONFIG`: runs until the source ends, or until it is told to stop. */
import cliProgress from 'cli-progress'
import type { CrashPoint, ReachPoint } from '../../model/crash-points.ts'
import { crashPoints, serverPoints } from '../../model/crash-points.ts'
import { ConfigError } from '../../model/errors.ts'
import type { Logger } from '../../observe/logger.ts'
import { jsonLogger, textLogger } from '../../observe/logger.ts'
import { CounterRegistry } from '../../observe/metrics.ts'
import type { TableRouter } from '../../processors/route-tables.ts'
import { systemClock } from '../../runtime/clock.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import type { StreamsEvent } from '../../runtime/streams-events.ts'
import { listTables } from '../../sinks/embedded/table-folders.ts'
import { openApplication, routerOf } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import { openObservation } from '../observation.ts'
import type { Note } from '../rule-notes.ts'
import { notesAtEnd, notesOnEarlierRuns } from '../rule-notes.ts'
import { readSourceTables, saveSourceTables } from '../source-tables.ts'
import { formatSummary } from '../summary.ts'
import { warehousePath } from '../warehouse.ts'

export interface RunOptions {
  /** Log lines: as JSON, as text from `info` on, or only what goes wrong. */
  readonly log: 'json' | 'info' | 'warn'
  readonly quiet: boolean
}

/** Of a run that a signal ended before its source did, as a shell has them. */
const signalCodes = { SIGINT: 130, SIGTERM: 143 } as const

type Signal = keyof typeof signalCodes

export async function runCommand(loaded: LoadedConfig, options: RunOptions): Promise<number> {
  const metrics = new CounterRegistry()
  const progress = progressLine(options)
  const logger = loggerOf(options, progress)
  const stop = new AbortController()
  let signal: Signal | null = null
  const onSignal = (given: Signal): void => {
    signal ??= given
    stop.abort()
  }
  for (const name of Object.keys(signalCodes)) process.once(name, onSignal)
  let outcome: Outcome
  try {
    outcome = await runWithNotes(loaded, { logger, metrics, stop, progress })
  } finally {
    progress.stop()
    for (const name of Object.keys(signalCodes)) process.off(name, onSignal)
  }
  // A source without an end is stopped by a signal, and by nothing else.
  const isCut = outcome.end === 'stopped' && hasEnd(loaded)
  if (outcome.end === 'stopped') {
    process.stderr.write(`Stopped${isCut ? ' before the end' : ''}. Run it again to go on.\n`)
  }
  const notes = outcome.notes.map(({ text }) => text)
  if (!options.quiet) process.stdout.write(formatSummary(metrics, notes))
  return isCut ? signalCodes[signal ?? 'SIGINT'] : 0
}

interface Outcome {
  readonly end: 'ended' | 'stopped'
  readonly notes: readonly Note[]
}

interface RunParts {
  readonly logger: Logger
  readonly metrics: CounterRegistry
  readonly stop: AbortController
  readonly progress: ProgressLine
}

/** A run, and what is to be told of its rules before and after. */
async function runWithNotes(loaded: LoadedConfig, parts: RunParts): Promise<Outcome> {
  const router = routerOf(loaded.config)
  // Of a cluster no instance sees all tables, and they may share the folder: there is no list.
  if (!hasEnd(loaded)) return { end: await runOnce(loaded, router, parts), notes: [] }
  const earlier = await readSourceTables(loaded)
  // A target keeps its source table from run to run.
  for (const [table, { target, isRefused }] of earlier) {
    if (!isRefused && target !== null && router.lookUp(table)?.name === target) {
      router.targetOf(table)
    }
  }
  const tell = (notes: readonly Note[]): readonly Note[] => {
    for (const { event, text } of notes) parts.logger.warn(event, { reason: text })
    return notes
  }
  const before = tell(notesOnEarlierRuns(loaded, router, earlier, await tablesOf(loaded)))
  let end: Outcome['end']
  try {
    end = await runOnce(loaded, router, parts)
  } catch (error) {
    // What was not committed is read again. And what went wrong first is what is told.
    if (parts.metrics.total('forager_commits_total') > 0) {
      await saveSourceTables(loaded, earlier, router).catch(() => undefined)
    }
    throw error
  }
  await saveSourceTables(loaded, earlier, router)
  if (end === 'stopped') return { end, notes: before }
  const after = tell(notesAtEnd(loaded, router, earlier, await tablesOf(loaded)))
  return { end, notes: [...before, ...after] }
}

async function tablesOf(loaded: LoadedConfig): Promise<(name: string) => boolean> {
  // Whether a table is in Hive is told by its statements.
  if (loaded.config.warehouse.type === 'hive') return () => true
  const names = await listTables(nodeFileSystem, warehousePath(loaded))
  return name => names.includes(name)
}

function hasEnd({ config }: LoadedConfig): boolean {
  return config.source.type === 'file'
}

async function runOnce(
  loaded: LoadedConfig,
  router: TableRouter,
  parts: RunParts,
): Promise<Outcome['end']> {
  const reach = crashPointHook()
  const observation = await openObservation(loaded, parts.metrics)
  const { metrics } = observation
  const { streams, withLine, close } = await openApplication(loaded, {
    ...parts,
    metrics,
    router,
    reach,
  }).catch(async (error: unknown) => {
    await observation.close()
    throw error
  })
  const watching = streams.events.forEach(event => {
    parts.progress.show(event)
    observation.watch(event)
  })
  void watching
  try {
    return await streams.run(parts.stop.signal, hasEnd(loaded) ? { until: 'end' } : {})
  } catch (error) {
    throw withLine(error)
  } finally {
    await close()
    await observation.close()
  }
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

/**
 * `FORAGER_CRASH_AT=point:count` kills the process there, `FORAGER_STOP_AT` suspends it: the tests of crashes
 * and pauses use them.
 */
function crashPointHook(): ReachPoint {
  const hooks = [
    pointHook('FORAGER_CRASH_AT', 'SIGKILL'),
    pointHook('FORAGER_STOP_AT', 'SIGSTOP'),
  ].flatMap(hook => hook ?? [])
  return reached => {
    for (const hook of hooks) hook(reached)
  }
}

function pointHook(variable: string, signal: NodeJS.Signals): ReachPoint | null {
  const given = process.env[variable]
  if (given === undefined || given === '') return null
  const [point = '', count = '1'] = given.split(':')
  if (![...crashPoints, ...serverPoints].includes(point as CrashPoint)) {
    throw new ConfigError('config-invalid', `${variable}: there is no crash point "${point}"`)
  }
  let left = Number(count)
  return reached => {
    if (reached !== point) return
    left -= 1
    if (left === 0) process.kill(process.pid, signal)
  }
}
