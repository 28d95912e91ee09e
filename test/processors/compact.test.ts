import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../model/errors.ts'
import type { WindowLimits } from '../../processors/compact.ts'
import { schemaOf } from '../model/samples.ts'
import { binlogAt, netOf, users } from './samples.ts'
import { closed, frameOf, markerOf, openWindow, truncateOf } from './windows.ts'

const limits: WindowLimits = { maxAgeMs: 1000, maxRows: 3, maxBytes: 10_000 }

describe('an open window', () => {
  it('folds the changes of a key to one, table by table, in key order', async () => {
    const { window } = await openWindow()
    const frame = frameOf([
      ['b', netOf({ key: '2', last: { position: '', sourceMs: 50 } })],
      ['a', netOf({ key: '1' })],
      ['b', netOf({ key: '1', last: { position: '', sourceMs: 20 } })],
      ['b', netOf({ key: '2', kind: 'delete', last: { position: '', sourceMs: 30 } })],
      ['a', netOf({ key: '1', kind: 'patch', row: [1, undefined, 'F'] })],
    ])
    window.add(frame, 0)
    window.advance(1, 0)
    expect(await closed(window)).toEqual([
      {
        table: 'b',
        columns: ['id', 'name', 'sex'],
        rows: [
          ['1', 'upsert', [1, 'a', 'M']],
          ['2', 'delete', null],
        ],
        truncate: null,
        eventCount: 3,
        sourceMs: { first: 20, last: 50 },
      },
      {
        table: 'a',
        columns: ['id', 'name', 'sex'],
        rows: [['1', 'upsert', [1, 'a', 'F']]],
        truncate: null,
        eventCount: 2,
        sourceMs: { first: 0, last: 0 },
      },
    ])
  })

  it('does not take a column for dropped that a patch has which is newer than the last whole row', async () => {
    const { window } = await openWindow()
    const wider = schemaOf({ id: 'int', name: 'string', sex: 'string', extra: 'string' })
    const last = (sourceMs: number) => ({ position: '', sourceMs })
    const patch = { kind: 'patch', schema: wider, row: [2, 'b', undefined, 'x'] } as const
    window.add(
      frameOf([
        ['a', netOf({ key: '1', last: last(10) })],
        ['a', netOf({ key: '2', last: last(20), ...patch })],
      ]),
      0,
    )
    const [part] = await Array.fromAsync(window.close())
    expect(part!.newest).toEqual({ atMs: 10 })
  })

  it('counts a patch that finds no row', async () => {
    const { window, metrics } = await openWindow()
    const patch = netOf({ kind: 'patch', row: [1, undefined, 'F'] })
    window.add(
      frameOf([
        ['a', netOf({ kind: 'delete' })],
        ['a', patch],
        ['a', patch],
      ]),
      0,
    )
    expect(metrics.total('forager_patches_without_row_total', { table: 'a' })).toBe(1)
  })

  it('has one schema a table, which holds every change', async () => {
    const { window } = await openWindow()
    const wide = schemaOf({ id: 'bigint', name: 'string', sex: 'string', phone: 'string' })
    const changes = [
      netOf({ key: '1' }),
      netOf({ key: '2', schema: wide, row: [2, 'b', 'F', '5'] }),
    ]
    window.add(frameOf(changes.map(change => ['a', change])), 0)
    const [part] = await closed(window)
    expect(part!.columns).toEqual(['id', 'name', 'sex', 'phone'])
    expect(part!.rows.map(([, , row]) => row)).toEqual([
      [1, 'a', 'M'],
      [2, 'b', 'F', '5'],
    ])
  })

  it('nets to nothing as well: no table, and still a range', async () => {
    const { window } = await openWindow(5)
    expect(window.isEmpty).toBe(true)
    window.advance(8, 0)
    expect(window.isEmpty).toBe(false)
    expect(window.range).toEqual({ from: 5, to: 8 })
    expect(await closed(window)).toEqual([])
  })
})

describe('the ranges of windows', () => {
  it('follow each other without a gap, records or not', async () => {
    const { window } = await openWindow(10)
    const ranges: { from: number; to: number }[] = []
    for (const next of [11, 15, 40]) {
      window.advance(next, 0)
      ranges.push(window.range)
      await window.reset()
      expect(window.isEmpty).toBe(true)
    }
    expect(ranges).toEqual([
      { from: 10, to: 11 },
      { from: 11, to: 15 },
      { from: 15, to: 40 },
    ])
    expect(() => window.advance(39, 0)).toThrow(InvariantError)
  })

  it('a window that was reset knows nothing of the one before', async () => {
    const { window, store } = await openWindow()
    window.add(frameOf([['a', netOf()]]), 0)
    window.advance(1, 0)
    await window.reset()
    expect(store.count).toBe(0)
    expect(await closed(window)).toEqual([])
    window.add(frameOf([['b', netOf({ kind: 'patch', row: [1, undefined, 'F'] })]]), 0)
    expect(await closed(window)).toMatchObject([
      { table: 'b', rows: [['k', 'patch', [1, undefined, 'F']]] },
    ])
  })
})

