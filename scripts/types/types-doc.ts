/**
 * `docs/types.md`: what becomes of each type of a database. Types, columns of Hive and values are what the
 * converters make of the samples in the files beside this one, so that the document cannot say otherwise.
 */

import { canalForm } from '../../formats/canal/canal-decoder.ts'
import { connectConverter } from '../../formats/debezium/connect-schema.ts'
import { maxwellConverter } from '../../formats/maxwell/maxwell-values.ts'
import { databaseConverter } from '../../formats/mysql/debezium-column-types.ts'
import { mysqlTextConverter } from '../../formats/mysql/mysql-text.ts'
import { parseMySqlType } from '../../formats/mysql/mysql-type.ts'
import type { Converter } from '../../formats/values/converter.ts'
import { columnTypeText } from '../../model/column-type.ts'
import { DecodeError } from '../../model/errors.ts'
import { columnTypeOf, parseStatedType } from '../../model/stated-type.ts'
import { plainText } from '../../model/value-text.ts'
import { targetTypeText } from '../../sinks/hive/target-table.ts'
import { mysqlTypes } from './mysql-types.ts'
import { db2Types, oracleTypes, sqlServerTypes } from './other-types.ts'
import { postgresTypes } from './postgres-types.ts'
import { textTypes } from './text-types.ts'
import type { Named, SampleValue, TypeForm, TypeRow } from './type-rows.ts'
import { settingsOf } from './type-rows.ts'
import {
  afterTables,
  beforeTables,
  mongodb,
  mysqlNotes,
  statedNotes,
  textNotes,
} from './types-prose.ts'

export function typesDoc(): string {
  return [
    beforeTables,
    section('MySQL and MariaDB', mysqlTypes, mysqlNotes),
    textSection(),
    section('PostgreSQL', postgresTypes),
    section('SQL Server', sqlServerTypes),
    section('Oracle', oracleTypes),
    section('Db2', db2Types),
    mongodb,
    statedTypes(),
    afterTables,
  ].join('\n\n')
}

function section(title: string, rows: readonly TypeRow[], notes = ''): string {
  const hasColumns = rows.some(({ column }) => column !== undefined)
  const head = ['type', 'sent with', 'as', 'Forager', 'Hive', 'arrives → is written']
  const lines = rows.flatMap(row =>
    row.forms.map((form, index) => formCells(row, form, index === 0)),
  )
  const shown = hasColumns ? lines : lines.map(cells => cells.slice(0, -1))
  const table = tableOf(hasColumns ? [...head, 'without schemas'] : head, shown)
  return `## ${title}\n\n${notes}${notes === '' ? '' : '\n\n'}${table}`
}

/** Through canal and Maxwell, by the type of the column. */
function textSection(): string {
  const lines = textTypes.map(({ types, canal, maxwell }) => {
    const type = parseMySqlType(types[0]!)
    const own = mysqlTextConverter(type, canalForm({ connectorSettings: {} }))
    return [
      types.map(code).join(', '),
      code(columnTypeText(own.type)),
      code(targetTypeText(own.type)),
      canal.map(value => valueText(own, value)).join('; '),
      maxwell.map(value => valueText(maxwellConverter(type), value)).join('; '),
    ]
  })
  const head = [
    'type',
    'Forager',
    'Hive',
    'canal: arrives → is written',
    'Maxwell: arrives → is written',
  ]
  return `## MySQL and MariaDB through canal and Maxwell\n\n${textNotes}\n\n${tableOf(head, lines)}`
}

function tableOf(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const rule = head.map(() => '---')
  return [head, rule, ...lines].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

function formCells(row: TypeRow, form: TypeForm, isFirst: boolean): readonly string[] {
  const converter = connectConverter(form.schema)
  return [
    isFirst ? row.types.map(code).join(', ') : '',
    form.when === undefined ? '' : code(form.when),
    code(schemaText(form)),
    code(columnTypeText(converter.type)),
    code(targetTypeText(converter.type)),
    form.values.map(value => valueText(converter, value)).join('; '),
    schemaless(row, form, converter),
  ]
}

/** What is different without an embedded schema. */
function schemaless({ column }: TypeRow, form: TypeForm, embedded: Converter): string {
  if (column === undefined) return ''
  const converter = databaseConverter({ name: 'c', ...column }, settingsOf(form))
  const [own, other] = [converter, embedded].map(({ type }) => columnTypeText(type))
  const differing = form.values
    .map(value => valueText(converter, value))
    .filter((text, index) => text !== valueText(embedded, form.values[index]))
  return [...(own === other ? [] : [code(own!)]), ...differing].join('; ')
}

function valueText(converter: Converter, sample: SampleValue): string {
  const { is, json } = isNamed(sample) ? sample : { is: null, json: sample }
  const arrived = `${is === null ? '' : `${is}: `}${code(jsonText(json))}`
  return `${arrived} → ${writtenText(converter, json)}`
}

function writtenText({ type, convert }: Converter, json: unknown): string {
  if (json === null) return '`null`'
  try {
    const value = convert(json)
    return value === null ? '`null`' : code(plainText(type, value))
  } catch (error) {
    if (error instanceof DecodeError) return `error \`${error.code}\``
    throw error
  }
}

function isNamed(sample: SampleValue): sample is Named {
  return typeof sample === 'object' && sample !== null && 'is' in sample && 'json' in sample
}

function jsonText(json: unknown): string {
  if (typeof json === 'bigint') return json.toString()
  return JSON.stringify(json) ?? ''
}

function schemaText({ schema: { type, name, items } }: TypeForm): string {
  const own = name?.startsWith('io.debezium.') === true ? name.split('.').at(-1) : name
  const whole =
    own === undefined
      ? type
      : `${type} ${own.replace('org.apache.kafka.connect.data.', 'Connect ')}`
  return items === undefined ? whole : `${whole} of ${schemaText({ schema: items, values: [] })}`
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``
}

const words = [
  ['boolean', 'tinyint', 'smallint', 'int', 'bigint'],
  ['ubigint'],
  ['decimal(38,10)'],
  ['float', 'double'],
  ['string'],
  ['varchar(40)'],
  ['varchar(70000)'],
  ['char(40)'],
  ['char(300)'],
  ['binary'],
  ['date'],
  ['timestamp', 'timestamp(3)'],
  ['timestamptz'],
  ['time', 'time(3)'],
  ['interval'],
  ['bit(8)'],
  ['array<timestamptz>'],
  ['fail'],
]

function statedTypes(): string {
  const lines = words.flatMap(group =>
    group.map(word => [code(word), code(targetTypeText(columnTypeOf(parseStatedType(word))))]),
  )
  return `## What \`columns.types\` takes\n\n${statedNotes}\n\n${tableOf(['word', 'Hive'], lines)}`
}
