/** Documents as MongoDB's connector sends them, built from what its source says: none were recorded. */
import { describe, expect, it } from 'vitest'
import type { Decoder, TableHints } from '../../../formats/decoder.ts'
import { parseColumnType } from '../../../model/column-type.ts'
import { DecodeError, ForagerError } from '../../../model/errors.ts'
import { seededRandom } from '../../../runtime/random.ts'
import { mongodb } from '../connectors.ts'
import { decoderOf, eventsOf, recordOf, withSchema } from '../samples.ts'

const oid = '65f0a1b2c3d4e5f60718293a'
const idText = `{"$oid": "${oid}"}`

interface Parts {
  readonly op: string
  readonly before?: unknown
  readonly after?: unknown
  readonly updateDescription?: unknown
  readonly id?: string | undefined
}

const textOf = (document: unknown): string | null =>
  document === undefined || document === null
    ? null
    : typeof document === 'string'
      ? document
      : JSON.stringify(document)

function messageOf({ op, before, after, updateDescription = null, id = idText }: Parts) {
  return recordOf(
    { id },
    {
      before: textOf(before),
      after: textOf(after),
      updateDescription,
      source: mongodb,
      op,
      ts_ms: 1_700_000_002_000,
      transaction: null,
    },
    { topic: 'g1.shop.orders' },
  )
}

function eventOf(parts: Parts, decoder: Decoder = decoderOf()) {
  const [event, ...others] = eventsOf(decoder, messageOf(parts))
  expect(others).toEqual([])
  return event!
}

const typesOf = (event: ReturnType<typeof eventOf>) =>
  Object.fromEntries(event.schema.columns.map(({ name, type }) => [name, type.kind]))

