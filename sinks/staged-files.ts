/**
 * Staging in folders, as ORC:
 *
 *     struct<kind:tinyint, key:binary, leaves:string, sent:string, position:string,
 *            source_ms:bigint, row:struct<columns…>>
 *
 * `kind` is 0 upsert, 1 patch, 2 delete; `leaves` the partitions as a JSON list, null when unknown;
 * `sent` the ids of a patch's columns as a JSON list, null for a whole row; `row` null for a delete.
 * Presence is by column id and never by place: the columns of a table move.
 */
import { join } from 'node:path'
import { assert } from '../model/errors.ts'
import type { Leaves, NetChange } from '../model/net-change.ts'
import { alignValues } from '../model/net-change.ts'
import type { RowValues } from '../model/row-codec.ts'
import type { OffsetRange, StagedBatch, StagedFile } from '../model/staged-batch.ts'
import type { TableSchema } from '../model/table-schema.ts'
import type { Value } from '../model/value.ts'
import type { OrcStructType, OrcValue } from '../orc/index.ts'
import type { Random } from '../runtime/random.ts'
import { ClosingFiles } from './closing-files.ts'
import { fileNameOf } from './file-names.ts'
import { OrcFileWriter, readOrcRows } from './orc-files.ts'
import { orcTypeOf } from './orc-types.ts'
import type { StagedWindow, Staging, TaskOwner } from './staging.ts'
import type { StagingFiles } from './staging-files.ts'

const kinds = ['upsert', 'patch', 'delete'] as const
const unsealed = '.writing'
/** They are read once and whole: small stripes keep memory low and slices of work short. */
const stripeBytes = 8 * 1024 * 1024

interface OpenFile {
  /** While the window is not sealed. */
  readonly unsealedPath: string
  /** In records: below the root. */
  readonly path: string
  readonly closing: ClosingFiles
}

export class StagedFiles implements Staging {
  readonly #files: StagingFiles
  readonly #root: string
  readonly #random: Random

  constructor(options: { files: StagingFiles; root: string; random: Random }) {
    this.#files = options.files
    this.#root = options.root
    this.#random = options.random
  }

