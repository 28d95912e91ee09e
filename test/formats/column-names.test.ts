/** Columns whose names every object of JavaScript has a meaning for. */
import { describe, expect, it } from 'vitest'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { Decoder, Format } from '../../formats/decoder.ts'
import { maxwellJson } from '../../formats/maxwell/maxwell-json.ts'
import { mongodb } from './connectors.ts'
import { decodedBy, textOf } from './decoded-text.ts'
import { mariadb, recordOf } from './samples.ts'

const decoderOf = (format: Format): Decoder =>
  format.createDecoder({
    hintsOf: () => ({}),
    incarnation: '',
    connectorSettings: { 'include.schema.changes': 'false' },
  })

const rowSchema = {
  type: 'struct',
  optional: true,
  fields: ['id', '__proto__'].map(field => ({ field, type: 'int32', optional: true })),
}
const schema = JSON.stringify({ type: 'struct', fields: [{ ...rowSchema, field: 'after' }] })

const changeOf = (after: string, source: object = mariadb): string =>
  `{"before":null,"after":${after},"source":${JSON.stringify(source)},"op":"c"}`
const document = (text: string) => recordOf('{"id":"1"}', changeOf(JSON.stringify(text), mongodb))
const maxwell = (data: string) =>
  recordOf(
    null,
    `{"database":"d","table":"t","type":"insert","ts":1,"primary_key_columns":["id"],"data":${data}}`,
  )
const debezium = (after: string) => recordOf('{"id":1}', changeOf(after))

describe.each([
  [
    'Debezium, with a schema',
    debeziumJson(),
    (row: string) => {
      return recordOf('{"id":1}', `{"schema":${schema},"payload":${changeOf(row)}}`)
    },
  ],
  ['Debezium, with types that are inferred', debeziumJson(), debezium],
  ['MongoDB', debeziumJson(), (row: string) => document(row.replace('"id"', '"_id"'))],
  ['Maxwell', maxwellJson(), maxwell],
])('a column __proto__ of %s', (_, format, messageOf) => {
  it('is refused, and nothing but its message', () => {
    const decoder = decoderOf(format)
    const refused = decodedBy(decoder, messageOf('{"id":1,"__proto__":2}'))
    expect(refused).toMatchObject({ code: 'type-unsupported' })
  })
})

it('a document that was refused for a name leaves nothing of it in those that follow', () => {
  const decoder = decoderOf(debeziumJson())
  decodedBy(decoder, document('{"_id":1,"__proto__":2}'))
  const next = decodedBy(decoder, document('{"_id":1,"toString":2}'))
  expect(textOf(next)).toContain('["after",{"_id":1,"toString":2}]')
})
