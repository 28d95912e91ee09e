/** Logs to test with: the in-memory log, and the local log over files that are real or simulated. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import { FileStorage } from '../../log/file-storage.ts'
import type { LogStorage } from '../../log/log-storage.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import { systemClock } from '../../runtime/clock.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'

/** Runs with a new folder, and removes it. */
export async function inTemporaryFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'forager-test-'))
  try {
    return await action(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export async function openLog(storage: LogStorage, seed = 1): Promise<EmbeddedLog> {
  return await EmbeddedLog.open({ storage, clock: systemClock, random: seededRandom(seed) })
}

/** What makes a storage over the same kept bytes each time that it is called. */
export type StorageMaker = () => LogStorage

export const implementations: readonly {
  readonly name: string
  readonly withStorage: <T>(action: (make: StorageMaker) => Promise<T>) => Promise<T>
}[] = [
  {
    name: 'the in-memory log',
    withStorage: async action => {
      const storage = new MemoryStorage()
      return await action(() => storage)
    },
  },
  {
    name: 'the local log over real files',
    withStorage: action =>
      inTemporaryFolder(folder =>
        action(() => new FileStorage(nodeFileSystem, join(folder, 'log'))),
      ),
  },
  {
    name: 'the local log over simulated files',
    withStorage: async action => {
      const files = new SimulatedFileSystem({ random: seededRandom(1) })
      return await action(() => new FileStorage(files, '/state/log'))
    },
  },
]
