/**
 * The reader of the simulator: after everything that a reader could see, it reads all tables. It
 * accepts nothing but this: one row a key; each row as the source had it at some time; and no key ever
 * as it was before what was already seen.
 */
import type { Value } from '../../model/value.ts'
import type { FileSystem } from '../../runtime/file-system.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import type { SourceRow, Workload } from './workload.ts'
import { extraDefault } from './workload.ts'

export class Violation extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Violation'
  }
}

export class Judge {
  readonly #workload: Workload
  readonly #fileSystem: FileSystem
  readonly #root: string
  /** Which of its states each key was last seen in, by table and id. */
  readonly #seen = new Map<string, number>()

  constructor(workload: Workload, fileSystem: FileSystem, root: string) {
    this.#workload = workload
    this.#fileSystem = fileSystem
    this.#root = root
  }

  /** Throws Violation. */
  async look(): Promise<void> {
    for (const [table, histories] of this.#workload.histories) {
      const rows = await this.#read(table)
      for (const id of rows.keys()) {
        if (!histories.has(id)) throw new Violation(`${table} has a row ${id} that never was`)
      }
      for (const [id, history] of histories) this.#check(table, id, history, rows.get(id) ?? null)
    }
  }

  /** At the end, with all faults over: the tables are what the source is. */
  async lookFinally(): Promise<void> {
    await this.look()
    for (const [table, histories] of this.#workload.histories) {
      for (const [id, history] of histories) {
        const index = this.#seen.get(`${table} ${id}`) ?? 0
        const last = history.at(-1) ?? null
        if (index !== history.length - 1 && !(last === null && history[index] === null)) {
          throw new Violation(
            `${table} ${id} ended as state ${index} (${text(history[index])}), ` +
              `the source has ${history.length - 1} (${text(last)})`,
          )
        }
      }
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
        before < 0
          ? `${key} is ${text(row)}, which it never was`
          : `${key} went back to state ${before} (${text(row)}) after state ${from} (${text(history[from])})`,
      )
    }
    this.#seen.set(key, index)
  }

  async #read(table: string): Promise<Map<number, SourceRow>> {
    const rows = new Map<number, SourceRow>()
    let found: Awaited<ReturnType<typeof openTable>>
    try {
      found = await openTable(this.#fileSystem, this.#root, table)
    } catch (error) {
      if ((error as { code?: string }).code === 'table-not-found') return rows
      throw error
    }
    const names = found.schema.columns.map(({ name }) => name)
    for await (const part of found.rows()) {
      for (const { values } of part) {
        const row = toRow(Object.fromEntries(names.map((name, index) => [name, values[index]!])))
        if (rows.has(row.id)) throw new Violation(`${table} has two rows ${row.id}`)
        rows.set(row.id, row)
      }
    }
    return rows
  }
}

function toRow(values: Record<string, Value>): SourceRow {
  const { id, version, month, note, body, extra = extraDefault } = values
  return { id, version, month, note, body, extra } as unknown as SourceRow
}

function isSame(a: SourceRow | null, b: SourceRow | null): boolean {
  return text(a) === text(b)
}

function text(row: SourceRow | null | undefined): string {
  if (row === null || row === undefined) return 'absent'
  const { id, version, month, note, body, extra } = row
  return JSON.stringify([id, version, month, note, body, extra])
}
