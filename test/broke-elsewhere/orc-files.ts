/** The ORC files below a folder, staged ones and those of tables. */
import type { FileSystem } from '../../runtime/file-system.ts'

export async function orcFilesBelow(
  fileSystem: FileSystem,
  folder: string,
): Promise<readonly string[]> {
  const found: string[] = []
  for (const name of await fileSystem.list(folder)) {
    const path = `${folder}/${name}`
    if (name.endsWith('.orc')) found.push(path)
    else if ((await fileSystem.stat(path))?.isDirectory === true) {
      found.push(...(await orcFilesBelow(fileSystem, path)))
    }
  }
  return found
}
