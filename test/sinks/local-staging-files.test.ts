import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { seededRandom } from '../../runtime/random.ts'
import { localStagingFiles } from '../../sinks/local-staging-files.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import { stagingFilesConformance } from '../../testkit/staging-files-conformance.ts'

describe('staging files of this machine', () => {
  const files = localStagingFiles(nodeFileSystem)
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'forager-staging-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  for (const [number, { title, run }] of stagingFilesConformance.entries()) {
    it(title, async () => {
      const own = join(folder, String(number))
      await mkdir(own)
      await run(files, own)
    })
  }

  it('have the location of an absolute path', () => {
    expect(files.locationOf('/data/staging/t')).toBe('file:///data/staging/t')
    expect(files.locationOf('staging')).toBe(`file://${process.cwd()}/staging`)
  })
})

describe('simulated staging files', () => {
  for (const { title, run } of stagingFilesConformance) {
    it(title, async () => {
      const files = localStagingFiles(new SimulatedFileSystem({ random: seededRandom(1) }))
      await files.makeDirectory('/staging')
      await run(files, '/staging')
    })
  }
})
