/** Tables in memory as both sides of a comparison. */
import { mysqlColumn } from '../../../cli/verify/mysql-columns.ts'
import type { KeyRange, RawValue, SourceDatabase } from '../../../cli/verify/source-database.ts'
import { wholeTable } from '../../../cli/verify/source-database.ts'
import type { FoundTable, VerifyTarget } from '../../../cli/verify/target.ts'
import type { VerifyOptions } from '../../../cli/verify/verify-tables.ts'
import { verifyTables } from '../../../cli/verify/verify-tables.ts'
import type { FollowedSchema } from '../../../model/schema-change.ts'
import type { Value } from '../../../model/value.ts'
import type { TableRule } from '../../../processors/route-tables.ts'
import { TableRouter } from '../../../processors/route-tables.ts'

export interface SourceRows {
  /** By name, with their type. */
  readonly columns: Readonly<Record<string, string>>
  readonly key: readonly string[]
  readonly defaults?: Readonly<Record<string, string>>
  /** In the order of the columns and of the key. */
  readonly rows: readonly (readonly RawValue[])[]
}

function isWithin(value: Value | RawValue, { after, upTo }: KeyRange): boolean {
  if (value === null) return after === null
  const isAfter = after === null || Number(value) > Number(after)
  return isAfter && (upTo === null || Number(value) <= Number(upTo))
}

export class Tables implements SourceDatabase {
  readonly address = 'memory'
  readonly #tables: Readonly<Record<string, SourceRows>>

  constructor(tables: Readonly<Record<string, SourceRows>>) {
    this.#tables = tables
  }

  tables() {
    return Promise.resolve(Object.keys(this.#tables))
  }

  describe(name: string) {
    const { columns, key, defaults = {} } = this.#tables[name]!
    return Promise.resolve({
      name,
      columns: Object.entries(columns).map(([column, declared]) => {
        const known = mysqlColumn({ name: column, declared, nullable: true }, {})
        return column in defaults ? { ...known, defaultSql: 'DEFAULT' } : known
      }),
      primaryKey: key,
    })
  }

  logFacts() {
    return Promise.resolve({ settings: new Map<string, string>(), identities: [] })
  }

  async *rows(
    name: string,
    columns: readonly { readonly name: string }[],
    _key: unknown,
    range: KeyRange,
  ) {
    await Promise.resolve()
    const { columns: all, rows } = this.#tables[name]!
    const places = columns.map(column => Object.keys(all).indexOf(column.name))
    const inRange = rows.filter(row => range === wholeTable || isWithin(row[0]!, range))
    yield inRange.map(row => places.map(place => row[place]!))
  }

  /** Of the first column. */
  boundOf(name: string, _column: unknown, after: string | null, rowCount: number) {
    const left = this.#tables[name]!.rows.filter(row => isWithin(row[0]!, { after, upTo: null }))
    return Promise.resolve((left[rowCount - 1]?.[0] ?? null) as string | null)
  }

  defaultsOf(name: string, columns: readonly { readonly name: string }[]) {
    const { defaults = {} } = this.#tables[name]!
    return Promise.resolve(columns.map(column => defaults[column.name]!))
  }

  close() {
    return Promise.resolve()
  }
}

export interface TargetRows {
  readonly columns: Readonly<Record<string, string>>
  readonly madeColumns?: readonly string[]
  readonly followed?: FollowedSchema
  readonly rows: readonly (readonly Value[])[]
}

export function targetOf(tables: Readonly<Record<string, TargetRows>>): VerifyTarget {
  return {
    name: 'memory',
    find: name => Promise.resolve(tables[name] === undefined ? null : foundTable(tables[name])),
    close: () => Promise.resolve(),
  }
}

function foundTable({ columns, madeColumns = [], followed, rows }: TargetRows): FoundTable {
  const names = Object.keys(columns)
  return {
    columns: names.map(name => ({ name, declared: columns[name]! })),
    madeColumns,
    followed: followed ?? null,
    hasRanges: true,
    async *rows(wanted, _key, range) {
      await Promise.resolve()
      const inRange = rows.filter(row => range === wholeTable || isWithin(row[0]!, range))
      yield inRange.map(row => wanted.map(({ name }) => row[names.indexOf(name)]!))
    },
  }
}

export const idAndName = { id: 'int', name: 'varchar(10)' }
export const inTarget = { id: 'int', name: 'string' }
export const table = (...rows: readonly (readonly RawValue[])[]): SourceRows => {
  return { columns: idAndName, key: ['id'], rows }
}

export async function verify(
  source: Readonly<Record<string, SourceRows>>,
  target: Readonly<Record<string, TargetRows>>,
  rules: readonly TableRule[],
  only?: readonly string[],
  ranges: {
    readonly rangeRows?: number
    readonly onRange?: NonNullable<VerifyOptions['onRange']>
    readonly dropped?: ReadonlySet<string>
  } = {},
) {
  return await verifyTables({
    source: new Tables(source),
    target: targetOf(target),
    router: new TableRouter(rules),
    rules,
    maxDifferences: 2,
    rangeRows: 1000,
    ...ranges,
    ...(only === undefined ? {} : { only }),
  })
}

export const all: TableRule = { from: 'shop.*', to: 'ods.{table}' }
