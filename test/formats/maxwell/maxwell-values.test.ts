import { describe, expect, it } from 'vitest'
import { decoderOf, errorOf, eventsOf, message, typesOf, withTypes } from '../maxwell-samples.ts'

describe('values without declared types', () => {
  it('are exact, and widen', () => {
    const decoder = decoderOf()
    const data =
      '{"id":1,"big":18446744073709551615,"price":12.30,"tiny":1E-10,"json":{"a":1.50},"set":["a","c"]}'
    const [event] = eventsOf(decoder.decode(message('insert', data)))
    expect(typesOf(event!.schema)).toEqual({
      id: 'bigint',
      big: 'decimal(20,0)',
      price: 'decimal(11,2)',
      tiny: 'decimal(19,10)',
      json: 'string',
      set: 'string',
    })
    expect(event!.after).toEqual({
      id: 1,
      big: 18446744073709551615n,
      price: 1230,
      tiny: 1,
      json: '{"a":1.50}',
      set: '["a","c"]',
    })
    const update = message('update', '{"id":1,"price":"free"}', { old: '{"price":12.30}' })
    expect(eventsOf(decoder.decode(update))[0]).toMatchObject({
      before: { price: '12.3' },
      after: { price: 'free' },
      schema: { isInferred: true },
    })
  })
})

describe('values whose types the operator states', () => {
  it.each([
    ['int', '7', 7],
    ['boolean', '1', true],
    [
      'decimal(38,10)',
      '1234567890123456789012345678.0123456789',
      12345678901234567890123456780123456789n,
    ],
    ['decimal(38,10)', '1E-10', 1],
    ['double', '1.7976931348623157E308', 1.7976931348623157e308],
    ['double', '3', 3],
    ['float', '-3.4E38', -3.4e38],
    ['ubigint', '18446744073709551615', 18446744073709551615n],
    ['date', '"2024-02-29"', 19_782],
    ['date', '"0000-00-00"', null],
    ['timestamp', '"2024-02-29 12:34:56.789"', 1_709_210_096_789_000],
    ['timestamptz', '"0000-00-00 00:00:00"', null],
    ['binary', '"AP8Q/g=="', Buffer.from([0, 255, 16, 254])],
    ['string', '12.30', '12.30'],
    ['string', '18446744073709551615', '18446744073709551615'],
    ['string', '{"a":[1.50,null]}', '{"a":[1.50,null]}'],
    ['array<string>', '["a","c"]', ['a', 'c']],
    ['date', 'null', null],
  ])('%s %s', (type, json, value) => {
    const decoder = decoderOf({ hints: withTypes({ id: 'bigint', a: type }) })
    const [event] = eventsOf(decoder.decode(message('insert', `{"id":1,"a":${json}}`)))
    expect(event!.after).toEqual({ id: 1, a: value })
    expect(typesOf(event!.schema)).toEqual({ id: 'bigint', a: type })
    expect(event!.schema.isInferred).toBeUndefined()
  })

  it.each([
    ['int', '"x"'],
    ['int', '1.5'],
    ['date', '"2024-02-30"'],
    ['decimal(4,2)', '1.234'],
    ['binary', '"ä"'],
    ['boolean', '2'],
    ['array<string>', '"a"'],
  ])('%s %s is refused, and the error names the column', (type, json) => {
    const decoder = decoderOf({ hints: withTypes({ a: type }) })
    expect(errorOf(() => decoder.decode(message('insert', `{"id":1,"a":${json}}`)))).toMatchObject({
      code: 'value-invalid',
      context: { topic: 'maxwell', offset: 0, table: 'd.t', column: 'a' },
    })
  })

  it.each([
    ['bit(8)', '129', '10000001'],
    ['bit(64)', '18446744073709551615', '1'.repeat(64)],
    ['time', '"12:34:56.500"', '12:34:56.5'],
    ['time(6)', '"12:34:56.000000"', '12:34:56'],
    ['timestamp(3)', '"2024-02-29 12:34:56.789"', 1_709_210_096_789_000],
    ['fail', 'null', null],
  ])('%s %s, which is more than the type of the column', (type, json, value) => {
    const decoder = decoderOf({ hints: withTypes({ a: type }) })
    const [event] = eventsOf(decoder.decode(message('insert', `{"id":1,"a":${json}}`)))
    expect(event!.after).toEqual({ id: 1, a: value })
  })

  it.each([
    ['bit(4)', '16'],
    ['time', '"noon"'],
    ['fail', '1'],
  ])('%s %s is refused', (type, json) => {
    const decoder = decoderOf({ hints: withTypes({ a: type }) })
    expect(errorOf(() => decoder.decode(message('insert', `{"id":1,"a":${json}}`)))).toMatchObject({
      code: 'value-invalid',
      context: { column: 'a' },
    })
  })
})
