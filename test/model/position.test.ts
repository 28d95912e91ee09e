import { describe, expect, it } from 'vitest'
import type { Position, TruncatePoint } from '../../model/position.ts'
import {
  comparePositions,
  isBeforeTruncate,
  isSameIncarnation,
  markOf,
  newerTruncate,
} from '../../model/position.ts'

interface BinlogParts {
  readonly file?: number
  readonly pos?: number | bigint
  readonly row?: number
  readonly server?: string | null
  readonly name?: string
  readonly log?: string
  readonly isSnapshot?: boolean
}

function binlog({
  file = 1,
  pos = 100,
  row = 0,
  server = '3307',
  name = 'm1',
  log = 'mysql-bin',
  isSnapshot = false,
}: BinlogParts): Position {
  return {
    connector: 'mariadb',
    name,
    server,
    log,
    order: [file, pos, row],
    transaction: null,
    gtid: null,
    isSnapshot,
    text: `${log}.${String(file).padStart(6, '0')}:${pos}:${row}${server === null ? '' : `@${server}`}`,
  }
}

interface PostgresParts {
  readonly transaction?: string | null
  readonly isSnapshot?: boolean
  readonly name?: string
  readonly log?: string
}

function postgres(commit: bigint | null, lsn: bigint | null, parts: PostgresParts = {}): Position {
  return {
    connector: 'postgresql',
    name: 'p1',
    server: null,
    log: 'demo',
    order: [commit, lsn],
    transaction: null,
    gtid: null,
    isSnapshot: false,
    text: commit === null ? String(lsn) : `${commit}/${lsn}`,
    ...parts,
  }
}

/** Both ways round: what is below one way is above the other way. */
function expectComparison(a: Position, b: Position, expected: number | undefined): void {
  const found = comparePositions(a, b)
  expect(found === undefined ? undefined : Math.sign(found)).toBe(expected)
  const reverse = comparePositions(b, a)
  const opposite = expected === undefined ? undefined : 0 - expected
  expect(reverse === undefined ? undefined : Math.sign(reverse)).toBe(opposite)
}

describe('places in a binlog', () => {
  it('compare by file, then place, then row', () => {
    expectComparison(binlog({}), binlog({}), 0)
    expectComparison(binlog({ row: 1 }), binlog({ row: 2 }), -1)
    expectComparison(binlog({ pos: 99, row: 9 }), binlog({ pos: 100, row: 0 }), -1)
    expectComparison(binlog({ file: 9, pos: 900 }), binlog({ file: 10, pos: 4 }), -1)
    // By number, not by text: 999999 rolls over to 1000000.
    expectComparison(binlog({ file: 999_999 }), binlog({ file: 1_000_000 }), -1)
  })

  it('compare alike as numbers and as bigints', () => {
    expectComparison(binlog({ pos: 100 }), binlog({ pos: 100n }), 0)
    expectComparison(binlog({ pos: 99 }), binlog({ pos: 100n }), -1)
    expectComparison({ ...postgres(7n, 8n), order: [7, 8] }, postgres(7n, 8n), 0)
    expectComparison({ ...postgres(7n, 8n), order: [7, 8] }, postgres(7n, 9n), -1)
  })

  it('a null part is unknown, and only when the parts before it are equal', () => {
    const open = { ...binlog({ pos: 100 }), order: [1, null, 0] }
    expectComparison(open, binlog({ pos: 100 }), undefined)
    expectComparison(open, binlog({ file: 2 }), -1)
  })

  it('with fewer parts, as a snapshot has, compare by those', () => {
    expectComparison({ ...binlog({}), order: [1] }, binlog({}), 0)
    expectComparison({ ...binlog({}), order: [1] }, binlog({ file: 2 }), -1)
  })

  it('of another incarnation do not compare', () => {
    const base = binlog({})
    for (const other of [
      binlog({ name: 'm2' }),
      binlog({ log: 'other-bin' }),
      binlog({ server: '3308' }),
      { ...base, connector: 'mysql' },
    ]) {
      expect(isSameIncarnation(base, other)).toBe(false)
      expectComparison(base, other, undefined)
    }
  })

  it('a snapshot that does not name its server compares with the stream that does', () => {
    const snapshot = binlog({ server: null, isSnapshot: true, pos: 50 })
    expect(isSameIncarnation(snapshot, binlog({}))).toBe(true)
    expectComparison(snapshot, binlog({}), -1)
  })
})

