/** From a configuration to its warehouse and its staging. */
import { join, resolve } from 'node:path'
import { silentLogger } from '../observe/logger.ts'
import { systemClock } from '../runtime/clock.ts'
import { nodeFileSystem } from '../runtime/file-system.ts'
import { systemRandom } from '../runtime/random.ts'
import { embedded } from '../sinks/embedded/embedded.ts'
import { hive } from '../sinks/hive/hive.ts'
import type { HiveAuth, HiveConnectionOptions } from '../sinks/hive/hive-options.ts'
import { localStagingFiles } from '../sinks/local-staging-files.ts'
import type { StagingFiles } from '../sinks/staging-files.ts'
import type { SinkContext, WarehouseSink } from '../sinks/warehouse.ts'
import type { TlsOptions } from '../sinks/webhdfs/exchange.ts'
import type { WebHdfsOptions } from '../sinks/webhdfs/webhdfs-staging-files.ts'
import { WebHdfsStagingFiles } from '../sinks/webhdfs/webhdfs-staging-files.ts'
import type { LoadedConfig } from './config.ts'
import type { StagingConfig } from './staging-schema.ts'
import { UsageError } from './usage-error.ts'
import type { HiveWarehouseConfig } from './warehouse-schema.ts'
import { withoutUndefined } from './without-undefined.ts'

/** Folder of the embedded warehouse. UsageError when the tables are elsewhere. */
export function warehousePath({ config, folder, path }: LoadedConfig): string {
  if (config.warehouse.type === 'embedded') return resolve(folder, config.warehouse.path)
  const { host, port } = config.warehouse
  throw new UsageError(`the tables of ${path} are in Hive (${host}:${port}): ask it`)
}

export function statePath({ config, folder }: LoadedConfig): string {
  return resolve(folder, config.state.path, config.applicationId)
}

/** Instances over Kafka share their staging, and have no state folder in common. */
export function stagingPath(loaded: LoadedConfig): string {
  const { config, folder } = loaded
  const { staging, warehouse, applicationId } = config
  if (staging.type === 'webhdfs') return join(staging.path, applicationId)
  if (staging.path !== undefined) {
    const path = resolve(folder, staging.path)
    // A folder that Hive reads is shared by applications.
    return warehouse.type === 'hive' ? join(path, applicationId) : path
  }
  return config.source.type === 'file' || warehouse.type === 'hive'
    ? join(statePath(loaded), 'staging')
    : join(warehousePath(loaded), '.staging', applicationId)
}

/** The files of staging, for who looks at them beside a run. */
export function openStagingFiles({ config }: LoadedConfig): StagingFiles {
  return stagingOf(config)({
    fileSystem: nodeFileSystem,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  })
}

type FilesContext = Pick<SinkContext, 'fileSystem' | 'clock' | 'random' | 'logger'>

function stagingOf({ staging }: LoadedConfig['config']): (context: FilesContext) => StagingFiles {
  if (staging.type === 'local') return ({ fileSystem }) => localStagingFiles(fileSystem)
  return ({ clock, random, logger }) => {
    return new WebHdfsStagingFiles({ ...webHdfsOptions(staging), clock, random, logger })
  }
}

function webHdfsOptions(
  staging: Extract<StagingConfig, { type: 'webhdfs' }>,
): Omit<WebHdfsOptions, 'clock' | 'random' | 'logger'> {
  const { urls, location, user, delegationToken, tls, requestTimeout, retryTimeout } = staging
  return {
    urls,
    location,
    ...(user === undefined ? {} : { user }),
    ...(delegationToken === undefined ? {} : { delegationToken }),
    ...(tls === undefined ? {} : { tls: withoutUndefined(tls) as TlsOptions }),
    requestTimeoutMs: requestTimeout,
    retryTimeoutMs: retryTimeout,
  }
}

export function sinkOf(loaded: LoadedConfig): WarehouseSink {
  const { warehouse } = loaded.config
  if (warehouse.type === 'embedded') {
    return embedded({
      path: warehousePath(loaded),
      stagingPath: stagingPath(loaded),
      targetFileBytes: warehouse.targetFileSize,
      retainMs: warehouse.retain,
    })
  }
  return hive({
    connection: connectionOf(warehouse),
    staging: stagingOf(loaded.config),
    stagingPath: stagingPath(loaded),
    database: warehouse.database,
    version: warehouse.version,
    sessions: warehouse.sessions,
    keeps: { maxAgeMs: warehouse.keepStaged.maxAge, maxBytes: warehouse.keepStaged.maxSize },
    drainTimeoutMs: warehouse.drainTimeout,
    buckets: warehouse.buckets,
  })
}

export function connectionOf(warehouse: HiveWarehouseConfig): HiveConnectionOptions {
  const { host, port, httpPath, auth, tls, settings, statementTimeout } = warehouse
  return {
    host,
    port,
    ...(httpPath === undefined ? {} : { transport: { type: 'http', path: httpPath } }),
    auth: withoutUndefined(auth) as HiveAuth,
    ...(tls === undefined ? {} : { tls: withoutUndefined(tls) as never }),
    sessionSettings: settings,
    limits: { statementTimeoutMs: statementTimeout },
  }
}
