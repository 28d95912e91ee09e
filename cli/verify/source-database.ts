/**
 * What is asked of a database that changes come from, whichever it is: its tables, and their rows in the
 * order of a key. Values come as the database writes them; each column says how they are read.
 */
import type { ColumnType } from '../../model/column-type.ts'
import { assert } from '../../model/errors.ts'
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
  /** What a new row has in it without a word, where that is a constant; absent: none, or null. */
  readonly defaultSql?: string
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

/** The rows whose first key column is a number above `after`, up to `upTo`; null: no bound, and null itself. */
export interface KeyRange {
  readonly after: string | null
  readonly upTo: string | null
}

export const wholeTable: KeyRange = { after: null, upTo: null }

/** What PostgreSQL logs of the row before (`REPLICA IDENTITY`). */
export interface ReplicaIdentity {
  /** As change events have it: a partition is called as its table. */
  readonly table: string
  readonly kind: 'default' | 'nothing' | 'full' | 'index'
  /** Columns of the primary key or of the index; empty for `nothing`, and without a primary key. */
  readonly columns: readonly string[]
}

export interface LogFacts {
  /** Settings of the server, by its names. */
  readonly settings: ReadonlyMap<string, string>
  /** Of all tables; empty where there is no such thing. A table of partitions may have several. */
  readonly identities: readonly ReplicaIdentity[]
}

export interface SourceDatabase {
  /** For messages: `mariadb://host:3306`. */
  readonly address: string
  /** Names of all tables, as change events have them. */
  tables(): Promise<readonly string[]>
  describe(table: string): Promise<SourceTable>
  /** What decides which part of a change is in the server's log. */
  logFacts(): Promise<LogFacts>
  /**
   * All rows of the range with these columns, in parts, in the order of the key, as of one moment;
   * without a key one.
   */
  rows(
    table: string,
    columns: readonly SourceColumn[],
    key: readonly SourceColumn[],
    range: KeyRange,
  ): AsyncGenerator<readonly (readonly RawValue[])[]>
  /** The number in the column that so many rows above `after` reach to; null where fewer are left. */
  boundOf(
    table: string,
    column: SourceColumn,
    after: string | null,
    rowCount: number,
  ): Promise<string | null>
  /** The defaults of these columns, as their rows are; each has one (`defaultSql`). */
  defaultsOf(table: string, columns: readonly SourceColumn[]): Promise<readonly RawValue[]>
  close(): Promise<void>
}

/** Of a number, as both databases and Hive read it: nothing else may come into a statement. */
export const plainNumber = /^-?\d+(\.\d+)?$/

/** The condition of a range, with ` WHERE`; empty for the whole table. */
export function whereSql(
  column: string,
  { after, upTo }: KeyRange,
  literal: (number: string) => string = String,
): string {
  assert(
    [after, upTo].every(bound => bound === null || plainNumber.test(bound)),
    'no number',
  )
  const conditions: string[] = []
  if (after !== null) conditions.push(`${column} > ${literal(after)}`)
  if (upTo !== null) {
    const within = `${column} <= ${literal(upTo)}`
    // Null comes before every number.
    conditions.push(after === null ? `(${within} OR ${column} IS NULL)` : within)
  }
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}\n`
}

/** Rows of one part. */
export const rowsPerPart = 1_000
