/** The package's version, from beside the sources and in the published package. */
import { join } from 'node:path'
import { nodeFileSystem } from '../runtime/file-system.ts'

export async function version(): Promise<string> {
  const text = await nodeFileSystem.readFile(join(import.meta.dirname, '../package.json'))
  return (JSON.parse(text.toString('utf8')) as { version: string }).version
}
