/**
 * Readers of rows whose types no schema tells: stated ones as they are stated, the others as their values
 * show (`inferred-types.ts`).
 */
import type { ColumnType } from '../../model/column-type.ts'
import { DecodeError } from '../../model/errors.ts'
import type { StatedType } from '../../model/stated-type.ts'
import { columnTypeOf } from '../../model/stated-type.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import { widenValue } from '../../model/widening.ts'
import type { TableHints } from '../decoder.ts'
import type { Converter } from './converter.ts'
import type { TypedRow, TypedValue } from './inferred-types.ts'
import { InferredTypes, inferJson } from './inferred-types.ts'
import type { RowReader } from './row-reader.ts'
import { statedType } from './row-reader.ts'
import { statedConverter } from './stated-types.ts'

/** How a format's values are read when no schema tells of them. */
export interface ValueForm {
  /** What it is by itself; null for null. Throws DecodeError `value-invalid`. */
  readonly infer: (value: unknown) => TypedValue | null
  /** What is read by a type that the operator states. */
  readonly plain: (value: unknown, type: ColumnType) => unknown
}

export const jsonForm: ValueForm = { infer: inferJson, plain: json => json }

type PlainRow = Readonly<Record<string, unknown>>

/** Documents whose fields have ever new names would fill the memory. */
const maxColumns = 2000

export class InferredReaders {
  readonly #form: ValueForm
  readonly #types = new InferredTypes()
  readonly #readers = new Map<string, WeakMap<TableSchema, RowReader>>()
  readonly #columns = new Map<string, Set<string>>()

  constructor(form: ValueForm) {
    this.#form = form
  }

  /**
   * For the rows of one change. Its schema has their columns; with `isComplete` those that were seen of the
   * table before as well.
   */
  readerOf(
    table: string,
    key: readonly string[],
    hints: TableHints,
    rows: readonly (PlainRow | null)[],
    isComplete: boolean,
  ): RowReader {
    this.#checkCount(table, rows)
    const given = rows.map(row => (row === null ? null : this.#typed(row, hints, isComplete)))
    const { schema } = this.#types.read(table, key, given, { isComplete })
    const readers = this.#readers.get(table) ?? new WeakMap<TableSchema, RowReader>()
    this.#readers.set(table, readers)
    const known = readers.get(schema)
    if (known !== undefined) return known
    const converters = schema.columns.map(({ name, type }) => {
      return [name, this.#converterOf(type, statedType(hints, name))] as const
    })
    const reader = { schema, convert: new Map(converters) }
    readers.set(schema, reader)
    return reader
  }

  #typed(row: PlainRow, hints: TableHints, isComplete: boolean): TypedRow {
    const stated = isComplete ? Object.entries(hints.types ?? {}) : []
    const absent = stated
      .filter(([name]) => !Object.hasOwn(row, name))
      .map(
        ([name, type]) =>
          [name, { type: columnTypeOf(type), value: null, isDeclared: true }] as const,
      )
    const sent = Object.entries(row)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, this.#valueOf(name, value, hints)] as const)
    return Object.fromEntries<TypedValue | null>([...sent, ...absent])
  }

  #valueOf(name: string, value: unknown, hints: TableHints): TypedValue | null {
    const stated = statedType(hints, name)
    try {
      if (stated === undefined) return this.#form.infer(value)
      const type = columnTypeOf(stated)
      const read = value === null ? null : this.#converterOf(type, stated).convert(value)
      return { type, value: read, isDeclared: true }
    } catch (error) {
      throw error instanceof DecodeError ? error.at({ column: name }) : error
    }
  }

  #converterOf(type: ColumnType, stated: StatedType | undefined): Converter {
    const { infer, plain } = this.#form
    if (stated !== undefined) {
      const { convert } = statedConverter(stated)
      return { type, convert: value => convert(plain(value, type)) }
    }
    return {
      type,
      convert: value => {
        const typed = infer(value)
        return typed === null ? null : widenValue(typed.value, typed.type, type)
      },
    }
  }

  #checkCount(table: string, rows: readonly (PlainRow | null)[]): void {
    const columns = this.#columns.get(table) ?? new Set<string>()
    this.#columns.set(table, columns)
    const given = new Set(rows.flatMap(row => Object.keys(row ?? {})))
    const names = [...given].filter(name => !columns.has(name))
    if (columns.size + names.length > maxColumns) {
      throw new DecodeError(
        'type-unsupported',
        `${table} would have more than ${maxColumns} columns: its rows have ever new ones`,
      )
    }
    for (const name of names) columns.add(name)
  }
}
