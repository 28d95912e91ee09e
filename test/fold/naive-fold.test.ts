import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ConnectorSettings, DeclaredColumn } from './column-types.ts'
import { compare, type FoldException, readFinal, tableOfLines } from './compare.ts'
import {
  m1Exceptions,
  m2Exceptions,
  m4Exceptions,
  p1Exceptions,
  p2Exceptions,
  p4Exceptions,
} from './exceptions.ts'
import {
  type FoldedTable,
  type FoldOptions,
  foldEvents,
  type RecordedLine,
  type Tables,
} from './naive-fold.ts'
import { normalize, normalizeRow, parseExactly, type Row } from './normal-form.ts'
import { postgresColumns } from './postgres-columns.ts'
import { readRecordedLines } from './recorded-lines.ts'

const fixtures = `${import.meta.dirname}/../fixtures`

interface Recording {
  readonly name: string
  readonly lines: readonly RecordedLine[]
  readonly settings: ConnectorSettings
  readonly finalPath: string
  readonly exceptions: readonly FoldException[]
}

function recording(path: string, exceptions: readonly FoldException[]): Recording {
  const [database = '', file = ''] = path.split('/')
  const name = file.slice(0, 2)
  return {
    name,
    lines: readRecordedLines(`${fixtures}/${path}.jsonl`),
    settings: JSON.parse(readFileSync(`${fixtures}/${database}/${name}.json`, 'utf8')),
    finalPath: `${fixtures}/${database}/final`,
    exceptions,
  }
}

const m1 = recording('mariadb/m1_json_schema_true', m1Exceptions)
const m2 = recording('mariadb/m2_json_schema_false_friendly_modes', m2Exceptions)
const m4 = recording('mariadb/m4_single_topic_router', m4Exceptions)
const p1 = recording('postgres/p1_json_schema_true', p1Exceptions)
const p2 = recording('postgres/p2_json_schema_false_friendly_modes', p2Exceptions)
const p4 = recording('postgres/p4_single_topic_router', p4Exceptions)
const recordings = [m1, m2, m4, p1, p2, p4]

const optionsOf = ({ name, settings }: Recording): FoldOptions => ({
  settings,
  ...(name === 'p2' || name === 'p4' ? { declared: postgresColumns } : {}),
})

const fold = (each: Recording) => foldEvents(each.lines, optionsOf(each))

function rowOf(tables: Tables, table: string, key: string): Row | undefined {
  return tables.get(table)?.rows.get(key)
}

function keysOf(tables: Tables, table: string): string[] {
  return [...(tables.get(table)?.rows.keys() ?? [])]
}

/** The first `count` records of a topic. */
function headOf({ lines }: Recording, topic: string, count: number): RecordedLine[] {
  return lines.filter(line => line.topic === topic).slice(0, count)
}

/** A copy of the tables in which one table's rows were changed. */
function withRows(tables: Tables, name: string, change: (rows: Map<string, Row>) => void): Tables {
  const table = tables.get(name) as FoldedTable
  const rows = new Map(table.rows)
  change(rows)
  return new Map(tables).set(name, { ...table, rows })
}

/** A table of rows as the program prints them. */
function printed(table: string, lines: readonly string[], like: Tables): Tables {
  const { keyColumns, kinds } = like.get(table) as FoldedTable
  return new Map([[table, tableOfLines(lines, keyColumns, kinds)]])
}

describe.each(recordings)('the fold of $name', each => {
  const tables = fold(each)
  const final = readFinal(each.finalPath, tables)

  test('agrees with the database, exceptions aside', () => {
    expect(final.size).toBeGreaterThanOrEqual(9)
    expect(compare(tables, final, each.exceptions)).toEqual([])
  })

  test.each(each.exceptions.map((exception, at) => ({ at, ...exception })))(
    'needs the exception $at for $table: $why',
    ({ at }) => {
      expect(compare(tables, final, each.exceptions.toSpliced(at, 1))).not.toEqual([])
    },
  )

  test('does not depend on how topics are interleaved', () => {
    const topics = Map.groupBy(each.lines, line => line.topic)
    const backwards = [...topics.values()].reverse().flat()
    expect(foldEvents(backwards, optionsOf(each))).toEqual(tables)
  })

  test('stays the same when the whole log is sent again', () => {
    expect(foldEvents([...each.lines, ...each.lines], optionsOf(each))).toEqual(tables)
  })
})

