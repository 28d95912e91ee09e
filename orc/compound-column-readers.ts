/** The columns of structs, lists and maps while they are read. */
import { emptyArray } from './arrays.ts'
import { ColumnReader, type StripeContext } from './column-reader.ts'
import type { ColumnEncoding } from './stripe-messages.ts'
import type { OrcColumn, OrcValue } from './types.ts'

/** What one slot of a child's values takes, at the least. */
const slotBytes = 8

export class StructColumnReader extends ColumnReader {
  readonly #fields: readonly ColumnReader[]

  constructor(
    column: OrcColumn,
    encoding: ColumnEncoding,
    stripe: StripeContext,
    fields: readonly ColumnReader[],
  ) {
    super(column, encoding, stripe)
    this.#fields = fields
  }

  protected override readValues(count: number): OrcValue[][] {
    const fields = this.#fields
    const columns = fields.map(field => field.read(count))
    const rows = emptyArray<OrcValue[]>(count)
    for (let row = 0; row < count; row++) {
      const values = emptyArray<OrcValue>(fields.length)
      for (let field = 0; field < fields.length; field++) values[field] = columns[field]![row]!
      rows[row] = values
    }
    return rows
  }
}

export class ListColumnReader extends ColumnReader {
  readonly #elements: ColumnReader
  readonly #lengths = this.openIntegers('LENGTH', false)

  constructor(
    column: OrcColumn,
    encoding: ColumnEncoding,
    stripe: StripeContext,
    elements: ColumnReader,
  ) {
    super(column, encoding, stripe)
    this.#elements = elements
  }

  protected override readValues(count: number): OrcValue[][] {
    const { lengths, total } = this.readLengths(this.#lengths, count, slotBytes)
    const elements = this.#elements.read(total)
    let from = 0
    return Array.from(lengths, length => {
      from += length
      return elements.slice(from - length, from)
    })
  }
}

export class MapColumnReader extends ColumnReader {
  readonly #keys: ColumnReader
  readonly #values: ColumnReader
  readonly #lengths = this.openIntegers('LENGTH', false)

  constructor(
    column: OrcColumn,
    encoding: ColumnEncoding,
    stripe: StripeContext,
    keys: ColumnReader,
    values: ColumnReader,
  ) {
    super(column, encoding, stripe)
    this.#keys = keys
    this.#values = values
  }

  protected override readValues(count: number): Map<OrcValue, OrcValue>[] {
    const { lengths, total } = this.readLengths(this.#lengths, count, slotBytes)
    const keys = this.#keys.read(total)
    const values = this.#values.read(total)
    let at = 0
    return Array.from(lengths, length => {
      const map = new Map<OrcValue, OrcValue>()
      for (const end = at + length; at < end; at++) map.set(keys[at]!, values[at]!)
      return map
    })
  }
}
