/**
 * A program of SQL on one table, with columns of the types that all formats have, and the table as it is
 * in the end. Values are what the database has, written down once for each way in which a tool writes them;
 * nothing of the program under test is used.
 */
import type { Dice } from '../formats/random-columns.ts'
import type { Field } from '../formats/samples.ts'

/** A value of a column. */
export interface Cell {
  /** MySQL's text, as canal writes it; null: SQL's null. */
  readonly text: string | null
  /** Debezium's JSON. */
  readonly json: string
  /** For the encoder of Avro. */
  readonly avro: unknown
  /** Maxwell's JSON. */
  readonly maxwell: string
  /** What the table shows. */
  readonly shown: string
}

export interface Column {
  readonly name: string
  /** In MySQL. */
  readonly type: string
  readonly field: Omit<Field, 'field'>
  /** Of the target's column. */
  readonly target: string
  readonly cells: readonly Cell[]
}

const nothing: Cell = { text: null, json: 'null', avro: null, maxwell: 'null', shown: 'null' }
const quoted = (text: string): string => JSON.stringify(text)

function numbers(
  name: string,
  type: string,
  bits: 16 | 32 | 64,
  target: string,
  ...values: string[]
) {
  const cells = values.map((text): Cell => {
    return {
      text,
      json: text,
      avro: bits === 64 ? BigInt(text) : Number(text),
      maxwell: text,
      shown: text,
    }
  })
  return { name, type, field: { type: `int${bits}` }, target, cells: [nothing, ...cells] }
}

function unscaledBytes(text: string): Buffer {
  const value = BigInt(text.replace('.', ''))
  let size = 1
  while (BigInt.asIntN(size * 8, value) !== value) size += 1
  return Buffer.from(
    BigInt.asUintN(size * 8, value)
      .toString(16)
      .padStart(size * 2, '0'),
    'hex',
  )
}

function decimals(name: string, precision: number, scale: number, ...values: string[]): Column {
  const cells = values.map((text): Cell => {
    const avro = unscaledBytes(text)
    return { text, json: quoted(avro.toString('base64')), avro, maxwell: text, shown: quoted(text) }
  })
  const parameters = { scale: String(scale), 'connect.decimal.precision': String(precision) }
  return {
    name,
    type: `decimal(${precision},${scale})`,
    field: { type: 'bytes', name: 'org.apache.kafka.connect.data.Decimal', parameters },
    target: `decimal(${precision},${scale})`,
    cells: [nothing, ...cells],
  }
}

/** Texts that are the same everywhere. */
function texts(
  name: string,
  type: string,
  field: Omit<Field, 'field'>,
  target: string,
  values: readonly string[],
): Column {
  const cells = values.map((text): Cell => {
    const json = quoted(text)
    return { text, json, avro: text, maxwell: json, shown: json }
  })
  return { name, type, field, target, cells: [nothing, ...cells] }
}

function moments(
  name: string,
  type: string,
  field: Omit<Field, 'field'>,
  target: string,
  cells: readonly { readonly text: string; readonly json: string; readonly shown: string }[],
): Column {
  return {
    name,
    type,
    field,
    target,
    cells: [
      nothing,
      ...cells.map(({ text, json, shown }): Cell => {
        const value = JSON.parse(json) as unknown
        const avro = field.type === 'int64' ? BigInt(json) : value
        return { text, json, avro, maxwell: quoted(text), shown: quoted(shown) }
      }),
    ],
  }
}