describe('exceptions', () => {
  const tables = fold(m1)
  const final = readFinal(m1.finalPath, tables)

  test('still report a value that neither the database nor the events have', () => {
    const wrong = withRows(tables, 'demo.product', rows => {
      rows.set('id=3', { ...rows.get('id=3'), on_sale: 2n })
    })
    expect(compare(wrong, final, m1Exceptions)).toEqual([
      'demo.product: row id=3, column on_sale: 2, expected null',
    ])
  })

  test('allow what the database has', () => {
    const better = withRows(tables, 'demo.product', rows => {
      rows.set('id=3', { ...rows.get('id=3'), on_sale: null })
    })
    expect(compare(better, final, m1Exceptions)).toEqual([])
  })

  test('do not hide the other columns of a row that has another key', () => {
    const wrong = withRows(tables, 'demo.user_order', rows => {
      rows.set('id=-1', { ...rows.get('id=-1'), amount: '-1.4' })
    })
    expect(compare(wrong, final, m1Exceptions)).toEqual([
      'demo.user_order: row id=18446744073709551615, column amount: "-1.4", expected "-1.5"',
    ])
  })

  test('do not allow both keys at once', () => {
    const both = withRows(tables, 'demo.user_order', rows => {
      rows.set('id=18446744073709551615', rows.get('id=-1') as Row)
    })
    expect(compare(both, final, m1Exceptions)).toEqual(['demo.user_order: an extra row id=-1'])
  })
})

describe('a planted error is reported', () => {
  const planted: [string, (rows: Map<string, Row>) => void, string][] = [
    [
      'a changed value',
      rows => rows.set('id=2', { ...rows.get('id=2'), price: '0.011' }),
      'row id=2, column price: "0.011", expected "0.01"',
    ],
    [
      'a value that was null',
      rows => rows.set('id=2', { ...rows.get('id=2'), attrs: 'null' }),
      'row id=2, column attrs: "null", expected null',
    ],
    [
      'a missing column',
      rows => rows.set('id=2', { id: 2n, name: 'Cable', price: '0.01', attrs: null, on_sale: 0n }),
      'row id=2, column stock: no such column, expected -5',
    ],
    ['a missing row', rows => rows.delete('id=4'), 'no row id=4'],
    ['an extra row', rows => rows.set('id=5', { id: 5n }), 'an extra row id=5'],
  ]

  test.each(recordings.flatMap(each => planted.map(error => [each.name, ...error] as const)))(
    'in %s: %s',
    (name, _what, change, difference) => {
      const each = recordings.find(candidate => candidate.name === name) as Recording
      const tables = fold(each)
      const product = name.startsWith('p') ? 'shop.product' : 'demo.product'
      const wrong = withRows(tables, product, change)
      const differences = compare(wrong, readFinal(each.finalPath, tables), each.exceptions)
      expect(differences).toEqual([`${product}: ${difference}`])
    },
  )
})

describe('the fold', () => {
  test.each([m1, m2, m4])('of $name empties a table that was truncated', each => {
    expect(keysOf(fold(each), 'demo.late_table')).toEqual(['id=2'])
  })

  test('empties a table at the truncate, not before and not after', () => {
    const topic = 'p1.shop.user_order'
    expect(keysOf(foldEvents(headOf(p1, topic, 3)), 'shop.user_order')).toHaveLength(3)
    expect(keysOf(foldEvents(headOf(p1, topic, 4)), 'shop.user_order')).toEqual([])
    expect(keysOf(foldEvents(headOf(p1, topic, 5)), 'shop.user_order')).toEqual(['id=1'])
    expect(keysOf(fold(p1), 'shop.part')).toEqual([])
  })

  test('moves a row whose key changed', () => {
    const topic = 'm1.demo.order_item'
    const key = 'line_no=2,order_id=1'
    const before = rowOf(foldEvents(headOf(m1, topic, 3)), 'demo.order_item', key)
    const after = foldEvents(headOf(m1, topic, 6))
    expect(rowOf(after, 'demo.order_item', key)).toBeUndefined()
    expect(rowOf(after, 'demo.order_item', 'line_no=9,order_id=1')).toEqual({
      ...before,
      line_no: 9n,
    })
  })

  test('keeps the old value in place of the placeholder', () => {
    const states = [1, 2, 3, 4].map(count =>
      rowOf(foldEvents(headOf(p1, 'p1.shop.toast_default', count)), 'shop.toast_default', 'id=1'),
    )
    const [first, second, third, fourth] = states
    expect(first?.big).toHaveLength(300 * 32)
    expect(second).toEqual({ ...first, n: 2n })
    expect(third).toEqual({ ...second, big: 'short' })
    expect(fourth).toBeUndefined()
  })

  test('leaves tables without a message key out', () => {
    expect([...fold(p1).keys()].filter(name => name.includes('op_log'))).toEqual([])
  })

  test('refuses an op that it does not know', () => {
    const value = '{"op":"x","source":{"db":"a","table":"b"}}'
    expect(() => foldEvents([{ topic: 't', key: '{"id":1}', value }])).toThrow('the op "x"')
  })
})

