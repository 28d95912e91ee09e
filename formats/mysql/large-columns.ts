/**
 * Columns that MySQL leaves out of a row where they did not change (`binlog_row_image=NOBLOB`): texts,
 * bytes, JSON and shapes. A message does not tell such a row from one of a table that never had them;
 * what was seen of the table before does. A column that was left out is not sent: the table keeps what
 * it has. Before a row with all columns was seen, as after a restart, an update tells of the columns that it
 * has and of no others.
 */
import type { TypedColumn } from './mysql-rows.ts'

const large =
  /^(?:(?:tiny|medium|long)?(?:text|blob)|json|geom\w*|(?:multi)?(?:point|linestring|polygon))\b/i

/** Of tables beyond this much nothing outlives the process: the memory is kept beside an offset. */
const maxMemoryChars = 1000

type Types = ReadonlyMap<string, string>

export class LargeColumns {
  readonly #pattern: RegExp
  readonly #known = new Map<string, Types>()
  /** Tables of which rows came without them. */
  readonly #left = new Set<string>()
  #saved = ''

  /** `pattern` is of the types whose columns may be left out. */
  constructor(pattern = large) {
    this.#pattern = pattern
  }

  /** The columns of a message, and of an update those that it left out. */
  columnsOf(
    table: string,
    type: 'INSERT' | 'UPDATE' | 'DELETE',
    columns: readonly TypedColumn[],
  ): readonly TypedColumn[] {
    const known = this.#known.get(table)
    // A row that is inserted has all there are.
    if (type === 'INSERT') this.#learn(table, known, columns)
    if (type !== 'UPDATE' || known === undefined) return columns
    const missing = [...known].filter(([name]) => !columns.some(column => column[0] === name))
    if (missing.length === 0) return columns
    if (!this.#left.has(table)) {
      this.#left.add(table)
      this.#saved = this.#text()
    }
    return [...columns, ...missing]
  }

  /** Whether a row was seen that has all columns: until then what an update lacks may have been left out. */
  isKnown(table: string): boolean {
    return this.#known.has(table)
  }

  #learn(table: string, known: Types | undefined, columns: readonly TypedColumn[]): void {
    const found = columns.filter((column): column is [string, string] => {
      return column[1] !== null && this.#pattern.test(column[1])
    })
    const isSame =
      known !== undefined &&
      found.length === known.size &&
      found.every(([name, type]) => known.get(name) === type)
    if (isSame) return
    this.#known.set(table, new Map(found))
    if (this.#left.has(table)) this.#saved = this.#text()
  }

  /** Its columns are about to be others. */
  forget(table: string): void {
    this.#known.delete(table)
    if (this.#left.delete(table)) this.#saved = this.#text()
  }

  save(): string {
    return this.#saved
  }

  restore(memory: string): void {
    if (memory === '') return
    const tables = JSON.parse(memory) as Readonly<Record<string, Readonly<Record<string, string>>>>
    for (const [table, columns] of Object.entries(tables)) {
      this.#known.set(table, new Map(Object.entries(columns)))
      this.#left.add(table)
    }
    this.#saved = this.#text()
  }

  #text(): string {
    const tables = [...this.#left].map(table => {
      return [table, Object.fromEntries(this.#known.get(table) ?? [])] as const
    })
    for (let count = tables.length; count > 0; count -= 1) {
      const text = JSON.stringify(Object.fromEntries(tables.slice(0, count)))
      if (text.length <= maxMemoryChars) return text
    }
    return ''
  }
}
