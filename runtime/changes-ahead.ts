/**
 * What is on its way to a warehouse and not staged yet: frames of the hop that no window has passed, and
 * messages of the source behind the committed offsets. They are read as a run would read them, by the tasks
 * of a run over a log that is not written to, and folded to what counts of their columns; no row is kept.
 */
import type { Log, TopicInfo, TopicPartition } from '../log/log.ts'
import { noMembership, partitionName } from '../log/log.ts'
import type { ChangeEvent } from '../model/change-event.ts'
import { ForagerError } from '../model/errors.ts'
import type { HopChange, TableFrame } from '../model/hop-frame.ts'
import { decodeHopFrame } from '../model/hop-frame.ts'
import type { Target } from '../model/partition-by.ts'
import { silentLogger } from '../observe/logger.ts'
import { noMetrics } from '../observe/metrics.ts'
import type { WindowPart } from '../processors/compact.ts'
import { OpenWindow } from '../processors/compact.ts'
import type { StateStore } from '../state/state-store.ts'
import { ownersTopic, repartitionTopic, replayTopic } from '../topology/internal-topics.ts'
import type { Pipeline } from '../topology/topology.ts'
import type { Clock } from './clock.ts'
import { dryLog } from './dry-log.ts'
import { truncateMarker } from './hop-change.ts'
import type { Owners } from './owners.ts'
import { readOwners } from './owners.ts'
import { decoderOf, SchemaReader } from './schema-reader.ts'
import type { SourceOutput, TruncateHow } from './source-output.ts'
import { SourceTask } from './source-task.ts'
import type { TaskContext } from './task.ts'

export interface AheadOptions {
  readonly log: Log
  readonly applicationId: string
  readonly clock: Clock
  /** All topics of the log. */
  readonly topics: readonly TopicInfo[]
  /** Those of the source. */
  readonly sources: readonly TopicInfo[]
  /** Of the source, and of the hop, so many records are read. */
  readonly maxMessages: number
}

/** A partition that was not read to its end. */
export interface NotRead extends TopicPartition {
  readonly from: number
  readonly end: number
  /** Null: the limit was reached. Else a run would fail with it too. */
  readonly error: ForagerError | null
}

export interface ChangesAhead {
  /** Those of the hop first. */
  readonly parts: readonly WindowPart[]
  readonly messagesRead: number
  readonly notRead: readonly NotRead[]
}

const readBytes = 1024 * 1024

export async function changesAhead(
  pipeline: Pipeline,
  options: AheadOptions,
): Promise<ChangesAhead> {
  // Upstream first: what moves on meanwhile is seen twice, and not missed.
  const source = await new SourceAhead(pipeline, options).read()
  const hop = await hopAhead(pipeline, options)
  return {
    parts: [...hop.parts, ...source.parts],
    messagesRead: hop.messagesRead + source.messagesRead,
    notRead: [...hop.notRead, ...source.notRead],
  }
}

/** Only what it learns of schemas is wanted of a window. */
const noStore: StateStore = {
  count: 0,
  sizeBytes: 0,
  get: () => undefined,
  update: () => undefined,
  delete: () => undefined,
  settle: () => Promise.resolve(),
  async *entries() {
    // Nothing is kept.
  },
  clear: () => Promise.resolve(),
  close: () => Promise.resolve(),
}

async function partsOf(window: OpenWindow): Promise<readonly WindowPart[]> {
  return await Array.fromAsync(window.close())
}

async function hopAhead(
  { repartition }: Pipeline,
  { log, applicationId, topics, maxMessages }: AheadOptions,
): Promise<ChangesAhead> {
  const name = repartitionTopic(applicationId, repartition.name)
  const window = new OpenWindow(noStore, noMetrics, 0)
  const notRead: NotRead[] = []
  let messagesRead = 0
  for (const at of partitionsOf(topics.find(topic => topic.name === name))) {
    const [committed] = await log.committed(applicationId, [at])
    const { start, end } = await log.offsets(at)
    let next = Math.max(start, committed?.offset ?? start)
    while (next < end && messagesRead < maxMessages) {
      const batch = await log.read(at, next, readBytes)
      for (const { value } of batch.records) window.add(decodeHopFrame(value!), 0)
      messagesRead += batch.records.length
      next = batch.nextOffset
    }
    if (next < end) notRead.push({ ...at, from: next, end, error: null })
  }
  return { parts: await partsOf(window), messagesRead, notRead }
}

function partitionsOf(topic: TopicInfo | undefined): readonly TopicPartition[] {
  const count = topic?.partitions ?? 0
  return Array.from({ length: count }, (_, partition) => ({ topic: topic!.name, partition }))
}

interface Reader {
  readonly at: TopicPartition
  readonly task: SourceTask
  next: number
  readonly end: number
}

class SourceAhead {
  readonly #pipeline: Pipeline
  readonly #options: AheadOptions
  readonly #log: Log
  readonly #window = new OpenWindow(noStore, noMetrics, 0)
  readonly #notRead: NotRead[] = []
  #messagesRead = 0

  constructor(pipeline: Pipeline, options: AheadOptions) {
    this.#pipeline = pipeline
    this.#options = options
    this.#log = dryLog(options.log)
  }

