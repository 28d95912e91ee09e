/**
 * The ids of the columns of MySQL's and MariaDB's tables, over their schema changes in order: a column keeps
 * its id when it is renamed, and one that was dropped and made again is another one.
 *
 *     create (id, email)         id, email
 *     change email mail          id, mail = email
 *     drop mail, add mail        id, mail = mail~2
 *
 * A renaming is believed when the text of the statement and the columns before and after it agree; in doubt it
 * is none. A table that is created again goes on with its columns of the same names. One that is renamed takes
 * its ids along, unless there was a table of the new name before: tools that change a table by a copy
 * (gh-ost, pt-online-schema-change) give the copy that name, and its columns go on with those they were
 * copied from.
 */
import type { Column } from '../../model/table-schema.ts'
import type { ColumnChange, TableName, TableStatement } from './alter-table.ts'
import { foldName } from './alter-table.ts'

export type ColumnIdentity = Pick<Column, 'id' | 'renamed'>

/** By name, in letters that do not differ. */
export type ColumnIds = ReadonlyMap<string, ColumnIdentity>

export const noIds: ColumnIds = new Map()

/** As a column is known; one that is not known gets an id that none of them has. */
export function identityIn(ids: ColumnIds, name: string): ColumnIdentity {
  const known = ids.get(foldName(name))
  if (known !== undefined) return known
  const taken = new Set([...ids.values()].map(({ id }) => foldName(id)))
  return { id: freshId(name, taken) }
}

const texts = new WeakMap<ColumnIds, string>()

/** What differs from the names: equal for what gives the same ids. Empty for most tables. */
export function idsText(ids: ColumnIds): string {
  const known = texts.get(ids) ?? idsTextOf(ids, ids.keys())
  texts.set(ids, known)
  return known
}

/** The same of some columns. */
export function idsTextOf(ids: ColumnIds, names: Iterable<string>): string {
  const parts: string[] = []
  for (const name of names) {
    const { id, renamed } = ids.get(foldName(name)) ?? { id: name }
    const isPlain = renamed === undefined && foldName(id) === foldName(name)
    if (!isPlain) parts.push(JSON.stringify([name, id, renamed?.times, renamed?.atMs]))
  }
  return parts.join()
}

export interface TableAlteration {
  readonly table: string
  /** Of its columns now. */
  readonly names: readonly string[]
  readonly statement: TableStatement | null
  /** That the statement was executed in. */
  readonly database: string
  /** By the source's clock. */
  readonly atMs: number
}

interface TableState {
  readonly ids: ColumnIds
  /** Ids that are not given again; in letters that do not differ. */
  readonly used: Set<string>
  /** The table under whose name its ids were given. */
  readonly origin: string
  readonly isThere: boolean
}

export class ColumnIdHistory {
  readonly #tables = new Map<string, TableState>()

  /** As they were last, of a table that is gone as well. */
  idsOf(table: string): ColumnIds {
    return this.#tables.get(table)?.ids ?? noIds
  }

  /** Of a table that was there before anything is told of it. */
  begin(table: string, names: readonly string[]): void {
    if (this.#tables.has(table)) return
    this.alter({ table, names, statement: null, database: '', atMs: 0 })
  }

  /** The table that was renamed to this one; null: none that is known. */
  renamedFrom({ table, statement, database }: TableAlteration): string | null {
    const pairs = renamesOf(statement).map(pair => pair.map(one => qualified(one, database)))
    for (const [from, to] of pairs) {
      if (!isSameTable(to!, table)) continue
      for (const [name, { isThere }] of this.#tables) {
        if (isThere && isSameTable(name, from!)) return name
      }
    }
    return null
  }

  /** Takes in that the table was created or altered, and gives the ids of its columns. */
  alter(change: TableAlteration): ColumnIds {
    const { table, names, statement, database, atMs } = change
    const from = this.renamedFrom(change)
    if (from !== null && from !== table) this.#move(from, table)
    const before = this.#tables.get(table)
    const isOwn =
      statement?.type === 'alter' && (from !== null || isOf(statement.table, table, database))
    const said = isOwn ? believed(statement.columns, before?.ids ?? null, names) : nothing
    const used = before?.used ?? new Set<string>()
    const ids = new Map<string, ColumnIdentity>()
    for (const name of names) {
      const key = foldName(name)
      const old = said.renames.get(key)
      const kept = said.gone.has(key) ? undefined : before?.ids.get(key)
      const identity =
        old === undefined
          ? (kept ?? { id: freshId(name, used) })
          : renamed(before?.ids.get(foldName(old)) ?? { id: old }, atMs)
      used.add(foldName(identity.id))
      ids.set(key, identity)
    }
    this.#tables.set(table, { ids, used, origin: before?.origin ?? table, isThere: true })
    return ids
  }

  drop(table: string): void {
    const state = this.#tables.get(table)
    if (state !== undefined) this.#tables.set(table, { ...state, isThere: false })
  }

  #move(from: string, to: string): void {
    const moved = this.#tables.get(from)!
    const last = this.#tables.get(to)
    this.drop(from)
    if (last === undefined) {
      this.#tables.set(to, { ...moved, used: new Set(moved.used) })
      return
    }
    const used = last.used
    const ids = moved.origin === to ? moved.ids : translated(moved.ids, last.ids, used)
    for (const { id } of ids.values()) used.add(foldName(id))
    this.#tables.set(to, { ids, used, origin: to, isThere: true })
  }
}

