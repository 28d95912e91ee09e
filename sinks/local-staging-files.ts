/** Staging in folders of this machine, or of a file system that all instances have mounted. */
import { resolve } from 'node:path'
import { StateError } from '../model/errors.ts'
import type { FileHandle, FileSystem } from '../runtime/file-system.ts'
import type { NewFile, ReadableFile, StagingFiles } from './staging-files.ts'

export function localStagingFiles(fileSystem: FileSystem): StagingFiles {
  return {
    locationOf: path => `file://${resolve(path)}`,
    makeDirectory: path => fileSystem.makeDirectory(path),
    create: async path => {
      const handle = await fileSystem.open(path, 'write')
      try {
        await handle.truncate(0)
        return newFile(handle)
      } catch (error) {
        await handle.close()
        throw error
      }
    },
    open: async path => await readableFile(await fileSystem.open(path, 'read')),
    list: path => fileSystem.list(path),
    stat: path => fileSystem.stat(path),
    rename: async (from, to) => {
      // Names of attempts are random: nobody makes the same one between this look and the rename.
      if ((await fileSystem.stat(to)) !== null) throw existing(from, to)
      await fileSystem.rename(from, to)
    },
    remove: path => fileSystem.remove(path),
    syncDirectory: path => fileSystem.syncDirectory(path),
  }
}

function newFile(handle: FileHandle): NewFile {
  let sizeBytes = 0
  return {
    write: async bytes => {
      await handle.write(bytes, sizeBytes)
      sizeBytes += bytes.length
    },
    close: async () => {
      await handle.sync()
      await handle.close()
    },
    abort: () => handle.close().catch(() => undefined),
  }
}

async function readableFile(handle: FileHandle): Promise<ReadableFile> {
  try {
    const sizeBytes = await handle.sizeBytes()
    return {
      sizeBytes,
      read: (offset, length) => handle.read(offset, length),
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

function existing(from: string, to: string): StateError {
  return new StateError('storage-failed', `cannot rename ${from} to ${to}: that is there already`, {
    context: { file: to },
  })
}
