import { describe, expect, it } from 'vitest'
import { whereSql, wholeTable } from '../../../cli/verify/source-database.ts'
import { verifyTables } from '../../../cli/verify/verify-tables.ts'
import { TableRouter } from '../../../processors/route-tables.ts'
import { all, idAndName, inTarget, Tables, table, targetOf, verify } from './tables.ts'

describe('verifyTables', () => {
  it('compares each table that a rule takes with its target', async () => {
    const report = await verify(
      { 'shop.a': table(['1', 'x']), 'shop.b': table(['1', 'x']), 'other.c': table() },
      {
        'ods.a': { columns: inTarget, rows: [[1, 'x']] },
        'ods.b': { columns: inTarget, rows: [[1, 'y']] },
      },
      [all],
    )
    expect(report.tables.map(({ table: name, status }) => [name, status])).toEqual([
      ['ods.a', 'equal'],
      ['ods.b', 'different'],
    ])
    expect(report.tables[1]!.differences).toEqual([
      {
        kind: 'different',
        key: { id: '1' },
        columns: [{ column: 'name', source: '"x"', target: '"y"' }],
      },
    ])
    expect(report.isEqual).toBe(false)
  })

  it('keeps the first differences, and counts all', async () => {
    const rows = ['1', '2', '3', '4'].map(id => [id, 'x'])
    const target = { 'ods.a': { columns: inTarget, rows: [] } }
    const { tables } = await verify({ 'shop.a': table(...rows) }, target, [all])
    expect(tables[0]).toMatchObject({ missing: 4, sourceRows: 4, targetRows: 0 })
    expect(tables[0]!.differences.map(({ key }) => key.id)).toEqual(['1', '2'])
  })

  it('compares several sources of one target as one table', async () => {
    const rule = { from: 'shop.a_*', to: 'ods.a', merge: true }
    const { tables, isEqual } = await verify(
      { 'shop.a_1': table(['1', 'x'], ['3', 'x']), 'shop.a_2': table(['2', 'y'], ['4', 'y']) },
      {
        'ods.a': {
          columns: inTarget,
          rows: [
            [1, 'x'],
            [2, 'y'],
            [3, 'x'],
            [4, 'y'],
          ],
        },
      },
      [rule],
    )
    expect(tables).toHaveLength(1)
    expect(tables[0]).toMatchObject({ sources: ['shop.a_1', 'shop.a_2'], sourceRows: 4 })
    expect(isEqual).toBe(true)
  })

  it.each([1, 2, 3, 100])('compares in ranges of %i rows all that is there', async rangeRows => {
    const ids = [null, '-5', '1', '2', '2', '3', '10', '20']
    const rows = ids.map(id => [id, 'x'])
    const target = [-7, -5, 1, 3, 9, 10, 20, 21].map((id): [number, string] => [id, 'x'])
    const ranges: number[] = []
    const report = await verify(
      { 'shop.a': table(...rows), 'shop.b': table(['4', 'y'], ['30', 'y']) },
      { 'ods.a': { columns: inTarget, rows: [[null, 'x'], ...target, [30, 'z']] } },
      [{ from: 'shop.*', to: 'ods.a', merge: true }],
      undefined,
      { rangeRows, onRange: (_table, counts) => void ranges.push(counts.sourceRows) },
    )
    const [found] = report.tables
    expect(found).toMatchObject({ sourceRows: 10, targetRows: 10, missing: 2, extra: 3 })
    expect(found).toMatchObject({ different: 1, twiceInSource: 1 })
    // Without bounds where it is one range; the last one ends with the last row.
    if (rangeRows === 100) expect(ranges).toEqual([])
    else expect(ranges.at(-1)).toBe(10)
    expect(ranges.length).toBe({ 1: 5, 2: 4, 3: 3, 100: 0 }[rangeRows])
  })

  it('looks again at what differs: what arrived is equal, what stays is told, what moves is not judged', async () => {
    const source = [
      ['1', 'on its way'],
      ['2', 'lost'],
      ['3', 'changed'],
      ['4', 'moving 1'],
      ['5', 'same'],
    ]
    const target: [number, string][] = [
      [3, 'old'],
      [4, 'moving 0'],
      [5, 'same'],
      [6, 'to be deleted'],
      [7, 'extra'],
    ]
    let looks = 0
    const report = await verifyTables({
      source: new Tables({ 'shop.a': { columns: idAndName, key: ['id'], rows: source } }),
      target: targetOf({ 'ods.a': { columns: inTarget, rows: target } }),
      router: new TableRouter([all]),
      rules: [all],
      maxDifferences: 10,
      rangeRows: 1000,
      lookAgain: async () => {
        looks += 1
        source[3] = ['4', 'moving 2']
        source.push(['8', 'new, and on its way'])
        target.splice(
          0,
          5,
          [1, 'on its way'],
          [3, 'old'],
          [4, 'moving 1'],
          [5, 'same'],
          [7, 'extra'],
        )
        await Promise.resolve()
      },
    })
    expect(looks).toBe(1)
    const [found] = report.tables
    expect(found).toMatchObject({ status: 'different', unsettled: 1, sourceRows: 6 })
    expect(found!.differences.map(({ kind, key }) => [kind, key.id])).toEqual([
      ['missing', '2'],
      ['different', '3'],
      ['extra', '7'],
    ])
  })

  it('a range is a condition of plain numbers, and nothing else comes into a statement', () => {
    expect(whereSql('id', wholeTable)).toBe('')
    expect(whereSql('id', { after: null, upTo: '7' })).toBe('WHERE (id <= 7 OR id IS NULL)\n')
    expect(whereSql('id', { after: '7', upTo: '9.5' })).toBe('WHERE id > 7 AND id <= 9.5\n')
    expect(() => whereSql('id', { after: '7 OR 1=1', upTo: null })).toThrow('no number')
  })

  it('takes the columns and the key of the rule', async () => {
    const rule = { ...all, key: ['name'], columns: { exclude: ['id'] } }
    const source = { ...table(['9', 'x'], ['1', 'y']), key: [] }
    const target = { columns: { name: 'string', id: 'int' }, rows: [['x'], ['y']] }
    const { tables } = await verify({ 'shop.a': source }, { 'ods.a': target }, [rule])
    expect(tables[0]).toMatchObject({ status: 'equal', sourceRows: 2, otherColumns: ['id'] })
  })

  it('says that a row lies in the wrong month', async () => {
    const source = {
      columns: { id: 'int', at: 'datetime' },
      key: ['id'],
      rows: [
        ['1', '2024-01-31 00:00:00'],
        ['2', '2024-02-01 00:00:00'],
      ],
    }
    const micros = (text: string): number => Date.parse(text) * 1000
    const target = {
      columns: { id: 'int', at: 'timestamp', year_month: 'string' },
      madeColumns: ['year_month'],
      rows: [
        [1, micros('2024-01-31T00:00:00Z'), '2024-01'],
        [2, micros('2024-02-01T00:00:00Z'), '2024-01'],
      ],
    }
    const rule = { ...all, partitionBy: 'year_month(at)' }
    const { tables } = await verify({ 'shop.a': source }, { 'ods.a': target }, [rule])
    expect(tables[0]).toMatchObject({ different: 1, differentColumns: { year_month: 1 } })
  })

  it('takes the empty text of a partition column for null, as Hive does', async () => {
    const target = {
      'ods.a': {
        columns: inTarget,
        rows: [
          [1, null],
          [2, 'x'],
        ],
      },
    }
    const source = { 'shop.a': table(['1', ''], ['2', 'x']) }
    const plain = await verify(source, target, [all])
    expect(plain.tables[0]).toMatchObject({ status: 'different', different: 1 })
    const divided = await verify(source, target, [{ ...all, partitionBy: 'name' }])
    expect(divided.tables[0]).toMatchObject({ status: 'equal' })
  })

  it('tells what it did not compare, and why', async () => {
    const source = {
      columns: { id: 'int', place: 'point', gone: 'int', name: 'varchar(5)' },
      key: ['id'],
      rows: [['1', 'p', '1', 'x']],
    }
    const target = {
      columns: { id: 'int', place: 'string', name: 'map<int,int>', old: 'int' },
      rows: [[1, 'q', 'x', 1]],
    }
    const { tables } = await verify({ 'shop.a': source }, { 'ods.a': target }, [all])
    expect(tables[0]).toMatchObject({
      status: 'different',
      different: 0,
      missingColumns: ['gone'],
      otherColumns: ['old'],
      notCompared: [
        { column: 'place', reason: 'geometries are not compared' },
        { column: 'name', reason: 'it is map<int,int> in the target' },
      ],
    })
  })

  it.each([
    ['refused', { ...table(['1', 'x']), key: [] }, true, 'shop.a has no primary key'],
    [
      'not-compared',
      { columns: { id: 'time', name: 'int' }, key: ['id'], rows: [] },
      false,
      'order of the key column id (time)',
    ],
    [
      'not-compared',
      table(['2', 'x'], ['1', 'x']),
      false,
      'rows of the source came out of the order',
    ],
    ['not-compared', table(['no number', 'x']), false, 'the key id has the value no number'],
  ] as const)('(%s) a table of which nothing can be said has its reason', async (...given) => {
    const [status, source, isEqual, reason] = given
    const target = { 'ods.a': { columns: inTarget, rows: [] } }
    const report = await verify({ 'shop.a': source }, target, [all])
    expect(report.tables[0]).toMatchObject({ status, reason: expect.stringContaining(reason) })
    expect(report.isEqual).toBe(isEqual)
  })

  it('a table that is not there is a difference, unless its source is empty', async () => {
    const report = await verify({ 'shop.a': table(['1', 'x']), 'shop.b': table() }, {}, [all])
    expect(report.tables.map(({ status }) => status)).toEqual(['missing', 'equal'])
  })

  it('compares only what is asked for, and names what is not known', async () => {
    const source = { 'shop.a': table(), 'shop.b': table() }
    const some = await verify(source, {}, [all], ['ods.b', 'ods.x'])
    expect(some.tables.map(one => one.table)).toEqual(['ods.b'])
    expect(some).toMatchObject({ unknown: ['ods.x'], isEqual: false })
    const exact = await verify(source, {}, [{ from: 'shop.nope', to: 'ods.nope' }])
    expect(exact).toMatchObject({ tables: [], unknown: ['shop.nope'], isEqual: false })
  })

  it('takes a table that the source is known to have dropped for no fault', async () => {
    const rules = [{ from: 'shop.gone', to: 'dw.old' }, all]
    const dropped = new Set(['dw.old', 'ods.b'])
    const source = { 'shop.a': table() }
    const named = await verify(source, {}, rules, undefined, { dropped })
    expect(named).toMatchObject({ unknown: [], dropped: ['shop.gone'], isEqual: true })
    const asked = await verify(source, {}, rules, ['ods.b', 'ods.c'], { dropped })
    expect(asked).toMatchObject({ unknown: ['ods.c'], dropped: ['ods.b'], isEqual: false })
  })
})
