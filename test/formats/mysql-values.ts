/**
 * Random columns and values of MySQL: how canal writes each, and the value that it is. What is expected is
 * made from the parts of a value, not read from its text.
 */
import type { Value } from '../../model/value.ts'
import type { Random } from '../../runtime/random.ts'

export interface RandomValue {
  /** As canal writes it. */
  readonly sent: string
  readonly value: Value
}

export interface RandomColumn {
  readonly type: string
  next(): RandomValue
}

export function intBelow(random: Random, limit: number): number {
  return Math.floor(random.next() * limit)
}

export function oneOf<T>(random: Random, all: readonly T[]): T {
  return all[intBelow(random, all.length)]!
}

function integer(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => String(intBelow(random, 10))).join('')
}

function bigBelow(random: Random, limit: bigint): bigint {
  return BigInt(digits(random, limit.toString().length + 3)) % limit
}

const integerTypes = [
  ['tinyint(4)', 8n, true],
  ['tinyint(3) unsigned', 8n, false],
  ['smallint(6)', 16n, true],
  ['smallint(5) unsigned zerofill', 16n, false],
  ['mediumint(9)', 24n, true],
  ['mediumint unsigned', 24n, false],
  ['int', 32n, true],
  ['INT(10) UNSIGNED', 32n, false],
  ['bigint(20)', 64n, true],
  ['bigint(20) unsigned', 64n, false],
] as const

export function integerColumn(random: Random): RandomColumn {
  const [type, bits, isSigned] = oneOf(random, integerTypes)
  const [least, count] = [isSigned ? -(2n ** (bits - 1n)) : 0n, 2n ** bits]
  return {
    type,
    next: () => {
      const place = oneOf(random, [0n, count - 1n, -least, bigBelow(random, count)])
      const value = least + place
      return { sent: value.toString(), value: integer(value) }
    },
  }
}

function decimalColumn(random: Random): RandomColumn {
  const precision = 1 + intBelow(random, 65)
  const scale = intBelow(random, Math.min(precision, 30) + 1)
  return {
    type: `decimal(${precision},${scale})`,
    next: () => {
      const whole = digits(random, precision - scale).replace(/^0+/, '')
      const fraction = digits(random, scale)
      const unscaled = BigInt(`${whole}${fraction}` || '0')
      const sign = unscaled > 0n && random.next() < 0.5 ? '-' : ''
      // canal leaves out zeros at the end: `2999.0`.
      const short = random.next() < 0.5 ? fraction.replace(/0+$/, '') : fraction
      const plain = `${sign}${whole === '' ? '0' : whole}`
      const sent = scale === 0 ? plain : `${plain}.${short === '' ? '0' : short}`
      if (precision <= 38) return { sent, value: integer(sign === '' ? unscaled : -unscaled) }
      return { sent, value: scale === 0 ? plain : `${plain}.${fraction}` }
    },
  }
}

function doubleColumn(random: Random): RandomColumn {
  const bytes = Buffer.alloc(8)
  return {
    type: oneOf(random, ['double', 'double(30,4)', 'float']),
    next: () => {
      for (let index = 0; index < 8; index += 1) bytes[index] = intBelow(random, 256)
      const found = bytes.readDoubleLE()
      const value = Number.isFinite(found) ? found : 0.1
      // Java: `1.0E21`, `5.0`.
      const [mantissa = '', exponent] = String(value).split('e')
      const point = mantissa.includes('.') ? mantissa : `${mantissa}.0`
      const sent = exponent === undefined ? point : `${point}E${exponent.replace('+', '')}`
      return { sent, value }
    },
  }
}

const two = (number: number): string => String(number).padStart(2, '0')

function randomDay(random: Random, fromYear: number, toYear: number) {
  const year = fromYear + intBelow(random, toYear - fromYear + 1)
  const date = new Date(0)
  date.setUTCFullYear(year, intBelow(random, 12), 1 + intBelow(random, 28))
  const text = `${String(year).padStart(4, '0')}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`
  return { text, days: BigInt(date.getTime()) / 86_400_000n }
}

function dateColumn(random: Random): RandomColumn {
  return {
    type: 'date',
    next: () => {
      if (random.next() < 0.1) {
        return { sent: oneOf(random, ['0000-00-00', '2024-00-15', '2024-05-00']), value: null }
      }
      const { text, days } = randomDay(random, 1, 9999)
      return { sent: text, value: Number(days) }
    },
  }
}