const microsOf = (text: string): bigint => {
  const [whole = '', fraction = ''] = text.split('.')
  return BigInt(Date.parse(`${whole.replace(' ', 'T')}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'))
}

const byteCells = [Buffer.alloc(0), Buffer.from([0, 1, 127, 128, 255]), Buffer.from('plain')].map(
  (bytes): Cell => {
    const json = quoted(bytes.toString('base64'))
    return { text: bytes.toString('latin1'), json, avro: bytes, maxwell: json, shown: json }
  },
)

/** Beside the key `id`. */
export const columns: readonly Column[] = [
  numbers('tiny', 'tinyint(4)', 16, 'smallint', '-128', '127', '0'),
  numbers('truth', 'tinyint(1)', 16, 'smallint', '0', '1'),
  numbers('small', 'smallint(6)', 16, 'smallint', '-32768', '32767'),
  numbers('medium', 'mediumint(9)', 32, 'int', '-8388608', '8388607'),
  numbers('n', 'int(11)', 32, 'int', '-2147483648', '2147483647', '7'),
  numbers(
    'big',
    'bigint(20)',
    64,
    'bigint',
    '-9223372036854775808',
    '9223372036854775807',
    '9007199254740993',
  ),
  numbers('utiny', 'tinyint(3) unsigned', 16, 'smallint', '0', '255'),
  numbers('uint', 'int(10) unsigned', 64, 'bigint', '0', '4294967295'),
  {
    ...numbers('ubig', 'bigint(20) unsigned', 64, 'ubigint', '0', '42'),
    cells: [
      nothing,
      { text: '42', json: '42', avro: 42n, maxwell: '42', shown: '42' },
      {
        text: '18446744073709551615',
        json: '-1',
        avro: -1n,
        maxwell: '18446744073709551615',
        shown: '18446744073709551615',
      },
    ],
  },
  decimals('price', 12, 2, '0.01', '-9999999999.99', '12.50'),
  decimals('wide', 38, 10, '1234567890123456789012345678.0123456789', '-0.0000000001'),
  {
    name: 'ratio',
    type: 'double',
    field: { type: 'double' },
    target: 'double',
    cells: [
      nothing,
      { text: '0.1', json: '0.1', avro: 0.1, maxwell: '0.1', shown: '0.1' },
      {
        text: '-1.5E300',
        json: '-1.5e+300',
        avro: -1.5e300,
        maxwell: '-1.5E300',
        shown: '-1.5e+300',
      },
    ],
  },
  texts('name', 'varchar(80)', { type: 'string' }, 'string', [
    '',
    '张三 😀 Zoë',
    'a "quoted" \\ line\nand\ttab \u0001 {"x":1}',
    '__op',
  ]),
  texts(
    'sort',
    "enum('new','paid','')",
    { type: 'string', name: 'io.debezium.data.Enum' },
    'string',
    [],
  ),
  texts('doc', 'longtext', { type: 'string' }, 'string', ['short', 'long '.repeat(50)]),
  texts('extra', 'json', { type: 'string', name: 'io.debezium.data.Json' }, 'string', [
    '{"a": [1, 2.50, null], "b": "x\\"y"}',
    '[]',
  ]),
  {
    name: 'raw',
    type: 'varbinary(16)',
    field: { type: 'bytes' },
    target: 'binary',
    cells: [nothing, ...byteCells],
  },
  moments(
    'day',
    'date',
    { type: 'int32', name: 'io.debezium.time.Date' },
    'date',
    ['1000-01-01', '1970-01-01', '2024-02-29', '9999-12-31'].map(text => {
      return { text, json: String(Date.parse(`${text}T00:00:00Z`) / 86_400_000), shown: text }
    }),
  ),
  moments(
    'at',
    'datetime(6)',
    { type: 'int64', name: 'io.debezium.time.MicroTimestamp' },
    'timestamp',
    ['2024-02-29 12:34:56.789012', '1000-01-01 00:00:00.000001', '9999-12-31 23:59:59.999999'].map(
      text => ({ text, json: String(microsOf(text)), shown: text }),
    ),
  ),
  moments(
    'changed',
    'timestamp(6)',
    { type: 'string', name: 'io.debezium.time.ZonedTimestamp' },
    'timestamptz',
    ['2024-05-01 00:00:00.001', '1970-01-01 00:00:01', '2038-01-19 03:14:07.999999'].map(text => {
      return { text, json: quoted(`${text.replace(' ', 'T')}Z`), shown: text }
    }),
  ),
  moments('spent', 'time(6)', { type: 'int64', name: 'io.debezium.time.MicroTime' }, 'string', [
    { text: '12:34:56.789012', json: '45296789012', shown: '12:34:56.789012' },
    { text: '-838:59:59.000000', json: '-3020399000000', shown: '-838:59:59' },
  ]),
].map(column => (column.name === 'sort' ? { ...column, cells: choices() } : column))

/** canal writes the number of a label. */
function choices(): readonly Cell[] {
  return [
    nothing,
    ...['new', 'paid'].map((label, at): Cell => {
      const json = quoted(label)
      return { text: String(at + 1), json, avro: label, maxwell: json, shown: json }
    }),
  ]
}

/** By column. */
export type Row = ReadonlyMap<string, Cell>

export interface Change {
  readonly op: 'c' | 'u' | 'd'
  /** After the change; of a delete before it. */
  readonly id: number
  /** Another one than `id` where the key changes. */
  readonly oldId: number
  readonly before: Row | null
  readonly after: Row | null
  /** Columns whose value a tool may leave out: an update did not change it. */
  readonly unsent: readonly string[]
  /** Of the change in the log, from 1. */
  readonly number: number
}

export interface Program {
  readonly changes: readonly Change[]
  readonly rows: ReadonlyMap<number, Row>
}

const maxId = 12

/** Changes of a few rows: all ops, values to null and back, deletes and the same key again. */
export function makeProgram(dice: Dice, count: number, movesKeys: boolean): Program {
  const rows = new Map<number, Row>()
  const changes: Change[] = []
  const randomRow = (): Row => new Map(columns.map(({ name, cells }) => [name, dice.of(cells)]))
  for (let number = 1; number <= count; number += 1) {
    const oldId = 1 + dice.below(maxId)
    const before = rows.get(oldId) ?? null
    const op = before === null ? 'c' : dice.isOnce(4) ? 'd' : 'u'
    const free = Array.from({ length: maxId }, (_, at) => at + 1).filter(one => !rows.has(one))
    const isMove = movesKeys && op === 'u' && free.length > 0 && dice.isOnce(4)
    const id = isMove ? dice.of(free) : oldId
    const isUnsent = op === 'u' && !isMove && dice.isOnce(3)
    const after = op === 'd' ? null : changedRow(dice, before, randomRow(), isUnsent)
    const unsent = isUnsent ? ['doc'] : []
    changes.push({ op, id, oldId, before, after, unsent, number })
    rows.delete(oldId)
    if (after !== null) rows.set(id, after)
  }
  return { changes, rows }
}

function changedRow(dice: Dice, before: Row | null, random: Row, isUnsent: boolean): Row {
  if (before === null) return random
  const changed = [...before].map(([name, cell]): [string, Cell] => {
    const isKept = (name === 'doc' && isUnsent) || !dice.isOnce(3)
    return [name, isKept ? cell : random.get(name)!]
  })
  return new Map(changed)
}