describe('a window closes at its limits', () => {
  it('of rows: distinct keys, not events', async () => {
    const { window } = await openWindow()
    for (let event = 0; event < 10; event += 1) window.add(frameOf([['a', netOf({ key: 'x' })]]), 0)
    window.add(frameOf([['a', netOf({ key: 'y' })]]), 0)
    window.advance(1, 0)
    expect(window.dueReason(limits, 0)).toBeNull()
    window.add(frameOf([['b', netOf({ key: 'x' })]]), 0)
    expect(window.dueReason(limits, 0)).toBe('rows')
  })

  it('of bytes', async () => {
    const { window } = await openWindow()
    const big = netOf({ row: [1, 'x'.repeat(20_000), null] })
    window.add(frameOf([['a', big]]), 0)
    window.advance(1, 0)
    expect(window.dueReason(limits, 0)).toBe('bytes')
    // A large value that was replaced no longer counts.
    window.add(frameOf([['a', netOf()]]), 0)
    expect(window.dueReason(limits, 0)).toBeNull()
  })

  it('of age: since its first record or offset, and not before', async () => {
    const { window } = await openWindow()
    expect(window.remainingMs(limits, 0)).toBeNull()
    expect(window.dueReason(limits, 1e9)).toBeNull()
    window.advance(1, 5000)
    expect(window.remainingMs(limits, 5400)).toBe(600)
    expect(window.dueReason(limits, 5999)).toBeNull()
    expect(window.dueReason(limits, 6000)).toBe('age')
    expect(window.remainingMs(limits, 9000)).toBe(0)
    await window.reset()
    expect(window.remainingMs(limits, 9000)).toBeNull()
  })
})

describe('changes of another schema', () => {
  const otherKey = schemaOf({ id: 'int', name: 'string', sex: 'string' }, ['name'])
  const otherType = schemaOf({ id: 'int', name: 'binary', sex: 'string' })
  const wider = schemaOf({ id: 'bigint', name: 'string', sex: 'string', more: 'int' })

  it('that do not fit beside those of their table begin another part, in their order', async () => {
    const { window } = await openWindow()
    const add = (table: string, key: string, schema = users) =>
      window.add(frameOf([[table, netOf({ kind: 'delete', key, schema })]]), 0)
    add('a', '1')
    add('b', '1', otherType)
    add('a', '2', wider)
    add('a', '1', otherKey)
    add('a', '1')
    add('b', '2', otherType)
    const parts = (await closed(window)).map(({ table, columns, rows, eventCount }) => {
      return [table, columns.length, rows.map(([key]) => key), eventCount]
    })
    expect(parts).toEqual([
      ['a', 4, ['1', '2'], 2],
      ['b', 3, ['1', '2'], 2],
      ['a', 3, ['1'], 1],
      ['a', 3, ['1'], 1],
    ])
    await window.reset()
    expect(await closed(window)).toEqual([])
  })

  it('that came without a hop are folded the same, and a window may be begun anew', async () => {
    const { window } = await openWindow(3)
    const target = (table: string) => ({ table, partitionBy: null })
    const add = (table: string, key: string, schema = users) =>
      window.addChange(
        { target: target(table), change: netOf({ kind: 'delete', key, schema }), offset: 0 },
        0,
      )
    add('a', '1')
    add('b', '1')
    add('a', '1', wider)
    add('a', '1', otherType)
    window.advance(9, 0)
    const parts = (await closed(window)).map(({ table, columns, eventCount }) => {
      return [table, columns.length, eventCount]
    })
    expect(parts).toEqual([
      ['a', 4, 2],
      ['b', 3, 1],
      ['a', 3, 1],
    ])
    await window.reset(3)
    expect([window.range, window.hasChanges]).toEqual([{ from: 3, to: 3 }, false])
    add('a', '2', otherType)
    expect(await closed(window)).toMatchObject([{ table: 'a', eventCount: 1 }])
  })
})

