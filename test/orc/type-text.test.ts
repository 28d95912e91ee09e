import { describe, expect, it } from 'vitest'
import { OrcError, type OrcType, orcTypeText, parseOrcType } from '../../orc/index.ts'
import { allTypes } from './samples.ts'

describe('types as text', () => {
  it.each(Object.entries(allTypes))('%s is parsed back', (_, type) => {
    expect(parseOrcType(orcTypeText(type))).toEqual(type)
  })

  it('has the words of Hive', () => {
    const text =
      'struct<a:boolean,b:tinyint,c:smallint,d:int,e:bigint,f:float,g:double,h:string,i:varchar(10),' +
      'j:char(3),k:binary,l:date,m:timestamp,n:timestamp with local time zone,o:decimal(38,10),' +
      'p:array<map<string,struct<q:int>>>>'
    expect(orcTypeText(parseOrcType(text))).toBe(text)
  })

  it('quotes the names of fields that are not words', () => {
    const type: OrcType = {
      kind: 'struct',
      fields: [
        { name: 'order id', type: { kind: 'int' } },
        { name: 'a`b', type: { kind: 'int' } },
        { name: 'größe', type: { kind: 'int' } },
      ],
    }
    expect(orcTypeText(type)).toBe('struct<`order id`:int,`a``b`:int,`größe`:int>')
    expect(parseOrcType(orcTypeText(type))).toEqual(type)
  })

  it.each([
    '',
    'int8',
    'decimal',
    'decimal(39,2)',
    'decimal(5,6)',
    'decimal(5)',
    'varchar(0)',
    'char(256)',
    'array<int',
    'array<int>>',
    'map<int>',
    'struct<a>',
    'struct<a:int,a:int>',
    'struct<a:int,>',
    'int ',
    'constructor',
    'struct<`a:int>',
    `${'array<'.repeat(100)}int${'>'.repeat(100)}`,
  ])('%j is refused', text => {
    expect(() => parseOrcType(text)).toThrow(OrcError)
    expect(() => parseOrcType(text)).toThrow(expect.objectContaining({ code: 'schema-invalid' }))
  })
})