describe('a document', () => {
  it('is a row of its fields, in whichever form its values are written', () => {
    const row = {
      _id: oid,
      name: 'a',
      n: 5,
      big: 9_007_199_254_740_993n,
      half: 15,
      money: 1999,
      on: true,
      at: 1_700_000_000_123_000,
      bytes: Buffer.from([1, 2, 3]),
      tags: '["x",{"$date":"2023-11-14T22:13:20.123Z"},7]',
      nested: '{"a":{"b":9007199254740993},"c":0.1}',
      none: null,
    }
    const strict = `{"_id": {"$oid": "${oid}"}, "name": "a", "n": 5, "big": {"$numberLong": "9007199254740993"},
      "half": 1.5, "money": {"$numberDecimal": "19.99"}, "on": true, "at": {"$date": 1700000000123},
      "bytes": {"$binary": "AQID", "$type": "00"}, "tags": ["x", {"$date": 1700000000123}, 7],
      "nested": {"a": {"b": {"$numberLong": "9007199254740993"}}, "c": 0.1}, "none": null}`
    const relaxed = `{"_id": {"$oid": "${oid}"}, "name": "a", "n": 5, "big": 9007199254740993,
      "half": 1.5, "money": {"$numberDecimal": "19.99"}, "on": true, "at": {"$date": "2023-11-14T22:13:20.123Z"},
      "bytes": {"$binary": {"base64": "AQID", "subType": "00"}}, "tags": ["x", {"$date": "2023-11-14T22:13:20.123Z"}, 7],
      "nested": {"a": {"b": 9007199254740993}, "c": 0.1}, "none": null}`
    const canonical = `{"_id": {"$oid": "${oid}"}, "name": "a", "n": {"$numberInt": "5"}, "big": {"$numberLong": "9007199254740993"},
      "half": {"$numberDouble": "1.5"}, "money": {"$numberDecimal": "19.99"}, "on": true, "at": {"$date": {"$numberLong": "1700000000123"}},
      "bytes": {"$binary": {"base64": "AQID", "subType": "00"}}, "tags": ["x", {"$date": {"$numberLong": "1700000000123"}}, {"$numberInt": "7"}],
      "nested": {"a": {"b": {"$numberLong": "9007199254740993"}}, "c": {"$numberDouble": "0.1"}}, "none": {"$undefined": true}}`
    for (const after of [strict, relaxed, canonical]) {
      const event = eventOf({ op: 'c', after })
      expect(event).toMatchObject({
        table: 'shop.orders',
        op: 'c',
        key: { _id: oid },
        before: null,
        position: { connector: 'mongodb', text: '1700000001/3' },
      })
      expect(event.after).toEqual(row)
      expect(typesOf(event)).toEqual({
        _id: 'string',
        name: 'string',
        n: 'bigint',
        big: 'bigint',
        half: 'decimal',
        money: 'decimal',
        on: 'boolean',
        at: 'timestamptz',
        bytes: 'binary',
        tags: 'string',
        nested: 'string',
        none: 'string',
      })
    }
  })

  it('wraps with a schema that says no more than that it is text', () => {
    const { payload } = {
      payload: JSON.parse(messageOf({ op: 'c', after: { _id: 1 } }).value!.toString()),
    }
    const record = recordOf(
      { schema: { type: 'struct' }, payload: { id: '1' } },
      withSchema(payload),
    )
    expect(eventsOf(decoderOf(), record)[0]!.after).toEqual({ _id: 1 })
  })

  it('lacks a field that others have: it is null there, not left as it was', () => {
    const decoder = decoderOf()
    eventOf({ op: 'c', after: { _id: 1, a: 1 }, id: '1' }, decoder)
    const next = eventOf({ op: 'u', after: { _id: 2, b: 'x' }, id: '2' }, decoder)
    expect(next.after).toEqual({ _id: 2, a: null, b: 'x' })
    expect(next.isPatch).toBeUndefined()
  })

  it('has keys of every kind, the same in key and document', () => {
    for (const [id, inDocument, value, kind] of [
      [idText, { $oid: oid }, oid, 'string'],
      ['"abc"', 'abc', 'abc', 'string'],
      ['1004', { $numberInt: '1004' }, 1004, 'bigint'],
      ['1004', { $numberLong: '1004' }, 1004, 'bigint'],
      ['1.0', { $numberDouble: '1.0' }, 1, 'bigint'],
      ['{"a": 5}', { a: { $numberLong: '5' } }, '{"a":5}', 'string'],
      ['{"$date": "2023-11-14T22:13:20Z"}', { $date: 1_700_000_000_000 }, 1.7e15, 'timestamptz'],
      ['{"$uuid": "0b5e-1"}', { $uuid: '0b5e-1' }, '0b5e-1', 'string'],
    ] as const) {
      const event = eventOf({ op: 'c', after: { _id: inDocument }, id })
      expect([event.key, event.after, typesOf(event)]).toEqual([
        { _id: value },
        { _id: value },
        { _id: kind },
      ])
      expect(eventOf({ op: 'd', id }).key).toEqual({ _id: value })
    }
  })

  it('numbers are exact, and text when 38 digits do not hold them', () => {
    const value = (after: string) =>
      eventOf({ op: 'c', after: `{"_id": 1, "v": ${after}}` }).after!.v
    expect(value('0.10')).toBe(10)
    expect(value('{"$numberDecimal": "12345678901234567890.123456789012345678"}')).toBe(
      12_345_678_901_234_567_890_123_456_789_012_345_678n,
    )
    expect(value('{"$numberDecimal": "1E+3"}')).toBe(1000)
    expect(value('{"$numberDecimal": "1E+6000"}')).toBe('1E+6000')
    expect(value('{"$numberDouble": "NaN"}')).toBe('NaN')
    expect(value('{"$numberDouble": "-0.0"}')).toBe(0)
    expect(value('1e300')).toBe('1e300')
  })

  it('what Hive has no equal for is its text', () => {
    for (const [json, text] of [
      ['{"$timestamp": {"t": 1, "i": 2}}', '{"$timestamp":{"t":1,"i":2}}'],
      [
        '{"$regularExpression": {"pattern": "a", "options": "i"}}',
        '{"$regularExpression":{"pattern":"a","options":"i"}}',
      ],
      ['{"$minKey": 1}', '{"$minKey":1}'],
      ['{"$oid": 5}', '{"$oid":5}'],
      ['{"__proto__": 1}', '{"__proto__":1}'],
    ] as const) {
      expect(eventOf({ op: 'c', after: `{"_id": 1, "v": ${json}}` }).after!.v).toBe(text)
    }
  })
})