describe('a truncate in a window', () => {
  const insert = (key: string) => frameOf([['a', netOf({ key })]])

  it('that is ordered takes what came before it, and only of its table', async () => {
    const { window } = await openWindow()
    window.add(
      frameOf([
        ['a', netOf({ key: '1' })],
        ['b', netOf({ key: '1' })],
      ]),
      0,
    )
    window.add(truncateOf('a', markerOf()), 0)
    window.add(insert('2'), 0)
    const parts = await closed(window)
    expect(parts.find(({ table }) => table === 'a')).toMatchObject({
      truncate: 9,
      rows: [['2', 'upsert', [1, 'a', 'M']]],
      eventCount: 3,
    })
    expect(parts.find(({ table }) => table === 'b')).toMatchObject({
      truncate: null,
      rows: [['1', 'upsert', [1, 'a', 'M']]],
    })
  })

  it('a patch behind it does not find the row from before it', async () => {
    const { window } = await openWindow()
    window.add(insert('1'), 0)
    window.add(truncateOf('a', markerOf()), 0)
    window.add(frameOf([['a', netOf({ key: '1', kind: 'patch', row: [1, undefined, 'F'] })]]), 0)
    expect(await closed(window)).toMatchObject([{ rows: [['1', 'patch', [1, undefined, 'F']]] }])
  })

  it('that the policy refuses leaves what came before it to a batch of its own', async () => {
    const { window } = await openWindow()
    window.add(insert('1'), 0)
    window.add(truncateOf('a', markerOf({ isRefused: true })), 0)
    window.add(insert('1'), 0)
    window.add(insert('2'), 0)
    const keys = (await closed(window)).map(({ truncate, rows }) => [
      truncate,
      rows.map(([key]) => key),
    ])
    expect(keys).toEqual([
      [null, ['1']],
      [9, ['1', '2']],
    ])
  })

  it('that is ordered twice: the last one counts', async () => {
    const { window } = await openWindow()
    for (const [index, key] of ['1', '2', '3'].entries()) {
      window.add(insert(key), 0)
      if (index < 2) window.add(truncateOf('a', markerOf({ offset: index })), 0)
    }
    expect(await closed(window)).toMatchObject([
      { truncate: 1, rows: [['3', 'upsert', [1, 'a', 'M']]] },
    ])
  })

  it('that is not ordered takes nothing here: the warehouse decides row by row', async () => {
    const { window } = await openWindow()
    const point = { position: binlogAt(100), sourceMs: 1 }
    window.add(insert('1'), 0)
    window.add(truncateOf('a', markerOf({ isOrdered: false, point })), 0)
    window.add(insert('2'), 0)
    expect(await closed(window)).toMatchObject([{ truncate: 9, rows: [{ 0: '1' }, { 0: '2' }] }])
  })

  it('of two that are not ordered the higher place counts, whichever came last', async () => {
    const low = markerOf({
      isOrdered: false,
      offset: 1,
      point: { position: binlogAt(100), sourceMs: 1 },
    })
    const high = markerOf({
      isOrdered: false,
      offset: 2,
      point: { position: binlogAt(200), sourceMs: 2 },
    })
    for (const order of [
      [low, high],
      [high, low],
    ]) {
      const { window } = await openWindow()
      for (const marker of order) window.add(truncateOf('a', marker), 0)
      expect(await closed(window)).toMatchObject([{ truncate: 2 }])
    }
  })

  it('of a table without any row is a part without columns', async () => {
    const { window } = await openWindow()
    window.add(truncateOf('a', markerOf()), 0)
    expect(await closed(window)).toMatchObject([
      {
        table: 'a',
        columns: [],
        rows: [],
        truncate: 9,
        eventCount: 1,
        sourceMs: { first: 0, last: 0 },
      },
    ])
  })
})

describe('a table that the source made, in a window', () => {
  const users = netOf({ key: '1' })
  const createdOf = (table: string) => ({
    kind: 'created' as const,
    target: { table, partitionBy: null },
    schema: users.schema,
    sourceMs: 7,
  })

  it('is a part without rows, with its columns, and behind all others', async () => {
    const { window } = await openWindow()
    window.add(createdOf('a'), 0)
    window.add(frameOf([['b', users]]), 0)
    window.add(createdOf('a'), 0)
    expect(window.hasChanges).toBe(true)
    expect(await closed(window)).toMatchObject([
      { table: 'b' },
      { table: 'a', rows: [], eventCount: 1, truncate: null, sourceMs: { first: 7, last: 7 } },
    ])
    const [, made] = await Array.fromAsync(window.close())
    expect(made).toMatchObject({ creates: true, schema: users.schema, newest: null })
    await window.reset()
    expect([window.hasChanges, await closed(window)]).toEqual([false, []])
  })

  it('is none where a change of the window tells of it, or where the source dropped it again', async () => {
    const { window } = await openWindow()
    window.add(createdOf('a'), 0)
    window.add(frameOf([['a', users]]), 0)
    window.add(createdOf('b'), 0)
    const drop = markerOf({ isOrdered: false, isDrop: true as const })
    window.add(truncateOf('b', drop), 0)
    expect(await closed(window)).toMatchObject([
      { table: 'a', rows: [{ 0: '1' }] },
      { table: 'b', rows: [], columns: [], truncate: 9 },
    ])
    window.add(createdOf('b'), 0)
    expect((await closed(window)).map(({ table }) => table)).toEqual(['a', 'b', 'b'])
  })

  it('that was dropped and truncated has a part for each of the two, with what came behind it', async () => {
    const { window } = await openWindow()
    const point = { position: binlogAt(100), sourceMs: 1 }
    window.addChange(
      { target: { table: 'a', partitionBy: null }, change: netOf({ key: '1' }), offset: 0 },
      0,
    )
    window.add(truncateOf('a', markerOf({ isOrdered: false, offset: 1, point, isDrop: true })), 0)
    window.add(truncateOf('a', markerOf({ offset: 2 })), 0)
    window.addChange(
      { target: { table: 'a', partitionBy: null }, change: netOf({ key: '2' }), offset: 0 },
      0,
    )
    expect(await closed(window)).toMatchObject([
      { truncate: 1, rows: [{ 0: '1' }] },
      { truncate: 2, rows: [{ 0: '2' }] },
    ])
  })
})
