/** Generated rows of random types against a model of them, and mutated messages. */
import { describe, expect, it } from 'vitest'
import { SchemaPending } from '../../formats/decoder.ts'
import type { ChangeEvent } from '../../model/change-event.ts'
import type { ColumnType } from '../../model/column-type.ts'
import { columnTypeText } from '../../model/column-type.ts'
import { ForagerError } from '../../model/errors.ts'
import type { Row, Value } from '../../model/value.ts'
import { plainText } from '../../model/value-text.ts'
import type { Random } from '../../runtime/random.ts'
import { seededRandom } from '../../runtime/random.ts'
import { plainNumber } from '../fold/maxwell-fold.ts'
import { decoderOf, eventsOf, lines, message } from './maxwell-samples.ts'
import { recordOf } from './samples.ts'

/** A value as Maxwell writes it, and the text that the table has of it; null for none. */
type Made = readonly [json: string, text: string | null]

/** A column as Maxwell's schema change has it. */
interface Kind {
  readonly ddl: object
  /** In the warehouse; null: as wide as the values. */
  readonly type: string | null
  make(pick: (most: number) => number): Made
}

const same = (text: string): Made => [text, text]
const quoted = (text: string, shown: string | null = text): Made => [JSON.stringify(text), shown]
const pad = (value: number, width: number): string => String(value).padStart(width, '0')

/** Every size equally often, the bounds among them. */
function integer(pick: (most: number) => number, bits: number, isSigned: boolean): bigint {
  const size = BigInt(pick(bits + 1))
  let value = 0n
  for (let bit = 0; bit < bits; bit += 30) value = (value << 30n) | BigInt(pick(2 ** 30))
  value = pick(8) === 0 ? 2n ** size - 1n : value % 2n ** size
  return isSigned ? BigInt.asIntN(bits, value) : value
}

function integers(name: string, bits: number, isSigned: boolean, type: string): Kind {
  return {
    ddl: { type: name, signed: isSigned },
    type,
    make: pick => same(integer(pick, bits, isSigned).toString()),
  }
}

const letters = ['a', 'é', '中', '😀', '"', '\\', '\n', '\u0000', "'", ' ', '1', '.']
const text = (pick: (most: number) => number): string =>
  Array.from({ length: pick(12) }, () => letters[pick(letters.length)]).join('')

const day = (pick: (most: number) => number): string =>
  `${pad(1000 + pick(9000), 4)}-${pad(1 + pick(12), 2)}-${pad(1 + pick(28), 2)}`
const clock = (pick: (most: number) => number): string =>
  [pick(24), pick(60), pick(60)].map(part => pad(part, 2)).join(':')

/** With as many digits as the column has; the table has none that are zeros at the end. */
function withFraction(whole: string, digits: number, pick: (most: number) => number): Made {
  const fraction = digits === 0 ? '' : pad(pick(10 ** digits), digits)
  const shown = fraction.replace(/0+$/, '')
  const short = shown === '' ? whole : `${whole}.${shown}`
  return quoted(digits === 0 ? whole : `${whole}.${fraction}`, short)
}

function moments(name: string, type: string): Kind {
  return {
    ddl: { type: name, 'column-length': 6 },
    type,
    make: pick => {
      if (pick(20) === 0) return quoted('0000-00-00 00:00:00', null)
      return withFraction(`${day(pick)} ${clock(pick)}`, [0, 3, 6][pick(3)]!, pick)
    },
  }
}

/** Java's form of a number: an exponent from ten millions on and below a thousandth. */
function javaNumber(value: number): string {
  const [mantissa, exponent] = value.toExponential().split('e')
  const isPlain = value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e7)
  if (isPlain) return Number.isInteger(value) ? `${value}.0` : String(value)
  return `${mantissa!.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`
}

const floating = (name: string, round: (value: number) => number): Kind => ({
  ddl: { type: name },
  type: name,
  make: pick => {
    const value = round((pick(2 ** 30) - 2 ** 29) * 10 ** (pick(30) - 20))
    return [javaNumber(value), String(value)]
  },
})

const json = (pick: (most: number) => number): string =>
  [`{"a":[1.50,-2E3,null],"b":${integer(pick, 64, false)}}`, '"text"', '[]', 'true', '12.30'][
    pick(5)
  ]!

