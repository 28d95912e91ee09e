/** The rows of the simulated database, and the schema that their messages carry. */
import type { Random } from '../../runtime/random.ts'

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
  /** An int that becomes a bigint in the middle of the program, and larger from then on. */
  readonly size: number
  /** A float that becomes a double with it, and more exact from then on. */
  readonly rate: number
  /** A decimal, as its text without zeros at the end: it becomes wider twice. */
  readonly price: string
  /** Dropped in the middle of the program: null from then on. */
  readonly memo: string | null
}

/** How far the columns have changed. */
export interface RowShape {
  readonly hasExtra: boolean
  readonly isWide: boolean
  /** Place in `prices`. */
  readonly price: number
  readonly isMemoGone: boolean
}

export const firstShape: RowShape = {
  hasExtra: false,
  isWide: false,
  price: 0,
  isMemoGone: false,
}

export const extraDefault = 'by default'

/** What stands for the values of columns that may not be null and were not sent. */
export const nothing: SourceRow = {
  id: 0,
  version: 0,
  month: '1970-01-01',
  note: null,
  body: '',
  extra: '',
  size: 0,
  rate: 0,
  price: '0',
  memo: null,
}

/** Types of the column, with a fraction that only they and wider ones hold. */
const prices = [
  { precision: 6, scale: 2, fraction: '25' },
  { precision: 12, scale: 4, fraction: '0625' },
  { precision: 18, scale: 6, fraction: '015625' },
] as const

/** More than an int holds. */
const wideSize = 2 ** 40

/** The columns after the next change of them, in an order of the seed; the same: all of them are done. */
export function nextShape(shape: RowShape, random: Random): RowShape {
  const left: RowShape[] = []
  if (!shape.hasExtra) left.push({ ...shape, hasExtra: true })
  if (!shape.isWide) left.push({ ...shape, isWide: true })
  if (shape.price < prices.length - 1) left.push({ ...shape, price: shape.price + 1 })
  if (!shape.isMemoGone) left.push({ ...shape, isMemoGone: true })
  return left[Math.floor(random.next() * left.length)] ?? shape
}

/** A row that tells which version it is, in each column that there is. */
export function newRow(id: number, version: number, shape: RowShape, random: Random): SourceRow {
  return {
    id,
    version,
    month: `2026-0${1 + Math.floor(random.next() * 4)}-15`,
    note: random.next() < 0.2 ? null : `note ${version}`,
    body: `body ${version}`,
    extra: shape.hasExtra ? `extra ${version}` : extraDefault,
    size: version + (shape.isWide ? wideSize : 0),
    // A float holds the half exactly, and the tenth not.
    rate: version + (shape.isWide ? 0.1 : 0.5),
    price: `${version}.${prices[shape.price]!.fraction}`,
    memo: shape.isMemoGone ? null : `memo ${version}`,
  }
}

/** As Kafka Connect's JSON converter writes it. */
export function schemaText({ hasExtra, isWide, price, isMemoGone }: RowShape): string {
  const { precision, scale } = prices[price]!
  const fields = [
    { field: 'id', type: 'int32', optional: false },
    { field: 'version', type: 'int64', optional: false },
    { field: 'month', type: 'string', optional: false },
    { field: 'note', type: 'string', optional: true },
    { field: 'body', type: 'string', optional: true },
    { field: 'size', type: isWide ? 'int64' : 'int32', optional: false },
    { field: 'rate', type: isWide ? 'double' : 'float', optional: false },
    {
      field: 'price',
      type: 'bytes',
      optional: false,
      name: 'org.apache.kafka.connect.data.Decimal',
      parameters: { scale: String(scale), 'connect.decimal.precision': String(precision) },
    },
    ...(isMemoGone ? [] : [{ field: 'memo', type: 'string', optional: true }]),
    ...(hasExtra
      ? [{ field: 'extra', type: 'string', optional: false, default: extraDefault }]
      : []),
  ]
  return JSON.stringify({ type: 'struct', fields: [{ field: 'after', type: 'struct', fields }] })
}

/** The row's columns that there are, as messages have them. */
export function columnsOf(row: SourceRow | null, shape: RowShape): object | null {
  if (row === null) return null
  const { extra, memo, price, ...rest } = row
  return {
    ...rest,
    price: decimalBytes(price, prices[shape.price]!.scale),
    ...(shape.hasExtra ? { extra } : {}),
    ...(shape.isMemoGone ? {} : { memo }),
  }
}

/** The unscaled number in two's complement, in base 64. It is never negative. */
function decimalBytes(text: string, scale: number): string {
  const [whole, fraction = ''] = text.split('.')
  const digits = BigInt(whole! + fraction.padEnd(scale, '0')).toString(16)
  // The first bit is the sign.
  return Buffer.from(`00${digits.length % 2 === 0 ? '' : '0'}${digits}`, 'hex').toString('base64')
}
