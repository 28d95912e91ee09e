import { describe, expect, it } from 'vitest'
import { positionOf, snapshotOf } from '../../../formats/debezium/debezium-position.ts'
import { comparePositions, isBeforeTruncate } from '../../../model/position.ts'
import { mariadb, postgres, recorded } from '../samples.ts'

describe('positions from the source block', () => {
  it('of MariaDB and MySQL: file, place and row, in this order', () => {
    expect(positionOf({ ...mariadb, row: 2 }, '')).toEqual({
      connector: 'mariadb',
      name: 'm1',
      server: '3307',
      log: 'mysql-bin',
      order: [1, 12_155, 2],
      transaction: null,
      gtid: '0-1-7',
      isSnapshot: false,
      text: 'mysql-bin.000001:12155:2@3307',
    })
    expect(positionOf({ ...mariadb, connector: 'mysql', gtid: null }, '')).toMatchObject({
      connector: 'mysql',
      gtid: null,
    })
    expect(positionOf({ ...mariadb, file: 'my.bin.1000000' }, '')).toMatchObject({
      log: 'my.bin',
      order: [1_000_000, 12_155, 0],
    })
    expect(positionOf({ ...mariadb, pos: 2n ** 60n, row: null }, '')).toMatchObject({
      order: [1, 2n ** 60n, 0],
    })
  })

  it('of a snapshot, which names no server', () => {
    const position = positionOf({ ...mariadb, server_id: 0, snapshot: 'true' }, '')!
    expect(position).toMatchObject({
      server: null,
      isSnapshot: true,
      text: 'mysql-bin.000001:12155:0',
    })
    expect(comparePositions(position, positionOf(mariadb, '')!)).toBe(0)
  })

  it('of PostgreSQL: last commit and event', () => {
    expect(positionOf(postgres, '')).toEqual({
      connector: 'postgresql',
      name: 'p1',
      server: null,
      log: 'demo',
      order: [34_477_376n, 34_477_432n],
      transaction: '892',
      gtid: null,
      isSnapshot: false,
      text: '34477376/34477432',
    })
    for (const sequence of [null, undefined, '[null,"34477432"]', '', 'x', 5]) {
      expect(positionOf({ ...postgres, sequence }, '')).toMatchObject({
        order: [null, 34_477_432n],
        text: '34477432',
      })
    }
    const far = { ...postgres, sequence: `["${2n ** 64n - 2n}","${2n ** 64n - 1n}"]` }
    expect(positionOf({ ...far, lsn: 2n ** 64n - 1n }, '')).toMatchObject({
      order: [2n ** 64n - 2n, 2n ** 64n - 1n],
    })
  })

  it('another incarnation is another log', () => {
    const [a, b] = [positionOf(mariadb, '')!, positionOf(mariadb, 'restored')!]
    expect(b.name).toBe('m1@restored')
    expect(comparePositions(a, b)).toBeUndefined()
  })

  it('are null where a part is missing or the connector is not known', () => {
    for (const source of [
      {},
      { ...mariadb, connector: 'sqlite' },
      { ...mariadb, file: null },
      { ...mariadb, file: 'binlog' },
      { ...mariadb, pos: null },
      { ...mariadb, pos: '12155' },
      { ...mariadb, pos: 1.5 },
      { ...postgres, lsn: null },
      { ...postgres, lsn: 'x' },
    ]) {
      expect(positionOf(source, '')).toBeNull()
    }
  })

  it('their text is what a truncate compares rows by', () => {
    for (const source of [mariadb, postgres]) {
      const position = positionOf(source, '')!
      const point = { position, sourceMs: 1000 }
      const later = positionOf({ ...source, pos: 12_156, lsn: 34_477_433 }, '')!
      expect(isBeforeTruncate({ position: position.text, sourceMs: 1000 }, point)).toBe(true)
      expect(isBeforeTruncate({ position: later.text, sourceMs: 1000 }, point)).toBe(false)
    }
  })
})

describe('whether a change is of a snapshot', () => {
  it('by word, by boolean, and not where nothing is said', () => {
    for (const [snapshot, expected] of [
      ['first', 'first'],
      ['true', 'yes'],
      [true, 'yes'],
      ['last', 'yes'],
      ['first_in_data_collection', 'first'],
      ['last_in_data_collection', 'yes'],
      ['incremental', 'incremental'],
      ['false', 'no'],
      [false, 'no'],
      [null, 'no'],
      [undefined, 'no'],
    ] as const) {
      expect([snapshot, snapshotOf({ snapshot })]).toEqual([snapshot, expected])
    }
  })
})

describe('recorded events', () => {
  it('all have a position, and those of a partition never fall', () => {
    for (const [file, least] of [
      ['mariadb/m1_json_schema_true.jsonl', 30],
      ['postgres/p1_json_schema_true.jsonl', 30],
    ] as const) {
      const highest = new Map<string, NonNullable<ReturnType<typeof positionOf>>>()
      let compared = 0
      for (const { topic, value } of recorded(file)) {
        const text = value?.toString() ?? 'null'
        const { payload } = (JSON.parse(text) ?? {}) as {
          payload?: { op?: string; source: object }
        }
        if (payload?.op === undefined) continue
        const position = positionOf(payload.source as Record<string, unknown>, '')!
        expect(position).not.toBeNull()
        const before = highest.get(topic)
        highest.set(topic, position)
        if (before === undefined || position.isSnapshot) continue
        const comparison = comparePositions(position, before)
        if (comparison === undefined) continue
        expect(comparison).toBeGreaterThanOrEqual(0)
        compared += 1
      }
      expect(compared).toBeGreaterThan(least)
    }
  })
})
