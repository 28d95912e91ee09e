/** An embedded warehouse over simulated files, and what a reader and the disk say of a table. */
import type { NetChange } from '../../../model/net-change.ts'
import type { FollowedSchema } from '../../../model/schema-change.ts'
import { followedFrom, policyOf } from '../../../model/schema-change.ts'
import type { ApplyReceipt } from '../../../model/staged-batch.ts'
import type { TableSchema } from '../../../model/table-schema.ts'
import { evolveSchema } from '../../../processors/evolve-schema.ts'
import type { FileSystem } from '../../../runtime/file-system.ts'
import { seededRandom } from '../../../runtime/random.ts'
import type { EmbeddedWarehouseOptions } from '../../../sinks/embedded/embedded-warehouse.ts'
import { EmbeddedWarehouse } from '../../../sinks/embedded/embedded-warehouse.ts'
import type { EmbeddedTable } from '../../../sinks/embedded/table-reader.ts'
import { openTable } from '../../../sinks/embedded/table-reader.ts'
import type { AppliedThrough, ApplyRequest } from '../../../sinks/warehouse.ts'
import { ManualClock } from '../../../testkit/manual-clock.ts'
import { SimulatedFileSystem } from '../../../testkit/simulated-file-system.ts'
import { lineOf } from './model-table.ts'

export const root = '/warehouse'
export const tableName = 'ods.t'
export const dataFolder = `${root}/ods/t/data`
export const topicId = 'staged'

type Options = Partial<EmbeddedWarehouseOptions>

const neverAborted = new AbortController().signal

/** One application's way to a table: it asks for applies as the merger does. */
export class TableDriver {
  readonly files: FileSystem
  readonly clock: ManualClock
  readonly #options: Options
  #warehouse: EmbeddedWarehouse
  #seed = 1
  after: AppliedThrough | null = null
  token = 0
  #followed: FollowedSchema | null = null

  constructor(options: Options = {}) {
    this.files = options.fileSystem ?? new SimulatedFileSystem({ random: seededRandom(1) })
    this.clock = (options.clock as ManualClock | undefined) ?? new ManualClock()
    this.#options = options
    this.#warehouse = this.#newWarehouse()
  }

  /** A new owner: it has nothing in memory, and learns from the table how far that is. */
  async open(table = tableName): Promise<AppliedThrough | null> {
    this.#warehouse = this.#newWarehouse()
    const opened = await this.#warehouse.open(table)
    this.after = opened?.through ?? null
    this.#followed = opened?.followed ?? null
    return this.after
  }

  /** The request for the changes, as the next of the table. */
  request(
    changes: readonly NetChange[],
    schema: TableSchema,
    rest: Partial<ApplyRequest> = {},
  ): () => ApplyRequest {
    const after = this.after
    const through = { topicId, offset: (after?.offset ?? -1) + 1 }
    return () => ({
      table: tableName,
      token: this.token,
      after,
      through,
      followed: this.#follow(schema),
      partitionBy: null,
      truncate: 'none',
      changes: inParts(changes),
      areNew: false,
      attempt: 1,
      isInDoubt: false,
      claim: () => Promise.resolve(),
      signal: neverAborted,
      ...rest,
    })
  }

  async apply(request: ApplyRequest): Promise<ApplyReceipt> {
    const receipt = await this.#warehouse.apply(request)
    this.after = request.through
    this.#followed = request.followed
    return receipt
  }

  /** As a merger does by default. */
  #follow(schema: TableSchema): FollowedSchema {
    const batch = { schema, sourceMs: { first: 0, last: 0 } }
    const options = { policy: policyOf(), others: new Set<string>(), failed: new Set<string>() }
    return evolveSchema(this.#followed, batch, options) ?? followedFrom(schema)
  }

  async applyChanges(
    changes: readonly NetChange[],
    schema: TableSchema,
    rest: Partial<ApplyRequest> = {},
  ): Promise<ApplyReceipt> {
    return await this.apply(this.request(changes, schema, rest)())
  }

  async table(): Promise<EmbeddedTable> {
    return await openTable(this.files, root, tableName)
  }

  async lines(): Promise<string[]> {
    return await linesOf(await this.table())
  }

  #newWarehouse(): EmbeddedWarehouse {
    this.#seed += 1
    return new EmbeddedWarehouse({
      fileSystem: this.files,
      clock: this.clock,
      random: seededRandom(this.#seed),
      root,
      reach: () => undefined,
      ...this.#options,
    })
  }
}

export async function linesOf({ rows }: EmbeddedTable): Promise<string[]> {
  const lines: string[] = []
  for await (const part of rows()) {
    for (const { values, mark } of part) lines.push(lineOf(values, mark.position))
  }
  return lines
}

/** Paths of all files below the folder, relative to it. */
export async function filesBelow(files: FileSystem, folder: string): Promise<string[]> {
  const found: string[] = []
  for (const name of await files.list(folder)) {
    const path = `${folder}/${name}`
    if ((await files.stat(path))?.isDirectory !== true) found.push(name)
    else found.push(...(await filesBelow(files, path)).map(inner => `${name}/${inner}`))
  }
  return found.sort()
}

export async function* inParts(
  changes: readonly NetChange[],
): AsyncGenerator<readonly NetChange[]> {
  for (let start = 0; start < changes.length; start += 4) {
    yield changes.slice(start, start + 4)
    await Promise.resolve()
  }
}
