/** The rows of the simulated database, and the schema that their messages carry. */

/** A row as the tables show it; null: there is none. */
export interface SourceRow {
  readonly id: number
  readonly version: number
  readonly month: string
  readonly note: string | null
  /** Large: an update that does not touch it may leave it out. */
  readonly body: string
  /** Added in the middle of the program, with a default for the rows of before. */
  readonly extra: string
  /** Widened in the middle of the program, and larger from then on. */
  readonly size: number
  /** Dropped in the middle of the program: null from then on. */
  readonly memo: string | null
}

/** How far the columns have changed. */
export interface RowShape {
  readonly hasExtra: boolean
  readonly isWide: boolean
  readonly isMemoGone: boolean
}

export const extraDefault = 'by default'

/** As Kafka Connect's JSON converter writes it. */
export function schemaText({ hasExtra, isWide, isMemoGone }: RowShape): string {
  const fields = [
    { field: 'id', type: 'int32', optional: false },
    { field: 'version', type: 'int64', optional: false },
    { field: 'month', type: 'string', optional: false },
    { field: 'note', type: 'string', optional: true },
    { field: 'body', type: 'string', optional: true },
    { field: 'size', type: isWide ? 'int64' : 'int32', optional: false },
    ...(isMemoGone ? [] : [{ field: 'memo', type: 'string', optional: true }]),
    ...(hasExtra
      ? [{ field: 'extra', type: 'string', optional: false, default: extraDefault }]
      : []),
  ]
  return JSON.stringify({ type: 'struct', fields: [{ field: 'after', type: 'struct', fields }] })
}

/** The row's columns that there are. */
export function columnsOf(
  row: SourceRow | null,
  { hasExtra, isMemoGone }: RowShape,
): Partial<SourceRow> | null {
  if (row === null) return null
  const { extra, memo, ...rest } = row
  return { ...rest, ...(hasExtra ? { extra } : {}), ...(isMemoGone ? {} : { memo }) }
}
