/** What can be chosen when a file is opened, and when its rows are read. */
import type { MatchBy } from './evolution.ts'
import type { OrcPredicate } from './predicate.ts'
import type { OrcStructType, TimestampUnit } from './types.ts'

export interface OrcReaderOptions {
  /**
   * The unit of timestamps that are read; `micros`, the default, drops what is below, towards −∞.
   */
  readonly timestampUnit?: TimestampUnit
  /**
   * The most bytes that the vectors of one batch, the dictionaries of one stripe, or one section of the
   * file may decode to. Default 256 MiB. Beyond, reading ends with `limit-exceeded`.
   */
  readonly maxBatchBytes?: number
}

export interface OrcRowsOptions {
  /** The fields of the root that are read, by name, in this order. Default: all. */
  readonly columns?: readonly string[]
  /** The most rows of a batch, which has fewer where rows are large. Default 1024. */
  readonly maxBatchRows?: number
  /**
   * Row groups without a row that matches are not read, where statistics or bloom filters say so. The rows
   * of all others come, matching or not. It asks for columns of the file, and for values as the file has them.
   */
  readonly where?: OrcPredicate
  /**
   * What is wanted instead of the file's own columns: those that the file lacks are null, those of
   * another type are converted. Not together with `columns`.
   */
  readonly schema?: OrcStructType
  /** How columns of the schema are found. Default `name`; `position` for names like `_col0`. */
  readonly matchBy?: MatchBy
}

export interface OrcBatchesOptions extends OrcRowsOptions {
  /** Whether a batch ends when the next one is asked for, which then has its memory; that saves time. */
  readonly reuseMemory?: boolean
}
