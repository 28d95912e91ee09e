/** What is left of an application in the staging folder of HDFS. */
import { inject } from 'vitest'
import { systemClock } from '../../../runtime/clock.ts'
import { systemRandom } from '../../../runtime/random.ts'
import type { StagingFiles } from '../../../sinks/staging-files.ts'
import { WebHdfsStagingFiles } from '../../../sinks/webhdfs/webhdfs-staging-files.ts'

export function hdfsFiles(): StagingFiles {
  const { url, location } = inject('webhdfs')
  const parts = { clock: systemClock, random: systemRandom }
  return new WebHdfsStagingFiles({ urls: [url], location, user: 'root', ...parts })
}

export async function stagedFiles(files: StagingFiles, folder: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const name of await files.list(folder)) {
    const path = `${folder}/${name}`
    const isFolder = (await files.stat(path))?.isDirectory === true
    found.push(...(isFolder ? await stagedFiles(files, path) : [path]))
  }
  return found
}
