/** Debezium in Avro, the short way: what one schema of rows does not tell, and the long way sees. */
import avsc from 'avsc'
import { describe, expect, it } from 'vitest'
import { FileRegistry } from '../../../formats/avro/schema-registry.ts'
import { debeziumAvro } from '../../../formats/debezium/debezium-avro.ts'
import type { Decoder } from '../../../formats/decoder.ts'
import type { ChangeEvent, LogRecord } from '../../../model/change-event.ts'
import { decodedBy, textOf } from '../decoded-text.ts'
import { mariadb, recordOf } from '../samples.ts'

const sqlserver = {
  connector: 'sqlserver',
  name: 's1',
  db: 'one',
  schema: 'dbo',
  table: 'orders',
  snapshot: 'false',
  ts_ms: 1,
  commit_lsn: '00000027:00000758:0005',
  change_lsn: '00000027:00000758:0003',
}

const keyOf = (names: readonly string[]) => ({
  type: 'record',
  name: 'Key',
  fields: names.map(name => ({ name, type: name.startsWith('__dbz__') ? 'string' : 'long' })),
})

const envelopeOf = (source: object) => ({
  type: 'record',
  name: 'Envelope',
  fields: [
    {
      name: 'before',
      type: [
        'null',
        {
          type: 'record',
          name: 'Value',
          fields: [
            { name: 'id', type: 'long' },
            { name: 'line', type: 'long' },
            { name: 'note', type: ['null', 'string'] },
          ],
        },
      ],
    },
    { name: 'after', type: ['null', 'Value'] },
    {
      name: 'source',
      type: {
        type: 'record',
        name: 'Source',
        fields: Object.entries(source).map(([name, value]) => ({
          name,
          type: typeof value === 'number' ? 'long' : 'string',
        })),
      },
    },
    { name: 'op', type: 'string' },
  ],
})

const router = '__dbz__physicalTableIdentifier'
const schemas: readonly unknown[] = [
  envelopeOf(mariadb),
  envelopeOf(sqlserver),
  keyOf(['id']),
  keyOf(['id', 'line']),
  keyOf(['line', 'id']),
  keyOf(['id', router]),
]

function framed(index: number, value: unknown): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(index + 1, 1)
  const type = avsc.Type.forSchema(schemas[index] as never)
  return Buffer.concat([head, type.toBuffer(value)])
}

const row = { id: 1, line: 2, note: 'a' }

interface Given {
  readonly key?: number
  readonly source?: object
  readonly op?: string
  readonly before?: object | null
  readonly after?: object | null
}

function changeOf({ key = 2, source = mariadb, op = 'c', before = null, after = row }: Given) {
  const value = { before, after, source, op }
  const columns = { ...row, ...after, [router]: 'a.b.c' }
  return recordOf(
    framed(key, columns),
    framed('connector' in source && source.connector === 'sqlserver' ? 1 : 0, value),
  )
}

async function decoders(): Promise<{ readonly short: Decoder; readonly long: Decoder }> {
  const lines = schemas.map((schema, index) =>
    JSON.stringify({ id: index + 1, schema: JSON.stringify(schema) }),
  )
  const read = (): Promise<string> => Promise.resolve(lines.join('\n'))
  const registry = new FileRegistry({ path: 'schemas', read })
  for (const [index] of schemas.entries()) await registry.fetch(index + 1)
  const options = { hintsOf: () => ({}), incarnation: '', connectorSettings: {} }
  return {
    short: debeziumAvro({ registry }).createDecoder(options),
    long: debeziumAvro({ registry, isDirect: false }).createDecoder(options),
  }
}

/** What both ways make of the last record, once they have seen those before it. */
async function lastOf(records: readonly LogRecord[]) {
  const { short, long } = await decoders()
  const found = records.map(record => [decodedBy(short, record), decodedBy(long, record)] as const)
  const [shortly, atLength] = found.at(-1)!
  expect(textOf(shortly)).toBe(textOf(atLength))
  return shortly
}

function eventOf(decoded: Awaited<ReturnType<typeof lastOf>>): ChangeEvent {
  if (decoded instanceof Error) throw decoded
  if (decoded.kind !== 'changes') throw new Error('it is a change')
  return decoded.events[0]!
}

describe('rows of one schema', () => {
  it('whose key got a column have that key: the schema of the rows is the same', async () => {
    const event = eventOf(await lastOf([changeOf({}), changeOf({}), changeOf({ key: 3 })]))
    expect(event.schema.key).toEqual(['id', 'line'])
    expect(event.key).toEqual({ id: 1, line: 2 })
  })

  it('whose key is in another order have it in that order', async () => {
    const event = eventOf(await lastOf([changeOf({ key: 3 }), changeOf({ key: 4 })]))
    expect(event.schema.key).toEqual(['line', 'id'])
  })

  it('are keyed without what a router added to the key', async () => {
    const event = eventOf(await lastOf([changeOf({ key: 5 }), changeOf({ key: 5 })]))
    expect(event.key).toEqual({ id: 1 })
  })

  it('of two databases of SQL Server are refused', async () => {
    const [one, two] = ['one', 'two'].map(db => changeOf({ source: { ...sqlserver, db } }))
    const error = await lastOf([one!, one!, two!])
    expect(error).toMatchObject({ code: 'target-shared' })
  })

  it('have no null before an update of SQL Server that may not have logged the value', async () => {
    const before = { ...row, note: null }
    const given = { source: sqlserver, op: 'u', before }
    const event = eventOf(await lastOf([changeOf({ source: sqlserver }), changeOf(given)]))
    expect(event.before).toEqual({ id: 1, line: 2 })
  })
})
