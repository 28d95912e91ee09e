/** Hive as a sink of a topology: staging that Hive can read, and tables that follow by `MERGE`. */
import { ConfigError } from '../../model/errors.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import { parsePartitionBy } from '../../model/partition-by.ts'
import type { GivenPolicy } from '../../model/schema-change.ts'
import { policyOf } from '../../model/schema-change.ts'
import { StagedFiles } from '../staged-files.ts'
import type { StagingFiles } from '../staging-files.ts'
import type { KeepLimits, SinkContext, WarehouseSink } from '../warehouse.ts'
import { AttemptFiles } from './attempt-files.ts'
import type { HiveConnectionOptions } from './hive-options.ts'
import { hiveAddress } from './hive-options.ts'
import { HiveSessions } from './hive-sessions.ts'
import { HiveWarehouse } from './hive-warehouse.ts'
import type { HiveVersion } from './target-table.ts'

export interface HiveOptions {
  readonly connection: HiveConnectionOptions
  /** Files that Hive can read as well. */
  readonly staging: (context: SinkContext) => StagingFiles
  /** Folder of staged windows and of attempts; an application has its own. */
  readonly stagingPath: string
  /** Everything goes to this table; by default a table keeps its name. */
  readonly table?: string
  /** `column` or `year_month(column)`; or by table, where several tables go through. */
  readonly partitionBy?: string | ((table: string) => PartitionBy | null)
  /** What becomes of changes of the source's columns, of tables of which no rule says it. */
  readonly schemaChanges?: GivenPolicy
  /** Of targets that are named without one: `default`. */
  readonly database?: string
  /** Default `4.0`. */
  readonly version?: HiveVersion
  /** Tables that are applied to at once: 2. */
  readonly sessions?: number
  /** For how long, and how much of a table, staged files are kept for truncates: 15 min, 64 MiB. */
  readonly keeps?: KeepLimits
  /** How long statements that are open on a table are waited for when one of ours is in doubt: 10 min. */
  readonly drainTimeoutMs?: number
  /** Of new tables, for Hive 2.3: 4. */
  readonly buckets?: number
}

const defaultDrainTimeoutMs = 10 * 60_000

/**
 * What every session needs (docs/hive.md): `hive.tez.auto.reducer.parallelism` lost and doubled rows of a
 * `MERGE` into a partitioned table, and without the cost-based optimizer Hive cannot compile one. What is only
 * useful may be set otherwise: the check of cardinality costs a third of a `MERGE`, and what it would find
 * is asserted before the file is closed.
 */
const neededSettings: Readonly<Record<string, string>> = {
  'hive.support.concurrency': 'true',
  'hive.txn.manager': 'org.apache.hadoop.hive.ql.lockmgr.DbTxnManager',
  'hive.exec.dynamic.partition.mode': 'nonstrict',
  'hive.tez.auto.reducer.parallelism': 'false',
  'hive.cbo.enable': 'true',
}

/**
 * With direct inserts, a statement that is ended by force leaves a folder `-tmp.delete_delta_…` in the table,
 * which every reader then takes for rows and fails. Hive before 4.0 has none, and opens no session for who
 * names a setting that it does not know. Found by name, and not by place, columns that were renamed lose the
 * values of old rows: by place is what Hive 4.0 does unless it is told otherwise.
 */
const neededSettings4: Readonly<Record<string, string>> = {
  'hive.acid.direct.insert.enabled': 'false',
  'orc.force.positional.evolution': 'true',
}

const usefulSettings: Readonly<Record<string, string>> = {
  'hive.merge.cardinality.check': 'false',
  'hive.server2.thrift.resultset.serialize.in.tasks': 'false',
  'hive.stats.autogather': 'false',
  'hive.exec.max.dynamic.partitions': '10000',
  'hive.exec.max.dynamic.partitions.pernode': '10000',
}

/** Of every session. ConfigError `config-invalid` for a setting that must not be. */
export function settingsOf(
  { sessionSettings = {} }: HiveConnectionOptions,
  version: HiveVersion,
): Record<string, string> {
  const needed = { ...neededSettings, ...(version === '4.0' ? neededSettings4 : {}) }
  for (const [name, value] of Object.entries(needed)) {
    const given = sessionSettings[name]
    if (given === undefined || given.trim().toLowerCase() === value.toLowerCase()) continue
    throw new ConfigError('config-invalid', `tables would be wrong unless ${name} is ${value}`)
  }
  return { ...usefulSettings, ...sessionSettings, ...needed }
}

/** Throws ConfigError `config-invalid` for a setting that must not be. */
export function hive(options: HiveOptions): WarehouseSink {
  const { partitionBy, table, connection, stagingPath: root } = options
  const fixed = typeof partitionBy === 'string' ? parsePartitionBy(partitionBy) : null
  const policy = policyOf(options.schemaChanges)
  const version = options.version ?? '4.0'
  const settings = settingsOf(connection, version)
  const name = `hive:${hiveAddress(connection)}`
  return {
    name,
    targetOf: source => ({
      table: table ?? source,
      partitionBy: typeof partitionBy === 'function' ? partitionBy(source) : fixed,
    }),
    policyOf: () => policy,
    open: context => {
      const { clock, random } = context
      const files = options.staging(context)
      const parallel = options.sessions ?? 2
      return {
        staging: new StagedFiles({ files, root, random }),
        warehouse: new HiveWarehouse({
          ...context,
          name,
          version,
          parallel,
          keeps: options.keeps,
          sessions: new HiveSessions({ ...connection, sessionSettings: settings }, clock, parallel),
          attempts: new AttemptFiles({
            files,
            root: `${root}/apply`,
            random,
            // ORC of Hive before 4.0 has no zstd.
            compression: version === '4.0' ? 'zstd' : 'zlib',
          }),
          database: options.database ?? 'default',
          drainTimeoutMs: options.drainTimeoutMs ?? defaultDrainTimeoutMs,
          buckets: options.buckets ?? 4,
        }),
      }
    },
  }
}
