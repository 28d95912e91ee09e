import { describe, expect, it } from 'vitest'
import type { OrcStructType, OrcType, OrcValue } from '../../orc/index.ts'
import { parseOrcType } from '../../orc/index.ts'
import { allTypes, Random, readRows, sampleValues, structOf, writeFile } from './samples.ts'

function schemaOf(text: string): OrcStructType {
  return parseOrcType(text) as OrcStructType
}

async function written(text: string, ...rows: readonly OrcValue[][]): Promise<Uint8Array> {
  return await writeFile(schemaOf(text), rows)
}

async function converted(from: string, to: string, ...values: readonly OrcValue[]) {
  const file = await written(`struct<v:${from}>`, ...values.map(value => [value]))
  const read = await readRows(file, { schema: schemaOf(`struct<v:${to}>`) })
  return read.map(([value]) => value)
}

describe('another schema than the file’s', () => {
  it('finds columns by name whatever their order and case; those that are not there are null', async () => {
    const file = await written('struct<id:int,Name:string,old:int>', [1, 'a', 9], [2, null, 9])
    const schema = schemaOf('struct<name:string,added:array<int>,id:bigint>')
    expect(await readRows(file, { schema })).toEqual([
      ['a', null, 1],
      [null, null, 2],
    ])
  })

  it('finds columns by position when it is told to, and where names say nothing', async () => {
    const schema = schemaOf('struct<x:int,y:string,z:date>')
    const named = await written('struct<a:int,b:string>', [1, 'b'])
    expect(await readRows(named, { schema, matchBy: 'position' })).toEqual([[1, 'b', null]])
    expect(await readRows(named, { schema })).toEqual([[null, null, null]])
    const nameless = await written('struct<_col0:int,_col1:string>', [1, 'b'])
    expect(await readRows(nameless, { schema })).toEqual([[1, 'b', null]])
    expect(await readRows(nameless, { schema, matchBy: 'name' })).toEqual([[null, null, null]])
  })

  it('reaches into structs, lists, maps and unions', async () => {
    const from =
      'struct<s:struct<a:int,b:int>,l:array<struct<a:int>>,m:map<int,int>,u:uniontype<int,string>>'
    const file = await written(
      from,
      [[1, 2], [[1], null, [3]], new Map([[1, 2]]), { tag: 0, value: 5 }],
      [null, null, null, null],
      [[null, 4], [], new Map(), { tag: 1, value: 'x' }],
    )
    const to =
      'struct<s:struct<b:bigint,c:string>,l:array<struct<z:int,a:string>>,m:map<bigint,decimal(5,1)>,u:uniontype<bigint,string,int>>'
    expect(await readRows(file, { schema: schemaOf(to) })).toEqual([
      [[2, null], [[null, '1'], null, [null, '3']], new Map([[1, 20]]), { tag: 0, value: 5 }],
      [null, null, null, null],
      [[4, null], [], new Map(), { tag: 1, value: 'x' }],
    ])
  })

  it('of the same types is the file’s own, for every type', async () => {
    const random = new Random(1)
    const types = Object.values(allTypes)
    const columns = types.map(type => sampleValues(type, 'random', 50, random))
    const rows = Array.from({ length: 50 }, (_, row) => columns.map(column => column[row]!))
    const schema = structOf(allTypes)
    const file = await writeFile(schema, rows)
    expect(await readRows(file, { schema })).toEqual(await readRows(file))
    const missing = { kind: 'struct', fields: [{ name: 'x', type: schema }] } as const
    expect(await readRows(file, { schema: missing })).toEqual(rows.map(() => [null]))
  })

  it('is not given together with columns, nor with two fields of one name', async () => {
    const file = await written('struct<a:int>', [1])
    const schema = schemaOf('struct<a:int>')
    await expect(readRows(file, { schema, columns: ['a'] })).rejects.toMatchObject({
      code: 'option-invalid',
    })
    const fields = [...schema.fields, ...schema.fields]
    await expect(readRows(file, { schema: { kind: 'struct', fields } })).rejects.toMatchObject({
      code: 'schema-invalid',
    })
  })
})

describe('a value in another type', () => {
  it.each<[string, string, OrcValue[], OrcValue[]]>([
    ['tinyint', 'int', [1, null, -128], [1, null, -128]],
    ['int', 'bigint', [-1, null], [-1, null]],
    ['bigint', 'smallint', [32_767, 32_768, 2n ** 60n, null], [32_767, null, null, null]],
    ['int', 'decimal(5,2)', [7, 999, 1000, null], [700, 99_900, null, null]],
    ['int', 'string', [-7, null], ['-7', null]],
    ['bigint', 'varchar(3)', [123, 1234, -12], ['123', null, '-12']],
    ['int', 'double', [3, null], [3, null]],
    ['boolean', 'int', [true, false, null], [1, 0, null]],
    ['boolean', 'string', [true, false], ['TRUE', 'FALSE']],
    ['float', 'double', [0.5, null], [0.5, null]],
    ['double', 'float', [0.1], [Math.fround(0.1)]],
    ['decimal(5,2)', 'decimal(4,1)', [12_345, -12_355, 99_999, null], [1235, -1236, null, null]],
    ['decimal(5,2)', 'decimal(38,20)', [150], [150n * 10n ** 18n]],
    ['decimal(5,2)', 'double', [110, null], [1.1, null]],
    ['decimal(38,2)', 'string', [150n, -(10n ** 30n)], ['1.50', `-1${'0'.repeat(28)}.00`]],
    ['string', 'varchar(2)', ['🦊🦊🦊', 'a', null], ['🦊🦊', 'a', null]],
    ['char(4)', 'string', ['ab', null], ['ab', null]],
    ['varchar(3)', 'varchar(5)', ['abc'], ['abc']],
    ['date', 'string', [0, -719_162, null], ['1970-01-01', '0001-01-01', null]],
    ['date', 'timestamp', [1, null], [86_400_000_000, null]],
  ])('%s becomes %s', async (from, to, values, expected) => {
    expect(await converted(from, to, ...values)).toEqual(expected)
  })

  it.each([
    ['string', 'int'],
    ['timestamp', 'timestamp with local time zone'],
    ['int', 'date'],
    ['binary', 'string'],
    ['array<int>', 'int'],
    ['uniontype<int,string>', 'uniontype<int>'],
    ['struct<a:string>', 'struct<a:int>'],
  ])('%s does not become %s, and that is said', async (from, to) => {
    await expect(converted(from, to)).rejects.toMatchObject({
      code: 'schema-incompatible',
      message: expect.stringContaining('does not become'),
    })
  })
})

describe('a type of which nothing is in the file', () => {
  it.each(Object.entries(allTypes))('%s is null', async (_name, type: OrcType) => {
    const file = await written('struct<a:int>', [1], [2])
    expect(await readRows(file, { schema: structOf({ b: type }) })).toEqual([[null], [null]])
  })
})
