/**
 * What earlier runs made of each source table, in `source-tables.json` of the state folder: where its
 * events went, or that they were passed over or refused. A later run does not read them again, so this
 * is what it can tell from. Written at the end of a run.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { StateError } from '../model/errors.ts'
import type { TableRouter } from '../processors/route-tables.ts'
import { nodeFileSystem, replaceFile } from '../runtime/file-system.ts'
import type { LoadedConfig } from './config.ts'
import { statePath } from './warehouse.ts'

const fileSchema = z.record(
  z.string(),
  z.strictObject({
    /** Null: no rule named the table. */
    target: z.string().nullable(),
    /** The table had no key. */
    isRefused: z.boolean(),
  }),
)

export interface EarlierTable {
  readonly target: string | null
  readonly isRefused: boolean
}

/** By source table, in the order of their names. StateError `state-corrupt`. */
export async function readSourceTables(
  loaded: LoadedConfig,
): Promise<ReadonlyMap<string, EarlierTable>> {
  const path = filePath(loaded)
  if ((await nodeFileSystem.stat(path)) === null) return new Map()
  const text = (await nodeFileSystem.readFile(path)).toString('utf8')
  const found = fileSchema.safeParse(parseJson(text))
  if (!found.success) {
    const message = 'the list of source tables that earlier runs saw is damaged'
    throw new StateError('state-corrupt', message, { context: { file: path } })
  }
  return new Map(Object.entries(found.data).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Tables that this run did not see stay as they are. */
export async function saveSourceTables(
  loaded: LoadedConfig,
  earlier: ReadonlyMap<string, EarlierTable>,
  router: TableRouter,
): Promise<void> {
  const seen = [...router.seen()].map(([table, { target, isRefused }]) => {
    return [table, { target: target?.name ?? null, isRefused }] as const
  })
  if (seen.length === 0) return
  const tables = Object.fromEntries([...earlier, ...seen])
  await nodeFileSystem.makeDirectory(statePath(loaded))
  await replaceFile(nodeFileSystem, filePath(loaded), Buffer.from(JSON.stringify(tables)))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function filePath(loaded: LoadedConfig): string {
  return join(statePath(loaded), 'source-tables.json')
}
