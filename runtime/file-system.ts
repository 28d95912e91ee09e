/**
 * Files. The only file that imports `node:fs`. What a crash may undo is part of the contract:
 *
 * - bytes written are durable after `sync` of their handle;
 * - a new, renamed or removed name is durable after `syncDirectory` of its folder;
 * - `makeDirectory` is durable when it returns.
 *
 * Every failure is a StateError `storage-failed` that names the file.
 */
import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { StateError } from '../model/errors.ts'
import { systemClock } from './clock.ts'
import type { LockHolder } from './file-lock.ts'
import { lockFile } from './file-lock.ts'
import { systemRandom } from './random.ts'

export interface FileSystem {
  readFile(path: string): Promise<Buffer>
  /** `read` needs the file; `write` creates it when it is missing and keeps what it holds. */
  open(path: string, mode: 'read' | 'write'): Promise<FileHandle>
  /** Names in a folder, sorted; empty when there is no such folder. */
  list(path: string): Promise<string[]>
  /** Null when there is nothing. */
  stat(path: string): Promise<FileStat | null>
  /** With its missing parents. */
  makeDirectory(path: string): Promise<void>
  /** Replaces what is at `to`. */
  rename(from: string, to: string): Promise<void>
  /** Gives the file a second name. Resolves to false, and does nothing, when `to` exists. */
  linkNew(from: string, to: string): Promise<boolean>
  /** Files and folders with all that is in them; nothing happens when there is nothing. */
  remove(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
  /**
   * Holds the path for this process until released or the process ends. StateError `state-locked`
   * when another living process holds it.
   */
  lock(path: string): Promise<{ release(): Promise<void> }>
}

export interface FileStat {
  readonly sizeBytes: number
  readonly isDirectory: boolean
}

export interface FileHandle {
  readonly path: string
  sizeBytes(): Promise<number>
  /** Fewer bytes than asked for only at the end of the file. */
  read(offset: number, length: number): Promise<Buffer>
  write(bytes: Uint8Array, offset: number): Promise<void>
  truncate(sizeBytes: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** Writes a whole file so that a crash leaves the old one or the new one: write, sync, rename, sync. */
export async function replaceFile(
  fileSystem: FileSystem,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = `${path}.tmp`
  await writeWholeFile(fileSystem, temporary, bytes)
  await fileSystem.rename(temporary, path)
  await fileSystem.syncDirectory(dirname(path))
}

/** Writes and syncs a file; its name is not durable yet. What it held before is gone. */
export async function writeWholeFile(
  fileSystem: FileSystem,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const handle = await fileSystem.open(path, 'write')
  try {
    await handle.truncate(0)
    await handle.write(bytes, 0)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The machine's own files. */
export const nodeFileSystem: FileSystem = {
  readFile: path => guard(path, 'read', () => fs.readFile(path)),
  open: (path, mode) =>
    guard(path, mode === 'read' ? 'open' : 'create', async () => {
      const flags = mode === 'read' ? constants.O_RDONLY : constants.O_RDWR | constants.O_CREAT
      return nodeHandle(path, await fs.open(path, flags, 0o644))
    }),
  list: path =>
    guard(path, 'list', async () => {
      try {
        return (await fs.readdir(path)).sort()
      } catch (error) {
        if (isMissing(error)) return []
        throw error
      }
    }),
  stat: path =>
    guard(path, 'look at', async () => {
      try {
        const found = await fs.stat(path)
        return { sizeBytes: found.size, isDirectory: found.isDirectory() }
      } catch (error) {
        if (isMissing(error)) return null
        throw error
      }
    }),
  makeDirectory: path => guard(path, 'create', () => makeDurableDirectory(path)),
  rename: (from, to) => guard(to, 'rename to', () => fs.rename(from, to)),
  linkNew: (from, to) =>
    guard(to, 'create', async () => {
      try {
        await fs.link(from, to)
        return true
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return false
        throw error
      }
    }),
  remove: path => guard(path, 'remove', () => fs.rm(path, { recursive: true, force: true })),
  syncDirectory: path => guard(path, 'sync', () => syncDirectory(path)),
  lock: path =>
    guard(path, 'lock', async () => {
      const self = await thisProcess()
      const parts = { clock: systemClock, random: systemRandom }
      return await lockFile(path, { ...parts, fileSystem: nodeFileSystem, self, isRunning })
    }),
}

function nodeHandle(path: string, handle: fs.FileHandle): FileHandle {
  return {
    path,
    sizeBytes: () => guard(path, 'look at', async () => (await handle.stat()).size),
    read: (offset, length) =>
      guard(path, 'read', async () => {
        const bytes = Buffer.allocUnsafe(length)
        let filled = 0
        while (filled < length) {
          const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled)
          if (bytesRead === 0) break
          filled += bytesRead
        }
        return bytes.subarray(0, filled)
      }),
    write: (bytes, offset) =>
      guard(path, 'write', async () => {
        let done = 0
        while (done < bytes.length) {
          const left = bytes.length - done
          done += (await handle.write(bytes, done, left, offset + done)).bytesWritten
        }
      }),
    truncate: sizeBytes => guard(path, 'truncate', () => handle.truncate(sizeBytes)),
    sync: () => guard(path, 'sync', () => handle.datasync()),
    close: () => guard(path, 'close', () => handle.close()),
  }
}

async function makeDurableDirectory(path: string): Promise<void> {
  const first = await fs.mkdir(path, { recursive: true })
  // Every folder that is new is a new name in its parent.
  let folder = resolve(path)
  for (const top = dirname(resolve(first ?? path)); first !== undefined && folder !== top; ) {
    await syncDirectory(dirname(folder))
    durableFolders.add(folder)
    folder = dirname(folder)
  }
  // Who made the others may have been killed before the sync.
  for (; !durableFolders.has(folder) && dirname(folder) !== folder; folder = dirname(folder)) {
    await syncDirectory(dirname(folder)).catch((error: unknown) => {
      // What we may not open, or what is no disk, holds no folder of ours that is new.
      if (!['EACCES', 'EPERM', 'EINVAL'].includes(codeOf(error))) throw error
    })
    durableFolders.add(folder)
  }
}

/** Folders whose names this process knows to be durable. */
const durableFolders = new Set<string>()

async function syncDirectory(path: string): Promise<void> {
  const handle = await fs.open(path, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** This process, as others can recognise it. */
async function thisProcess(): Promise<LockHolder> {
  const { pid } = process
  const boot = await fs.readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  const pidNamespace = await fs.readlink('/proc/self/ns/pid').catch(() => '')
  const host = hostname().replaceAll(/\s+/g, '')
  return { pid, start: await processStart(pid), boot: boot.trim(), pidNamespace, host }
}

async function isRunning({ pid, start }: LockHolder): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false
  }
  return (await processStart(pid)) === start
}

/** When a process started, where the system tells (Linux): ids are used again, starts are not. */
async function processStart(pid: number): Promise<string> {
  const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

async function guard<T>(path: string, verb: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof StateError) throw error
    const code = codeOf(error)
    const reason = reasons[code] ?? code
    throw new StateError('storage-failed', `cannot ${verb} ${path}: ${reason}`, {
      retry: code === 'ENOSPC' || code === 'EIO' ? 'backoff' : 'never',
      context: { file: path },
      cause: error,
    })
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'that is a folder, not a file',
  ENAMETOOLONG: 'the name is too long',
  EFBIG: 'the file would be larger than is allowed',
  EIO: 'the device reports an error',
  EMFILE: 'too many open files',
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message: string }
  return code ?? message
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
}
