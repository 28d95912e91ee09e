import { describe, expect, it } from 'vitest'
import { debeziumFlat } from '../../../formats/debezium/debezium-flat.ts'
import { debeziumJson } from '../../../formats/debezium/debezium-json.ts'
import type { Decoder, DecoderOptions, TableChange } from '../../../formats/decoder.ts'
import type { LogRecord } from '../../../model/change-event.ts'
import { schemaText } from '../../../model/table-schema.ts'
import { decoderOf, mariadb, recorded, recordOf, renameOf, schemaChangeOf } from '../samples.ts'

function changesIn(decoder: Decoder, record: LogRecord): readonly TableChange[] {
  const decoded = decoder.decode(record)
  if (decoded.kind !== 'schema-change') throw new Error(`the record is of kind ${decoded.kind}`)
  return decoded.changes
}

const options: DecoderOptions = { hintsOf: () => ({}), incarnation: '', connectorSettings: {} }

const recordings = [
  ['m1_json_schema_true', debeziumJson()],
  ['m2_json_schema_false_friendly_modes', debeziumJson()],
  ['m4_single_topic_router', debeziumJson()],
  ['m5_unwrapped_flat', debeziumFlat()],
] as const

describe.each(recordings)('tables in the recording %s', (file, format) => {
  const records = recorded(`mariadb/${file}.jsonl`)
  const decoder = format.createDecoder(options)
  const topic = file.slice(0, 2)
  const changes = records
    .filter(record => record.topic === topic)
    .flatMap(record => {
      decoder.learn(record)
      return changesIn(decoder, record)
    })

  it('are created, renamed and dropped', () => {
    const streamed = changes.filter(({ position }) => position?.isSnapshot === false)
    expect(streamed.map(({ type, table, renamedTo }) => [type, table, renamedTo])).toEqual([
      ['create', 'demo.late_table', null],
      ['rename', 'demo.late_table', 'demo.later_table'],
      ['drop', 'demo.later_table', null],
      ['create', 'demo.user_bak', null],
    ])
    expect(streamed[0]).toMatchObject({
      sourceMs: 1_795_249_307_000,
      schema: { key: ['id'], columns: [{ name: 'id' }, { name: 'v' }] },
    })
    expect(streamed[1]?.schema).toEqual(streamed[0]?.schema)
    expect(streamed[2]?.schema).toBeNull()
    const read = changes.filter(({ position }) => position?.isSnapshot === true)
    expect(new Set(read.map(({ type }) => type))).toEqual(new Set(['create']))
    expect(read).toHaveLength(10)
  })

  it('have the schema of their first rows, or none that is sure', () => {
    const schemas = new Map(
      changes.flatMap(({ type, table, schema }) =>
        type === 'create' && schema !== null ? [[table, schemaText(schema)] as const] : [],
      ),
    )
    const compared = new Set<string>()
    for (const record of records) {
      if (!record.topic.startsWith(`${topic}.`) || record.topic.includes('_schema_')) continue
      const decoded = decoder.decode(record)
      const events = decoded.kind === 'changes' ? decoded.events : []
      for (const { table, op, schema, after } of events) {
        // Flattened, a delete has the key alone, and op_log has none.
        if (after === null || op === 't' || schema.key.length === 0) continue
        const expected = schemas.get(table)
        if (expected === undefined || compared.has(table)) continue
        expect(schemaText(schema)).toBe(expected)
        compared.add(table)
      }
    }
    expect(compared.size).toBeGreaterThanOrEqual(3)
  })
})

describe('a table that is created', () => {
  const columns = [
    { name: 'id', typeName: 'INT', optional: false },
    { name: 'amount', typeName: 'DECIMAL', length: 10, scale: 2 },
  ]
  const created = (given = columns) => {
    const { tableChanges, ...rest } = schemaChangeOf(given)
    return { ...rest, tableChanges: [{ ...tableChanges[0], type: 'CREATE' }] }
  }
  const schemaOf = (message: unknown, given: Parameters<typeof decoderOf>[0] = {}) =>
    changesIn(decoderOf(given), recordOf({}, message))[0]?.schema ?? null

  it('has the types that rows will have, where messages do not say them', () => {
    expect(schemaOf(created())).toMatchObject({
      columns: [
        { type: { kind: 'int' }, nullable: false },
        { type: { kind: 'decimal', precision: 10, scale: 2 } },
      ],
      key: ['id'],
    })
    expect(schemaOf(created(), { hints: { key: ['amount'] } })?.key).toEqual(['amount'])
    expect(schemaOf(created([{ ...columns[0]!, typeName: 'STRANGE' }]))).toBeNull()
  })

  it('has none where messages say them, and a setting that is not known decides', () => {
    const embedded = { schema: { type: 'struct', fields: [] }, payload: created() }
    expect(schemaOf(embedded)).toBeNull()
    const connectorSettings = { 'decimal.handling.mode': 'precise' }
    expect(schemaOf(embedded, { connectorSettings })).toEqual(schemaOf(created()))
    const types = { amount: { kind: 'double' } } as const
    expect(schemaOf(embedded, { hints: { types } })?.columns[1]?.type.kind).toBe('double')
  })

  it('and dropped in a snapshot was there all the time', () => {
    const decoder = decoderOf()
    const dropped = schemaChangeOf(null, { ...mariadb, snapshot: 'true' })
    expect(changesIn(decoder, recordOf({}, dropped))).toEqual([])
    expect(changesIn(decoder, recordOf({}, schemaChangeOf(null)))).toHaveLength(1)
  })
})

it('the history that a connector keeps for itself says nothing of tables', () => {
  for (const [file, format] of recordings) {
    const own = recorded(`mariadb/${file}.jsonl`).filter(({ topic }) => topic.endsWith('_history'))
    const decoder = format.createDecoder(options)
    expect(own.length).toBeGreaterThan(30)
    for (const record of own) expect(changesIn(decoder, record)).toEqual([])
  }
})

describe('a table that is renamed', () => {
  const changes = (ddl: string, wanted: readonly string[]) => {
    const decoder = decoderOf({ hintsOf: table => (wanted.includes(table) ? {} : null) })
    const found = changesIn(decoder, recordOf({}, renameOf(['id'], mariadb, ddl, '"demo"."b"')))
    return found.map(({ type, table, renamedTo }) => [type, table, renamedTo])
  }

  it.each(['rename table a to b', 'alter table demo.a rename to B', 'rename table x to y, a to b'])(
    'comes and goes for those who want it: %s',
    ddl => {
      expect(changes(ddl, ['demo.a', 'demo.b'])).toEqual([['rename', 'demo.a', 'demo.b']])
      expect(changes(ddl, ['demo.a'])).toEqual([['rename', 'demo.a', null]])
      expect(changes(ddl, ['demo.b'])).toEqual([['create', 'demo.b', null]])
      expect(changes(ddl, [])).toEqual([])
    },
  )

  it('to make room for its copy is there all the time', () => {
    const swap = 'rename table a to b, a_new to a'
    expect(changes(swap, ['demo.a', 'demo.a_new', 'demo.b'])).toEqual([])
  })

  it('is another one than a table that is altered', () => {
    for (const ddl of [
      'alter table b add x int',
      'rename table b to c',
      'alter table b rename c',
    ]) {
      expect(changes(ddl, ['demo.a', 'demo.b', 'demo.c'])).toEqual([])
    }
  })
})
