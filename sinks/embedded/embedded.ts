/** The embedded warehouse as a sink of a topology. */
import { join } from 'node:path'
import type { PartitionBy } from '../../model/partition-by.ts'
import { parsePartitionBy } from '../../model/partition-by.ts'
import type { GivenPolicy } from '../../model/schema-change.ts'
import { policyOf } from '../../model/schema-change.ts'
import { localStagingFiles } from '../local-staging-files.ts'
import { StagedFiles } from '../staged-files.ts'
import type { WarehouseSink } from '../warehouse.ts'
import { EmbeddedWarehouse } from './embedded-warehouse.ts'

export interface EmbeddedOptions {
  /** Folder of the tables. */
  readonly path: string
  /** Everything goes to this table; by default a table keeps its name. */
  readonly table?: string
  /** `column` or `year_month(column)`; or by table, where several tables go through. */
  readonly partitionBy?: string | ((table: string) => PartitionBy | null)
  /** What becomes of changes of the source's columns, of tables of which no rule says it. */
  readonly schemaChanges?: GivenPolicy
  readonly targetFileBytes?: number
  readonly targetFileRows?: number
  /** Folder of staged windows; by default below the state folder. Instances share it. */
  readonly stagingPath?: string
  /** How long files stay that left a table, for readers that began before; 60 s by default. */
  readonly retainMs?: number
}

export function embedded(options: EmbeddedOptions): WarehouseSink {
  const { partitionBy, path, table } = options
  const fixed = typeof partitionBy === 'string' ? parsePartitionBy(partitionBy) : null
  const policy = policyOf(options.schemaChanges)
  return {
    name: `embedded:${path}`,
    targetOf: source => ({
      table: table ?? source,
      partitionBy: typeof partitionBy === 'function' ? partitionBy(source) : fixed,
    }),
    policyOf: () => policy,
    open: context => ({
      warehouse: new EmbeddedWarehouse({ ...context, ...options, root: path }),
      staging: new StagedFiles({
        files: localStagingFiles(context.fileSystem),
        random: context.random,
        root: options.stagingPath ?? join(context.stateDir, 'staging'),
      }),
    }),
  }
}
