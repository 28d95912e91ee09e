/**
 * A second opinion on types: columns with random values, each written as Debezium writes it under the
 * settings of a connector, and what a table must show for it. Values begin as what a database has (digits,
 * the parts of a date) and are never read back from what was written; nothing of the program is used here.
 */
import type { Random } from '../../runtime/random.ts'
import type { ColumnParts, Field } from './samples.ts'

export interface Profile {
  readonly time: string
  readonly decimal: string
  readonly binary: string
  readonly unsigned: string
  readonly interval: string
  readonly hstore: string
}

/** A value: its JSON, and the JSON of what a table shows. */
export interface Cell {
  readonly json: string
  readonly shown: string
}

/** A type under a profile. */
export interface RandomColumn {
  /** In an embedded schema. */
  readonly field: Omit<Field, 'field'>
  /** In a schema-change event of MySQL; absent: MySQL has no such type. */
  readonly column?: Omit<ColumnParts, 'name'>
  /** The word for `columns.types`; absent: no word says it. */
  readonly stated?: string
  readonly cell: (random: Dice) => Cell
  /** Where a schema says less than the database: what is shown then. */
  readonly embeddedShown?: (cell: Cell) => string
}

/** Whole numbers from a source of randomness. */
export class Dice {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** From 0 up to, not including, the limit. */
  below(limit: number): number {
    return Math.floor(this.#random.next() * limit)
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  isOnce(times: number): boolean {
    return this.below(times) === 0
  }

  digits(count: number): string {
    return Array.from({ length: count }, () => this.below(10)).join('')
  }

  /** Of so many bits, signed; the extremes and small numbers often. */
  signed(bits: number): bigint {
    const limit = 2n ** BigInt(bits - 1)
    if (this.isOnce(4)) return this.of([-limit, limit - 1n, 0n, -1n, 1n])
    return BigInt.asIntN(bits, BigInt(this.digits(25)))
  }
}

const quoted = (text: string): string => JSON.stringify(text)
const same = (json: string): Cell => ({ json, shown: json })
const pad = (value: number, width = 2): string => String(value).padStart(width, '0')

/** Two's complement in as few bytes as hold it. */
function bytesOfInteger(value: bigint): Buffer {
  let size = 1
  while (BigInt.asIntN(size * 8, value) !== value) size += 1
  return Buffer.from(
    BigInt.asUintN(size * 8, value)
      .toString(16)
      .padStart(size * 2, '0'),
    'hex',
  )
}

const base64 = (bytes: Buffer): string => quoted(bytes.toString('base64'))

function integer(bits: 8 | 16 | 32 | 64, typeName?: string, stated?: string): RandomColumn {
  return {
    field: { type: `int${bits}` },
    ...(typeName === undefined ? {} : { column: { typeName } }),
    ...(stated === undefined ? {} : { stated }),
    cell: dice => same(dice.signed(bits).toString()),
  }
}

function unsigned({ unsigned: mode }: Profile): RandomColumn {
  const parameters = { scale: '0', 'connect.decimal.precision': '20' }
  const connect = 'org.apache.kafka.connect.data.Decimal'
  return {
    field: mode === 'long' ? { type: 'int64' } : { type: 'bytes', name: connect, parameters },
    column: { typeName: 'BIGINT UNSIGNED' },
    stated: 'ubigint',
    cell: dice => {
      const value = BigInt.asUintN(64, dice.signed(64))
      return mode === 'long'
        ? { json: BigInt.asIntN(64, value).toString(), shown: value.toString() }
        : { json: base64(bytesOfInteger(value)), shown: value.toString() }
    },
    embeddedShown: ({ json, shown }) => (mode === 'long' ? json : quoted(shown)),
  }
}

function decimal(precision: number, scale: number, { decimal: mode }: Profile): RandomColumn {
  const parameters = { scale: String(scale), 'connect.decimal.precision': String(precision) }
  const isPrecise = mode === 'precise'
  const connect = 'org.apache.kafka.connect.data.Decimal'
  const field = isPrecise ? { type: 'bytes', name: connect, parameters } : { type: 'string' }
  const words = precision <= 38 ? [`decimal(${precision},${scale})`] : isPrecise ? [] : ['string']
  return {
    field,
    column: { typeName: 'DECIMAL', length: precision, scale },
    ...(words[0] === undefined ? {} : { stated: words[0] }),
    cell: dice => {
      const digits = dice.digits(1 + dice.below(precision)).padStart(scale + 1, '0')
      const whole = digits.slice(0, digits.length - scale).replace(/^0+(?=\d)/, '')
      const text = scale === 0 ? whole : `${whole}.${digits.slice(-scale)}`
      const isNegative = /[1-9]/.test(text) && dice.isOnce(2)
      const shown = quoted(isNegative ? `-${text}` : text)
      const unscaled = isNegative ? -BigInt(digits) : BigInt(digits)
      return { json: isPrecise ? base64(bytesOfInteger(unscaled)) : shown, shown }
    },
  }
}

const numbers: RandomColumn = {
  field: { type: 'double' },
  column: { typeName: 'DOUBLE' },
  stated: 'double',
  cell: dice => {
    const value = Number(`${dice.signed(32)}e${dice.below(590) - 300}`)
    return same(Object.is(value, 0) || value === 0 ? '0' : String(value))
  },
}

const truth: RandomColumn = {
  field: { type: 'boolean' },
  column: { typeName: 'BIT', length: 1 },
  stated: 'boolean',
  cell: dice => same(dice.of(['true', 'false'])),
}

const letters = [
  'a',
  '中',
  '😀',
  '"',
  '\\',
  '\n',
  '\t',
  '',
  '\u007f',
  'é',
  ' ',
  '{',
  ',',
  ':',
  '\u0001',
]

const text: RandomColumn = {
  field: { type: 'string' },
  column: { typeName: 'VARCHAR' },
  stated: 'string',
  cell: dice => {
    return same(quoted(Array.from({ length: dice.below(8) }, () => dice.of(letters)).join('')))
  },
}

function binary({ binary: mode }: Profile): RandomColumn {
  const isBytes = mode === 'bytes'
  return {
    field: { type: isBytes ? 'bytes' : 'string' },
    column: { typeName: 'VARBINARY' },
    stated: 'binary',
    cell: dice => {
      const bytes = Buffer.from(Array.from({ length: dice.below(9) }, () => dice.below(256)))
      const inMode: Readonly<Record<string, string>> = {
        hex: bytes.toString('hex'),
        'base64-url-safe': bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
      }
      return { json: quoted(inMode[mode] ?? bytes.toString('base64')), shown: base64(bytes) }
    },
    // A schema says text of what is no bytes.
    embeddedShown: cell => (isBytes ? cell.shown : cell.json),
  }
}

function bits(length: number): RandomColumn {
  return {
    field: { type: 'bytes', name: 'io.debezium.data.Bits', parameters: { length: String(length) } },
    column: { typeName: 'BIT', length },
    stated: `bit(${length})`,
    cell: dice => {
      const text = Array.from({ length }, () => dice.below(2)).join('')
      const size = Math.ceil(length / 8)
      const bytes = Buffer.from(
        BigInt(`0b${text}`)
          .toString(16)
          .padStart(size * 2, '0'),
        'hex',
      )
      return { json: base64(bytes.reverse()), shown: quoted(text) }
    },
  }
}

const hstore = ({ hstore: mode }: Profile): RandomColumn => ({
  field: mode === 'map' ? { type: 'map' } : { type: 'string', name: 'io.debezium.data.Json' },
  stated: 'string',
  cell: dice => {
    const pairs = Array.from({ length: dice.below(4) }, (_, at) => {
      return `"k${at}":${dice.isOnce(3) ? 'null' : quoted(dice.of(letters))}`
    })
    const json = `{${pairs.join(',')}}`
    return { json: mode === 'map' ? json : quoted(json), shown: quoted(json) }
  },
})

/** A list of values of another type, some of them null. */
function list(element: RandomColumn): RandomColumn {
  const { stated } = element
  return {
    field: { type: 'array', items: element.field },
    ...(stated === undefined || /\(/.test(stated) ? {} : { stated: `array<${stated}>` }),
    cell: dice => {
      const cells = Array.from({ length: dice.below(5) }, () =>
        dice.isOnce(4) ? same('null') : element.cell(dice),
      )
      return {
        json: `[${cells.map(({ json }) => json).join()}]`,
        shown: `[${cells.map(({ shown }) => shown).join()}]`,
      }
    },
  }
}

/** Types that do not depend on time; `random-times.ts` has the others. */
export function plainColumns(profile: Profile): readonly RandomColumn[] {
  return [
    integer(8, undefined, 'tinyint'),
    integer(16, 'SMALLINT', 'smallint'),
    integer(32, 'INT', 'int'),
    integer(64, 'BIGINT', 'bigint'),
    unsigned(profile),
    decimal(5, 0, profile),
    decimal(12, 2, profile),
    decimal(38, 10, profile),
    decimal(38, 38, profile),
    decimal(65, 20, profile),
    numbers,
    truth,
    text,
    binary(profile),
    bits(8),
    bits(20),
    bits(64),
    hstore(profile),
    list(integer(32, 'INT', 'int')),
    list(integer(64, 'BIGINT', 'bigint')),
    list(text),
    list(decimal(10, 2, profile)),
  ]
}

export { pad, quoted, same }
