/**
 * What each format itself loses of a database's changes, as data: `docs/formats.md` shows it, and the
 * conformance suite (`test/conformance`) holds every format against it, with and without each line.
 */
import type { FormatName } from '../../cli/formats.ts'

export type FormatLoss = { readonly why: string } & (
  | {
      /** The column has another type than elsewhere. */
      readonly kind: 'type'
      readonly column: string
      readonly instead: string
    }
  | {
      /** A value is another one; both as JSON shows them. Absent: every value, as the suite has it. */
      readonly kind: 'value'
      readonly column: string
      readonly from: string
      readonly instead: string
    }
  | {
      /** A changed key is refused, with one partition or only with several. */
      readonly kind: 'changed key'
      readonly partitions: 'any' | 'several'
      readonly code: string
    }
)

const unsigned: readonly FormatLoss[] = [
  {
    kind: 'type',
    column: 'ubig',
    instead: 'bigint',
    why: '`bigint.unsigned.handling.mode` is `long` by default, and a schema does not say that it has no sign: state `ubigint`',
  },
  {
    kind: 'value',
    column: 'ubig',
    from: '18446744073709551615',
    instead: '-1',
    why: 'an unsigned BIGINT above 2^63 is a negative number in `long`: state `ubigint`',
  },
]

const undeclared =
  'Maxwell sends no types with rows: state `columns.types`, or name its `ddl_kafka_topic`'

function inferred(types: Readonly<Record<string, string>>): readonly FormatLoss[] {
  return Object.entries(types).map(([column, instead]) => {
    return { kind: 'type', column, instead, why: undeclared }
  })
}

function shownAs(column: string, values: Readonly<Record<string, string>>): readonly FormatLoss[] {
  return Object.entries(values).map(([from, instead]) => {
    return { kind: 'value', column, from, instead, why: undeclared }
  })
}

export const formatLosses: Readonly<Record<Exclude<FormatName, 'auto'>, readonly FormatLoss[]>> = {
  'debezium-json': unsigned,
  'debezium-avro': unsigned,
  'debezium-flat': unsigned,
  'canal-json': [
    {
      kind: 'changed key',
      partitions: 'several',
      code: 'changed-key-unordered',
      why: 'the row comes through the partition of its new key alone, with no position',
    },
  ],
  'canal-rows': [
    {
      kind: 'changed key',
      partitions: 'any',
      code: 'row-missing',
      why: 'a message has the new values alone: delete and insert such rows, or send flat messages',
    },
  ],
  'maxwell-json': [
    {
      kind: 'changed key',
      partitions: 'several',
      code: 'changed-key-unordered',
      why: 'the row comes through the partition of its new key alone: `ordering: position` orders it',
    },
    ...inferred({
      id: 'bigint',
      tiny: 'bigint',
      truth: 'bigint',
      small: 'bigint',
      medium: 'bigint',
      n: 'bigint',
      utiny: 'bigint',
      ubig: 'decimal(20,0)',
      ratio: 'string',
      raw: 'string',
      day: 'string',
      at: 'string',
      changed: 'string',
    }),
    ...shownAs('ubig', { 42: '"42"', '18446744073709551615': '"18446744073709551615"' }),
    ...shownAs('ratio', { '0.1': '"0.1"', '-1.5e+300': '"-1.5E300"' }),
    ...shownAs('spent', { '"-838:59:59"': '"-838:59:59.000000"' }),
  ],
}
