/** Tables of Hive, to be compared: each is read once, in the order of its key, in ranges of it. */
import type { ColumnType } from '../../model/column-type.ts'
import { parseColumnType } from '../../model/column-type.ts'
import { ConfigError, ForagerError } from '../../model/errors.ts'
import { nullPartition } from '../../model/partition-by.ts'
import type { FollowedSchema } from '../../model/schema-change.ts'
import type { Value } from '../../model/value.ts'
import { toInteger } from '../../model/value.ts'
import { systemClock } from '../../runtime/clock.ts'
import { describe } from '../../sinks/hive/describe-table.ts'
import { settingsOf } from '../../sinks/hive/hive.ts'
import type { HiveConnectionOptions } from '../../sinks/hive/hive-options.ts'
import type { HiveValue } from '../../sinks/hive/hive-rows.ts'
import { HiveSession } from '../../sinks/hive/hive-session.ts'
import type { TableName } from '../../sinks/hive/sql-text.ts'
import { parseTableName, quoteName, quoteTable } from '../../sinks/hive/sql-text.ts'
import type { HiveVersion } from '../../sinks/hive/target-table.ts'
import { monthColumn } from '../../sinks/hive/target-table.ts'
import { Unreadable } from './column-pairs.ts'
import type { KeyRange } from './source-database.ts'
import { whereSql } from './source-database.ts'
import type { FoundTable, TargetColumnFound, VerifyTarget } from './target.ts'
import { valueOfText } from './value-texts.ts'

/** A table is read for as long as it takes. */
const statementTimeoutMs = 24 * 3_600_000
/** Measured: larger parts cost HiveServer2 a third less than those of 1,000. */
const maxRowsPerFetch = 5_000

export class HiveTarget implements VerifyTarget {
  readonly name = 'Hive'
  readonly #session: HiveSession
  readonly #database: string
  readonly #followed: ReadonlyMap<string, FollowedSchema>

  /** `followed` is by table, as the log of the application says it. */
  constructor(
    connection: HiveConnectionOptions,
    database: string,
    version: HiveVersion,
    followed: ReadonlyMap<string, FollowedSchema> = new Map(),
  ) {
    this.#database = database
    this.#followed = followed
    this.#session = new HiveSession(
      {
        ...connection,
        sessionSettings: { 'hive.local.time.zone': 'UTC', ...settingsOf(connection, version) },
        limits: { ...connection.limits, statementTimeoutMs, maxRowsPerFetch },
      },
      systemClock,
    )
  }

  async find(table: string): Promise<FoundTable | null> {
    const name = parseTableName(table, this.#database)
    const found = await describe(this.#session, name)
    if (found === null) return null
    const { partition } = found
    const all = partition === null ? found.columns : [...found.columns, partition]
    return {
      columns: all.map(column => ({ name: column.name, declared: column.type })),
      madeColumns: partition?.name === monthColumn ? [monthColumn] : [],
      followed: this.#followed.get(table) ?? null,
      hasRanges: true,
      rows: (...wanted) => this.#rows(name, partition?.name ?? null, ...wanted),
    }
  }

  async *#rows(
    name: TableName,
    partition: string | null,
    columns: readonly TargetColumnFound[],
    key: readonly TargetColumnFound[],
    range: KeyRange,
  ): AsyncGenerator<readonly (readonly (Value | Unreadable)[])[]> {
    const readers = columns.map(column => readerOf(column, column.name === partition))
    const sql =
      `SELECT ${columns.map(column => quoteName(column.name)).join(', ')}\n` +
      `FROM ${quoteTable(name)}\n` +
      whereSql(quoteName(key[0]!.name), range, hiveNumber) +
      `ORDER BY ${key.map(column => `${quoteName(column.name)} ASC NULLS FIRST`).join(', ')}`
    for await (const { rows } of this.#session.rows(sql)) {
      yield rows.map(row => row.map((value, index) => readers[index]!(value)))
    }
  }

  async close(): Promise<void> {
    await this.#session.close()
  }
}

/** Hive takes what is larger than a bigint for a double. */
function hiveNumber(number: string): string {
  return Number.isSafeInteger(Number(number)) ? number : `${number}BD`
}

/** Null for a type that Forager has not: `map`, `struct`. */
export function hiveType(declared: string): ColumnType | null {
  try {
    return parseColumnType(declared)
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}

function readerOf(
  { declared }: TargetColumnFound,
  isPartition: boolean,
): (value: HiveValue) => Value | Unreadable {
  const type = hiveType(declared) ?? { kind: 'string' }
  return value => {
    if (value === null || (isPartition && value === nullPartition)) return null
    return readHiveValue(type, value)
  }
}

/** Numbers come as they are; decimals, times and what is compound as the text that Hive writes. */
export function readHiveValue(type: ColumnType, value: HiveValue): Value | Unreadable {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'bigint') return toInteger(value)
  if (typeof value === 'number') return type.kind === 'float' ? Math.fround(value) : value
  if (typeof value !== 'string') return value
  if (type.kind === 'binary') return Buffer.from(value, 'utf8')
  try {
    return valueOfText(type, value)
  } catch (error) {
    if (error instanceof ForagerError || error instanceof SyntaxError) return new Unreadable(value)
    throw error
  }
}
