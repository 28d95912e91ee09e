import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DecimalText,
  exactJsonText,
  parseExact,
  parseLossless,
} from '../../../formats/json/lossless-json.ts'
import { toInteger } from '../../../model/value.ts'

describe('JSON without loss', () => {
  it('integers are numbers while they are exact, and bigints beyond', () => {
    for (const digits of [
      '9007199254740990',
      '9007199254740991',
      '9007199254740992',
      '9007199254740993',
      '18446744073709551615',
      '-9007199254740991',
      '-9007199254740992',
      '-9223372036854775808',
      '123456789012345678901234567890',
    ]) {
      const value = toInteger(BigInt(digits))
      expect(parseLossless(`{"a":${digits}}`)).toStrictEqual({ a: value })
      expect(parseLossless(`{"a": [ ${digits} ,0,${digits}]}`)).toStrictEqual({
        a: [value, 0, value],
      })
      expect(parseLossless(`[${digits}]`)).toStrictEqual([value])
      expect(parseLossless(digits)).toBe(value)
      expect(parseLossless(` ${digits}\n`)).toBe(value)
      expect(parseLossless(`{"a":\t\n${digits}}`)).toStrictEqual({ a: value })
    }
  })

  it('what is not an integer stays what JSON makes of it', () => {
    const text = '{"a":9007199254740993.5,"b":1e30,"c":1.0,"d":-0.5,"e":12345678901234567890e-2}'
    expect(parseLossless(text)).toStrictEqual(JSON.parse(text))
  })

  it('digits in strings and in names are not touched', () => {
    const text = '{"18446744073709551615":"18446744073709551615","a":":18446744073709551615"}'
    expect(parseLossless(text)).toStrictEqual({
      '18446744073709551615': '18446744073709551615',
      a: ':18446744073709551615',
    })
  })

  it('is JSON.parse for any JSON without long integers, and exact for any with them', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), value => {
        const text = JSON.stringify(value)
        fc.pre(!/\d{16}/.test(text))
        expect(parseLossless(text)).toEqual(JSON.parse(text))
      }),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(fc.array(fc.bigInt(-(2n ** 70n), 2n ** 70n)), values => {
        const text = `{"deep":[{"x":[${values.join(' , ')}]}]}`
        expect(parseLossless(text)).toStrictEqual({ deep: [{ x: values.map(toInteger) }] })
      }),
    )
  })

  it('the time of an envelope, which nobody reads, does not make it slow', () => {
    const source = '"source":{"ts_us":1795249100379024,"ts_ns":1795249100379024592}'
    const text = `{"before":null,"after":{"id":1},${source},"op":"c","ts_ns":1795249100379024592}`
    // JSON.parse without a reviver rounds it: that is how the fast way shows.
    expect(parseLossless(text)).toStrictEqual(JSON.parse(text))
  })

  it('the same time is exact when anything else in the message needs it', () => {
    const text = '{"after":{"id":18446744073709551615},"source":{},"ts_ns":1795249100379024592}'
    expect(parseLossless(text)).toStrictEqual({
      after: { id: 2n ** 64n - 1n },
      source: {},
      ts_ns: 1795249100379024592n,
    })
  })

  it('a column that is called ts_ns is a column, in a row and in a key', () => {
    const big = 1795249100379024593n
    const envelope = (row: string): string =>
      `{"before":${row},"after":null,"source":{"ts_ns":1795249100379024592},"op":"d"}`
    expect(parseLossless(envelope(`{"id":1,"ts_ns":${big}}`))).toMatchObject({
      before: { ts_ns: big },
    })
    const after = `{"payload":{"after":{"ts_ns":${big}},"source":{"ts_ns":1}}}`
    expect(parseLossless(after)).toMatchObject({ payload: { after: { ts_ns: big } } })
    expect(parseLossless(`{"ts_ns":${big}}`)).toStrictEqual({ ts_ns: big })
    expect(parseLossless(`{"schema":null,"payload":{"ts_ns":${big}}}`)).toMatchObject({
      payload: { ts_ns: big },
    })
  })

  it('what is not JSON is a SyntaxError, with long integers and without', () => {
    for (const text of ['', '{', '{"a":18446744073709551615', '[1,]', '01', '{"a":-}', 'NaN']) {
      expect(() => parseLossless(text), text).toThrow(SyntaxError)
    }
  })
})

/** V8 takes such a name for a backslash, whoever asks (Node 24.21). */
const oneEscapedLetter = /"\\(?:u....|.)":/

describe('JSON with exact fractions', () => {
  it('numbers with a fraction or an exponent keep their digits, others are as they were', () => {
    const text = '{"a":0.10,"b":[-12345678901234567.89,1E-10],"c":{"d":2},"e":18446744073709551615}'
    const found = parseExact(text) as Record<string, unknown>
    expect(found.a).toEqual(new DecimalText('0.10'))
    expect(found.c).toEqual({ d: 2 })
    expect(found.e).toBe(18446744073709551615n)
    expect(exactJsonText(found)).toBe(text)
    expect(parseExact('1.50')).toEqual(new DecimalText('1.50'))
    expect(parseExact('{"a":"1.5","b":1}')).toEqual({ a: '1.5', b: 1 })
  })

  it('text that only looks like numbers stays text', () => {
    const text = String.raw`{"a":":1.5","b":"[2.5","c":"\",3.5","d":7}`
    expect(parseExact(text)).toEqual(JSON.parse(text))
  })

  it('is what JSON.parse gives, but for the digits', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const text = JSON.stringify(value)
        fc.pre(!oneEscapedLetter.test(text))
        expect(JSON.parse(exactJsonText(parseExact(text)))).toEqual(JSON.parse(text))
      }),
      { numRuns: 1000 },
    )
  })

  it('is the same whichever way it is read, whatever the texts look like', () => {
    const text = fc.oneof(
      fc.constantFrom(
        ':1.5,',
        'a":1.5,',
        '\\',
        '\\":1.5}',
        '\u0001',
        '\u00012.5',
        '12:00:00.5',
        '{"a":1.5}',
        '\\u00011.5',
      ),
      fc.string(),
    )
    const number = fc.constantFrom('1.50', '-0.1', '1E-10', '2e5', '7', '18446744073709551615')
    const value = fc.oneof(
      text.map(one => JSON.stringify(one)),
      number,
      fc.constantFrom('[1.5,2]', '{"n":2.50,"m":[{"k":1.0}]}', 'null', '[]', '{}'),
    )
    const name = text.filter(one => !oneEscapedLetter.test(`${JSON.stringify(one)}:`))
    const members = fc.uniqueArray(fc.tuple(name, value), {
      minLength: 1,
      maxLength: 6,
      selector: ([one]) => one,
    })
    const slow = (json: string): unknown => {
      const keep = (_key: string, one: unknown, { source = '' }: { source?: string }) => {
        if (typeof one !== 'number') return one
        return /^-?\d+$/.test(source) ? toInteger(BigInt(source)) : new DecimalText(source)
      }
      return JSON.parse(json, keep as never)
    }
    fc.assert(
      fc.property(members, fc.constantFrom('', ' ', '\n'), (given, space) => {
        const body = given.map(([name, one]) => `${JSON.stringify(name)}:${space}${one}${space}`)
        const json = `{${body.join(',')}}`
        expect(parseExact(json)).toEqual(slow(json))
      }),
      { numRuns: 5000 },
    )
  })
})
