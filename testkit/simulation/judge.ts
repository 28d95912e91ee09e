/**
 * The reader of the simulator: after everything that a reader could see, it reads the tables. It
 * accepts nothing but this: one row a key; each row as the source had it at some time; and no key ever
 * as it was before what was already seen.
 */
import type { ColumnType } from '../../model/column-type.ts'
import type { Value } from '../../model/value.ts'
import { widenedText } from '../../model/widening.ts'
import type { FileSystem } from '../../runtime/file-system.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import type { SourceRow } from './source-rows.ts'
import { extraDefault } from './source-rows.ts'
import type { RowHistory, Workload } from './workload.ts'

/** What is promised at every step, and at the end. */
export type Promised =
  | 'one-row-a-key'
  | 'only-rows-that-were'
  | 'no-step-back'
  | 'ends-equal'
  | 'no-table-held-back'
  | 'windows-tile'
  | 'files-before-offsets'
  | 'one-change-a-key'
  | 'expected'

/** A promise is broken. */
export class Violation extends Error {
  /** Which one, in a word: a heading of `docs/simulator.md`. */
  readonly promise: Promised

  constructor(promise: Promised, message: string) {
    super(message)
    this.promise = promise
    this.name = 'Violation'
  }
}

/** A row as it is read, by the names of its columns. */
type SeenRow = Readonly<Record<string, Value>>

export class Judge {
  readonly #workload: Workload
  readonly #fileSystem: FileSystem
  readonly #root: string
  readonly #elsewhere: (table: string) => readonly SeenRow[] | null
  /** Which of its states each key was last seen in, by table and id. */
  readonly #seen = new Map<string, number>()

  /** `rowsOf` reads tables that are elsewhere; null: it is not there either. */
  constructor(
    workload: Workload,
    fileSystem: FileSystem,
    root: string,
    rowsOf: (table: string) => readonly SeenRow[] | null = () => null,
  ) {
    this.#workload = workload
    this.#fileSystem = fileSystem
    this.#root = root
    this.#elsewhere = rowsOf
  }

  /** Of one table, or of all. Throws Violation. */
  async look(only?: string): Promise<void> {
    for (const [table, histories] of this.#workload.histories) {
      if (only !== undefined && only !== table) continue
      this.#lookAt(table, histories, await this.#read(table))
    }
  }

  #lookAt(
    table: string,
    histories: ReadonlyMap<number, RowHistory>,
    rows: ReadonlyMap<number, SourceRow>,
  ): void {
    this.#checkMemos(table, rows, histories)
    for (const id of rows.keys()) {
      if (!histories.has(id))
        throw new Violation('only-rows-that-were', `${table} has a row ${id} that never was`)
    }
    for (const [id, history] of histories) this.#check(table, id, history, rows.get(id) ?? null)
  }

  /** At the end, with all faults over: the tables are what the source is. */
  async lookFinally(): Promise<void> {
    await this.look()
    const problem = this.unfinished()
    if (problem !== null) throw new Violation('ends-equal', problem)
  }

  /** What of the source the tables did not have when they were last looked at; null: nothing. */
  unfinished(): string | null {
    for (const [table, histories] of this.#workload.histories) {
      if (this.#workload.lost.has(table)) continue
      for (const [id, history] of histories) {
        const index = this.#seen.get(`${table} ${id}`) ?? 0
        const last = history.at(-1) ?? null
        if (index !== history.length - 1 && !(last === null && history[index] === null)) {
          return (
            `${table} ${id} ended as state ${index} (${text(history[index])}), ` +
            `the source has ${history.length - 1} (${text(last)})`
          )
        }
      }
    }
    return null
  }

  /** A column that the source dropped has what its row had, when it was written last or before, or nothing. */
  #checkMemos(
    table: string,
    rows: ReadonlyMap<number, SourceRow>,
    histories: ReadonlyMap<number, readonly (SourceRow | null)[]>,
  ): void {
    for (const { id, version, memo } of rows.values()) {
      const wasSo = (): boolean => histories.get(id)!.some(state => state?.memo === memo)
      const mayBeOld = this.#workload.isMemoGone && (memo === null || wasSo())
      if (memo === `memo ${version}` || mayBeOld) continue
      throw new Violation(
        'only-rows-that-were',
        `${table} ${id} of version ${version} has the memo ${memo}`,
      )
    }
  }

  #check(
    table: string,
    id: number,
    history: readonly (SourceRow | null)[],
    row: SourceRow | null,
  ): void {
    const key = `${table} ${id}`
    const from = this.#seen.get(key) ?? 0
    const index = history.findIndex((state, place) => place >= from && isSame(state, row))
    if (index < 0) {
      const before = history.findIndex(state => isSame(state, row))
      throw new Violation(
        before < 0 ? 'only-rows-that-were' : 'no-step-back',
        before < 0
          ? `${key} is ${text(row)}, which it never was`
          : `${key} went back to state ${before} (${text(row)}) after state ${from} (${text(history[from])})`,
      )
    }
    this.#seen.set(key, index)
  }

  async #read(table: string): Promise<Map<number, SourceRow>> {
    const elsewhere = this.#elsewhere(table)
    if (elsewhere !== null) return this.#rowsOf(table, elsewhere)
    const all: SeenRow[] = []
    try {
      const found = await openTable(this.#fileSystem, this.#root, table)
      const { columns } = found.schema
      for await (const part of found.rows()) {
        for (const { values } of part) {
          all.push(
            Object.fromEntries(
              columns.map(({ name, type }, index) => [name, shown(type, values[index]!)]),
            ),
          )
        }
      }
    } catch (error) {
      if ((error as { code?: string }).code !== 'table-not-found') throw error
    }
    return this.#rowsOf(table, all)
  }

  #rowsOf(table: string, found: readonly SeenRow[]): Map<number, SourceRow> {
    const rows = new Map<number, SourceRow>()
    for (const values of found) {
      const row = toRow(values)
      if (rows.has(row.id)) throw new Violation('one-row-a-key', `${table} has two rows ${row.id}`)
      rows.set(row.id, row)
    }
    return rows
  }
}

/** A decimal as its text: whatever the scale of its column is by now, it is the same number. */
export function shown(type: ColumnType, value: Value): Value {
  return type.kind === 'decimal' && value !== null ? widenedText(type, value) : value
}

/** Of a server's table the default of a new column comes a step after the column. */
function toRow({ extra, memo = null, ...rest }: SeenRow): SourceRow {
  return { ...rest, extra: extra ?? extraDefault, memo } as unknown as SourceRow
}

function isSame(a: SourceRow | null, b: SourceRow | null): boolean {
  return text(a) === text(b)
}

function text(row: SourceRow | null | undefined): string {
  if (row === null || row === undefined) return 'absent'
  const { id, version, month, note, body, extra, size, rate, price } = row
  return JSON.stringify([id, version, month, note, body, extra, size, rate, price])
}
