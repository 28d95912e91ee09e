/** Staging over WebHDFS, held against a NameNode and a DataNode. */
import { randomUUID } from 'node:crypto'
import { afterAll, describe, inject, it } from 'vitest'
import { systemClock } from '../../../runtime/clock.ts'
import { systemRandom } from '../../../runtime/random.ts'
import { WebHdfsStagingFiles } from '../../../sinks/webhdfs/webhdfs-staging-files.ts'
import { stagingFilesConformance } from '../../../testkit/staging-files-conformance.ts'
import { stagedFilesSuite } from '../../sinks/staged-files-suite.ts'

const { url, location } = inject('webhdfs')
const files = new WebHdfsStagingFiles({
  urls: [url],
  user: 'forager',
  location,
  clock: systemClock,
  random: systemRandom,
})
const root = `/forager-test-${randomUUID()}`
afterAll(() => files.remove(root))

describe('staging files over WebHDFS', () => {
  for (const [number, { title, run }] of stagingFilesConformance.entries()) {
    it(title, async () => {
      const folder = `${root}/${number}`
      await files.makeDirectory(folder)
      await run(files, folder)
    })
  }
})

describe('over WebHDFS', () => {
  let places = 0
  stagedFilesSuite(() => {
    places += 1
    return Promise.resolve({ files, root: `${root}/staged-${places}` })
  })
})
