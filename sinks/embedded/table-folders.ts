/** Where the tables of an embedded warehouse lie: `<root>/<database>/<table>`. */
import { join } from 'node:path'
import type { FileSystem } from '../../runtime/file-system.ts'
import { fileNameOf, isCutName, nameOfFile } from '../file-names.ts'
import { CommitLog, commitsFolder } from './commit-log.ts'

export function tableFolder(root: string, table: string): string {
  return join(root, ...table.split('.').map(fileNameOf))
}

/** The table whose commit the path is; null: it is none. */
export function tableOfCommit(root: string, path: string): string | null {
  const [folder, name] = path.split(`/${commitsFolder}/`)
  if (name === undefined || !folder!.startsWith(`${root}/`)) return null
  return folder!
    .slice(root.length + 1)
    .split('/')
    .map(nameOfFile)
    .join('.')
}

/** Names of all tables that have a commit, sorted. */
export async function listTables(fileSystem: FileSystem, root: string): Promise<string[]> {
  return (await findTables(fileSystem, root, [])).sort()
}

const maxDepth = 4

async function findTables(
  fileSystem: FileSystem,
  folder: string,
  parts: readonly string[],
): Promise<string[]> {
  const names = await fileSystem.list(folder)
  if (names.includes(commitsFolder)) {
    if (!parts.some(isCutName)) return [parts.map(nameOfFile).join('.')]
    const commit = await new CommitLog(fileSystem, folder).latest()
    return commit === null ? [] : [commit.table]
  }
  if (parts.length >= maxDepth) return []
  const found: string[] = []
  // Hidden folders are not tables: staging may lie here.
  for (const name of names.filter(found => !found.startsWith('.'))) {
    const path = join(folder, name)
    const stat = await fileSystem.stat(path)
    if (stat?.isDirectory === true) {
      found.push(...(await findTables(fileSystem, path, [...parts, name])))
    }
  }
  return found
}
