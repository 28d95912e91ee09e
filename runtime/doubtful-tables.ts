/**
 * Tables of which an event was skipped. What later events say of a row before is true of the source,
 * and no longer of our table: its row may be where the skipped event found it. That holds until the
 * row is next changed, whenever that is; so it is kept beside the committed offset.
 */

/** Stands for every table: a message that could not be read does not tell whose it was. */
const every = ''
/** Of names, beside the offset. Beyond it every table is in doubt. */
const maxChars = 300

export class DoubtfulTables {
  #tables: Set<string>

  /** `saved` is what `save()` gave at the committed offset. */
  constructor(saved: readonly string[] = []) {
    this.#tables = new Set(saved)
  }

  has(table: string): boolean {
    return this.#tables.size > 0 && (this.#tables.has(every) || this.#tables.has(table))
  }

  /** Undefined: it is not known which table it was. */
  add(table: string = every): void {
    this.#tables.add(table)
    const isTooLong = [...this.#tables].join().length > maxChars
    if (table === every || isTooLong) this.#tables = new Set([every])
  }

  save(): readonly string[] {
    return [...this.#tables]
  }
}