const kinds: readonly Kind[] = [
  integers('tinyint', 8, true, 'smallint'),
  integers('smallint', 16, false, 'int'),
  integers('mediumint', 24, true, 'int'),
  integers('int', 32, false, 'bigint'),
  integers('bigint', 64, true, 'bigint'),
  integers('bigint', 64, false, 'ubigint'),
  floating('float', Math.fround),
  floating('double', value => value),
  {
    ddl: { type: 'decimal' },
    type: null,
    make: pick => {
      const digits = pad(Number(integer(pick, 50, false)), 3)
      return same(`${pick(2) === 0 ? '' : '-'}${BigInt(digits.slice(0, -2))}.${digits.slice(-2)}`)
    },
  },
  { ddl: { type: 'bit' }, type: null, make: pick => same(integer(pick, 64, false).toString()) },
  { ddl: { type: 'varchar', charset: 'utf8' }, type: 'string', make: pick => quoted(text(pick)) },
  {
    ddl: { type: 'varbinary', charset: 'binary' },
    type: 'binary',
    make: pick => quoted(Buffer.from(text(pick)).toString('base64')),
  },
  {
    ddl: { type: 'date' },
    type: 'date',
    make: pick => (pick(20) === 0 ? quoted('0000-00-00', null) : quoted(day(pick))),
  },
  moments('datetime', 'timestamp'),
  moments('timestamp', 'timestamptz'),
  {
    ddl: { type: 'time', 'column-length': 6 },
    type: 'string',
    make: pick => withFraction(clock(pick), 6, pick),
  },
  { ddl: { type: 'year' }, type: 'int', make: pick => same(String(1901 + pick(255))) },
  { ddl: { type: 'enum', 'enum-values': ['x'] }, type: 'string', make: () => quoted('x') },
  {
    ddl: { type: 'set', 'enum-values': ['a', 'b'] },
    type: 'string',
    make: pick => {
      const labels = ['a', 'b'].slice(pick(3))
      return [JSON.stringify(labels), labels.join(',')]
    },
  },
  { ddl: { type: 'json' }, type: 'string', make: pick => same(json(pick)) },
]

const isNumber = ({ kind }: ColumnType): boolean => /int$|decimal|float|double/.test(kind)

/** Numbers by value: the scale of a decimal depends on those before. */
function shown(type: ColumnType, value: Value): string | null {
  if (value === null) return null
  if (type.kind === 'float' || type.kind === 'double') return plainNumber(String(value))
  return isNumber(type) ? plainNumber(plainText(type, value)) : plainText(type, value)
}

function jsonOf(start: readonly string[], made: readonly (Made | null)[]): string {
  const members = made.flatMap((one, at) => (one === null ? [] : [`"c${at}":${one[0]}`]))
  return `{${[...start, ...members].join(',')}}`
}

/** Each value against what was made. `expect` of each would take most of the time. */
function check(
  { schema }: ChangeEvent,
  row: Row | null,
  columns: readonly Kind[],
  made: readonly Made[],
): void {
  for (const [at, [written, expected]] of made.entries()) {
    const { type, isUntyped } = schema.columns.find(({ name }) => name === `c${at}`)!
    const actual = shown(type, row![`c${at}`]!)
    const wanted = expected !== null && isNumber(type) ? plainNumber(expected) : expected
    if (actual !== wanted) expect([written, actual]).toEqual([written, wanted])
    const given = columns[at]!.type
    if (given !== null && isUntyped !== true && columnTypeText(type) !== given) {
      expect([written, columnTypeText(type)]).toEqual([written, given])
    }
  }
}