describe('columns and their types', () => {
  test('an added column has its default only once a schema with the column was seen', () => {
    const topic = 'm1.demo.user'
    expect(rowOf(foldEvents(headOf(m1, topic, 13)), 'demo.user', 'id=4')).not.toHaveProperty('vip')
    const row = rowOf(foldEvents(headOf(m1, topic, 14)), 'demo.user', 'id=4')
    expect(row).toMatchObject({ phone: '13800000000', vip: null })
  })

  test('are the newest by position, though an older event is read last', () => {
    const lines = headOf(m1, 'm1.demo.user', 18)
    const isSavepointRow = (line: RecordedLine) => line.value?.includes('savepoint kept') === true
    const late = lines.filter(isSavepointRow)
    expect(late).toHaveLength(1)
    const others = lines.filter(line => !isSavepointRow(line))
    expect(foldEvents([...others, ...late])).toEqual(foldEvents(lines))
  })

  test('are those of the time of a row, in whatever order they are told', () => {
    const change = (pos: number, length: number) => ({
      topic: 's',
      key: '{}',
      value: `{"source":{"connector":"mariadb","file":"f","pos":${pos}},"tableChanges":[{"id":"d.t",
        "table":{"columns":[{"name":"id","typeName":"INT"},
        {"name":"at","typeName":"DATETIME","length":${length}}]}}]}`,
    })
    const row = (pos: number, at: number) => ({
      topic: 's.d.t',
      key: `{"id":${pos}}`,
      value: `{"op":"c","source":{"db":"d","table":"t","file":"f","pos":${pos}},
        "after":{"id":${pos},"at":${at}}}`,
    })
    const lines = [change(10, 6), change(1, 0), row(5, 1500), row(15, 1500)]
    expect([...(foldEvents(lines).get('d.t')?.rows.values() ?? [])]).toEqual([
      { id: 5n, at: '1970-01-01 00:00:01.5' },
      { id: 15n, at: '1970-01-01 00:00:00.0015' },
    ])
  })

  test('come from other lines when a subset has no schema changes', () => {
    const orders = headOf(m2, 'm2.demo.user_order', 3)
    const typed = foldEvents(orders, { settings: m2.settings, typesFrom: m2.lines })
    expect(keysOf(typed, 'demo.user_order')).toContain('id=18446744073709551615')
    const untyped = foldEvents(orders, { settings: m2.settings })
    expect(keysOf(untyped, 'demo.user_order')).toContain('id="AP//////////"')
  })
})

describe('the crashed run', () => {
  const lines = readRecordedLines(`${fixtures}/crash/crash2.perf.t100k.full_topic.jsonl.gz`)
  const columns: DeclaredColumn[] = [
    { name: 'id', typeName: 'INT' },
    { name: 'user_id', typeName: 'INT' },
    { name: 'product_id', typeName: 'INT' },
    { name: 'order_num', typeName: 'INT' },
    { name: 'amount', typeName: 'DECIMAL', length: 10, scale: 2 },
    { name: 'note', typeName: 'VARCHAR', length: 64 },
    { name: 'create_time', typeName: 'DATETIME' },
  ]
  const declared = { 'perf.t100k': columns }
  const tables = foldEvents(lines, { declared })

  test('has 100,000 rows by key', () => {
    expect(lines).toHaveLength(114_447)
    expect(tables.get('perf.t100k')?.rows.size).toBe(100_000)
    expect(rowOf(tables, 'perf.t100k', 'id=1')).toEqual({
      id: 1n,
      user_id: 1n,
      product_id: 1n,
      order_num: 1n,
      amount: '0.01',
      note: '订单 note 1',
      create_time: '2024-01-01 00:00:01',
    })
  })

  test('is the same without the repeats', () => {
    const unique = lines.toSpliced(46_260, 14_447)
    expect(compare(foldEvents(unique, { declared }), tables)).toEqual([])
  })
})

