/**
 * Tables that are to follow another log than the one they were written through: how far they are applied
 * means nothing there, and the tokens of its mergers begin anew. Their rows stay.
 */
import type { FileSystem } from '../../runtime/file-system.ts'
import type { Random } from '../../runtime/random.ts'
import { noLog } from '../warehouse.ts'
import { CommitLog } from './commit-log.ts'
import { listTables, tableFolder } from './table-folders.ts'

export interface ForgetOptions {
  readonly fileSystem: FileSystem
  readonly random: Random
  readonly root: string
  /** Identities of the staged topics that are given up. */
  readonly topicIds: ReadonlySet<string>
}

/** Names of the tables that were written through one of the logs, sorted. */
export async function tablesOfLog({ fileSystem, root, topicIds }: ForgetOptions) {
  const found: string[] = []
  for (const table of await listTables(fileSystem, root)) {
    const commit = await new CommitLog(fileSystem, tableFolder(root, table)).latest()
    if (commit !== null && topicIds.has(commit.applied.topicId)) found.push(table)
  }
  return found
}

/** Makes a commit of each that says so. Nobody else may write them meanwhile. */
export async function forgetLog(options: ForgetOptions): Promise<void> {
  const { fileSystem, random, root } = options
  for (const table of await tablesOfLog(options)) {
    const log = new CommitLog(fileSystem, tableFolder(root, table))
    const before = await log.latest()
    if (before === null) continue
    const number = before.number + 1
    await log.append({ ...before, number, applied: noLog, token: -1 }, random.id())
  }
}
