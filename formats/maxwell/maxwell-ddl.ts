/**
 * What Maxwell's schema changes (`output_ddl`) say of tables: the columns of each version, with as much of
 * their types as Maxwell knows. It has no sizes: a decimal without its scale, BIT and BINARY without their
 * length. Those are inferred from values, as all columns of a table that was never changed. The ids of columns
 * stay when they are renamed (`column-ids.ts`).
 */
import type { Position } from '../../model/position.ts'
import { comparePositions } from '../../model/position.ts'
import { parseTableStatement } from '../mysql/alter-table.ts'
import type { ColumnIds } from '../mysql/column-ids.ts'
import { ColumnIdHistory, noIds } from '../mysql/column-ids.ts'
import type { MySqlType } from '../mysql/mysql-type.ts'
import { maxwellPosition } from './maxwell-position.ts'

/** Types by name; null: to be inferred. One object for one version of a table. */
export type DdlColumns = ReadonlyMap<string, MySqlType | null>

interface TableVersion {
  /** Null: before everything. */
  readonly from: { readonly position: Position | null; readonly sourceMs: number } | null
  /** Null: the table is no more. */
  readonly columns: DdlColumns | null
}

interface DdlMessage {
  readonly type?: unknown
  readonly database?: unknown
  readonly table?: unknown
  readonly old?: unknown
  readonly def?: unknown
  /** Milliseconds here, seconds in rows. */
  readonly ts?: unknown
  readonly position?: unknown
  readonly sql?: unknown
}

interface TableDefinition {
  readonly name: string
  readonly columns: DdlColumns
}

export function isDdl(type: unknown): boolean {
  return typeof type === 'string' && /^(database|table)-(create|alter|drop)$/.test(type)
}

export class DdlHistory {
  readonly #tables = new Map<string, TableVersion[]>()
  readonly #ids = new ColumnIdHistory()
  readonly #idsOf = new WeakMap<DdlColumns, ColumnIds>()

  /** Of columns that `columnsAt` gave. */
  idsOf(columns: DdlColumns): ColumnIds {
    return this.#idsOf.get(columns) ?? noIds
  }

  /** Takes in a schema change; anything else is passed over. Changes come in order, each at least once. */
  add(message: DdlMessage, incarnation: string): void {
    const { type, database, table, ts, sql } = message
    if (!isDdl(type) || typeof database !== 'string' || typeof table !== 'string') return
    const from = {
      position: maxwellPosition({ position: message.position }, incarnation),
      sourceMs: typeof ts === 'number' ? ts : 0,
    }
    const name = `${database}.${table}`
    const [old, now] = [definitionOf(message.old), definitionOf(message.def)]
    // Sent again: the columns of a table that has changed since would be taken for new ones.
    if (this.#isKnown(now?.name ?? name, from.position, now?.columns ?? null)) return
    if (old !== null && !this.#tables.has(name)) {
      this.#put(name, { from: null, ...old })
      this.#ids.begin(name, [...old.columns.keys()])
      this.#idsOf.set(old.columns, this.#ids.idsOf(name))
    }
    if (now === null || now.name !== name) this.#put(name, { from, columns: null })
    if (now === null) this.#ids.drop(name)
    else {
      this.#put(now.name, { from, columns: now.columns })
      const names = [...now.columns.keys()]
      const statement = typeof sql === 'string' ? parseTableStatement(sql) : null
      const change = { table: now.name, names, statement, database, atMs: from.sourceMs }
      this.#idsOf.set(now.columns, this.#ids.alter(change))
    }
  }

  #isKnown(table: string, position: Position | null, columns: DdlColumns | null): boolean {
    if (position === null) return false
    return (this.#tables.get(table) ?? []).some(version => {
      const known = version.from?.position ?? null
      const isThere = known !== null && comparePositions(known, position) === 0
      return isThere && textOf(version.columns) === textOf(columns)
    })
  }

  /**
   * The columns that the table had there: of the versions that have these columns the last one that is
   * not later. Null when it never changed; `missing` when no version has all the columns.
   */
  columnsAt(
    table: string,
    at: { readonly position: Position | null; readonly sourceMs: number },
    names: readonly string[],
  ): DdlColumns | null | 'missing' {
    const versions = this.#tables.get(table)
    if (versions === undefined) return null
    const fitting = versions.filter(({ columns }) => names.every(name => columns?.has(name)))
    const last = fitting.findLast(({ from }) => from === null || !isLater(from, at))
    return (last ?? fitting[0])?.columns ?? 'missing'
  }

  #put(table: string, { from, columns }: TableVersion): void {
    const versions = this.#tables.get(table) ?? []
    this.#tables.set(table, versions)
    versions.push({ from, columns })
  }
}

function textOf(columns: DdlColumns | null): string {
  return JSON.stringify(columns === null ? null : [...columns])
}

type Moment = Exclude<TableVersion['from'], null>

function isLater(from: Moment, at: Moment): boolean {
  const comparison =
    from.position === null || at.position === null
      ? undefined
      : comparePositions(from.position, at.position)
  return comparison === undefined ? from.sourceMs > at.sourceMs : comparison > 0
}

function definitionOf(json: unknown): TableDefinition | null {
  const { database, table, columns } = (json ?? {}) as Partial<Record<string, unknown>>
  if (typeof database !== 'string' || typeof table !== 'string' || !Array.isArray(columns)) {
    return null
  }
  const types = columns.flatMap((column: unknown) => {
    const { name, type } = (column ?? {}) as Partial<Record<string, unknown>>
    return typeof name === 'string' && typeof type === 'string'
      ? [[name, typeOf(type, column as object)] as const]
      : []
  })
  return { name: `${database}.${table}`, columns: new Map(types) }
}

const unsized: ReadonlySet<string> = new Set(['DECIMAL', 'BIT'])

function typeOf(type: string, column: { readonly signed?: unknown }): MySqlType | null {
  const name = type.toUpperCase()
  if (unsized.has(name)) return null
  return {
    // Without its length, BINARY is not filled up to it.
    name: name === 'BINARY' ? 'VARBINARY' : name,
    length: null,
    scale: null,
    isUnsigned: column.signed === false,
    labels: [],
  }
}
