import { describe, expect, it } from 'vitest'
import { SchemaPending } from '../../../formats/decoder.ts'
import {
  decoderOf,
  errorOf,
  eventsOf,
  lines,
  message,
  recorded,
  row,
  typesOf,
} from '../maxwell-samples.ts'
import { recordOf } from '../samples.ts'

describe('types from the topic of schema changes', () => {
  const ddlTopic = 'maxwell_ddl'
  const connectorSettings = { ddl_kafka_topic: ddlTopic }
  const ddl = lines.filter(({ topic }) => topic === ddlTopic)

  function learned() {
    const decoder = decoderOf({ connectorSettings })
    for (const line of ddl) decoder.learn(recorded(line))
    return decoder
  }

  it('are those that the table had where the row was', () => {
    const decoder = learned()
    expect([...decoder.schemaTopics]).toEqual([ddlTopic])
    const seen = new Map<string, Record<string, string>[]>()
    for (const line of lines) {
      const decoded = decoder.decode(recorded(line))
      if (decoded.kind !== 'changes') continue
      for (const { table, schema } of decoded.events) {
        seen.set(table, [...(seen.get(table) ?? []), typesOf(schema)])
      }
    }
    const users = seen.get('canaldemo.user')!
    expect(users[0]).toEqual({
      id: 'bigint',
      name: 'string',
      sex: 'string',
      age: 'smallint',
      email: 'string',
      create_time: 'timestamp',
      update_time: 'timestamptz',
    })
    expect(users.at(-2)).toMatchObject({ age: 'smallint', email: 'string', vip: 'smallint' })
    expect(users.at(-1)).toMatchObject({ age: 'int', mail: 'string', phone: 'string' })
    // Renamed; and a decimal, whose scale is not told.
    expect(seen.get('canaldemo.later_table')).toEqual([{ id: 'int', v: 'string' }])
    expect(seen.get('canaldemo.product')![1]).toMatchObject({
      id: 'bigint',
      price: 'decimal(11,2)',
    })
    expect(seen.get('canaldemo.order_item')![2]).toMatchObject({ order_id: 'bigint' })
  })

  it('are the same after a restart, which reads the topic again', () => {
    const first = learned()
    expect(first.memory).toBe('')
    const line = lines.find(({ value }) => value.includes('"id":901'))!
    const again = learned()
    again.restore(first.memory)
    expect(again.decode(recorded(line))).toEqual(first.decode(recorded(line)))
  })

  const created = (columns: readonly object[], more: object = {}) => ({
    type: 'table-create',
    database: 'd',
    table: 't',
    def: { database: 'd', charset: 'utf8mb4', table: 't', columns, 'primary-key': ['id'] },
    ts: 1_700_000_000_000,
    ...more,
  })
  const column = (name: string, type: string, more: object = {}) => ({ name, type, ...more })

  it.each([
    ['tinyint', { signed: false }, '255', 'smallint', 255],
    ['int', { signed: true }, '-1', 'int', -1],
    ['bigint', { signed: false }, '18446744073709551615', 'ubigint', 18446744073709551615n],
    ['varchar', { charset: 'utf8' }, '"1"', 'string', '1'],
    ['binary', { charset: 'binary' }, '"AQI="', 'binary', Buffer.from([1, 2])],
    ['longblob', {}, '""', 'binary', Buffer.alloc(0)],
    ['float', {}, '-3.4E38', 'float', -3.4e38],
    ['double', {}, '1.0E10', 'double', 1e10],
    ['decimal', {}, '12.30', 'decimal(11,2)', 1230],
    ['date', {}, '"0000-00-00"', 'date', null],
    [
      'datetime',
      { 'column-length': 3 },
      '"2024-02-29 12:34:56.780"',
      'timestamp',
      1_709_210_096_780_000,
    ],
    ['timestamp', {}, '"2024-02-29 12:34:56"', 'timestamptz', 1_709_210_096_000_000],
    ['time', {}, '"12:34:56.500"', 'string', '12:34:56.5'],
    ['year', {}, '2024', 'int', 2024],
    ['enum', { 'enum-values': ['a'] }, '"a"', 'string', 'a'],
    ['set', { 'enum-values': ['a', 'b'] }, '["a","b"]', 'string', 'a,b'],
    ['set', { 'enum-values': ['a', 'b'] }, '[]', 'string', ''],
    ['json', {}, '{"k":1.50,"n":[]}', 'string', '{"k":1.50,"n":[]}'],
    ['json', {}, '"text"', 'string', '"text"'],
    ['json', {}, '12345678901234567890', 'string', '12345678901234567890'],
    ['bit', {}, '129', 'bigint', 129],
    ['point', {}, '"POINT (1.5 -2.5)"', 'string', 'POINT (1.5 -2.5)'],
  ])('%s %j of %s', (type, more, json, kind, value) => {
    const decoder = decoderOf({ connectorSettings })
    const columns = [column('id', 'int', { signed: true }), column('a', type, more)]
    decoder.learn(recordOf('uuid', created(columns)))
    const [event] = eventsOf(decoder.decode(message('insert', `{"id":1,"a":${json}}`)))
    expect(typesOf(event!.schema)).toEqual({ id: 'int', a: kind })
    expect(event!.after).toEqual({ id: 1, a: value })
  })

  it('a row that is ahead of them waits', () => {
    const decoder = decoderOf({ connectorSettings })
    decoder.learn(recordOf('uuid', created([column('id', 'int')])))
    const ahead = message('insert', '{"id":1,"a":"2024-01-01"}')
    const pending = errorOf(() => decoder.decode(ahead))
    expect(pending).toBeInstanceOf(SchemaPending)
    expect(pending).toMatchObject({ table: 'd.t', topic: ddlTopic })
    const columns = [column('id', 'int'), column('a', 'date')]
    decoder.learn(recordOf('uuid', { ...created(columns), type: 'table-alter' }))
    expect(eventsOf(decoder.decode(ahead))[0]!.after).toEqual({ id: 1, a: 19_723 })
  })

  it('versions of the same columns are told apart by position, and without one by time', () => {
    const decoder = decoderOf({ connectorSettings })
    const at = (type: string, seconds: number, position?: string) =>
      recordOf('uuid', created([column('id', type)], { ts: seconds * 1000, position }))
    decoder.learn(at('int', 100, 'b.1:100'))
    decoder.learn(at('bigint', 100, 'b.1:200'))
    const typeAt = (fields: object) =>
      typesOf(eventsOf(decoder.decode(message('insert', '{"id":1}', { ...fields })))[0]!.schema).id
    expect(typeAt({ ts: 100, position: 'b.1:150' })).toBe('int')
    expect(typeAt({ ts: 100, position: 'b.1:250' })).toBe('bigint')
    expect(typeAt({ ts: 99 })).toBe('int')
    expect(typeAt({ ts: 100 })).toBe('bigint')
  })

  it('what else is in the topic is passed over', () => {
    const decoder = decoderOf({ connectorSettings })
    decoder.learn(recordOf('uuid', { type: 'database-create', database: 'd' }))
    decoder.learn(
      recordOf('uuid', { type: 'table-create', database: 'd', table: 't', def: { columns: 1 } }),
    )
    decoder.learn(recordOf('uuid', created([null, 7, column('id', 'int')] as never)))
    decoder.learn(recordOf('uuid', { ...row, type: 'insert', data: { id: 1 } }))
    expect(typesOf(eventsOf(decoder.decode(message('insert', '{"id":1}')))[0]!.schema)).toEqual({
      id: 'int',
    })
  })

  it('what is damaged there says where it is', () => {
    const decoder = decoderOf({ connectorSettings })
    const damaged = recordOf('uuid', '{"type":', { topic: ddlTopic, offset: 4 })
    expect(errorOf(() => decoder.learn(damaged))).toMatchObject({
      code: 'message-not-json',
      context: { topic: ddlTopic, offset: 4 },
    })
    decoder.learn({ ...damaged, value: null })
  })
})