describe('stated types', () => {
  const hints: TableHints = {
    types: Object.fromEntries(
      Object.entries({
        _id: 'string',
        price: 'decimal(10,2)',
        day: 'date',
        at: 'timestamp',
        weight: 'double',
        count: 'int',
        absent: 'int',
      }).map(([name, type]) => [name, parseColumnType(type)]),
    ),
  }

  it('are read from every form, and a column that a document lacks is null', () => {
    const event = (values: string) =>
      eventOf({ op: 'c', after: `{"_id": ${idText}, ${values}}` }, decoderOf({ hints })).after
    for (const values of [
      '"price": 12.5, "day": {"$date": "2024-02-29T00:00:00Z"}, "at": {"$date": 5}, "weight": 3, "count": 7.0',
      '"price": {"$numberDecimal": "12.50"}, "day": {"$date": {"$numberLong": "1709164800000"}}, ' +
        '"at": {"$date": "1970-01-01T00:00:00.005Z"}, "weight": {"$numberDouble": "3.0"}, "count": {"$numberLong": "7"}',
    ]) {
      expect(event(values)).toEqual({
        _id: oid,
        price: 1250,
        day: 19_782,
        at: 5000,
        weight: 3,
        count: 7,
        absent: null,
      })
    }
    expect(event('"price": "1234", "count": "5"')).toMatchObject({ price: 123_400, count: 5 })
    expect(event('"price": {"$numberDecimal": "1234"}')).toMatchObject({ price: 123_400 })
    expect(event('"price": {"$numberDecimal": "1E+3"}')).toMatchObject({ price: 100_000 })
  })

  it('that a value does not fit are an error that names the column', () => {
    for (const [values, column] of [
      ['"price": "abc"', 'price'],
      ['"price": {"$numberDecimal": "1E+40"}', 'price'],
      ['"price": {"$binary": {"base64": "AQ==", "subType": "00"}}', 'price'],
      ['"count": "AQ=="', 'count'],
      ['"day": {"$date": 5}', 'day'],
      ['"count": 1.5', 'count'],
      ['"count": {"$numberLong": "99999999999"}', 'count'],
    ] as const) {
      const record = messageOf({ op: 'c', after: `{"_id": "a", ${values}}` })
      expect(() => decoderOf({ hints }).decode(record)).toThrow(
        expect.objectContaining({
          code: 'value-invalid',
          context: expect.objectContaining({ column }),
        }),
      )
    }
  })
})

describe('an update', () => {
  const update = (updatedFields: unknown, removedFields: unknown = null, more: object = {}) => ({
    updatedFields: textOf(updatedFields),
    removedFields,
    truncatedArrays: null,
    ...more,
  })

  it('without its document is what it changed', () => {
    const updateDescription = update({ a: { $numberLong: '5' }, b: { c: 1 } }, ['d'])
    expect(eventOf({ op: 'u', updateDescription })).toMatchObject({
      op: 'u',
      key: { _id: oid },
      after: { _id: oid, a: 5, b: '{"c":1}', d: null },
      isPatch: true,
      isBeforeWhole: false,
    })
    expect(eventOf({ op: 'u', updateDescription: update(null) }).after).toEqual({ _id: oid })
  })

  it('with the document before it is the whole row, and the row before is known', () => {
    const before = { _id: { $oid: oid }, a: 1, b: 2, d: 3 }
    const event = eventOf({ op: 'u', before, updateDescription: update({ a: 5 }, ['d']) })
    expect(event).toMatchObject({
      before: { _id: oid, a: 1, b: 2, d: 3 },
      after: { _id: oid, a: 5, b: 2, d: null },
      isBeforeWhole: true,
    })
    expect(event.isPatch).toBeUndefined()
    const whole = eventOf({ op: 'u', before, after: { _id: { $oid: oid }, a: 9 } })
    expect(whole.after).toEqual({ _id: oid, a: 9, b: null, d: null })
    expect(eventOf({ op: 'd', before })).toMatchObject({ before: { a: 1 }, isBeforeWhole: true })
  })

  it('inside of a column is an error that says what to set', () => {
    for (const updateDescription of [
      update({ 'a.b': 1 }),
      update(null, ['a.b']),
      update({ a: 1 }, null, { truncatedArrays: [{ field: 'tags', size: 1 }] }),
    ]) {
      expect(() => decoderOf().decode(messageOf({ op: 'u', updateDescription }))).toThrow(
        /change_streams_update_full/,
      )
    }
    expect(() => decoderOf().decode(messageOf({ op: 'u' }))).toThrow(/neither the document/)
    expect(() => decoderOf().decode(messageOf({ op: 'c' }))).toThrow(/has no "after"/)
  })
})