/** The ids of a copy as those of the table whose place it takes. */
function translated(copy: ColumnIds, own: ColumnIds, used: ReadonlySet<string>): ColumnIds {
  const ids = new Map<string, ColumnIdentity>()
  const given = new Set<string>()
  for (const [name, identity] of copy) {
    // Under its id it was copied; a column that was made again was not.
    const isMadeAgain = identity.renamed === undefined && foldName(identity.id) !== name
    const found = own.get(foldName(identity.id)) ?? (isMadeAgain ? undefined : own.get(name))
    const isTaken = found === undefined || given.has(foldName(found.id))
    const id = isTaken ? freshId(identity.id, new Set([...used, ...given])) : found.id
    given.add(foldName(id))
    ids.set(name, { id, ...sum(isTaken ? undefined : found.renamed, identity.renamed) })
  }
  return ids
}

function sum(a: Column['renamed'], b: Column['renamed']): Pick<Column, 'renamed'> {
  if (a === undefined || b === undefined) {
    const one = a ?? b
    return one === undefined ? {} : { renamed: one }
  }
  return { renamed: { times: a.times + b.times, atMs: Math.max(a.atMs, b.atMs) } }
}

function renamed({ id, renamed: before }: ColumnIdentity, atMs: number): ColumnIdentity {
  return { id, renamed: { times: (before?.times ?? 0) + 1, atMs } }
}

function freshId(name: string, used: ReadonlySet<string>): string {
  if (!used.has(foldName(name))) return name
  let number = 2
  while (used.has(foldName(`${name}~${number}`))) number += 1
  return `${name}~${number}`
}

interface Said {
  /** Old names by new ones. */
  readonly renames: ReadonlyMap<string, string>
  /** Old names whose columns the table has no more, whatever it has under them now. */
  readonly gone: ReadonlySet<string>
}

const nothing: Said = { renames: new Map(), gone: new Set() }

/** What the statement says of columns, when it agrees with those before (null: not known) and after it. */
function believed(
  changes: readonly ColumnChange[],
  before: ColumnIds | null,
  names: readonly string[],
): Said {
  const after = new Set(names.map(foldName))
  const renames = new Map<string, string>()
  const [gone, made, left] = [new Set<string>(), new Set<string>(), new Set<string>()]
  for (const change of changes) {
    if (change.type === 'add') made.add(foldName(change.name))
    if (change.type === 'drop') left.add(foldName(change.name))
    if (change.type !== 'rename') continue
    const [from, to] = [foldName(change.from), foldName(change.to)]
    if (change.isConditional && before?.has(from) !== true) continue
    if (renames.has(to) || gone.has(from)) return nothing
    renames.set(to, change.from)
    gone.add(from)
  }
  for (const name of left) gone.add(name)
  for (const [to, old] of renames) {
    const from = foldName(old)
    const wasThere = before === null || (before.has(from) && (!before.has(to) || gone.has(to)))
    const isGone = !after.has(from) || renames.has(from) || made.has(from)
    if (!wasThere || !isGone || !after.has(to)) return nothing
  }
  // Dropped, and there afterwards: only if it was made again.
  for (const name of left) {
    if (after.has(name) && !renames.has(name) && !made.has(name)) return nothing
  }
  return { renames, gone }
}

/** In the order of the statement. */
export function renamesOf(
  statement: TableStatement | null,
): readonly (readonly [from: TableName, to: TableName])[] {
  if (statement?.type === 'rename') return statement.tables
  if (statement?.type !== 'alter' || statement.renamedTo === null) return []
  return [[statement.table, statement.renamedTo]]
}

/** As tables are called here. */
export function qualified({ database, table }: TableName, used: string): string {
  return `${database ?? used}.${table}`
}

function isOf(name: TableName, table: string, database: string): boolean {
  return isSameTable(qualified(name, database), table)
}

function isSameTable(a: string, b: string): boolean {
  return a === b || foldName(a) === foldName(b)
}
