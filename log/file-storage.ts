/**
 * The embedded log's durable storage: one folder, one process.
 *
 *     journal-00000003.log              a line a commit: crc32 of the rest, then JSON
 *     <topic>-<partition>/<base>.log    chunks of records, in segments of about 32 MiB
 *
 * A commit writes its chunks, syncs their files, then writes and syncs one journal line that names
 * them. That line is the commit: bytes that no line names are not read, and are overwritten by the
 * next one. Opening reads the newest journal; a last line that is torn was never a commit.
 */
import { basename, join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { LogRecord } from '../model/change-event.ts'
import { StateError } from '../model/errors.ts'
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

const maxSegmentBytes = 32 * 1024 * 1024
const maxJournalBytes = 8 * 1024 * 1024
const maxOpenFiles = 128

export class FileStorage implements LogStorage {
  readonly #fileSystem: FileSystem
  readonly #folder: string
  readonly #index = new StoredIndex()
  readonly #handles = new Map<string, FileHandle>()
  #journal: Journal | null = null
  #lock: { release(): Promise<void> } | null = null
  #failure: unknown = null

  constructor(fileSystem: FileSystem, folder: string) {
    this.#fileSystem = fileSystem
    this.#folder = folder
  }

  async open(): Promise<StoredState> {
    await this.#fileSystem.makeDirectory(this.#folder)
    this.#lock = await this.#fileSystem.lock(join(this.#folder, 'lock'))
    this.#journal = await Journal.open(this.#fileSystem, this.#folder, this.#index)
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
    for (let partition = 0; partition < topic.partitions; partition += 1) {
      const folder = join(this.#folder, partitionName({ topic: topic.name, partition }))
      await this.#fileSystem.makeDirectory(folder)
    }
    await this.#write({ type: 'topic', topic })
  }

  async commit(appends: readonly StoredAppend[], offsets: readonly StoredOffset[]): Promise<void> {
    try {
      const written = []
      for (const append of appends) written.push(await this.#writeChunks(append))
      await Promise.all([...new Set(written.map(({ handle }) => handle))].map(file => file.sync()))
      const chunks = written.map(({ append, chunks: made }) => ({
        topic: append.topic,
        partition: append.partition,
        chunks: made,
        nextOffset: append.nextOffset,
      }))
      await this.#write({ type: 'commit', appends: chunks, offsets })
    } catch (error) {
      // What a failed sync left behind is not known: only opening anew can tell.
      this.#failure ??= error
      throw error
    }
  }

  async read(
    partition: TopicPartition,
    offset: number,
    maxBytes: number,
  ): Promise<readonly LogRecord[]> {
    const records: LogRecord[] = []
    let bytes = 0
    for (const chunk of this.#index.chunksFrom(partition, offset)) {
      const found = (await this.#readChunk(partition, chunk)).filter(one => one.offset >= offset)
      for (const record of found) {
        if (bytes >= maxBytes) return records
        records.push(record)
        bytes += recordBytes(record)
      }
    }
    return records
  }

  async deleteRecords(partition: TopicPartition, beforeOffset: number): Promise<void> {
    const before = new Set(this.#index.segments(partition))
    await this.#write({ type: 'delete', ...partition, beforeOffset })
    for (const segment of this.#index.segments(partition)) before.delete(segment)
    for (const segment of before) {
      const path = this.#segmentPath(partition, segment)
      await this.#closeHandle(path)
      await this.#fileSystem.remove(path)
    }
  }

  async close(): Promise<void> {
    for (const path of this.#handles.keys()) await this.#closeHandle(path)
    await this.#journal?.close()
    await this.#lock?.release()
    this.#lock = null
  }

  async #write(entry: JournalEntry): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    await this.#journal!.append(entry)
    this.#index.apply(entry)
    if (this.#journal!.sizeBytes > maxJournalBytes) {
      this.#journal = await this.#journal!.roll(this.#index)
    }
  }

  async #writeChunks(append: StoredAppend) {
    if (this.#failure !== null) throw this.#failure
    const state = this.#index.partition(append)
    const { segment, position, isNew } = activeSegment(state)
    const path = this.#segmentPath(append, segment)
    const handle = await this.#handle(path, 'write')
    if (isNew) await this.#fileSystem.syncDirectory(join(path, '..'))
    const { bytes, chunks } = encodeChunks(append.records, segment, position)
    await handle.write(bytes, position)
    return { append, handle, chunks }
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

  #segmentPath(partition: TopicPartition, segment: number): string {
    const name = `${String(segment).padStart(20, '0')}.log`
    return join(this.#folder, partitionName(partition), name)
  }

  /** Handles are kept; the one that was used the longest ago goes first. */
  async #handle(path: string, mode: 'read' | 'write'): Promise<FileHandle> {
    const known = this.#handles.get(path)
    if (known !== undefined) {
      this.#handles.delete(path)
      this.#handles.set(path, known)
      return known
    }
    const oldest = this.#handles.keys().next().value
    if (this.#handles.size >= maxOpenFiles && oldest !== undefined) await this.#closeHandle(oldest)
    if (mode === 'read' && (await this.#fileSystem.stat(path)) === null) {
      throw new StateError('state-corrupt', `a segment of the log is missing: ${path}`, {
        context: { file: path },
      })
    }
    // A segment that is read may be written later: one handle serves both.
    const handle = await this.#fileSystem.open(path, 'write')
    this.#handles.set(path, handle)
    return handle
  }

  async #closeHandle(path: string): Promise<void> {
    const handle = this.#handles.get(path)
    this.#handles.delete(path)
    await handle?.close()
  }
}

function activeSegment(state: StoredPartition): {
  segment: number
  position: number
  isNew: boolean
} {
  const last = state.chunks.at(-1)
  const position = last === undefined ? 0 : last.position + last.length
  return last === undefined || position >= maxSegmentBytes
    ? { segment: state.end, position: 0, isNew: true }
    : { segment: last.segment, position, isNew: false }
}