describe('hostile documents', () => {
  it('are an error of data', () => {
    const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const deep = `{"_id": 1, "v": ${nested}}`
    for (const after of [
      '',
      '{',
      '[]',
      '5',
      '"x"',
      'null',
      '{"_id": {"$numberLong": "x"}}',
      deep,
      // Numbers that need to be exact: those of other documents are read in other ways.
      deep.replace('1', '12345678901234567890'),
      deep.replace('1', '1.5'),
      deep.replace('1', '[1.5]'),
    ]) {
      expect(() => decoderOf().decode(messageOf({ op: 'c', after }))).toThrow(DecodeError)
    }
    for (const key of [{}, { id: 5 }, { id: '{' }, 5, '"x"', { id: '{"$date": "soon"}' }]) {
      const { value } = messageOf({ op: 'c', after: { _id: 1 } })
      expect(() => decoderOf().decode(recordOf(key, value!))).toThrow(DecodeError)
    }
  })

  it('with ever new fields do not fill the memory', () => {
    const decoder = decoderOf()
    const add = (from: number) => {
      const names = Array.from({ length: 500 }, (_, index) => [`f${from + index}`, 1] as const)
      return eventOf({ op: 'c', after: { _id: 1, ...Object.fromEntries(names) } }, decoder)
    }
    for (const from of [0, 500, 1000]) expect(add(from).after).toMatchObject({ [`f${from}`]: 1 })
    expect(() => add(1500)).toThrow(/more than 2000 columns/)
    expect(add(0).after).toMatchObject({ f0: 1, f1400: null })
  })

  it('whose bytes were changed are decoded or refused, never a crash', () => {
    const random = seededRandom(11)
    const messages = [
      messageOf({
        op: 'c',
        after: { _id: { $oid: oid }, a: { $numberDecimal: '1.5' }, b: { $date: 5 } },
      }),
      messageOf({
        op: 'u',
        updateDescription: { updatedFields: '{"a": {"$numberLong": "5"}}', removedFields: ['b'] },
      }),
      messageOf({
        op: 'd',
        before: { _id: { $oid: oid }, c: [{ $binary: { base64: 'AQ==', subType: '00' } }] },
      }),
    ]
    const decoder = decoderOf()
    let [decoded, refused] = [0, 0]
    for (let round = 0; round < 6000; round += 1) {
      const record = messages[round % messages.length]!
      const isKey = random.next() < 0.2
      const copy = Buffer.from((isKey ? record.key : record.value)!)
      const at = Math.floor(random.next() * copy.length)
      copy[at] = Buffer.from('{}[]",:0-nt$\\ée')[Math.floor(random.next() * 16)]!
      try {
        decoder.decode(isKey ? { ...record, key: copy } : { ...record, value: copy })
        decoded += 1
      } catch (error) {
        if (!(error instanceof ForagerError)) throw error
        refused += 1
      }
    }
    expect(decoded).toBeGreaterThan(500)
    expect(refused).toBeGreaterThan(500)
  })
})
