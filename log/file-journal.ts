/**
 * The journal of the local log and the index that it adds up to: which topics there are, where the
 * committed chunks of each partition lie, and the committed offsets of groups.
 */
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { assert, StateError } from '../model/errors.ts'
import type { FileHandle, FileSystem } from '../runtime/file-system.ts'
import { writeWholeFile } from '../runtime/file-system.ts'
import type { TopicPartition } from './log.ts'
import { partitionName } from './log.ts'
import type { PartitionState, StoredOffset, StoredTopic } from './log-storage.ts'
import { lowerBound } from './log-storage.ts'

/** Bytes of a segment that hold records of one commit. The segment is named by its first offset. */
export interface Chunk {
  readonly baseOffset: number
  readonly segment: number
  readonly position: number
  readonly length: number
  readonly crc: number
}

export interface StoredPartition extends PartitionState {
  chunks: Chunk[]
}

interface CommittedAppend extends TopicPartition {
  readonly chunks: readonly Chunk[]
  readonly nextOffset: number
}

export type JournalEntry =
  | { readonly type: 'topic'; readonly topic: StoredTopic }
  | {
      readonly type: 'commit'
      readonly appends: readonly CommittedAppend[]
      readonly offsets: readonly StoredOffset[]
    }
  | ({ readonly type: 'delete'; readonly beforeOffset: number } & TopicPartition)
  | ({ readonly type: 'rewrite'; readonly chunks: readonly Chunk[] } & TopicPartition)

export class StoredIndex {
  readonly topics = new Map<string, StoredTopic>()
  readonly partitions = new Map<string, StoredPartition>()
  readonly offsets = new Map<string, StoredOffset>()

  apply(entry: JournalEntry): void {
    switch (entry.type) {
      case 'topic':
        this.topics.set(entry.topic.name, entry.topic)
        for (let partition = 0; partition < entry.topic.partitions; partition += 1) {
          const state = { topic: entry.topic.name, partition, start: 0, end: 0, chunks: [] }
          this.partitions.set(partitionName(state), state)
        }
        return
      case 'commit':
        for (const append of entry.appends) {
          const state = this.partition(append)
          state.chunks.push(...append.chunks)
          state.end = append.nextOffset
        }
        for (const offset of entry.offsets) {
          this.offsets.set(`${offset.group} ${partitionName(offset)}`, offset)
        }
        return
      case 'delete': {
        const state = this.partition(entry)
        state.start = entry.beforeOffset
        // The last chunk stays: it says which segment is written next, and where.
        const firstKept = firstChunk(state.chunks, entry.beforeOffset)
        state.chunks = state.chunks.slice(Math.min(firstKept, state.chunks.length - 1))
        return
      }
      case 'rewrite':
        this.partition(entry).chunks = [...entry.chunks]
    }
  }

  partition(at: TopicPartition): StoredPartition {
    const state = this.partitions.get(partitionName(at))
    assert(state !== undefined, 'the journal names a partition that it never made', { ...at })
    return state
  }

  chunksFrom(at: TopicPartition, offset: number): readonly Chunk[] {
    const { chunks } = this.partition(at)
    return chunks.slice(firstChunk(chunks, offset))
  }

  segments(at: TopicPartition): readonly number[] {
    return [...new Set(this.partition(at).chunks.map(chunk => chunk.segment))]
  }

  /** The same index as few entries: the head of a new journal. */
  entries(): JournalEntry[] {
    const topics = [...this.topics.values()].map(topic => ({ type: 'topic' as const, topic }))
    const partitions = [...this.partitions.values()].filter(state => state.end > 0)
    const appends = partitions.map(({ topic, partition, chunks, end }) => ({
      topic,
      partition,
      chunks,
      nextOffset: end,
    }))
    const deletes = partitions
      .filter(state => state.start > 0)
      .map(({ topic, partition, start }) => {
        return { type: 'delete' as const, topic, partition, beforeOffset: start }
      })
    const offsets = [...this.offsets.values()]
    return [...topics, { type: 'commit', appends, offsets }, ...deletes]
  }
}

/** The index of the chunk that holds the offset, or of the first one after it. */
function firstChunk(chunks: readonly Chunk[], offset: number): number {
  const next = lowerBound(chunks, offset + 1, chunk => chunk.baseOffset)
  return Math.max(0, next - 1)
}

export class Journal {
  readonly #fileSystem: FileSystem
  readonly #folder: string
  readonly #number: number
  readonly #handle: FileHandle
  #sizeBytes: number

