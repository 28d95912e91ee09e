import { describe, expect, it } from 'vitest'
import type { ConnectSchema } from '../../../formats/debezium/connect-schema.ts'
import { connectConverter } from '../../../formats/debezium/connect-schema.ts'
import { restatedConverter } from '../../../formats/values/restated-types.ts'
import { DecodeError } from '../../../model/errors.ts'
import { parseStatedType } from '../../../model/stated-type.ts'
import { plainText } from '../../../model/value-text.ts'

const named = (type: string, name: string, parameters = {}): ConnectSchema => ({
  type,
  name,
  parameters,
})
const decimal = (scale: number, precision = 38): ConnectSchema =>
  named('bytes', 'org.apache.kafka.connect.data.Decimal', {
    scale: String(scale),
    'connect.decimal.precision': String(precision),
  })
const time = (name: string): ConnectSchema => named('int64', `io.debezium.time.${name}`)

function shown(schema: ConnectSchema, stated: string, json: unknown): string {
  const own = connectConverter(schema)
  const { type, convert } = restatedConverter(own, parseStatedType(stated), {
    isUnsignedLong: schema.type === 'int64',
  })
  return plainText(type, convert(json))
}

describe('a stated type of a column whose form the source tells', () => {
  it('takes decimals from the scale in which they come, exactly', () => {
    expect(shown(decimal(2), 'decimal(38,4)', 'AJY=')).toBe('1.5000')
    expect(shown(decimal(4), 'decimal(10,2)', 'Opg=')).toBe('1.50')
    expect(() => shown(decimal(4), 'decimal(10,2)', 'OpnA')).toThrow(DecodeError)
    expect(shown(decimal(2), 'string', 'AJY=')).toBe('1.50')
    expect(shown(decimal(2), 'double', 'AJY=')).toBe('1.5')
    expect(shown(decimal(0), 'bigint', 'AJY=')).toBe('150')
    expect(() => shown(decimal(2), 'bigint', 'AJY=')).toThrow(DecodeError)
  })

  it('takes decimals that are wider than Hive’s where they fit', () => {
    expect(shown(decimal(2, 65), 'decimal(38,2)', 'AJY=')).toBe('1.50')
    const free = named('struct', 'io.debezium.data.VariableScaleDecimal')
    expect(shown(free, 'decimal(38,10)', { scale: 3, value: '/w==' })).toBe('-0.0010000000')
    expect(() => shown(free, 'decimal(38,2)', { scale: 3, value: '/w==' })).toThrow(DecodeError)
    expect(() => shown(free, 'fail', { scale: 3, value: '/w==' })).toThrow(DecodeError)
  })

  it('takes the digits of text for a number, never for bytes', () => {
    expect(shown({ type: 'string' }, 'decimal(10,0)', '1234')).toBe('1234')
    expect(shown({ type: 'string' }, 'bigint', '1234')).toBe('1234')
  })

  it('takes times in the unit in which they come, near 1970 as well', () => {
    expect(shown(time('Timestamp'), 'timestamptz', 1)).toBe('1970-01-01 00:00:00.001')
    expect(shown(time('NanoTimestamp'), 'timestamp', 1000)).toBe('1970-01-01 00:00:00.000001')
    expect(shown(time('MicroTimestamp'), 'string', 1)).toBe('1970-01-01 00:00:00.000001')
    expect(shown(time('MicroTime'), 'time(3)', 1)).toBe('00:00:00.000001')
    expect(shown(named('int32', 'io.debezium.time.Date'), 'string', 1)).toBe('1970-01-02')
    expect(shown(time('MicroDuration'), 'interval', 5)).toBe('5')
  })

  it('takes what the source’s type says nothing of by the stated type alone', () => {
    expect(shown({ type: 'int64' }, 'ubigint', -1)).toBe('18446744073709551615')
    expect(shown({ type: 'int16' }, 'boolean', 1)).toBe('true')
    expect(shown({ type: 'double' }, 'decimal(10,2)', 1.5)).toBe('1.50')
    expect(shown(time('MicroTimestamp'), 'bigint', 5)).toBe('5')
    expect(shown({ type: 'string' }, 'timestamp', '2024-02-29 00:00:00')).toBe(
      '2024-02-29 00:00:00',
    )
  })
})
