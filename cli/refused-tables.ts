/**
 * The list of tables that were refused because they have no key: `forager tables` shows it until the
 * configuration gives them one. It is kept beside the log, because a later run does not read their
 * events again.
 */
import { join } from 'node:path'
import type { CounterRegistry } from '../observe/metrics.ts'
import { nodeFileSystem, replaceFile } from '../runtime/file-system.ts'
import { routerOf, statePath } from './application.ts'
import type { LoadedConfig } from './config.ts'

/** Source tables, sorted. */
export async function readRefused(loaded: LoadedConfig): Promise<readonly string[]> {
  const router = routerOf(loaded.config)
  return (await readList(listPath(loaded))).filter(table => {
    const target = router.targetOf(table)
    return target !== null && target.rule.key === undefined
  })
}

/** Adds those that a run refused. */
export async function saveRefused(loaded: LoadedConfig, metrics: CounterRegistry): Promise<void> {
  const counted = metrics
    .series('forager_events_refused_total')
    .map(({ labels }) => labels.table ?? '')
  if (counted.length === 0) return
  const tables = [...new Set([...(await readRefused(loaded)), ...counted])].sort()
  await replaceFile(nodeFileSystem, listPath(loaded), Buffer.from(JSON.stringify(tables)))
}

async function readList(path: string): Promise<readonly string[]> {
  if ((await nodeFileSystem.stat(path)) === null) return []
  return JSON.parse((await nodeFileSystem.readFile(path)).toString('utf8')) as string[]
}

function listPath(loaded: LoadedConfig): string {
  return join(statePath(loaded), 'refused.json')
}