/** A kind, a value as JSON, and its normal form. */
const spellings = [
  ['integer', '18446744073709551615', 18446744073709551615n],
  ['integer', '"18446744073709551615"', 18446744073709551615n],
  ['integer', 'true', 1n],
  ['boolean', 'false', 0n],
  ['decimal', '"2999.00"', '2999'],
  ['decimal', '"-0.10"', '-0.1'],
  ['decimal', '"-0.00"', '0'],
  [
    'decimal',
    '"1234567890123456789012345678.0123456789"',
    '1234567890123456789012345678.0123456789',
  ],
  ['decimal', '12', '12'],
  ['decimal', '1.5e3', '1500'],
  ['decimal', '"NaN"', 'NaN'],
  ['float64', '1', 1],
  ['float64', '"-Infinity"', -Infinity],
  ['float32', '0.1', Math.fround(0.1)],
  ['timestamp', '"2024-05-02 00:00:00.500"', '2024-05-02 00:00:00.5'],
  ['timestamp', '"2024-05-02T00:00:00.500Z"', '2024-05-02 00:00:00.5'],
  ['timestamp', '"2024-01-01 00:00:00.000000"', '2024-01-01 00:00:00'],
  ['timestamp', '"2024-01-01T03:00:00.1+08:00"', '2023-12-31 19:00:00.1'],
  ['timestamp', '"1969-12-31T23:30:00-00:45"', '1970-01-01 00:15:00'],
  ['timestamp', '"0000-00-00 00:00:00"', '0000-00-00 00:00:00'],
  ['time', '"-838:59:59.000000"', -3_020_399_000_000n],
  ['time', '"-838:59:59"', -3_020_399_000_000n],
  ['time', '"-00:00:00.000001"', -1n],
  ['time', '"12:34:56+08:00"', 16_496_000_000n],
  ['time', '3600000000', 3_600_000_000n],
  ['date', '"2024-02-29"', '2024-02-29'],
  ['text', '"13800000000"', '13800000000'],
  ['text', '"1.50"', '1.50'],
  ['binary', '"AP8Q/g=="', 'AP8Q/g=='],
  ['nested', '[1, null, 3]', '[1,null,3]'],
  [undefined, '"1.50"', '1.50'],
  [undefined, 'true', 1n],
  [undefined, '1.0', 1n],
  ['integer', 'null', null],
] as const

describe('printed rows compare by value', () => {
  test('a row of the program with its own spelling', () => {
    const tables = fold(m1)
    const line =
      '{"id":1,"name":"手机 📱","price":"2999.00","stock":1,"on_sale":true,' +
      '"attrs":"{\\"color\\":\\"红\\",\\"w\\":1.50,\\"n\\":null,\\"a\\":[1,2]}","_extra":0}'
    const program = printed('demo.product', [line], tables)
    const one = withRows(tables, 'demo.product', rows => {
      for (const key of rows.keys()) if (key !== 'id=1') rows.delete(key)
    })
    const expected = new Map([['demo.product', one.get('demo.product') as FoldedTable]])
    expect(compare(program, expected)).toEqual([])
    const wrong = printed('demo.product', [line.replace('2999.00', '2999.01')], tables)
    expect(compare(wrong, expected)).toEqual([
      'demo.product: row id=1, column price: "2999.01", expected "2999"',
    ])
  })

  test.each(spellings)('%s %s', (kind, json, value) => {
    expect(normalize(parseExactly(json), kind)).toBe(value)
  })

  test('a line keeps integers that a double cannot hold', () => {
    expect(normalizeRow('{"id":18446744073709551615,"d":1.5}')).toEqual({
      id: 18446744073709551615n,
      d: 1.5,
    })
  })
})
