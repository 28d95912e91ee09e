/** Attempts over simulated files, and what Hive would read of them. */
import type { NetChange } from '../../../model/net-change.ts'
import type { PartitionBy } from '../../../model/partition-by.ts'
import type { TableSchema } from '../../../model/table-schema.ts'
import type { OrcValue } from '../../../orc/index.ts'
import { seededRandom } from '../../../runtime/random.ts'
import type { AttemptName, WrittenAttempt } from '../../../sinks/hive/attempt-files.ts'
import { AttemptFiles } from '../../../sinks/hive/attempt-files.ts'
import { localStagingFiles } from '../../../sinks/local-staging-files.ts'
import { readOrcRows } from '../../../sinks/orc-files.ts'
import { SimulatedFileSystem } from '../../../testkit/simulated-file-system.ts'
import { filesBelow, inParts } from '../embedded/warehouses.ts'

export const root = '/staging/apply'
export const first: AttemptName = { table: 'shop.orders', token: 5, attempt: 1 }

/** A row of the file: op, sent, search, place, then the source's columns. */
export interface AttemptRow {
  readonly op: number
  readonly sent: string | null
  readonly search: boolean
  readonly place: string | null
  readonly values: readonly OrcValue[]
}

export interface Written {
  readonly attempt: WrittenAttempt
  readonly rows: readonly AttemptRow[]
}

export interface WriteOptions {
  readonly name?: AttemptName
  readonly isWhole?: boolean
  readonly oldRows?: 'if-there'
}

export class AttemptSite {
  readonly fileSystem = new SimulatedFileSystem({ random: seededRandom(1) })
  readonly files = localStagingFiles(this.fileSystem)
  readonly attempts = new AttemptFiles({
    files: this.files,
    root,
    random: seededRandom(2),
    compression: 'zlib',
  })

  async write(
    changes: readonly NetChange[],
    schema: TableSchema,
    partitionBy: PartitionBy | null = null,
    { name = first, isWhole = false, oldRows: asked }: WriteOptions = {},
  ): Promise<Written> {
    const oldRows = changes.some(({ movedFrom }) => movedFrom !== undefined)
      ? (asked ?? 'all')
      : undefined
    const content = { schema, partitionBy, changes: inParts(changes), isWhole, oldRows } as const
    const attempt = await this.attempts.write(name, content)
    const rows: AttemptRow[] = []
    for await (const part of readOrcRows(this.files, attempt.file)) {
      for (const [op, sent, search, place, ...values] of part) {
        rows.push({
          op: Number(op),
          sent: sent as string | null,
          search: search as boolean,
          place: place as string | null,
          values,
        })
      }
    }
    return { attempt, rows }
  }

  /** Folders of attempts, without their random ends. */
  async folders(): Promise<readonly string[]> {
    const paths = await filesBelow(this.fileSystem, root)
    return paths.map(path => path.replace(/-[^/-]+\/changes\.orc$/, ''))
  }
}
