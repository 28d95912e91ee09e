/** What lies on the disk, by part of the program. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface DiskSample {
  /** Of the local log. */
  readonly logBytes: number
  /** Stores and all else of the state folders. */
  readonly stateBytes: number
  readonly stagingBytes: number
  /** Tables, with what stays for readers that began before. */
  readonly warehouseBytes: number
  /** Files of all of it. */
  readonly fileCount: number
}

export async function diskOf(folder: string): Promise<DiskSample> {
  // What the probe of memory writes is none of the program's.
  const files = (await filesIn(folder)).filter(({ path }) => !path.startsWith('memory/'))
  const bytes = (belongs: (path: string) => boolean): number => {
    return files.reduce((sum, { path, size }) => sum + (belongs(path) ? size : 0), 0)
  }
  const isLog = (path: string): boolean => /^state-\d+\/[^/]+\/log\//.test(path)
  const isStaging = (path: string): boolean => path.startsWith('warehouse/.staging/')
  return {
    logBytes: bytes(isLog),
    stateBytes: bytes(path => path.startsWith('state-') && !isLog(path)),
    stagingBytes: bytes(isStaging),
    warehouseBytes: bytes(path => path.startsWith('warehouse/') && !isStaging(path)),
    fileCount: files.length,
  }
}

/** Files come and go meanwhile. */
async function filesIn(folder: string, below = ''): Promise<{ path: string; size: number }[]> {
  const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(ifGone([]))
  const found = await Promise.all(
    entries.map(async entry => {
      const path = join(below, entry.name)
      if (entry.isDirectory()) return await filesIn(folder, path)
      const size = await stat(join(folder, path)).then(({ size: bytes }) => bytes, ifGone(null))
      return size === null ? [] : [{ path, size }]
    }),
  )
  return found.flat()
}

function ifGone<T>(instead: T): (error: unknown) => T {
  return error => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return instead
    throw error
  }
}
