/** Files that refuse a call, as a full disk does: after a part of the bytes was written, or none. */
import { StateError } from '../../model/errors.ts'
import type { FileHandle, FileSystem } from '../../runtime/file-system.ts'

export class FaultyFiles {
  readonly fileSystem: FileSystem
  calls = 0
  /** The number of the first call that fails, and of all after it until it is mended. */
  failFrom = Number.POSITIVE_INFINITY

  constructor(files: FileSystem) {
    this.fileSystem = {
      ...bound(files),
      open: async (path, mode) => {
        if (mode === 'write' && (await files.stat(path)) === null) this.#attempt('create', path)
        return this.#handle(await files.open(path, mode))
      },
      makeDirectory: async path => {
        if ((await files.stat(path)) === null) this.#attempt('create', path)
        await files.makeDirectory(path)
      },
      rename: async (from, to) => {
        this.#attempt('rename to', to)
        await files.rename(from, to)
      },
      linkNew: async (from, to) => {
        this.#attempt('create', to)
        return await files.linkNew(from, to)
      },
      syncDirectory: async path => {
        this.#attempt('sync', path)
        await files.syncDirectory(path)
      },
    }
  }

  mend(): void {
    this.failFrom = Number.POSITIVE_INFINITY
  }

  #handle(handle: FileHandle): FileHandle {
    const { path } = handle
    return {
      path,
      sizeBytes: () => handle.sizeBytes(),
      read: (offset, length) => handle.read(offset, length),
      close: () => handle.close(),
      truncate: sizeBytes => handle.truncate(sizeBytes),
      write: async (bytes, offset) => {
        try {
          this.#attempt('write', path)
        } catch (error) {
          await handle.write(bytes.subarray(0, bytes.length >> 1), offset)
          throw error
        }
        await handle.write(bytes, offset)
      },
      sync: async () => {
        this.#attempt('write', path)
        await handle.sync()
      },
    }
  }

  #attempt(verb: string, path: string): void {
    this.calls += 1
    if (this.calls < this.failFrom) return
    throw new StateError('storage-failed', `cannot ${verb} ${path}: the disk is full`, {
      retry: 'backoff',
      context: { file: path },
    })
  }
}

/** The methods of a file system as functions that can be spread. */
function bound(files: FileSystem): FileSystem {
  return {
    readFile: path => files.readFile(path),
    open: (path, mode) => files.open(path, mode),
    list: path => files.list(path),
    stat: path => files.stat(path),
    makeDirectory: path => files.makeDirectory(path),
    rename: (from, to) => files.rename(from, to),
    linkNew: (from, to) => files.linkNew(from, to),
    remove: path => files.remove(path),
    syncDirectory: path => files.syncDirectory(path),
    lock: path => files.lock(path),
  }
}
