/** `verify` over the servers of the stack: of a database of theirs, and of Hive. */
import { inject } from 'vitest'
import type { DatabaseConfig } from '../../../cli/database-schema.ts'
import { HiveTarget } from '../../../cli/verify/hive-target.ts'
import { MysqlDatabase } from '../../../cli/verify/mysql-database.ts'
import { PostgresDatabase } from '../../../cli/verify/postgres-database.ts'
import type { SourceDatabase } from '../../../cli/verify/source-database.ts'
import type { VerifyReport } from '../../../cli/verify/verify-tables.ts'
import { verifyTables } from '../../../cli/verify/verify-tables.ts'
import type { FollowedSchema } from '../../../model/schema-change.ts'
import type { TableRule } from '../../../processors/route-tables.ts'
import { TableRouter } from '../../../processors/route-tables.ts'
import { portOf } from '../../../scripts/stack/parts.ts'
import type { DatabaseKind } from './databases.ts'

export function databaseConfig(kind: DatabaseKind): DatabaseConfig {
  const port = portOf(kind, inject('stack'))
  return kind === 'mariadb'
    ? { type: 'mariadb', host: '127.0.0.1', port, user: 'root', password: 'root' }
    : {
        type: 'postgres',
        host: '127.0.0.1',
        port,
        user: 'postgres',
        password: 'postgres',
        database: 'demo',
      }
}

export function openDatabase(kind: DatabaseKind): SourceDatabase {
  const config = databaseConfig(kind)
  return kind === 'mariadb' ? new MysqlDatabase(config, {}) : new PostgresDatabase(config, {})
}

export interface VerifyChoices {
  readonly rangeRows?: number
  /** As the log of the application says. */
  readonly followed?: ReadonlyMap<string, FollowedSchema>
}

export async function verifyInHive(
  kind: DatabaseKind,
  rules: readonly TableRule[],
  { rangeRows = 1_000_000, followed }: VerifyChoices = {},
): Promise<VerifyReport> {
  const source = openDatabase(kind)
  const target = new HiveTarget(inject('hive'), 'default', '4.0', followed)
  try {
    const router = new TableRouter(rules)
    return await verifyTables({ source, target, router, rules, maxDifferences: 20, rangeRows })
  } finally {
    await source.close()
    await target.close()
  }
}
