/**
 * In which format the source was read last, in `source-format.json` of the state folder: a later run does not
 * read it again, so this is what it can tell from. Written at the end of a run that read something.
 */
import { join } from 'node:path'
import { nodeFileSystem, replaceFile } from '../runtime/file-system.ts'
import type { LoadedConfig } from './config.ts'
import { statePath } from './warehouse.ts'

/** Null when nothing tells. */
export async function readSourceFormat(loaded: LoadedConfig): Promise<string | null> {
  const path = filePath(loaded)
  if ((await nodeFileSystem.stat(path)) === null) return null
  const text = (await nodeFileSystem.readFile(path)).toString('utf8')
  try {
    const { format } = JSON.parse(text) as { readonly format?: unknown }
    return typeof format === 'string' ? format : null
  } catch {
    // It is for a note alone.
    return null
  }
}

export async function saveSourceFormat(loaded: LoadedConfig): Promise<void> {
  const { format } = loaded.config.source
  await nodeFileSystem.makeDirectory(statePath(loaded))
  await replaceFile(nodeFileSystem, filePath(loaded), Buffer.from(JSON.stringify({ format })))
}

function filePath(loaded: LoadedConfig): string {
  return join(statePath(loaded), 'source-format.json')
}