  async openWindow({ task, token }: TaskOwner, range: OffsetRange): Promise<StagedWindow> {
    const attempt = `${range.from}-${range.to}-${token}-${this.#random.id().slice(0, 8)}`
    const folder = join(fileNameOf(task), attempt)
    const writing = join(this.#root, `${folder}${unsealed}`)
    await this.#files.makeDirectory(writing)
    const closing = new ClosingFiles()
    const counts = new Map<string, number>()
    return {
      write: async (table, schema, changes) => {
        const count = (counts.get(table) ?? 0) + 1
        counts.set(table, count)
        // No name of a table has the character between.
        const name = count === 1 ? fileNameOf(table) : `${fileNameOf(table)}~${count}`
        const path = `${folder}/${name}.orc`
        const file = { unsealedPath: join(writing, `${name}.orc`), path, closing }
        return await this.#write(file, table, schema, changes)
      },
      seal: async () => {
        await closing.all()
        await this.#files.syncDirectory(writing)
        await this.#files.rename(writing, join(this.#root, folder))
        await this.#files.syncDirectory(join(this.#root, fileNameOf(task)))
      },
    }
  }

  async *read(batch: StagedBatch): AsyncGenerator<readonly NetChange[]> {
    let rows = 0
    for (const { path } of batch.files) {
      for await (const part of readOrcRows(this.#files, join(this.#root, path))) {
        rows += part.length
        yield part.map(row => readChange(row, batch.schema))
      }
    }
    assert(rows === batch.rowCount, () => `a batch of ${batch.rowCount} rows has ${rows}`, {
      table: batch.table,
      task: batch.task,
    })
  }

  async remove(batch: StagedBatch): Promise<void> {
    for (const { path } of batch.files) {
      await this.#files.remove(join(this.#root, path))
      const folder = join(this.#root, path, '..')
      if ((await this.#files.list(folder)).length === 0) await this.#files.remove(folder)
    }
  }

  async sweep({ task, token }: TaskOwner, named: readonly StagedBatch[]): Promise<void> {
    const folder = join(this.#root, fileNameOf(task))
    const paths = named.flatMap(batch => batch.files.map(file => file.path))
    for (const attempt of await this.#files.list(folder)) {
      if (tokenOf(attempt) >= token) continue
      const prefix = `${fileNameOf(task)}/${attempt}/`
      if (paths.some(path => path.startsWith(prefix))) continue
      await this.#files.remove(join(folder, attempt))
    }
  }

  async #write(
    { unsealedPath, path, closing }: OpenFile,
    table: string,
    schema: TableSchema,
    changes: AsyncIterable<readonly NetChange[]>,
  ): Promise<StagedFile> {
    const file = await OrcFileWriter.create(
      this.#files,
      unsealedPath,
      stagedType(schema),
      // It is read once, and soon.
      { stripeBytes, compressionLevel: 1, dictionaryThreshold: 0 },
    )
    let firstKey: string | null = null
    let lastKey = ''
    let isUpserts = true
    const { sizeBytes, rowCount } = await orAbort(file, async () => {
      const toRow = stagedRows(schema)
      for await (const part of changes) {
        for (const change of part) {
          assert(change.key > lastKey, 'a batch has two rows of one key', { table })
          firstKey ??= change.key
          lastKey = change.key
          isUpserts &&= change.kind === 'upsert'
          if (file.writeRow(toRow(change))) await file.flush()
        }
      }
      return await file.finish()
    })
    await closing.add(sizeBytes, async () => {
      await orAbort(file, () => file.close())
    })
    const keys = firstKey === null ? {} : { keys: { first: firstKey, last: lastKey } }
    return { path, sizeBytes, rowCount, isUpserts, ...keys }
  }
}

async function orAbort<T>(file: OrcFileWriter, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    await file.abort()
    throw error
  }
}

/** Of a folder; -1 where the name has none, as in versions before. */
function tokenOf(attempt: string): number {
  const parts = attempt.split('-')
  return parts.length < 4 ? -1 : Number(parts[2])
}

function stagedType(schema: TableSchema): OrcStructType {
  const columns = schema.columns.map(({ name, type }) => ({ name, type: orcTypeOf(type) }))
  return {
    kind: 'struct',
    fields: [
      { name: 'kind', type: { kind: 'byte' } },
      { name: 'key', type: { kind: 'binary' } },
      { name: 'leaves', type: { kind: 'string' } },
      { name: 'sent', type: { kind: 'string' } },
      { name: 'position', type: { kind: 'string' } },
      { name: 'source_ms', type: { kind: 'long' } },
      { name: 'row', type: { kind: 'struct', fields: columns } },
    ],
  }
}

function stagedRows(schema: TableSchema): (change: NetChange) => readonly OrcValue[] {
  const ids = schema.columns.map(({ id }) => id)
  return change => {
    const values = change.row === null ? null : alignValues(change, schema)
    const sent = change.kind === 'patch' ? ids.filter((_, at) => values![at] !== undefined) : null
    return [
      kinds.indexOf(change.kind),
      Buffer.from(change.key, 'latin1'),
      leavesText(change.leaves),
      sent === null ? null : JSON.stringify(sent),
      change.last.position,
      change.last.sourceMs,
      sent === null
        ? (values as readonly Value[] | null)
        : values!.map(value => (value === undefined ? null : value)),
    ]
  }
}

function leavesText(leaves: Leaves): string | null {
  if (leaves === 'unknown') return null
  return leaves.length === 0 ? noLeaves : JSON.stringify(leaves)
}

function leavesOf(text: string | null): Leaves {
  if (text === null) return 'unknown'
  return text === noLeaves ? [] : (JSON.parse(text) as string[])
}

/** Of every change of a table without partitions. */
const noLeaves = '[]'

function readChange(row: readonly OrcValue[], schema: TableSchema): NetChange {
  const [kindNumber, key, leaves, sent, position, sourceMs, values] = row
  const kind = kinds[kindNumber as number]
  assert(kind !== undefined, 'a staged row is of unknown kind')
  return {
    kind,
    key: Buffer.from(key as Uint8Array).toString('latin1'),
    leaves: leavesOf(leaves as string | null),
    schema,
    row: kind === 'delete' ? null : presentValues(values as readonly Value[], sent, schema),
    last: { position: position as string, sourceMs: Number(sourceMs) },
  }
}

function presentValues(
  values: readonly Value[],
  sent: OrcValue | undefined,
  schema: TableSchema,
): RowValues {
  if (sent === null) return values
  const ids = new Set(JSON.parse(sent as string) as string[])
  return values.map((value, index) => (ids.has(schema.columns[index]!.id) ? value : undefined))
}
