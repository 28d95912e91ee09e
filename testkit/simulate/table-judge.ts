/**
 * The reader of a user's tables: whenever something could be seen, it reads all tables of the warehouse,
 * and holds each row against what the workload expected of it, statement by statement.
 */
import { toJson } from '../../model/json.ts'
import type { Row, Value } from '../../model/value.ts'
import type { FileSystem } from '../../runtime/file-system.ts'
import { listTables } from '../../sinks/embedded/table-folders.ts'
import type { ReadRows } from '../read-rows.ts'
import { readRows } from '../read-rows.ts'
import { Violation } from '../simulation/judge.ts'
import type { TableRows } from './workload.ts'
import { rowText } from './workload.ts'

/** All states of one row, in order; null: it is not there. */
type RowHistory = (Row | null)[]

/** What is known of one table of the warehouse since it was first seen. */
interface Seen {
  readonly key: readonly string[]
  readonly histories: Map<string, RowHistory>
  /** Which of its states each row was last seen in: the first one that it can be. */
  readonly places: Map<string, number>
  /** So many of the expected states are in the histories. */
  states: number
}

export class TableJudge {
  /** What the warehouse should show: at first, and after each statement. It grows. */
  readonly #states: readonly TableRows[]
  readonly #fileSystem: FileSystem
  readonly #root: string
  readonly #seen = new Map<string, Seen>()

  constructor(states: readonly TableRows[], fileSystem: FileSystem, root: string) {
    this.#states = states
    this.#fileSystem = fileSystem
    this.#root = root
  }

  /** At one table, or at all. Throws Violation. */
  async look(only?: string): Promise<void> {
    const tables = only === undefined ? await listTables(this.#fileSystem, this.#root) : [only]
    for (const table of tables) {
      const read = await readRows(this.#fileSystem, this.#root, table)
      if (read !== null) this.lookAtRows(table, read)
    }
  }

  /** At rows that somebody else has read. Throws Violation. */
  lookAtRows(table: string, { key, rows }: ReadRows): void {
    // A truncate may come before the first row: the table knows no columns yet.
    if (rows.length > 0 || this.#seen.has(table)) this.#check(table, key, rows)
  }

  /** At the end, with all faults over: the tables are what they should be. Throws Violation. */
  async lookFinally(): Promise<void> {
    await this.look()
    const problem = this.unfinished()
    if (problem !== null) throw new Violation('ends-equal', problem)
  }

  /** In what the tables, when they were last looked at, were not what they should be by now; null: in nothing. */
  unfinished(): string | null {
    for (const [table, rows] of Object.entries(this.#states.at(-1)!)) {
      if (rows.length > 0 && !this.#seen.has(table)) return this.#missing(table)
    }
    for (const [table, seen] of this.#seen) {
      this.#extend(table, seen)
      for (const [key, history] of seen.histories) {
        const shown = history[seen.places.get(key)!] ?? null
        const last = history.at(-1) ?? null
        if (isSame(shown, last)) continue
        return `${table} ${key} is ${text(shown)}, and should be ${text(last)}`
      }
    }
    return null
  }

  #missing(table: string): string {
    const others = [...this.#seen.keys()]
    const has = others.length === 0 ? 'has no table with rows' : `has only ${others.join(', ')}`
    return (
      `there is no table ${table}, which should have rows; the warehouse ${has}: does the topology ` +
      'write to the warehouse that it is given, and does `expected` name its tables?'
    )
  }

  #check(table: string, key: readonly string[], rows: readonly Row[]): void {
    const seen = this.#seen.get(table) ?? newSeen(key)
    this.#seen.set(table, seen)
    this.#extend(table, seen)
    const shown = new Map<string, Row>()
    for (const row of rows) {
      const name = keyText(key, row)
      if (shown.has(name)) throw new Violation('one-row-a-key', `${table} has two rows ${name}`)
      shown.set(name, row)
      if (!seen.histories.has(name)) {
        const never = `${table} has a row ${text(row)}, and should never have had one of its key`
        throw new Violation('only-rows-that-were', never + this.#hint(table))
      }
    }
    for (const [name, history] of seen.histories) {
      checkRow(`${table} ${name}`, history, shown.get(name) ?? null, {
        from: seen.places.get(name)!,
        sees: place => seen.places.set(name, place),
      })
    }
  }

  #hint(table: string): string {
    const names = Object.keys(this.#states.at(-1)!)
    if (names.includes(table)) return ''
    return `: the workload expects only ${names.join(', ')}; say in \`expected\` what comes to which table`
  }

  /** What was expected since the table was last looked at. */
  #extend(table: string, seen: Seen): void {
    for (const state of this.#states.slice(seen.states)) {
      const rows = new Map<string, Row>()
      for (const row of state[table] ?? []) {
        const name = keyText(seen.key, row)
        if (rows.has(name)) {
          throw new Violation('expected', `\`expected\` gave ${table} two rows ${name}`)
        }
        rows.set(name, row)
        if (!seen.histories.has(name)) {
          seen.histories.set(name, [null])
          seen.places.set(name, 0)
        }
      }
      for (const [name, history] of seen.histories) {
        const row = rows.get(name) ?? null
        if (!isSame(history.at(-1)!, row)) history.push(row)
      }
    }
    seen.states = this.#states.length
  }
}

function newSeen(key: readonly string[]): Seen {
  return { key, histories: new Map(), places: new Map(), states: 0 }
}

function checkRow(
  name: string,
  history: RowHistory,
  row: Row | null,
  { from, sees }: { readonly from: number; readonly sees: (place: number) => void },
): void {
  const place = history.findIndex((state, index) => index >= from && isSame(state, row))
  if (place >= 0) {
    sees(place)
    return
  }
  const before = history.findLastIndex(state => isSame(state, row))
  if (before >= 0) {
    throw new Violation(
      'no-step-back',
      `${name} went back to ${text(row)} after it was seen as ${text(history[from]!)}`,
    )
  }
  const should = history.slice(from).map(text).join(', then ')
  throw new Violation('only-rows-that-were', `${name} is ${text(row)}; it should be ${should}`)
}

function keyText(key: readonly string[], row: Row): string {
  return toJson(Object.fromEntries(key.map(name => [name, row[name] ?? null])))
}

/** A column that one of them does not have is null in it. */
function isSame(a: Row | null, b: Row | null): boolean {
  if (a === null || b === null) return a === b
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every(name => {
    return a[name] === b[name] || valueText(a[name]) === valueText(b[name])
  })
}

function valueText(value: Value | undefined): string {
  return toJson(
    typeof value === 'bigint' && Number.isSafeInteger(Number(value))
      ? Number(value)
      : (value ?? null),
  )
}

function text(row: Row | null): string {
  return row === null ? 'absent' : rowText(row)
}
