/** `forager run CONFIG`: runs until the source ends, or until it is told to stop. */
import cliProgress from 'cli-progress'
import type { CrashPoint, ReachPoint } from '../../model/crash-points.ts'
import { crashPoints, evolvePoints, serverPoints } from '../../model/crash-points.ts'
import { ConfigError, ForagerError } from '../../model/errors.ts'
import type { History } from '../../observe/history/history.ts'
import type { Logger } from '../../observe/logger.ts'
import { jsonLogger, textLogger } from '../../observe/logger.ts'
import { CounterRegistry } from '../../observe/metrics.ts'
import type { TableRouter } from '../../processors/route-tables.ts'
import { systemClock } from '../../runtime/clock.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import type { StreamsEvent } from '../../runtime/streams-events.ts'
import { listTables } from '../../sinks/embedded/table-folders.ts'
import type { OpenLog } from '../application.ts'
import { openApplication, routerOf } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import { shortSecretNote } from '../config-secrets.ts'
import type { RunRecord } from '../history/run-record.ts'
import { newRunId, openRecord } from '../history/run-record.ts'
import { openObservation } from '../observation.ts'
import { writeOut } from '../output.ts'
import type { Note } from '../rule-notes.ts'
import { notesAtEnd, notesOnEarlierRuns, notesOnFormat } from '../rule-notes.ts'
import { readSourceFormat, saveSourceFormat } from '../source-format.ts'
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

/** `given`: a log in place of the cluster's, for who runs the program over another one. */
export async function runCommand(
  loaded: LoadedConfig,
  options: RunOptions,
  given: { readonly openLog?: OpenLog } = {},
): Promise<number> {
  const metrics = new CounterRegistry()
  const progress = progressLine(options)
  const run = newRunId()
  const logger = loggerOf(options, progress, run)
  for (const key of loaded.shortSecrets) {
    logger.warn('config.short-secret', { reason: shortSecretNote(key) })
  }
  const stop = new AbortController()
  let signal: Signal | null = null
  const onSignal = (given: Signal): void => {
    signal ??= given
    stop.abort()
  }
  for (const name of Object.keys(signalCodes)) process.once(name, onSignal)
  let outcome: Outcome
  try {
    outcome = await runWithNotes(loaded, { run, logger, metrics, stop, progress, ...given })
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
  if (!options.quiet) await writeOut(formatSummary(metrics, notes))
  return isCut ? signalCodes[signal ?? 'SIGINT'] : 0
}

interface Outcome {
  readonly end: 'ended' | 'stopped'
  readonly notes: readonly Note[]
}

interface RunParts {
  /** Its name in the record of what runs, and in log lines. */
  readonly run: string
  readonly logger: Logger
  readonly metrics: CounterRegistry
  readonly stop: AbortController
  readonly progress: ProgressLine
  readonly openLog?: OpenLog
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
  const before = tell([
    ...notesOnFormat(loaded, await readSourceFormat(loaded)),
    ...notesOnEarlierRuns(loaded, router, earlier, await tablesOf(loaded)),
  ])
  const save = async (): Promise<void> => {
    await saveSourceTables(loaded, earlier, router)
    const hasRead = parts.metrics.total('forager_records_consumed_total') > 0
    if (hasRead) await saveSourceFormat(loaded)
  }
  let end: Outcome['end']
  try {
    end = await runOnce(loaded, router, parts)
  } catch (error) {
    // What was not committed is read again. And what went wrong first is what is told.
    if (parts.metrics.total('forager_commits_total') > 0) {
      await save().catch(() => undefined)
    }
    throw error
  }
  await save()
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
  let record: RunRecord | null = null
  const readHistory = (): History | null => record?.readable ?? null
  const observation = await openObservation(loaded, parts.metrics, readHistory)
  const { metrics } = observation
  let reason: string | null = null
  try {
    record = await openRecord(loaded, { ...parts, metrics })
    return await runStreams(loaded, { ...parts, metrics, router, reach }, event => {
      parts.progress.show(event)
      observation.watch(event)
      record?.take(event)
    })
  } catch (error) {
    reason = error instanceof ForagerError ? error.describe() : String(error)
    throw error
  } finally {
    await record?.close(reason)
    await observation.close()
  }
}

async function runStreams(
  loaded: LoadedConfig,
  parts: Parameters<typeof openApplication>[1] & { readonly stop: AbortController },
  watch: (event: StreamsEvent) => void,
): Promise<Outcome['end']> {
  const { stop, ...given } = parts
  const { streams, withLine, close } = await openApplication(loaded, given)
  void streams.events.forEach(watch)
  try {
    return await streams.run(stop.signal, hasEnd(loaded) ? { until: 'end' } : {})
  } catch (error) {
    throw withLine(error)
  } finally {
    await close()
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

function loggerOf({ log }: RunOptions, progress: ProgressLine, run: string): Logger {
  const write = (line: string): void => progress.write(line)
  if (log !== 'json') return textLogger(write, log)
  return jsonLogger(write, () => systemClock.now(), 'info', { run })
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
  if (![...crashPoints, ...serverPoints, ...evolvePoints].includes(point as CrashPoint)) {
    throw new ConfigError('config-invalid', `${variable}: there is no crash point "${point}"`)
  }
  let left = Number(count)
  return reached => {
    if (reached !== point) return
    left -= 1
    if (left === 0) process.kill(process.pid, signal)
  }
}