  async read(): Promise<ChangesAhead> {
    const readers = await this.#open()
    try {
      // In turns: no partition has all of the limit.
      for (let left = readers; left.length > 0; ) {
        const more: Reader[] = []
        for (const reader of left) {
          if (await this.#guarded(reader, () => this.#advance(reader))) more.push(reader)
        }
        left = more
      }
    } finally {
      for (const { task } of readers) await task.close()
    }
    const parts = await partsOf(this.#window)
    return { parts, messagesRead: this.#messagesRead, notRead: this.#notRead }
  }

  async #open(): Promise<readonly Reader[]> {
    const { applicationId, topics, sources, clock } = this.#options
    const { source } = this.#pipeline
    const replay = topics.find(({ name }) => name === replayTopic(applicationId, source.name))
    const isReplayed = source.ordering === 'position' && replay !== undefined
    const context = await this.#context()
    const decoder = decoderOf(source)
    const schemas = new SchemaReader(decoder, this.#log, clock)
    const readers: Reader[] = []
    for (const info of [...sources, ...(isReplayed ? [replay] : [])]) {
      for (const at of partitionsOf(info)) {
        const task = new SourceTask({
          context,
          id: `${this.#pipeline.firstSubTopology}_${partitionName(at)}`,
          pipeline: this.#pipeline,
          input: at,
          source: info,
          isReplay: info === replay,
          output: new WindowOnly(this.#window, info, source.ordering === 'position'),
          schemas,
        })
        const { end } = await this.#log.offsets(at)
        const reader = { at, task, next: 0, end }
        const isOpen = await this.#guarded(reader, async () => {
          reader.next = await task.open()
          return true
        })
        if (isOpen) readers.push(reader)
        else await task.close()
      }
    }
    return readers
  }

  async #context(): Promise<TaskContext> {
    const { applicationId, clock, topics } = this.#options
    const hasRun = topics.some(({ name }) => name === ownersTopic(applicationId))
    return {
      applicationId,
      log: this.#log,
      clock,
      logger: silentLogger,
      metrics: noMetrics,
      reach: () => undefined,
      emit: () => undefined,
      membership: () => noMembership,
      rest: () => clock.yield(),
      quarantines: true,
      owners: hasRun ? await readOwners(this.#log, applicationId) : noOwners,
    }
  }

  /** True: there is more of it. */
  async #advance(reader: Reader): Promise<boolean> {
    const { at, task, end } = reader
    const { maxMessages } = this.#options
    const left = maxMessages - this.#messagesRead
    if (reader.next < end && left <= 0) {
      this.#notRead.push({ ...at, from: reader.next, end, error: null })
      return false
    }
    if (reader.next >= end) {
      // What operators of the chain hold back; then repeats that nothing proves.
      await task.drain()
      const again = await task.endRun()
      reader.next = again ?? end
      return again !== null
    }
    const batch = await this.#log.read(at, reader.next, readBytes)
    const records = batch.records.slice(0, left)
    const isCut = records.length < batch.records.length
    const nextOffset = isCut ? records.at(-1)!.offset + 1 : batch.nextOffset
    const reread = await task.process({ ...batch, records, nextOffset })
    this.#messagesRead += records.length
    reader.next = reread ?? nextOffset
    return true
  }

  /** What a run would fail with ends the reading of its partition. */
  async #guarded(
    { at, next, end }: Pick<Reader, 'at' | 'next' | 'end'>,
    action: () => Promise<boolean>,
  ): Promise<boolean> {
    try {
      return await action()
    } catch (error) {
      if (!(error instanceof ForagerError)) throw error
      this.#notRead.push({ ...at, from: next, end, error })
      return false
    }
  }
}

const noOwners: Owners = {
  tasks: new Set(),
  layouts: new Map(),
  growths: new Map(),
  firstCommitMs: null,
}

/** Hands changes on to a window that is never staged. */
class WindowOnly implements SourceOutput {
  readonly isEmpty = true
  readonly sizeBytes = 0
  readonly isFull = false
  readonly #window: OpenWindow
  readonly #source: TopicInfo
  readonly #isByPosition: boolean

  constructor(window: OpenWindow, source: TopicInfo, isByPosition: boolean) {
    this.#window = window
    this.#source = source
    this.#isByPosition = isByPosition
  }

  open(): Promise<boolean> {
    return Promise.resolve(true)
  }

  add(hopChange: HopChange): void {
    this.#window.addChange(hopChange, 0)
  }

  truncate(target: Target, event: ChangeEvent, { isRefused, isByPlace }: TruncateHow): void {
    const source = this.#source
    const isOrdered = source.partitions === 1 && !this.#isByPosition && !isByPlace
    const marker = truncateMarker(event, { isOrdered, partitions: 1, source, isRefused })
    this.#window.add({ kind: 'truncate', target, marker }, 0)
  }

  tell(frame: TableFrame): void {
    this.#window.add(frame, 0)
  }

  advance(): void {
    // Offsets are not counted.
  }

  settle(): Promise<void> {
    return Promise.resolve()
  }

  remainingMs(): null {
    return null
  }

  /** What is read again is seen twice, which changes nothing. */
  clear(): Promise<void> {
    return Promise.resolve()
  }

  take(): Promise<readonly []> {
    return Promise.resolve([])
  }

  committed(): Promise<void> {
    return Promise.resolve()
  }

  measure(): void {
    // There is nothing to measure.
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
