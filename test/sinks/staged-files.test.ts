import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../runtime/random.ts'
import { localStagingFiles } from '../../sinks/local-staging-files.ts'
import type { StagedFiles } from '../../sinks/staged-files.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import { CrashingFiles } from '../log/crashing-files.ts'
import {
  batches,
  batchOf,
  nextOwner,
  owner,
  readBack,
  stage,
  stagingIn,
  task,
  twoColumns,
  upsert,
} from './staged-files-parts.ts'
import { stagedFilesSuite } from './staged-files-suite.ts'

const root = '/state/staging'

function stagingOver(fileSystem: SimulatedFileSystem, seed = 1): StagedFiles {
  return stagingIn({ files: localStagingFiles(fileSystem), root }, seed)
}

stagedFilesSuite(() => {
  const fileSystem = new SimulatedFileSystem({ random: seededRandom(1) })
  return Promise.resolve({ files: localStagingFiles(fileSystem), root })
})

describe('a staged window on a disk that loses what was not synced', () => {
  it('has its files when it is sealed', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const files = new SimulatedFileSystem({ random: seededRandom(seed) })
      const staging = stagingOver(files, seed)
      const window = await staging.openWindow(owner, { from: 3, to: 9 })
      const first = await window.write('ods.a', twoColumns, batches([upsert('a')]))
      const second = await window.write('ods.b/c', twoColumns, batches([upsert('b'), upsert('c')]))
      expect(await files.stat(`${root}/${first.path}`)).toBeNull()
      await window.seal()
      files.crash()
      expect(first.path).toMatch(/^1_0\/3-9-7-[0-9a-f]{8}\/ods\.a\.orc$/)
      const batch = batchOf([first, second], twoColumns)
      const found = await readBack(stagingOver(files), batch)
      expect(found.map(({ key }) => key)).toEqual(['a', 'b', 'c'])
      const stat = await files.stat(`${root}/${second.path}`)
      expect(stat?.sizeBytes).toBe(second.sizeBytes)
    }
  })

  it('that a crash ends at any call leaves nothing that a sweep does not take', async () => {
    const write = async (disk: CrashingFiles): Promise<void> => {
      await stage(stagingOver(disk.files), [upsert('a')], { range: { from: 5, to: 9 } })
    }
    const whole = new CrashingFiles(seededRandom(1))
    await write(whole)
    for (let crashAt = 1; crashAt <= whole.calls; crashAt += 1) {
      const disk = new CrashingFiles(seededRandom(crashAt))
      disk.crashAt(crashAt)
      expect(await disk.survives(() => write(disk))).toBe(false)
      await stagingOver(disk.files).sweep(nextOwner, [])
      expect(await disk.files.list(`${root}/${task}`)).toEqual([])
      // The window is closed again: nothing of before stands in its way.
      const batch = await stage(stagingOver(disk.files), [upsert('a')], {
        range: { from: 5, to: 9 },
      })
      expect(await readBack(stagingOver(disk.files), batch)).toHaveLength(1)
    }
  })
})
