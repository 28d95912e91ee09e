/** What HDFS tells about files and folders, as JSON, and how they get other names. */
import type { StagingFileStat } from '../staging-files.ts'
import type { Attempt } from './attempt.ts'
import { WebHdfsFailure } from './failures.ts'

interface FileStatus {
  /** The name, in a listing; empty when it is asked for alone. */
  readonly pathSuffix: string
  readonly length: number
  readonly type: 'FILE' | 'DIRECTORY' | 'SYMLINK'
}

/** Null when there is nothing. */
export async function statusOf(attempt: Attempt, path: string): Promise<StagingFileStat | null> {
  const answer = await unlessMissing(() => attempt.ask('GET', 'GETFILESTATUS', path))
  if (answer === null) return null
  const { FileStatus: status } = answer as { FileStatus: FileStatus }
  const isDirectory = status.type === 'DIRECTORY'
  return { sizeBytes: isDirectory ? 0 : status.length, isDirectory }
}

/** Names as HDFS has them; none when there is no such folder, or it is a file. */
export async function namesIn(attempt: Attempt, path: string): Promise<readonly string[]> {
  const answer = await unlessMissing(() => attempt.ask('GET', 'LISTSTATUS', path))
  if (answer === null) return []
  const { FileStatuses: statuses } = answer as {
    FileStatuses: { readonly FileStatus: readonly FileStatus[] }
  }
  return statuses.FileStatus.map(({ pathSuffix }) => pathSuffix).filter(name => name !== '')
}

/**
 * A rename. In a repeated attempt an earlier one may be carried out just before it: that is for the next
 * attempt to see, which looks first.
 */
export async function move(
  attempt: Attempt,
  from: string,
  parameters: { readonly destination: string; readonly renameoptions: 'NONE' | 'OVERWRITE' },
): Promise<unknown> {
  try {
    return await attempt.ask('PUT', 'RENAME', from, parameters)
  } catch (error) {
    const isOverrun = error instanceof WebHdfsFailure && ['missing', 'exists'].includes(error.kind)
    throw isOverrun && attempt.isRepeated ? error.passing() : error
  }
}

async function unlessMissing<T>(action: () => Promise<T>): Promise<T | null> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof WebHdfsFailure && error.kind === 'missing') return null
    throw error
  }
}
