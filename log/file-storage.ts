/**
 * The embedded log's durable storage: one folder, one process.
 *
 *     journal-00000003.log              a line a commit: crc32 of the rest, then JSON
 *     <topic>-<partition>/<base>.log    chunks of records, in segments of about 32 MiB
 *
 * A commit writes its chunks, syncs their files, then writes and syncs one journal line that names
 * them. That line is the commit: bytes that no line names are not read, and are overwritten by the
 * next one. Opening reads the newest journal; a last line that is torn was never a commit, and a
 * segment that no line names was never committed or is not needed any more: it is removed.
 */
import { basename, join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { LogRecord } from '../model/change-event.ts'
import { assert, StateError } from '../model/errors.ts'
import type { FileHandle, FileSystem } from '../runtime/file-system.ts'
import { decodeChunk, encodeChunks } from './file-chunks.ts'
import type { Chunk, JournalEntry, StoredPartition } from './file-journal.ts'
import { Journal, StoredIndex } from './file-journal.ts'
import type { TopicPartition } from './log.ts'
import { partitionName } from './log.ts'
import type {
  LogStorage,
  StoredAppend,
  StoredOffset,
  StoredState,
  StoredTopic,
} from './log-storage.ts'
import { recordBytes } from './log-storage.ts'

/** A segment or a journal that is larger is followed by a new one. */
export interface FileStorageLimits {
  readonly maxSegmentBytes: number
  readonly maxJournalBytes: number
  /** Of segments; a commit may have more of them open while it lasts. */
  readonly maxOpenFiles: number
}

export interface FileStorageOptions extends Partial<FileStorageLimits> {
  /** For who only looks: nothing but the lock is written. There must be a folder. */
  readonly isReadOnly?: boolean
}

const defaultLimits: FileStorageLimits = {
  maxSegmentBytes: 32 * 1024 * 1024,
  maxJournalBytes: 8 * 1024 * 1024,
  maxOpenFiles: 128,
}

export class FileStorage implements LogStorage {
  readonly isReadOnly: boolean
  readonly #fileSystem: FileSystem
  readonly #folder: string
  readonly #limits: FileStorageLimits
  readonly #index = new StoredIndex()
  readonly #handles = new Map<string, Promise<FileHandle>>()
  #journal: Journal | null = null
  #lock: { release(): Promise<void> } | null = null
  #failure: unknown = null

  constructor(
    fileSystem: FileSystem,
    folder: string,
    { isReadOnly = false, ...limits }: FileStorageOptions = {},
  ) {
    this.isReadOnly = isReadOnly
    this.#fileSystem = fileSystem
    this.#folder = folder
    this.#limits = { ...defaultLimits, ...limits }
  }

  async open(): Promise<StoredState> {
    const [files, folder] = [this.#fileSystem, this.#folder]
    if (!this.isReadOnly) await files.makeDirectory(folder)
    this.#lock = await files.lock(join(folder, 'lock'))
    try {
      if (this.isReadOnly) await Journal.read(files, folder, this.#index)
      else {
        this.#journal = await Journal.open(files, folder, this.#index)
        await this.#sweep()
      }
    } catch (error) {
      await this.close()
      throw error
    }
    return {
      topics: [...this.#index.topics.values()],
      partitions: [...this.#index.partitions.values()].map(({ topic, partition, start, end }) => ({
        topic,
        partition,
        start,
        end,
      })),
      offsets: [...this.#index.offsets.values()],
    }
  }

  async createTopic(topic: StoredTopic): Promise<void> {
    await this.#orFail(async () => {
      for (let partition = 0; partition < topic.partitions; partition += 1) {
        const folder = join(this.#folder, partitionName({ topic: topic.name, partition }))
        await this.#fileSystem.makeDirectory(folder)
      }
      await this.#write({ type: 'topic', topic })
    })
  }

  async commit(appends: readonly StoredAppend[], offsets: readonly StoredOffset[]): Promise<void> {
    await this.#orFail(async () => {
      const written = []
      for (const append of appends) {
        const { segment, position } = this.#activeSegment(this.#index.partition(append))
        written.push({ append, ...(await this.#writeChunks(append, segment, position)) })
      }
      await Promise.all(written.map(({ handle }) => handle.sync()))
      const chunks = written.map(({ append, chunks: made }) => ({
        topic: append.topic,
        partition: append.partition,
        chunks: made,
        nextOffset: append.nextOffset,
      }))
      await this.#write({ type: 'commit', appends: chunks, offsets })
    })
    await this.#closeOldest()
  }

  async read(
    partition: TopicPartition,
    offset: number,
    maxBytes: number,
  ): Promise<readonly LogRecord[]> {
    // A chunk may begin with records that are deleted.
    const first = Math.max(offset, this.#index.partition(partition).start)
    const records: LogRecord[] = []
    let bytes = 0
    for (const chunk of this.#index.chunksFrom(partition, first)) {
      if (bytes >= maxBytes) break
      for (const record of await this.#readChunk(partition, chunk)) {
        if (record.offset < first || bytes >= maxBytes) continue
        records.push(record)
        bytes += recordBytes(record)
      }
    }
    await this.#closeOldest()
    return records
  }

  async deleteRecords({ topic, partition }: TopicPartition, beforeOffset: number): Promise<void> {
    await this.#replace({ type: 'delete', topic, partition, beforeOffset })
  }

  async rewrite({ topic, partition }: TopicPartition, kept: readonly LogRecord[]): Promise<void> {
    await this.#orFail(async () => {
      const segment = nextSegment(this.#index.partition({ topic, partition }))
      const append = { topic, partition, records: kept }
      const { handle, chunks } = await this.#writeChunks(append, segment, 0)
      await handle.sync()
      await this.#replace({ type: 'rewrite', topic, partition, chunks })
    })
  }

  async close(): Promise<void> {
    try {
      for (const path of this.#handles.keys()) await this.#closeHandle(path)
      await this.#journal?.close()
    } finally {
      await this.#lock?.release()
      this.#lock = null
    }
  }

  async #write(entry: JournalEntry): Promise<void> {
    await this.#orFail(async () => {
      await this.#journal!.append(entry)
      this.#index.apply(entry)
      if (this.#journal!.sizeBytes > this.#limits.maxJournalBytes) {
        this.#journal = await this.#journal!.roll(this.#index)
      }
    })
  }

  /** Writes the entry, then removes the segments that it leaves without a chunk. */
  async #replace(entry: Extract<JournalEntry, { type: 'delete' | 'rewrite' }>): Promise<void> {
    const before = new Set(this.#index.segments(entry))
    await this.#write(entry)
    for (const segment of this.#index.segments(entry)) before.delete(segment)
    for (const segment of before) {
      const path = this.#segmentPath(entry, segment)
      await this.#closeHandle(path)
      await this.#fileSystem.remove(path)
    }
  }

  /** What a failed write or sync left behind is not known: only opening anew can tell. */
  async #orFail<T>(action: () => Promise<T>): Promise<T> {
    assert(!this.isReadOnly, 'a log that is only looked at is written to')
    if (this.#failure !== null) throw this.#failure
    try {
      return await action()
    } catch (error) {
      this.#failure ??= error
      throw error
    }
  }

  /**
   * Removes segments that no chunk is in: a crash came before their commit, or after their end. Those
   * that have one must be there.
   */
  async #sweep(): Promise<void> {
    for (const partition of this.#index.partitions.values()) {
      const folder = join(this.#folder, partitionName(partition))
      if ((await this.#fileSystem.stat(folder)) === null) throw missing(folder)
      const named = new Set(this.#index.segments(partition).map(segmentName))
      const found = await this.#fileSystem.list(folder)
      for (const name of named) if (!found.includes(name)) throw missing(join(folder, name))
      for (const name of found) {
        if (/^\d{20}\.log$/.test(name) && !named.has(name)) {
          await this.#fileSystem.remove(join(folder, name))
        }
      }
    }
  }

  async #writeChunks(
    { records, ...at }: TopicPartition & Pick<StoredAppend, 'records'>,
    segment: number,
    position: number,
  ) {
    const path = this.#segmentPath(at, segment)
    const handle = await this.#handle(path, 'write')
    if (position === 0) await this.#fileSystem.syncDirectory(join(path, '..'))
    const { bytes, chunks } = encodeChunks(records, segment, position)
    await handle.write(bytes, position)
    return { handle, chunks }
  }

  async #readChunk(partition: TopicPartition, chunk: Chunk): Promise<LogRecord[]> {
    const path = this.#segmentPath(partition, chunk.segment)
    const handle = await this.#handle(path, 'read')
    const bytes = await handle.read(chunk.position, chunk.length)
    if (bytes.length !== chunk.length || crc32(bytes) !== chunk.crc) {
      throw new StateError('state-corrupt', `${basename(path)} does not hold what was committed`, {
        context: { ...partition, offset: chunk.baseOffset, file: path },
      })
    }
    return decodeChunk(bytes, partition, chunk.baseOffset)
  }

  /** Where the next chunk goes; position 0 begins a segment. */
  #activeSegment(state: StoredPartition): { segment: number; position: number } {
    const last = state.chunks.at(-1)
    const position = last === undefined ? 0 : last.position + last.length
    return last === undefined || position >= this.#limits.maxSegmentBytes
      ? { segment: nextSegment(state), position: 0 }
      : { segment: last.segment, position }
  }

  #segmentPath(partition: TopicPartition, segment: number): string {
    return join(this.#folder, partitionName(partition), segmentName(segment))
  }

  /** Handles are kept, in the order in which they were used: see `#closeOldest`. */
  async #handle(path: string, mode: 'read' | 'write'): Promise<FileHandle> {
    const handle = this.#handles.get(path) ?? this.#open(path, mode)
    this.#handles.delete(path)
    this.#handles.set(path, handle)
    try {
      return await handle
    } catch (error) {
      this.#handles.delete(path)
      throw error
    }
  }

  async #open(path: string, mode: 'read' | 'write'): Promise<FileHandle> {
    if (mode === 'read' && (await this.#fileSystem.stat(path)) === null) {
      throw missing(path)
    }
    // A segment that is read may be written later: one handle serves both.
    return await this.#fileSystem.open(path, this.isReadOnly ? 'read' : 'write')
  }

  /** Only after a commit: until it has synced its files, all of them stay open, however many. */
  async #closeOldest(): Promise<void> {
    for (const path of [...this.#handles.keys()].slice(0, -this.#limits.maxOpenFiles)) {
      await this.#closeHandle(path)
    }
  }

  async #closeHandle(path: string): Promise<void> {
    const handle = this.#handles.get(path)
    this.#handles.delete(path)
    await (await handle)?.close()
  }
}

function missing(path: string): StateError {
  return new StateError('state-corrupt', `a part of the log is missing: ${path}`, {
    context: { file: path },
  })
}

function segmentName(segment: number): string {
  return `${String(segment).padStart(20, '0')}.log`
}

/** A segment is named by the offset at which it begins, or higher: no name is used twice. */
function nextSegment({ chunks, end }: StoredPartition): number {
  return Math.max(end, (chunks.at(-1)?.segment ?? -1) + 1)
}
