/**
 * What is asked of a database that changes come from, whichever it is: its tables, and their rows in the
 * order of a key. Values come as the database writes them; each column says how they are read.
 */
import type { ColumnType } from '../../model/column-type.ts'
import type { Value } from '../../model/value.ts'

/** Bytes only of what is binary. */
export type RawValue = string | Uint8Array | null

export interface SourceColumn {
  readonly name: string
  /** In the database's words: `bigint(20) unsigned`. */
  readonly declared: string
  readonly nullable: boolean
  /** What Forager makes of it. */
  readonly type: ColumnType
  /** Absent: it is compared. */
  readonly whyNot?: string
  /** Of a list of columns. */
  readonly select: string
  /** By which rows are ordered as their keys are (`model/key.ts`); null: that cannot be said in SQL. */
  readonly order: string | null
  /** Throws DecodeError for what is no value of the type. */
  readonly read: (raw: string | Uint8Array) => Value
  /**
   * JSON and numbers that are kept as text are compared by what they say; a `float` of six digits equals
   * one that begins so.
   */
  readonly form?: 'json' | 'number' | 'six-digits'
}

export interface SourceTable {
  /** `database.table`, or `schema.table`. */
  readonly name: string
  readonly columns: readonly SourceColumn[]
  readonly primaryKey: readonly string[]
}

export interface SourceDatabase {
  /** For messages: `mariadb://host:3306`. */
  readonly address: string
  /** Names of all tables, as change events have them. */
  tables(): Promise<readonly string[]>
  describe(table: string): Promise<SourceTable>
  /** All rows with these columns, in parts, in the order of the key, as of one moment; without a key one. */
  rows(
    table: string,
    columns: readonly SourceColumn[],
    key: readonly SourceColumn[],
  ): AsyncGenerator<readonly (readonly RawValue[])[]>
  close(): Promise<void>
}

/** Rows of one part. */
export const rowsPerPart = 1_000
