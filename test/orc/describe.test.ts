import { expect, it } from 'vitest'
import {
  BufferSource,
  describeOrcFile,
  type OrcFileDescription,
  OrcReader,
  type OrcStructType,
  parseOrcType,
} from '../../orc/index.ts'
import { allTypes, Random, sampleValues, structOf, styles, writeFile } from './samples.ts'

async function describeFile(file: Uint8Array): Promise<OrcFileDescription> {
  return describeOrcFile(await OrcReader.open(new BufferSource(file)))
}

it('tells the schema, the writer, the columns and the stripes of a file', async () => {
  const schema = parseOrcType(
    'struct<id:bigint,name:string,at:timestamp,day:date>',
  ) as OrcStructType
  const rows = [
    [2n ** 60n, 'a', -1_000_001, 0],
    [null, 'a', 1, -1],
  ]
  const file = await writeFile(schema, rows, {
    compression: 'none',
    userMetadata: { text: 'plain', bytes: Uint8Array.of(255, 0) },
    softwareVersion: 'test',
  })
  const description = await describeFile(file)
  expect(description).toMatchObject({
    schema: 'struct<id:bigint,name:string,at:timestamp,day:date>',
    rowCount: 2,
    formatVersion: '0.12',
    writer: { id: 101, version: 6, softwareVersion: 'test' },
    calendar: 'proleptic-gregorian',
    compression: 'none',
    rowIndexStride: 10_000,
    userMetadata: { text: 'plain', bytes: 'base64:/wA=' },
  })
  expect(description.columns.map(({ path, type }) => [path, type])).toEqual([
    ['', description.schema],
    ['id', 'bigint'],
    ['name', 'string'],
    ['at', 'timestamp'],
    ['day', 'date'],
  ])
  expect(description.columns.map(column => column.statistics)).toMatchObject([
    { valueCount: 2, hasNull: false },
    {
      valueCount: 1,
      hasNull: true,
      integer: { minimum: `${2n ** 60n}`, maximum: `${2n ** 60n}`, sum: `${2n ** 60n}` },
    },
    {
      string: {
        minimum: 'a',
        isMinimumExact: true,
        maximum: 'a',
        isMaximumExact: true,
        byteCount: 2,
      },
    },
    {
      timestamp: {
        minimum: '1969-12-31T23:59:58.999999000Z',
        maximum: '1970-01-01T00:00:00.000001000Z',
      },
    },
    { date: { minimum: '1969-12-31', maximum: '1970-01-01' } },
  ])
  const stripe = description.stripes[0]!
  expect(stripe).toMatchObject({ offset: 3, rowCount: 2, writerTimezone: 'UTC' })
  expect(stripe.encodings[2]).toEqual({ column: 2, kind: 'DICTIONARY_V2', dictionarySize: 1 })
  expect(stripe.streams.filter(stream => stream.column === 1).map(stream => stream.kind)).toEqual([
    'ROW_INDEX',
    'PRESENT',
    'DATA',
  ])
})

it('is something that JSON can hold, for values of every type', async () => {
  const types = structOf(allTypes)
  for (const style of styles) {
    const random = new Random(1)
    const columns = types.fields.map(field => sampleValues(field.type, style, 40, random))
    const rows = Array.from({ length: 40 }, (_, row) => columns.map(values => values[row]!))
    const description = await describeFile(await writeFile(types, rows))
    expect(JSON.parse(JSON.stringify(description))).toEqual(description)
  }
})