describe('ids from the topic of schema changes', () => {
  const ddlTopic = 'maxwell_ddl'
  const connectorSettings = { ddl_kafka_topic: ddlTopic }
  const ddl = lines.filter(({ topic }) => topic === ddlTopic)

  it('are one for both names of a column that was renamed, where blocks are sent again, too', () => {
    for (const told of [ddl, [...ddl, ...ddl], [...ddl.slice(0, 3), ...ddl.slice(1)]]) {
      const decoder = decoderOf({ connectorSettings })
      for (const line of told) decoder.learn(recorded(line))
      const seen: (string | undefined)[] = []
      for (const line of [...lines, ...lines.toReversed()]) {
        const decoded = decoder.decode(recorded(line))
        if (decoded.kind !== 'changes') continue
        for (const { table, schema } of decoded.events) {
          const renamed = schema.columns.filter(({ id, name }) => id !== name)
          if (table !== 'canaldemo.user') expect(renamed).toEqual([])
          else {
            const [mail] = renamed
            if (mail !== undefined) {
              expect(mail).toMatchObject({
                id: 'email',
                renamed: { times: 1, atMs: 1_795_251_379_000 },
              })
            }
            seen.push(mail?.name)
          }
        }
      }
      expect(seen.filter(name => name === 'mail')).toHaveLength(2)
      expect(seen.length).toBeGreaterThan(15)
    }
  })

  it('are others of a column that was dropped and made again', () => {
    const decoder = decoderOf({ connectorSettings })
    const table = (names: readonly string[]) => ({
      database: 'd',
      table: 't',
      columns: names.map(name => ({ name, type: 'int', signed: true })),
    })
    const altered = (pos: number, sql: string, old: readonly string[], now: readonly string[]) => ({
      type: 'table-alter',
      database: 'd',
      table: 't',
      old: table(old),
      def: table(now),
      ts: 1000 * pos,
      position: `b.1:${pos}`,
      sql,
    })
    const first = altered(100, 'alter table t drop x', ['id', 'x'], ['id'])
    const second = altered(200, 'alter table t add x int', ['id'], ['id', 'x'])
    for (const change of [first, second, first, second]) decoder.learn(recordOf('uuid', change))
    const idsAt = (position: string) => {
      const [event] = eventsOf(decoder.decode(message('insert', '{"id":1,"x":2}', { position })))
      return event!.schema.columns.map(({ id }) => id)
    }
    expect(idsAt('b.1:50')).toEqual(['id', 'x'])
    expect(idsAt('b.1:250')).toEqual(['id', 'x~2'])
  })
})
