/** Values of every type of column, with the corners of each, and schemas of them. */
import fc from 'fast-check'
import type { ColumnType } from '../../model/column-type.ts'
import type { Value } from '../../model/value.ts'
import { toInteger } from '../../model/value.ts'

/** One type of each kind, sized ones at their corners. */
export const columnTypes: readonly ColumnType[] = [
  { kind: 'boolean' },
  { kind: 'tinyint' },
  { kind: 'smallint' },
  { kind: 'int' },
  { kind: 'bigint' },
  { kind: 'ubigint' },
  { kind: 'float' },
  { kind: 'double' },
  { kind: 'string' },
  { kind: 'varchar', length: 40 },
  { kind: 'char', length: 40 },
  { kind: 'binary' },
  { kind: 'date' },
  { kind: 'timestamp' },
  { kind: 'timestamptz' },
  { kind: 'decimal', precision: 1, scale: 1 },
  { kind: 'decimal', precision: 18, scale: 6 },
  { kind: 'decimal', precision: 38, scale: 0 },
  { kind: 'decimal', precision: 38, scale: 38 },
  { kind: 'array', element: { kind: 'int' } },
  { kind: 'array', element: { kind: 'array', element: { kind: 'string' } } },
]

function integer(min: bigint, max: bigint): fc.Arbitrary<Value> {
  const corners = [min, min + 1n, -1n, 0n, 1n, max - 1n, max].filter(
    one => one >= min && one <= max,
  )
  return fc.oneof(fc.constantFrom(...corners), fc.bigInt({ min, max })).map(toInteger)
}

/** Days of the years −4713 to 9999. */
const days = { min: -2_440_588, max: 2_932_896 }
const microsPerDay = 86_400_000_000n

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', '\0', 'Zoë 😀', '__debezium_unavailable_value', ' inner space '),
)

export function arbitraryValue(type: ColumnType): fc.Arbitrary<Value> {
  switch (type.kind) {
    case 'boolean':
      return fc.boolean()
    case 'tinyint':
      return integer(-(2n ** 7n), 2n ** 7n - 1n)
    case 'smallint':
      return integer(-(2n ** 15n), 2n ** 15n - 1n)
    case 'int':
      return integer(-(2n ** 31n), 2n ** 31n - 1n)
    case 'bigint':
      return integer(-(2n ** 63n), 2n ** 63n - 1n)
    case 'ubigint':
      return integer(0n, 2n ** 64n - 1n)
    case 'float':
      return fc.float()
    case 'double':
      return fc.double()
    case 'string':
    case 'varchar':
      return text
    case 'char':
      // The spaces that pad a char are no part of its value.
      return text.map(value => value.replace(/ +$/, ''))
    case 'binary':
      return fc.uint8Array({ maxLength: 20 })
    case 'date':
      return fc.integer(days)
    case 'timestamp':
    case 'timestamptz':
      // ORC cannot tell the last second before 1970 from the first one after it (docs/orc.md).
      return integer(BigInt(days.min) * microsPerDay, BigInt(days.max) * microsPerDay).filter(
        micros => Number(micros) <= -1_000_000 || Number(micros) >= 0,
      )
    case 'decimal': {
      const limit = 10n ** BigInt(type.precision) - 1n
      return integer(-limit, limit)
    }
    case 'array':
      return fc.array(fc.option(arbitraryValue(type.element)), { maxLength: 4 })
  }
}

/** Values as text, to compare: bytes of any class, −0 and NaN as they are. */
export function valueText(value: Value | undefined): string {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return `[${value.map(valueText).join()}]`
  if (typeof value === 'string') return JSON.stringify(value)
  if (Object.is(value, -0)) return '-0'
  return String(value as number)
}