describe('places in PostgreSQL’s log', () => {
  it('compare by last commit, then by event: concurrent transactions come in commit order', () => {
    expectComparison(postgres(10n, 30n), postgres(10n, 31n), -1)
    // Written before, committed after: the place of the event is lower and it is newer.
    expectComparison(postgres(20n, 15n), postgres(10n, 30n), 1)
    expectComparison(postgres(10n, 30n), postgres(10n, 30n), 0)
  })

  it('before the first commit they compare within one transaction, else not at all', () => {
    const first = postgres(null, 30n, { transaction: '892' })
    expectComparison(first, postgres(null, 31n, { transaction: '892' }), -1)
    expectComparison(first, postgres(null, 31n, { transaction: '893' }), undefined)
    expectComparison(first, postgres(10n, 31n, { transaction: '893' }), undefined)
    expectComparison(first, postgres(10n, 31n, { transaction: '892' }), -1)
    expectComparison(postgres(null, 30n), postgres(null, 31n), undefined)
    expectComparison(first, postgres(null, null, { transaction: '892' }), undefined)
  })

  it('a snapshot compares by its own place alone, with a stream and with a snapshot', () => {
    const snapshot = postgres(null, 30n, { isSnapshot: true, transaction: '1' })
    expectComparison(snapshot, postgres(10n, 31n), -1)
    expectComparison(snapshot, postgres(99n, 29n), 1)
    expectComparison(snapshot, postgres(5n, 30n), 0)
    expectComparison(snapshot, postgres(null, 30n, { isSnapshot: true, transaction: '2' }), 0)
    expectComparison(snapshot, postgres(10n, null), undefined)
  })

  it('of another database do not compare', () => {
    expectComparison(postgres(1n, 1n), postgres(1n, 2n, { log: 'other' }), undefined)
    expectComparison(postgres(1n, 1n), postgres(1n, 2n, { name: 'p2' }), undefined)
  })
})

describe('a truncate known by its place', () => {
  const at = (position: Position, sourceMs = 1000): TruncatePoint => ({ position, sourceMs })
  const row = (position: string, sourceMs = 1000) => ({ position, sourceMs })

  it('of two the newer counts: by place, and by clock where places do not compare', () => {
    const low = at(binlog({ pos: 100 }), 9000)
    const high = at(binlog({ pos: 200 }), 1000)
    expect(newerTruncate(low, high)).toBe(high)
    expect(newerTruncate(high, low)).toBe(high)
    const repeat = at(binlog({ pos: 200 }), 5000)
    expect(newerTruncate(high, repeat)).toBe(high)
    const elsewhere = at(binlog({ server: '9', pos: 1 }), 2000)
    expect(newerTruncate(high, elsewhere)).toBe(elsewhere)
    expect(newerTruncate(elsewhere, high)).toBe(elsewhere)
  })

  it('takes rows at or below it, file by file and row by row', () => {
    const point = at(binlog({ file: 2, pos: 100, row: 1 }))
    for (const [position, isBefore] of [
      ['mysql-bin.000002:100:1@3307', true],
      ['mysql-bin.000002:100:0@3307', true],
      ['mysql-bin.000002:100:2@3307', false],
      ['mysql-bin.000002:99:9@3307', true],
      ['mysql-bin.000002:101:0@3307', false],
      ['mysql-bin.000001:999:0@3307', true],
      ['mysql-bin.000010:4:0@3307', false],
      // A snapshot names no server.
      ['mysql-bin.000002:100:1', true],
      ['mysql-bin.000003:1:0', false],
    ] as const) {
      expect([position, isBeforeTruncate(row(position), point)]).toEqual([position, isBefore])
    }
  })

  it('takes rows of PostgreSQL by their own place, whatever transaction they belong to', () => {
    const point = at(postgres(50n, 100n))
    expect(isBeforeTruncate(row('90/100'), point)).toBe(true)
    expect(isBeforeTruncate(row('40/101'), point)).toBe(false)
    expect(isBeforeTruncate(row('100'), point)).toBe(true)
    expect(isBeforeTruncate(row('101'), point)).toBe(false)
    expect(isBeforeTruncate(row('18446744073709551615/18446744073709551615'), point)).toBe(false)
  })

  it('takes by its place alone within one log: a statement is stamped when it begins to wait', () => {
    const point = at(binlog({ file: 9, pos: 900 }), 1000)
    expect(isBeforeTruncate(row('mysql-bin.000001:4:0@3307', 5000), point)).toBe(true)
    expect(isBeforeTruncate(row('mysql-bin.000009:901:0@3307', 500), point)).toBe(false)
  })

  it('compares no place of one incarnation with a place of another', () => {
    const [first, second] = [binlog({ pos: 900 }), binlog({ pos: 4, name: 'm1@after#restore' })]
    expect(markOf(first)).toBe(first.text)
    for (const [position, point] of [
      [second, first],
      [first, second],
    ] as const) {
      expect(isBeforeTruncate(row(markOf(position), 1001), at(point))).toBe(false)
      expect(isBeforeTruncate(row(markOf(position), 999), at(point))).toBe(true)
    }
    expect(isBeforeTruncate(row(markOf(second), 5000), at(second))).toBe(true)
  })

  it('takes by the clock alone what is of another log, or of no known place', () => {
    const point = at(binlog({}), 1000)
    for (const position of [
      '',
      'other-bin.000001:4:0@3307',
      'mysql-bin.000009:4:0@9',
      '34/35',
      '?',
    ]) {
      expect([position, isBeforeTruncate(row(position, 999), point)]).toEqual([position, true])
      expect([position, isBeforeTruncate(row(position, 1001), point)]).toEqual([position, false])
    }
    expect(isBeforeTruncate(row('', 999), at(postgres(1n, 2n)))).toBe(true)
  })
})
