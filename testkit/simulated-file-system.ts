/**
 * Files in memory that forget at a crash what was not synced, as the contract in
 * `runtime/file-system.ts` allows. Bytes are durable after `sync`, names after `syncDirectory`. A crash
 * keeps what is durable, and of the rest a random part: a write may be torn, and of what was done to
 * the names of a folder the first so many are kept.
 */
import { dirname } from 'node:path'
import { assert, StateError } from '../model/errors.ts'
import type { FileHandle, FileStat, FileSystem } from '../runtime/file-system.ts'
import type { Random } from '../runtime/random.ts'

interface File {
  kind: 'file'
  bytes: Buffer
  durable: Buffer
  /** Who wrote what is not durable. */
  writer: string
}

type Entries = Map<string, File | Folder>

interface Folder {
  kind: 'folder'
  entries: Entries
  durable: Entries
  /** What was done to the names since they were durable, in order, and by whom. */
  pending: { readonly by: string; readonly step: (entries: Entries) => void }[]
}

/** What all who use the files share. */
interface Disk {
  readonly root: Folder
  /** Paths that are held, with who holds them. */
  readonly locks: Map<string, string>
  /** How often each of them crashed: handles of before are void. */
  readonly generations: Map<string, number>
}

export interface SimulatedFileSystemOptions {
  readonly random: Random
  /** Whoever uses the files through this: what is lost at a crash is what it had not synced. */
  readonly user?: string
  /** Called before and after each operation that changes something. It may throw, or never resolve. */
  readonly onCall?: (operation: string, path: string) => void | Promise<void>
}

const empty = Buffer.alloc(0)

export class SimulatedFileSystem implements FileSystem {
  readonly #options: SimulatedFileSystemOptions
  readonly #disk: Disk
  readonly #user: string

  constructor(
    options: SimulatedFileSystemOptions,
    disk: Disk = { root: newFolder(), locks: new Map(), generations: new Map() },
  ) {
    this.#options = options
    this.#disk = disk
    this.#user = options.user ?? ''
  }

