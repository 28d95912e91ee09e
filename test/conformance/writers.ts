/** One change of the program as each tool writes it to Kafka. */
import type { FormatName } from '../../cli/formats.ts'
import { type Field, mariadb } from '../formats/samples.ts'
import { avroField, framed } from './avro-messages.ts'
import type { Cell, Change, Row } from './program.ts'
import { columns } from './program.ts'

export interface Message {
  /** The key of the row whose partition it takes. */
  readonly id: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: Readonly<Record<string, string>>
}

export interface Writer {
  readonly topic: string
  /** Keys of `source`, beside the format. */
  readonly source?: Readonly<Record<string, unknown>>
  readonly messages: (change: Change) => readonly Message[]
}

const startMs = 1_700_000_000_000
const placeholder = '__debezium_unavailable_value'

/** Cells of the row with its key, as one of the tools has them. */
function entries<T>(id: number, row: Row, ofCell: (cell: Cell) => T, ofId: (id: number) => T) {
  return [
    ['id', ofId(id)] as const,
    ...[...row].map(([name, cell]) => [name, ofCell(cell)] as const),
  ]
}

function objectText(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join()}}`
}

function sourceOf({ number }: Change) {
  const ts_ms = startMs + number * 1000
  return { ...mariadb, name: 'c', table: 't', ts_ms, pos: number * 100, gtid: `0-1-${number}` }
}

/** Debezium splits a changed key in two, with a tombstone between them. */
type DebeziumOp = (
  op: Change['op'],
  id: number,
  change: Change,
  headers?: object,
) => readonly Message[]

function debezium(change: Change, write: DebeziumOp): readonly Message[] {
  const { op, id, oldId } = change
  if (id === oldId) return write(op, id, change)
  return [
    ...write('d', oldId, change, { '__debezium.newkey': JSON.stringify({ id }) }),
    ...write('c', id, change, { '__debezium.oldkey': JSON.stringify({ id: oldId }) }),
  ]
}

const fields: readonly Field[] = [
  { type: 'int32', optional: false, field: 'id' },
  ...columns.map(({ name, field }) => ({ ...field, field: name, optional: true })),
]

const keySchema = { type: 'struct', name: 'c.demo.t.Key', fields: fields.slice(0, 1) }
const keyText = (id: number): Buffer =>
  Buffer.from(JSON.stringify({ schema: keySchema, payload: { id } }))

/** What was not sent is so on both sides: a row before that has a value tells it of the row after as well. */
function debeziumRow(id: number, row: Row, unsent: readonly string[]): [string, string][] {
  return entries(id, row, ({ json }) => json, String).map(([name, json]) => [
    name,
    unsent.includes(name) ? JSON.stringify(placeholder) : json,
  ])
}

const envelope = JSON.stringify({
  type: 'struct',
  name: 'c.demo.t.Envelope',
  fields: ['before', 'after'].map(field => ({
    type: 'struct',
    fields,
    optional: true,
    name: 'c.demo.t.Value',
    field,
  })),
})

const debeziumJson: DebeziumOp = (op, id, change, headers = {}) => {
  const { before, after, unsent, oldId } = change
  const source = JSON.stringify(sourceOf(change))
  const old =
    op === 'c' || before === null ? 'null' : objectText(debeziumRow(oldId, before, unsent))
  const now = op === 'd' || after === null ? 'null' : objectText(debeziumRow(id, after, unsent))
  const payload = `{"before":${old},"after":${now},"source":${source},"op":"${op}","ts_ms":${startMs}}`
  const value = Buffer.from(`{"schema":${envelope},"payload":${payload}}`)
  const message = { id, key: keyText(id), value, headers: headers as Record<string, string> }
  return op === 'd' ? [message, { id, key: keyText(id), value: null }] : [message]
}

const added = ['__deleted', '__op', '__table', '__db']
const flatSchema = JSON.stringify({
  type: 'struct',
  name: 'c.demo.t.Value',
  fields: [...fields, ...added.map(field => ({ type: 'string', optional: true, field }))],
})

/** `delete.tombstone.handling.mode=rewrite-with-tombstone`, `add.fields=op,table,db`. */
const debeziumFlat: DebeziumOp = (op, id, { before, after, unsent }, headers = {}) => {
  const row = op === 'd' ? debeziumRow(id, before!, []) : debeziumRow(id, after!, unsent)
  const marks = [String(op === 'd'), op, 't', 'demo'].map((text, at): [string, string] => {
    return [added[at]!, JSON.stringify(text)]
  })
  const value = Buffer.from(`{"schema":${flatSchema},"payload":${objectText([...row, ...marks])}}`)
  const message = { id, key: keyText(id), value, headers: headers as Record<string, string> }
  return op === 'd' ? [message, { id, key: keyText(id), value: null }] : [message]
}

const avroValue = {
  type: 'record',
  name: 'Envelope',
  namespace: 'c.demo.t',
  fields: [
    {
      name: 'before',
      type: [
        'null',
        { type: 'record', name: 'Value', fields: fields.map(field => avroField(field)) },
      ],
    },
    { name: 'after', type: ['null', 'Value'] },
    {
      name: 'source',
      type: {
        type: 'record',
        name: 'Source',
        fields: Object.entries(mariadb).map(([name, value]) => {
          return { name, type: typeof value === 'number' ? 'long' : 'string' }
        }),
      },
    },
    { name: 'op', type: 'string' },
  ],
}
const avroKey = {
  type: 'record',
  name: 'Key',
  namespace: 'c.demo.t',
  fields: [{ name: 'id', type: 'int' }],
}

/** What the registry has. */
export const avroSchemas = [avroValue, avroKey]
  .map((schema, at) => JSON.stringify({ id: at + 1, schema: JSON.stringify(schema) }))
  .join('\n')

const debeziumAvro: DebeziumOp = (op, id, change, headers = {}) => {
  const { before, after, unsent, oldId } = change
  const rowOf = (key: number, row: Row, left: readonly string[]) =>
    Object.fromEntries(
      entries<unknown>(
        key,
        row,
        ({ avro }) => avro,
        one => one,
      ).map(([name, avro]) => {
        return [name, left.includes(name) ? placeholder : avro]
      }),
    )
  const source = Object.entries(sourceOf(change)).map(([name, value]) => {
    return [name, typeof value === 'number' ? BigInt(value) : value]
  })
  const value = framed(1, avroValue, {
    before: op === 'c' || before === null ? null : rowOf(oldId, before, unsent),
    after: op === 'd' || after === null ? null : rowOf(id, after, unsent),
    source: Object.fromEntries(source) as unknown,
    op,
  })
  const key = framed(2, avroKey, { id })
  const message = { id, key, value, headers: headers as Record<string, string> }
  return op === 'd' ? [message, { id, key, value: null }] : [message]
}

const mysqlTypes: Readonly<Record<string, string>> = {
  id: 'int(11)',
  ...Object.fromEntries(columns.map(({ name, type }) => [name, type])),
}

type Texts = Readonly<Record<string, string | null>>

function textsOf(id: number, row: Row, unsent: readonly string[]): Texts {
  const all = entries<string | null>(id, row, ({ text }) => text, String)
  return Object.fromEntries(all.filter(([name]) => !unsent.includes(name)))
}

/** Of the row before, what is another value now. */
function changedTexts(before: Texts, after: Texts): Texts {
  return Object.fromEntries(
    Object.entries(before).filter(([name, text]) => name in after && text !== after[name]),
  )
}

const canalTypes = { c: 'INSERT', u: 'UPDATE', d: 'DELETE' } as const

/** canal 1.1.7; with `binlog_row_image=NOBLOB` large columns that did not change are not there. */
function canalJson(change: Change): readonly Message[] {
  const { op, id, oldId, before, after, unsent, number } = change
  const row = textsOf(id, (after ?? before)!, unsent)
  const old = op === 'u' ? [changedTexts(textsOf(oldId, before!, []), row)] : null
  const value = {
    data: [row],
    database: 'demo',
    es: startMs + number * 1000,
    gtid: '',
    id: number,
    isDdl: false,
    mysqlType: Object.fromEntries(Object.keys(row).map(name => [name, mysqlTypes[name]])),
    old,
    pkNames: ['id'],
    sql: '',
    sqlType: {},
    table: 't',
    ts: startMs + number * 1000 + 500,
    type: canalTypes[op],
  }
  return [{ id, key: null, value: Buffer.from(JSON.stringify(value)) }]
}

function canalRows(change: Change): readonly Message[] {
  const { op, id, oldId, before, after, unsent, number } = change
  const row = textsOf(id, (after ?? before)!, unsent)
  const changed = op === 'u' ? changedTexts(textsOf(oldId, before!, []), row) : {}
  const value = {
    table: 'demo.t',
    binlog_id: number,
    event_type: canalTypes[op],
    exe_time: startMs + number * 1000,
    cur_time: startMs + number * 1000 + 500,
    cols: Object.entries(row).map(([col, val]) => {
      return { col, val, type: mysqlTypes[col], update: op === 'c' || col in changed }
    }),
  }
  const key = Buffer.from(JSON.stringify({ id: String(id) }))
  return [{ id, key, value: Buffer.from(JSON.stringify(value)) }]
}

const maxwellTypes = { c: 'insert', u: 'update', d: 'delete' } as const

/** `output_binlog_position` and `output_primary_key_columns`; `NOBLOB` as with canal. */
function maxwellJson(change: Change): readonly Message[] {
  const { op, id, oldId, before, after, unsent, number } = change
  const data = entries(id, (after ?? before)!, ({ maxwell }) => maxwell, String)
  const old = op === 'u' ? entries(oldId, before!, ({ maxwell }) => maxwell, String) : []
  const changed = old.filter(([, json], at) => json !== data[at]![1])
  const head = {
    database: 'demo',
    table: 't',
    type: maxwellTypes[op],
    ts: startMs / 1000 + number,
    xid: number,
    commit: true,
    position: `b.000001:${number * 100}`,
    primary_key_columns: ['id'],
  }
  const tail = op === 'u' ? `,"old":${objectText(changed)}` : ''
  const sent = data.filter(([name]) => !unsent.includes(name))
  const value = `${JSON.stringify(head).slice(0, -1)},"data":${objectText(sent)}${tail}}`
  const key = JSON.stringify({ database: 'demo', table: 't', 'pk.id': id })
  return [{ id, key: Buffer.from(key), value: Buffer.from(value) }]
}

/** Each format has a line: one that is new must join. `any`: it reads the messages of all others. */
export const writers: Readonly<Record<FormatName, Writer | 'any'>> = {
  'debezium-json': { topic: 'c.demo.t', messages: change => debezium(change, debeziumJson) },
  'debezium-avro': { topic: 'c.demo.t', messages: change => debezium(change, debeziumAvro) },
  'debezium-flat': { topic: 'c.demo.t', messages: change => debezium(change, debeziumFlat) },
  'canal-json': { topic: 'canal', messages: canalJson },
  'canal-rows': { topic: 'canal', messages: canalRows },
  'maxwell-json': { topic: 'maxwell', messages: maxwellJson },
  auto: 'any',
}
