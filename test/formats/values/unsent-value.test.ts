import { describe, expect, it } from 'vitest'
import { isUnsent, unsentLengths } from '../../../formats/values/unsent-value.ts'
import type { Field } from '../samples.ts'
import { changeOf, decoderOf, eventsOf, postgres, recordOf, withSchema } from '../samples.ts'

const placeholder = '__debezium_unavailable_value'
const bytes = Buffer.from(placeholder)

/** As PostgreSQL's connector makes it for each type of a column. */
const forms: readonly (readonly [form: string, value: unknown])[] = [
  ['text', placeholder],
  ['base64', bytes.toString('base64')],
  ['base64 for URLs', bytes.toString('base64url')],
  ['hex', bytes.toString('hex')],
  ['bytes', new Uint8Array(bytes)],
  ['array of text', [placeholder]],
  ['array of base64', [bytes.toString('base64')]],
  ['array of bytes', [new Uint8Array(bytes)]],
  // Java: UUID.nameUUIDFromBytes("__debezium_unavailable_value".getBytes())
  ['array of UUIDs', ['b68a35a7-17ad-35b3-af2a-ae46edb4545a']],
  ['array of integers', [...bytes]],
  ['array of booleans', [...bytes].map(() => true)],
  ['array of decimals', [...bytes].map(byte => Buffer.from([byte]).toString('base64'))],
  [
    'array of decimals without a scale',
    [...bytes].map(byte => ({ scale: 0, value: Buffer.from([byte]).toString('base64') })),
  ],
  ['hstore', { [placeholder]: placeholder }],
  ['hstore as JSON', `{"${placeholder}":"${placeholder}"}`],
  ['point', { x: -99_999_999, y: -99_999_999, wkb: 'AQEAAAA=', srid: null }],
  ['geometry', { wkb: 'AQEAACDmEAAAAAAA/IPXl8EAAAD8g9eXwQ==', srid: 4326 }],
  ['geography', { wkb: 'AQEAACDmEAAADCHn/f9/ZkAYQs77/39WQA==', srid: 4326 }],
]

const others: readonly unknown[] = [
  '',
  null,
  5,
  2n ** 64n,
  true,
  [],
  {},
  `${placeholder}.`,
  bytes.subarray(1),
  [placeholder, placeholder],
  [...bytes].slice(1),
  [...bytes].toReversed(),
  { [placeholder]: '' },
  { [placeholder]: placeholder, a: '1' },
  { x: 1, y: 2, wkb: 'AQEAAAA=' },
  [null],
]

describe('the placeholder of what was not sent', () => {
  it.each(forms)('is known in the form of %s', (_, value) => {
    expect(isUnsent(value, placeholder)).toBe(true)
  })

  it('is nothing else', () => {
    for (const value of others) expect(isUnsent(value, placeholder)).toBe(false)
  })

  it('may be bytes, as hex: says', () => {
    const hex = 'hex:00ff10'
    for (const value of ['AP8Q', '00ff10', Buffer.from([0, 255, 16]), [0, -1, 16]]) {
      expect(isUnsent(value, hex)).toBe(true)
    }
    for (const value of [hex, 'AP8R', [0, 255, 16]]) expect(isUnsent(value, hex)).toBe(false)
  })

  it('has a text of one of few lengths', () => {
    expect(unsentLengths(placeholder)).toEqual(
      expect.arrayContaining([placeholder.length, bytes.toString('base64').length]),
    )
  })
})

/** Types whose values are, in JSON, what the form says. */
const fields: Readonly<Record<string, Omit<Field, 'field'>>> = {
  text: { type: 'string' },
  base64: { type: 'bytes' },
  'array of text': { type: 'array', items: { type: 'string' } },
  'array of base64': { type: 'array', items: { type: 'bytes' } },
  'array of UUIDs': { type: 'array', items: { type: 'string', name: 'io.debezium.data.Uuid' } },
  'array of integers': { type: 'array', items: { type: 'int32' } },
  'array of booleans': { type: 'array', items: { type: 'boolean' } },
  hstore: { type: 'map' },
  'hstore as JSON': { type: 'string', name: 'io.debezium.data.Json' },
  point: { type: 'struct', name: 'io.debezium.data.geometry.Point' },
  geometry: { type: 'struct', name: 'io.debezium.data.geometry.Geometry' },
}

describe('a value that was not sent', () => {
  const given = forms.filter(([form]) => form in fields)

  it.each(given)('is left out of an update, and kept in an insert, as %s', (form, value) => {
    const columns: readonly Field[] = [
      { type: 'int32', field: 'id' },
      { ...fields[form]!, field: 'big', optional: true },
    ]
    const decoder = decoderOf()
    const event = (op: string) => {
      const after = { id: 1, big: value }
      const change = changeOf({ op, before: null, after, source: postgres })
      return eventsOf(decoder, recordOf({ id: 1 }, withSchema(change, columns)))[0]!
    }
    // The second of its kind takes the short way.
    for (let turn = 0; turn < 2; turn += 1) {
      expect(event('u').after).toEqual({ id: 1 })
      expect(event('c').after).toHaveProperty('big')
    }
  })
})