/** `hoursAhead`: of the zone in which canal writes. */
function momentColumn(random: Random, hoursAhead: bigint | null): RandomColumn {
  const places = intBelow(random, 7)
  const name = hoursAhead === null ? 'datetime' : 'timestamp'
  const [fromYear, toYear] = hoursAhead === null ? [1, 9999] : [1992, 2037]
  return {
    type: places === 0 ? name : `${name}(${places})`,
    next: () => {
      const fraction = digits(random, places)
      const end = places === 0 ? '' : `.${fraction}`
      if (random.next() < 0.1) {
        return { sent: `0000-00-00 00:00:00${end.replaceAll(/\d/g, '0')}`, value: null }
      }
      const { text, days } = randomDay(random, fromYear, toYear)
      const [hours, minutes, seconds] = [24, 60, 60].map(limit => intBelow(random, limit))
      const clock = BigInt(hours! * 3600 + minutes! * 60 + seconds!)
      const instant = days * 86_400n + clock - (hoursAhead ?? 0n) * 3600n
      const sent = `${text} ${two(hours!)}:${two(minutes!)}:${two(seconds!)}${end}`
      return { sent, value: integer(instant * 1_000_000n + BigInt(fraction.padEnd(6, '0'))) }
    },
  }
}

function timeColumn(random: Random): RandomColumn {
  const places = intBelow(random, 7)
  return {
    type: places === 0 ? 'time' : `time(${places})`,
    next: () => {
      const fraction = digits(random, places)
      const amount = `${two(intBelow(random, 839))}:${two(intBelow(random, 60))}:${two(intBelow(random, 60))}`
      const whole = places === 0 ? amount : `${amount}.${fraction}`
      const kept = fraction.replace(/0+$/, '')
      const value = kept === '' ? amount : `${amount}.${kept}`
      const isNegative = value !== '00:00:00' && random.next() < 0.5
      return isNegative ? { sent: `-${whole}`, value: `-${value}` } : { sent: whole, value }
    },
  }
}

const marks = [
  'a',
  'Z',
  '0',
  ' ',
  '"',
  "'",
  '\\',
  '\n',
  '\t',
  '\0',
  'é',
  '中',
  '😀',
  ',',
  '{',
  '__',
]

function textOf(random: Random, maxLength = 12): string {
  return Array.from({ length: intBelow(random, maxLength) }, () => oneOf(random, marks)).join('')
}

function textColumn(random: Random): RandomColumn {
  return {
    type: oneOf(random, ['char(20)', 'varchar(100)', 'text', 'mediumtext', 'tinytext', 'longtext']),
    next: () => {
      const sent = textOf(random)
      return { sent, value: sent }
    },
  }
}

function bytesColumn(random: Random): RandomColumn {
  const size = 1 + intBelow(random, 16)
  const type = oneOf(random, ['blob', 'longblob', `varbinary(${size})`, `binary(${size})`])
  return {
    type,
    next: () => {
      const isFixed = type.startsWith('binary')
      const length = isFixed ? size : intBelow(random, size + 1)
      const limit = random.next() < 0.3 ? 1 : 256
      const value = Buffer.from(Array.from({ length }, () => intBelow(random, limit)))
      const sent = value.toString('latin1')
      return { sent: isFixed ? sent.replace(/\0+$/, '') : sent, value }
    },
  }
}

function labelsOf(random: Random, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    return `${index}${textOf(random, 4).replaceAll(/[,\\\n\t\0]/g, '')}`
  })
}

const quoted = (labels: readonly string[]): string =>
  labels.map(label => `'${label.replaceAll("'", "''")}'`).join(',')

function enumColumn(random: Random): RandomColumn {
  const labels = labelsOf(random, 1 + intBelow(random, 20))
  return {
    type: `enum(${quoted(labels)})`,
    next: () => {
      const place = intBelow(random, labels.length + 1)
      return { sent: String(place), value: ['', ...labels][place]! }
    },
  }
}

function setColumn(random: Random): RandomColumn {
  const labels = labelsOf(random, 1 + intBelow(random, 64))
  return {
    type: `set(${quoted(labels)})`,
    next: () => {
      const chosen = labels.map(() => random.next() < 0.3)
      const bits = chosen.reduce((sum, is, place) => sum + (is ? 2n ** BigInt(place) : 0n), 0n)
      return { sent: bits.toString(), value: labels.filter((_, place) => chosen[place]).join(',') }
    },
  }
}

function bitColumn(random: Random): RandomColumn {
  const length = 1 + intBelow(random, 64)
  return {
    type: `bit(${length})`,
    next: () => {
      const bits = Array.from({ length }, () => String(intBelow(random, 2))).join('')
      return { sent: BigInt(`0b${bits}`).toString(), value: length === 1 ? bits === '1' : bits }
    },
  }
}

function yearColumn(random: Random): RandomColumn {
  return {
    type: oneOf(random, ['year', 'year(4)']),
    next: () => {
      const value = oneOf(random, [0, 1901 + intBelow(random, 255)])
      return { sent: String(value).padStart(4, '0'), value }
    },
  }
}

const makers: readonly ((random: Random) => RandomColumn)[] = [
  integerColumn,
  decimalColumn,
  doubleColumn,
  dateColumn,
  random => momentColumn(random, null),
  // Shanghai.
  random => momentColumn(random, 8n),
  timeColumn,
  textColumn,
  bytesColumn,
  enumColumn,
  setColumn,
  bitColumn,
  yearColumn,
]

export function randomColumn(random: Random): RandomColumn {
  return oneOf(random, makers)(random)
}
