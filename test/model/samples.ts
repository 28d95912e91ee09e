/** Arbitrary types, values in the one form that each has in memory, and rows of them. */
import fc from 'fast-check'
import type { ColumnType } from '../../model/column-type.ts'
import type { Column, TableSchema } from '../../model/table-schema.ts'
import { internSchema } from '../../model/table-schema.ts'
import type { Value } from '../../model/value.ts'
import { powerOfTen, toInteger } from '../../model/value.ts'

export const simpleTypes: readonly ColumnType[] = [
  { kind: 'boolean' },
  { kind: 'tinyint' },
  { kind: 'smallint' },
  { kind: 'int' },
  { kind: 'bigint' },
  { kind: 'ubigint' },
  { kind: 'float' },
  { kind: 'double' },
  { kind: 'string' },
  { kind: 'binary' },
  { kind: 'date' },
  { kind: 'timestamp' },
  { kind: 'timestamptz' },
]

const decimals = fc
  .record({ precision: fc.integer({ min: 1, max: 38 }), scale: fc.nat(38) })
  .filter(({ precision, scale }) => scale <= precision)
  .map(sizes => ({ kind: 'decimal' as const, ...sizes }))

/** Every type that is not an array. */
export const anyScalar: fc.Arbitrary<ColumnType> = fc.oneof(
  fc.constantFrom(...simpleTypes),
  decimals,
  fc
    .record({ kind: fc.constantFrom('varchar' as const, 'char' as const), length: fc.nat(300) })
    .map(({ kind, length }) => ({ kind, length: length + 1 })),
)

export const anyType: fc.Arbitrary<ColumnType> = fc.oneof(
  { weight: 6, arbitrary: anyScalar },
  { weight: 1, arbitrary: anyScalar.map(element => ({ kind: 'array' as const, element })) },
  {
    weight: 1,
    arbitrary: anyScalar.map(element => ({
      kind: 'array' as const,
      element: { kind: 'array' as const, element },
    })),
  },
)

const ranges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  tinyint: [-(2n ** 7n), 2n ** 7n - 1n],
  smallint: [-(2n ** 15n), 2n ** 15n - 1n],
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  bigint: [-(2n ** 63n), 2n ** 63n - 1n],
  ubigint: [0n, 2n ** 64n - 1n],
  timestamp: [-(2n ** 63n), 2n ** 63n - 1n],
  timestamptz: [-(2n ** 63n), 2n ** 63n - 1n],
}

function integers(min: bigint, max: bigint): fc.Arbitrary<number | bigint> {
  // Values beside powers of two are where encodings change.
  const edges = Array.from({ length: 130 }, (_, bits) => 2n ** BigInt(bits))
    .flatMap(power => [power - 1n, power, power + 1n, -power - 1n, -power, 1n - power])
    .filter(edge => edge >= min && edge <= max)
  return fc.oneof(fc.bigInt(min, max), fc.constantFrom(...edges, min, max)).map(toInteger)
}

/** Any text, code points of four bytes, zeros and empty text among it. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('\0', '\x01', 'a', 'ÿ', '\u{ffff}', '😀') }),
)

const bytes = fc.uint8Array({ maxLength: 40 }).map(found => Buffer.from(found))

/** Not null. */
export function anyValue(type: ColumnType): fc.Arbitrary<Value> {
  switch (type.kind) {
    case 'boolean':
      return fc.boolean()
    case 'float':
      return fc.float()
    case 'double':
      return fc.double()
    case 'string':
    case 'varchar':
    case 'char':
      return anyText
    case 'binary':
      return bytes
    case 'date':
      return fc.integer({ min: -3_000_000, max: 4_000_000 })
    case 'decimal': {
      const limit = powerOfTen(type.precision) - 1n
      return integers(-limit, limit)
    }
    case 'array':
      return fc.array(fc.option(anyValue(type.element)), { maxLength: 5 })
    default: {
      const [min, max] = ranges[type.kind]!
      return integers(min, max)
    }
  }
}

export function column(name: string, type: ColumnType, rest: Partial<Column> = {}): Column {
  return { id: name, name, type, nullable: true, ...rest }
}

/** `{ id: 'int', name: 'string' }` with the key `id`, unless another is given. */
export function schemaOf(
  columns: Readonly<Record<string, ColumnType['kind'] | ColumnType | Column>>,
  key: readonly string[] = ['id'],
): TableSchema {
  return internSchema({
    columns: Object.entries(columns).map(([name, given]) => {
      if (typeof given === 'string') return column(name, { kind: given } as ColumnType)
      return 'id' in given ? given : column(name, given)
    }),
    key,
  })
}

export const sign = (value: number): number => Math.sign(value) + 0

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return sign(Buffer.compare(a, b))
}

/** Every char is a byte. */
export function compareKeys(a: string, b: string): number {
  return compareBytes(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'))
}