  private constructor(
    fileSystem: FileSystem,
    folder: string,
    opened: { number: number; handle: FileHandle; sizeBytes: number },
  ) {
    this.#fileSystem = fileSystem
    this.#folder = folder
    this.#number = opened.number
    this.#handle = opened.handle
    this.#sizeBytes = opened.sizeBytes
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Opens the newest journal of the folder and applies its entries to the index. */
  static async open(fileSystem: FileSystem, folder: string, index: StoredIndex): Promise<Journal> {
    const { names, numbers, number } = await journalsOf(fileSystem, folder)
    if (numbers.length === 0) {
      await refuseFolders(fileSystem, folder, names)
      await writeWholeFile(fileSystem, journalPath(folder, number), Buffer.alloc(0))
      await fileSystem.syncDirectory(folder)
    }
    const path = journalPath(folder, number)
    const bytes = await fileSystem.readFile(path)
    const sizeBytes = readEntries(bytes, path, entry => index.apply(entry))
    const handle = await fileSystem.open(path, 'write')
    await handle.truncate(sizeBytes)
    // A process may have ended between writing and syncing: what is taken over from it must last.
    await handle.sync()
    await fileSystem.syncDirectory(folder)
    for (const older of numbers.slice(0, -1)) {
      await fileSystem.remove(journalPath(folder, Number(older)))
    }
    return new Journal(fileSystem, folder, { number, handle, sizeBytes })
  }

  /** Only applies the entries of the newest journal: nothing is written. */
  static async read(fileSystem: FileSystem, folder: string, index: StoredIndex): Promise<void> {
    const { names, numbers, number } = await journalsOf(fileSystem, folder)
    if (numbers.length === 0) {
      await refuseFolders(fileSystem, folder, names)
      return
    }
    const path = journalPath(folder, number)
    readEntries(await fileSystem.readFile(path), path, entry => index.apply(entry))
  }

  /** Durable when it resolves. */
  async append(entry: JournalEntry): Promise<void> {
    const line = encodeLine(entry)
    await this.#handle.write(line, this.#sizeBytes)
    await this.#handle.sync()
    this.#sizeBytes += line.length
  }

  /** Starts a new journal that begins with all that the index knows, and removes this one. */
  async roll(index: StoredIndex): Promise<Journal> {
    const number = this.#number + 1
    const path = journalPath(this.#folder, number)
    const bytes = Buffer.concat(index.entries().map(encodeLine))
    await writeWholeFile(this.#fileSystem, `${path}.tmp`, bytes)
    await this.#fileSystem.rename(`${path}.tmp`, path)
    await this.#fileSystem.syncDirectory(this.#folder)
    await this.close()
    await this.#fileSystem.remove(journalPath(this.#folder, this.#number))
    const handle = await this.#fileSystem.open(path, 'write')
    return new Journal(this.#fileSystem, this.#folder, { number, handle, sizeBytes: bytes.length })
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

async function journalsOf(fileSystem: FileSystem, folder: string) {
  const names = await fileSystem.list(folder)
  const numbers = names.flatMap(name => /^journal-(\d{8})\.log$/.exec(name)?.[1] ?? [])
  return { names, numbers, number: Number(numbers.at(-1) ?? 1) }
}

/** Partitions come after their journal: without one they are what is left of a log. */
async function refuseFolders(
  fileSystem: FileSystem,
  folder: string,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    const found = await fileSystem.stat(join(folder, name))
    if (found?.isDirectory !== true) continue
    const message = `the journal of the log is missing, and a partition is there: ${name}`
    throw new StateError('state-corrupt', message, { context: { file: folder } })
  }
}

function journalPath(folder: string, number: number): string {
  return join(folder, `journal-${String(number).padStart(8, '0')}.log`)
}

function encodeLine(entry: JournalEntry): Buffer {
  const json = JSON.stringify(entry)
  return Buffer.from(`${checksumOf(json)} ${json}\n`)
}

function checksumOf(json: string): string {
  return crc32(json).toString(16).padStart(8, '0')
}

/** Calls back for each whole line, and returns how many bytes they take. */
function readEntries(bytes: Buffer, path: string, onEntry: (entry: JournalEntry) => void): number {
  let position = 0
  for (;;) {
    const end = bytes.indexOf(0x0a, position)
    const line = bytes.toString('utf8', position, end < 0 ? bytes.length : end)
    const json = line.slice(9)
    const isWhole = end >= 0 && line === `${checksumOf(json)} ${json}`
    if (!isWhole) {
      // Only the last line can be torn: a crash came before it was a commit.
      if (end < 0 || end === bytes.length - 1) return position
      throw new StateError('state-corrupt', `${path} is damaged at byte ${position}`, {
        context: { file: path },
      })
    }
    onEntry(JSON.parse(json) as JournalEntry)
    position = end + 1
  }
}
