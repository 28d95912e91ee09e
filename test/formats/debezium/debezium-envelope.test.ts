import { describe, expect, it } from 'vitest'
import { EnvelopeReader } from '../../../formats/debezium/debezium-envelope.ts'
import { DecodeError } from '../../../model/errors.ts'

function readAll(texts: readonly string[], topic = 't') {
  const reader = new EnvelopeReader()
  return texts.map(text => reader.read(topic, Buffer.from(text)))
}

const read = (text: string) => readAll([text])[0]!

const schema = '{"type":"struct","fields":[{"type":"int32","field":"id"}]}'
const message = (id: number, own = schema): string => `{"schema":${own},"payload":{"id":${id}}}`

describe('an envelope', () => {
  it('with a schema, with null for one, and without', () => {
    expect(read(message(1))).toEqual({ schema: JSON.parse(schema), payload: { id: 1 } })
    expect(read('{"schema":null,"payload":{"id":1}}')).toEqual({ schema: null, payload: { id: 1 } })
    expect(read('{"id":1}')).toEqual({ schema: null, payload: { id: 1 } })
    expect(read('{"schema":null,"payload":null}')).toEqual({ schema: null, payload: null })
  })

  it('in any order and with any spaces', () => {
    const expected = { schema: JSON.parse(schema), payload: { id: 1 } }
    for (const text of [
      `{"payload":{"id":1},"schema":${schema}}`,
      `{ "schema": ${schema}, "payload": {"id":1} }`,
      `{"schema":${schema},"payload":{"id":1}}\n`,
      `{"schema":${schema},"payload":{"id":1} }`,
      `{"schema":${schema},"payload" : {"id":1}}`,
      ` ${message(1)}`,
    ]) {
      expect(read(text)).toEqual(expected)
      // The second time the schema is known by its text.
      expect(readAll([message(7), text])[1]).toEqual(expected)
    }
  })

  it('with more than its two fields is read by its two fields', () => {
    expect(read(`{"schema":${schema},"payload":{"id":1},"more":2}`)).toMatchObject({
      payload: { id: 1 },
    })
    expect(readAll([message(1), `{"schema":${schema},"payload":{"id":2},"x":1}`])[1]).toMatchObject(
      {
        payload: { id: 2 },
      },
    )
  })

  it('one schema text is one object, over topics and again after others', () => {
    const reader = new EnvelopeReader()
    const other = '{"type":"struct","fields":[]}'
    const a = reader.read('a', Buffer.from(message(1)))
    const b = reader.read('b', Buffer.from(message(2)))
    reader.read('a', Buffer.from(message(3, other)))
    const again = reader.read('a', Buffer.from(message(4)))
    expect(a.schema).not.toBeNull()
    expect(b.schema).toBe(a.schema)
    expect(again.schema).toBe(a.schema)
    expect(again.payload).toEqual({ id: 4 })
  })

  it('a mark of the payload inside the schema is not taken for the payload', () => {
    for (const own of [
      '{"type":"struct","parameters":{"a":"b","payload":"x"},"fields":[]}',
      '{"type":"struct","default":{"a":1,"payload":{"id":9}},"fields":[]}',
      `{"type":"string","default":${JSON.stringify('x","payload":{"id":9}}')}}`,
      `{"type":"string","doc":${JSON.stringify(',"payload":')}}`,
    ]) {
      expect(own).toContain('payload')
      for (const found of readAll([message(1, own), message(1, own)])) {
        expect(found).toEqual({ schema: JSON.parse(own), payload: { id: 1 } })
      }
    }
  })

  it('a row with columns called schema and payload is a row', () => {
    for (const text of [
      '{"schema":"a","payload":1}',
      '{"payload":1,"schema":"a"}',
      '{"schema":{"x":1},"payload":1}',
      '{"payload":1}',
      '{"schema":"a"}',
    ]) {
      expect(read(text)).toEqual({ schema: null, payload: JSON.parse(text) })
    }
  })

  it('a payload with a column called payload keeps it', () => {
    const text = `{"schema":${schema},"payload":{"after":{"payload":{"a":1}},"payload":2}}`
    expect(read(text).payload).toEqual({ after: { payload: { a: 1 } }, payload: 2 })
  })

  it('payloads are exact', () => {
    const text = `{"schema":${schema},"payload":{"id":18446744073709551615}}`
    for (const { payload } of readAll([text, text])) expect(payload).toEqual({ id: 2n ** 64n - 1n })
  })

  it('more schemas than are kept do not take a schema from a topic that still uses it', () => {
    const reader = new EnvelopeReader()
    const first = reader.read('first', Buffer.from(message(1)))
    for (let index = 0; index < 2500; index += 1) {
      const own = `{"type":"struct","name":"v${index}"}`
      const found = reader.read('other', Buffer.from(message(index, own)))
      expect(found.schema).toEqual({ type: 'struct', name: `v${index}` })
    }
    expect(reader.read('first', Buffer.from(message(2)))).toEqual({
      schema: first.schema,
      payload: { id: 2 },
    })
  })
})

describe('what is not JSON', () => {
  it('is refused with its beginning shown, after good ones too', () => {
    for (const text of [
      '',
      'not json',
      '{"schema":',
      `{"schema":${schema},"payload":`,
      `{"schema":${schema},"payload":{"id":1}`,
      `{"schema":${schema},"payload":{"id":1}}}`,
      '\x00\x00\x00\x00\x01avro',
    ]) {
      expect(() => read(text), text).toThrow(DecodeError)
      expect(() => readAll([message(1), text]), text).toThrow(DecodeError)
    }
    expect(() => read('not json')).toThrow(/not json/)
    expect(() => read('x'.repeat(1000))).toThrow(/^.{50,150}$/)
  })

  it('and neither what looks like a schema in no end of places takes long', () => {
    // A list without a schema, of which no beginning is JSON.
    const text = `{"schema":[${'{"a":1,"payload":1},'.repeat(10_000)}1],"payload":2}`
    const start = performance.now()
    expect(read(text)).toEqual({ schema: null, payload: JSON.parse(text) as unknown })
    expect(performance.now() - start).toBeLessThan(2000)
  })
})