  /** The same files for somebody else. */
  as(user: string, onCall?: SimulatedFileSystemOptions['onCall']): SimulatedFileSystem {
    const { random } = this.#options
    const options = onCall === undefined ? { random, user } : { random, user, onCall }
    return new SimulatedFileSystem(options, this.#disk)
  }

  /** All that this user had not synced is lost, or a part of it. Its handles and locks are void. */
  crash(): void {
    const { generations, locks, root } = this.#disk
    generations.set(this.#user, this.#generation + 1)
    for (const [path, holder] of locks) if (holder === this.#user) locks.delete(path)
    this.#forget(root)
  }

  /** Bytes of a file that no crash can take; null when it may not be there. */
  durableBytes(path: string): number | null {
    let found: File | Folder = this.#disk.root
    for (const part of partsOf(path)) {
      const next: File | Folder | undefined =
        found.kind === 'folder' ? found.durable.get(part) : undefined
      if (next === undefined) return null
      found = next
    }
    return found.kind === 'file' ? found.durable.length : null
  }

  get #generation(): number {
    return this.#disk.generations.get(this.#user) ?? 0
  }

  async readFile(path: string): Promise<Buffer> {
    await this.#call('read', path)
    return Buffer.from(this.#file(path).bytes)
  }

  async open(path: string, mode: 'read' | 'write'): Promise<FileHandle> {
    await this.#call('open', path)
    const folder = this.#folder(dirname(path), path)
    const name = baseOf(path)
    if (mode === 'write' && !folder.entries.has(name)) {
      const writer = this.#user
      const file: File = { kind: 'file', bytes: empty, durable: empty, writer }
      this.#change(folder, entries => entries.set(name, file))
    }
    return this.#handle(path, this.#file(path))
  }

  async list(path: string): Promise<string[]> {
    await this.#call('list', path)
    const found = this.#find(path)
    return found?.kind === 'folder' ? [...found.entries.keys()].sort() : []
  }

  async stat(path: string): Promise<FileStat | null> {
    await this.#call('stat', path)
    const found = this.#find(path)
    if (found === null) return null
    return found.kind === 'folder'
      ? { sizeBytes: 0, isDirectory: true }
      : { sizeBytes: found.bytes.length, isDirectory: false }
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#call('makeDirectory', path)
    let folder = this.#disk.root
    for (const part of partsOf(path)) {
      const known = folder.entries.get(part)
      const next = known ?? newFolder()
      assert(next.kind === 'folder', `${path} runs through a file`)
      if (known === undefined) {
        // A new name is synced, and with it all that was done to the names before.
        folder.entries.set(part, next)
        folder.durable = new Map(folder.entries)
        folder.pending = []
      }
      folder = next
    }
    await this.#call('madeDirectory', path)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#call('rename', to)
    const found = this.#find(from)
    if (found === null) throw missing(from)
    assert(dirname(from) === dirname(to), 'a rename within one folder is atomic, others are not')
    this.#change(this.#folder(dirname(to)), entries => {
      entries.set(baseOf(to), found)
      entries.delete(baseOf(from))
    })
    await this.#call('renamed', to)
  }

  async linkNew(from: string, to: string): Promise<boolean> {
    await this.#call('link', to)
    const folder = this.#folder(dirname(to))
    if (folder.entries.has(baseOf(to))) return false
    const file = this.#file(from)
    this.#change(folder, entries => entries.set(baseOf(to), file))
    await this.#call('linked', to)
    return true
  }

  async remove(path: string): Promise<void> {
    await this.#call('remove', path)
    const parent = this.#find(dirname(path))
    if (parent?.kind === 'folder') this.#change(parent, entries => entries.delete(baseOf(path)))
    await this.#call('removed', path)
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#call('syncDirectory', path)
    const folder = this.#folder(path)
    folder.durable = new Map(folder.entries)
    folder.pending = []
    await this.#call('syncedDirectory', path)
  }

  async lock(path: string): Promise<{ release(): Promise<void> }> {
    await this.#call('lock', path)
    const { locks } = this.#disk
    if (locks.has(path)) throw new StateError('state-locked', `${path} is held`)
    locks.set(path, this.#user)
    return {
      release: () => {
        locks.delete(path)
        return Promise.resolve()
      },
    }
  }

  #handle(path: string, file: File): FileHandle {
    const generation = this.#generation
    const call = async (operation: string): Promise<void> => {
      await this.#call(operation, path)
      assert(generation === this.#generation, `${path} is used after a crash`)
    }
    return {
      path,
      sizeBytes: async () => {
        await call('size')
        return file.bytes.length
      },
      read: async (offset, length) => {
        await call('read')
        return Buffer.from(file.bytes.subarray(offset, offset + length))
      },
      write: async (bytes, offset) => {
        await call('write')
        file.bytes = overwritten(file.bytes, bytes, offset)
        file.writer = this.#user
        await call('wrote')
      },
      truncate: async sizeBytes => {
        await call('truncate')
        file.bytes = overwritten(file.bytes.subarray(0, sizeBytes), Buffer.alloc(0), sizeBytes)
      },
      sync: async () => {
        await call('sync')
        file.durable = file.bytes
        await call('synced')
      },
      close: () => call('close'),
    }
  }

  async #call(operation: string, path: string): Promise<void> {
    await this.#options.onCall?.(operation, path)
  }

  /** Of its own steps the first so many are kept, and durable; those of others stay as they are. */
  #forget(folder: Folder): void {
    const own = folder.pending.filter(({ by }) => by === this.#user)
    if (own.length > 0) {
      const kept = Math.floor(this.#options.random.next() * (own.length + 1))
      for (const { step } of own.slice(0, kept)) step(folder.durable)
      folder.pending = folder.pending.filter(({ by }) => by !== this.#user)
      folder.entries = new Map(folder.durable)
      for (const { step } of folder.pending) step(folder.entries)
    }
    for (const entry of folder.entries.values()) {
      if (entry.kind === 'folder') this.#forget(entry)
      else if (entry.writer === this.#user) this.#tear(entry)
    }
  }

  #change(folder: Folder, step: (entries: Entries) => void): void {
    step(folder.entries)
    folder.pending.push({ by: this.#user, step })
  }

  /** As it was durable, as it was last, or written up to somewhere: never less than both share. */
  #tear(file: File): void {
    if (file.bytes !== file.durable) {
      const { random } = this.#options
      const shared = sharedBytes(file.bytes, file.durable)
      const torn = shared + Math.floor(random.next() * (file.bytes.length - shared + 1))
      const choices = [file.durable, file.bytes, file.bytes.subarray(0, torn)]
      file.bytes = choices[Math.floor(random.next() * choices.length)]!
    }
    file.durable = file.bytes
  }

  #find(path: string): File | Folder | null {
    let found: File | Folder = this.#disk.root
    for (const part of partsOf(path)) {
      const next: File | Folder | undefined =
        found.kind === 'folder' ? found.entries.get(part) : undefined
      if (next === undefined) return null
      found = next
    }
    return found
  }

  #folder(path: string, asked = path): Folder {
    const found = this.#find(path)
    if (found?.kind !== 'folder') throw missing(asked)
    return found
  }

  #file(path: string): File {
    const found = this.#find(path)
    if (found?.kind !== 'file') throw missing(path)
    return found
  }
}

function newFolder(): Folder {
  return { kind: 'folder', entries: new Map(), durable: new Map(), pending: [] }
}

function partsOf(path: string): string[] {
  return path.split('/').filter(part => part !== '' && part !== '.')
}

function baseOf(path: string): string {
  const name = partsOf(path).at(-1)
  assert(name !== undefined, 'the root has no name')
  return name
}

function overwritten(bytes: Buffer, written: Uint8Array, offset: number): Buffer {
  const size = Math.max(bytes.length, offset + written.length)
  const result = Buffer.alloc(size)
  bytes.copy(result)
  result.set(written, offset)
  return result
}

function sharedBytes(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index += 1) if (a[index] !== b[index]) return index
  return length
}

function missing(path: string): StateError {
  return new StateError('storage-failed', `cannot open ${path}: no such file or folder`, {
    context: { file: path },
  })
}
