/** What tests of staged files are made of: a schema, its changes, and batches of them. */
import type { ColumnType } from '../../model/column-type.ts'
import type { NetChange } from '../../model/net-change.ts'
import { alignValues } from '../../model/net-change.ts'
import type { RowValues } from '../../model/row-codec.ts'
import type { StagedBatch, StagedFile } from '../../model/staged-batch.ts'
import type { Column, TableSchema } from '../../model/table-schema.ts'
import { internSchema } from '../../model/table-schema.ts'
import { seededRandom } from '../../runtime/random.ts'
import { StagedFiles } from '../../sinks/staged-files.ts'
import type { StagingFiles } from '../../sinks/staging-files.ts'
import { valueText } from './arbitraries.ts'

/** Where a test stages: `root` is its own. */
export interface StagingPlace {
  readonly files: StagingFiles
  readonly root: string
}

export const task = '1_0'
/** Of the owner that stages, and of one after it. */
export const owner = { task, token: 7 }
export const nextOwner = { task, token: 8 }

export function stagingIn({ files, root }: StagingPlace, seed = 1): StagedFiles {
  return new StagedFiles({ files, root, random: seededRandom(seed) })
}

export function column(id: string, type: ColumnType, rest: Partial<Column> = {}): Column {
  return { id, name: id, type, nullable: true, ...rest }
}

export const twoColumns = internSchema({
  columns: [column('id', { kind: 'int' }), column('v', { kind: 'string' })],
  key: ['id'],
})

export function upsert(key: string, row: RowValues = [1, 'v'], schema = twoColumns): NetChange {
  return { kind: 'upsert', key, row, schema, leaves: [], last: { position: 'p', sourceMs: 1 } }
}

export async function* batches(
  changes: readonly NetChange[],
): AsyncGenerator<readonly NetChange[]> {
  for (let start = 0; start < changes.length; start += 3) {
    yield changes.slice(start, start + 3)
    await Promise.resolve()
  }
}

export function batchOf(
  files: readonly StagedFile[],
  schema: TableSchema,
  rest: Partial<StagedBatch> = {},
) {
  return {
    table: 'ods.t',
    partitionBy: null,
    task,
    range: { from: 0, to: 1 },
    schema,
    files,
    rowCount: files.reduce((sum, file) => sum + file.rowCount, 0),
    eventCount: 0,
    truncate: null,
    sourceMs: { first: 0, last: 0 },
    ...rest,
  } satisfies StagedBatch
}

export async function stage(
  staging: StagedFiles,
  changes: readonly NetChange[],
  { schema = twoColumns, range = { from: 0, to: 1 }, table = 'ods.t', by = owner } = {},
): Promise<StagedBatch> {
  const window = await staging.openWindow(by, range)
  const file = await window.write(table, schema, batches(changes))
  await window.seal()
  return batchOf([file], schema, { table, range, task: by.task })
}

export async function readBack(staging: StagedFiles, batch: StagedBatch): Promise<NetChange[]> {
  const all: NetChange[] = []
  for await (const part of staging.read(batch)) all.push(...part)
  return all
}

/** A change as text, its row under the given schema. */
export function changeText(change: NetChange, schema: TableSchema): string {
  const { kind, leaves, last, key } = change
  const row = change.row === null ? null : alignValues(change, schema).map(valueText)
  return JSON.stringify([kind, key, row, leaves, last.position, last.sourceMs])
}