describe('100,000 generated rows', () => {
  const rowsOfTable = 1000

  it('are what a model of them says', () => {
    const random = seededRandom(42)
    const pick = (most: number): number => Math.floor(random.next() * most)
    const decoder = decoderOf({ connectorSettings: { ddl_kafka_topic: 'ddl' } })
    let values = 0
    for (let table = 0; table < 100; table += 1) {
      const columns = Array.from({ length: 1 + pick(6) }, () => kinds[pick(kinds.length)]!)
      const name = `t${table}`
      decoder.learn(recordOf('uuid', created(name, columns)))
      const make = (): Made[] =>
        columns.map(kind => (pick(15) === 0 ? ['null', null] : kind.make(pick)))
      for (let id = 0; id < rowsOfTable; id += 1) {
        const [row, changed] = [make(), make()]
        values += row.length
        const type = ['insert', 'update', 'delete', 'bootstrap-insert'][pick(4)]!
        // Of an update, some columns as they were.
        const old = changed.map(one => (pick(2) === 0 ? one : null))
        const before = row.map((one, at) => old[at] ?? one)
        const fields = { table: name, ...(type === 'update' ? { old: jsonOf([], old) } : {}) }
        const [event, ...others] = eventsOf(
          decoder.decode(message(type, jsonOf([`"id":${id}`], row), fields)),
        )
        expect(others).toEqual([])
        if (type !== 'delete') check(event!, event!.after, columns, row)
        if (type === 'update') check(event!, event!.before, columns, before)
        if (type === 'delete') check(event!, event!.before, columns, row)
      }
    }
    expect(values).toBeGreaterThan(250_000)
  })

  const created = (table: string, columns: readonly Kind[]) => ({
    type: 'table-create',
    database: 'd',
    table,
    def: {
      database: 'd',
      table,
      columns: [
        { name: 'id', type: 'int', signed: true },
        ...columns.map(({ ddl }, at) => ({ name: `c${at}`, ...ddl })),
      ],
    },
    ts: 0,
  })
})

describe('mutated messages', () => {
  const words = [
    'null',
    '[]',
    '{}',
    '-1',
    '1e999',
    '"x"',
    'true',
    '""',
    '0.5',
    '__proto__',
    '9'.repeat(40),
  ]
  const deep = '['.repeat(50_000)

  function mutate(bytes: Buffer, random: Random): Buffer {
    const pick = (most: number): number => Math.floor(random.next() * most)
    const at = pick(bytes.length + 1)
    const end = Math.min(bytes.length, at + 1 + pick(12))
    const parts = (middle: Buffer | string, to = end): Buffer =>
      Buffer.concat([bytes.subarray(0, at), Buffer.from(middle as string), bytes.subarray(to)])
    switch (pick(7)) {
      case 0:
        return parts(Buffer.from([pick(256)]), at + 1)
      case 1:
        return parts('')
      case 2:
        return parts(words[pick(words.length)]!, at)
      case 3:
        return parts(Buffer.concat([bytes.subarray(at, end), bytes.subarray(at, end)]))
      case 4:
        return bytes.subarray(0, at)
      case 5:
        return Buffer.from(replaceValue(bytes.toString(), pick))
      default:
        return pick(50) === 0 ? parts(deep, at) : parts(words[pick(words.length)]!)
    }
  }

  /** Another value for one member: the message stays JSON. */
  function replaceValue(json: string, pick: (most: number) => number): string {
    const found = [...json.matchAll(/":("(?:[^"\\]|\\.)*"|-?[0-9.E-]+|null|true)/g)]
    const one = found[pick(found.length)]
    if (one === undefined) return json
    const start = one.index + 2
    return json.slice(0, start) + words[pick(words.length)] + json.slice(start + one[1]!.length)
  }

  it('are an error with a code or a value, never a crash', () => {
    const random = seededRandom(7)
    const found = { values: 0, errors: 0, waits: 0 }
    for (let round = 0; round < 20_000; round += 1) {
      if (round % 500 === 0) decoder = decoderOf({ connectorSettings: { ddl_kafka_topic: 'ddl' } })
      const line = lines[Math.floor(random.next() * lines.length)]!
      const isKey = random.next() < 0.1
      const value = isKey ? Buffer.from(line.value) : mutate(Buffer.from(line.value), random)
      const key = isKey ? mutate(Buffer.from(line.key), random) : Buffer.from(line.key)
      const record = recordOf(key, value, { topic: line.topic })
      try {
        if (line.topic === 'maxwell_ddl') decoder.learn(record)
        decoder.decode(record)
        found.values += 1
      } catch (error) {
        if (error instanceof SchemaPending) found.waits += 1
        else if (error instanceof ForagerError) found.errors += 1
        else throw error
      }
    }
    expect(found.values).toBeGreaterThan(3000)
    expect(found.errors).toBeGreaterThan(3000)
    expect(found.waits).toBeGreaterThan(100)
  })

  let decoder = decoderOf()
})
