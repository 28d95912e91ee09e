/** The database of a configuration. Its client is loaded only where it is used. */
import type { ConnectorSettings } from '../../formats/connector-settings.ts'
import type { LoadedConfig } from '../config.ts'
import type { DatabaseConfig } from '../database-schema.ts'
import { withoutUndefined } from '../without-undefined.ts'
import type { SourceDatabase } from './source-database.ts'

/** Null when the configuration names none. */
export async function openDatabase({ config }: LoadedConfig): Promise<SourceDatabase | null> {
  const { database, connector } = config.source
  if (database === undefined) return null
  const settings = withoutUndefined(connector) as ConnectorSettings
  const { tls, ...rest } = database
  const given = withoutUndefined({
    ...rest,
    tls: tls && withoutUndefined(tls),
  }) as DatabaseConfig
  if (database.type === 'postgres') {
    const { PostgresDatabase } = await import('./postgres-database.ts')
    return new PostgresDatabase(given, settings)
  }
  const { MysqlDatabase } = await import('./mysql-database.ts')
  return new MysqlDatabase(given, settings)
}
