/** Source blocks of connectors that were not recorded, built from what their sources say. */
import { describe, expect, it } from 'vitest'
import type { SourceBlock } from '../../../formats/debezium/debezium-position.ts'
import { positionOf, tableOf } from '../../../formats/debezium/debezium-position.ts'
import { ByteReader, ByteWriter } from '../../../model/bytes.ts'
import { ConfigError, DecodeError } from '../../../model/errors.ts'
import {
  compareInStream,
  comparePositions,
  isBeforeTruncate,
  markOf,
} from '../../../model/position.ts'
import { readPosition, writePosition } from '../../../model/position-bytes.ts'
import {
  cassandra,
  db2,
  informix,
  mongodb,
  oracle,
  sqlserver,
  vitess,
  xstream,
} from '../connectors.ts'
import { changeOf, decoderOf, eventsOf, mariadb, recordOf, withSchema } from '../samples.ts'

const place = (source: SourceBlock) => positionOf(source, '')!

/** Each below the next, of rows and in the stream. */
function expectRising(...sources: readonly SourceBlock[]): void {
  const places = sources.map(source => place(source))
  for (const [index, lower] of places.entries()) {
    for (const higher of places.slice(index + 1)) {
      for (const compare of [comparePositions, compareInStream]) {
        expect([compare(lower, higher), compare(higher, lower)]).toEqual([-1, 1])
      }
    }
    expect(compareInStream(lower, lower)).toBe(0)
  }
}

function expectUnknown(a: SourceBlock, b: SourceBlock): void {
  expect(comparePositions(place(a), place(b))).toBeUndefined()
  expect(comparePositions(place(b), place(a))).toBeUndefined()
}

describe('tables are named', () => {
  it('by schema, database or keyspace, as the connector has them', () => {
    const names = [oracle, sqlserver, db2, mongodb, cassandra, vitess, mariadb].map(tableOf)
    expect(names).toEqual([
      'SHOP.ORDERS',
      'dbo.orders',
      'DB2INST1.ORDERS',
      'shop.orders',
      'shop.orders',
      'shop.orders',
      'demo.user',
    ])
  })

  it('so that two databases with one schema and table are refused, whatever the way of decoding', () => {
    const decoder = decoderOf()
    const record = (id: number, db: string) => {
      const change = changeOf({ op: 'c', after: { id, name: 'a' }, source: { ...sqlserver, db } })
      return recordOf({ id }, withSchema(change))
    }
    for (const id of [1, 2, 3]) {
      expect(eventsOf(decoder, record(id, 'shop'))[0]).toMatchObject({ table: 'dbo.orders' })
    }
    expect(() => decoder.decode(record(4, 'archive'))).toThrow(ConfigError)
    expect(() => decoder.decode(record(5, 'archive'))).toThrow(/shop and archive both have a table/)
  })
})

describe('positions of Oracle', () => {
  it('of LogMiner: by the commit, then by the place in the transaction', () => {
    expect(place(oracle)).toEqual({
      connector: 'oracle',
      name: 'o1',
      server: '1',
      log: 'scn',
      order: [8_493_021n, 2, 8_493_020n, 0xa3_000186f0_0010n, 0],
      transaction: '06000a00a1050000',
      gtid: null,
      isSnapshot: false,
      text: '8493021/2',
    })
    expectRising(
      { ...oracle, commit_scn: '8493019', scn: '8493000', txId: 'ff', txSeq: 9 },
      { ...oracle, txSeq: 1, scn: '8493015' },
      { ...oracle, txSeq: 2, scn: '8493014' },
      { ...oracle, txSeq: 10, scn: '8493013' },
      // A long transaction: its changes are older than those of the one before.
      { ...oracle, commit_scn: '8493022', scn: '5', txId: 'fe', txSeq: 1 },
      { ...oracle, commit_scn: '99999999999999999999999', txId: 'fd' },
    )
  })

  it('of versions without places in transactions: by SCN, redo address and number', () => {
    const old = { ...oracle, txSeq: null }
    expect(place(old).text).toBe('8493021/8493020: 0x0000a3.000186f0.0010 :0')
    expectRising(
      { ...old, scn: '8493018', ssn: 4 },
      old,
      { ...old, ssn: 1 },
      { ...old, rs_id: ' 0x0000a3.000186f1.0008 ' },
      { ...old, scn: '8493021', rs_id: ' 0x0000a2.00000001.0000 ' },
    )
    expectUnknown({ ...old, rs_id: null }, { ...old, rs_id: null, ssn: 1 })
    expectUnknown(old, { ...old, redo_thread: 2, commit_scn: '8493030' })
  })

  it('of two threads of a cluster: known of one row, and not of a stream', () => {
    const [a, b] = [
      place(oracle),
      place({ ...oracle, redo_thread: 2, commit_scn: '8493030', txId: 'fe' }),
    ]
    expect(comparePositions(a, b)).toBe(-1)
    expect(compareInStream(a, b)).toBeUndefined()
  })

  it('of two transactions of one commit: known of one row by SCN, and not of a stream', () => {
    const other = { ...oracle, txId: 'fe', txSeq: 1, scn: '8493021' }
    expect(comparePositions(place(oracle), place(other))).toBe(-1)
    expect(compareInStream(place(oracle), place(other))).toBeUndefined()
    expectUnknown(oracle, { ...oracle, txId: 'fe' })
  })

  it('of a snapshot: the SCN that it read at, which has what was committed at it', () => {
    const snapshot = { ...oracle, snapshot: 'true', commit_scn: null, txId: null, txSeq: null }
    expect(place({ ...snapshot, scn: '8493021' })).toMatchObject({
      order: [8_493_021n],
      isSnapshot: true,
      text: '8493021',
    })
    const at = (scn: string) => comparePositions(place({ ...snapshot, scn }), place(oracle))
    expect([at('8493020'), at('8493021'), at('8493022')]).toEqual([-1, 0, 1])
    // An incremental one tells of the change before it, whose SCN may be far below that of its commit.
    const incremental = { ...oracle, snapshot: 'incremental', scn: '7' }
    expect(comparePositions(place(incremental), place(oracle))).toBe(0)
  })

  it('of XStream: by the position of the change record', () => {
    expect(place(xstream)).toMatchObject({ order: [0x8197ad_00000001_00000001n] })
    expectRising({ ...xstream, lcr_position: '00000000008197ad0000000100000000' }, xstream, {
      ...xstream,
      lcr_position: '00000000008197ae0000000000000000',
      commit_scn: '1',
      txId: 'a',
    })
    expectUnknown(xstream, { ...xstream, lcr_position: `${xstream.lcr_position}00` })
    expectUnknown(xstream, oracle)
  })

  it('are none where the commit is not told, as by OpenLogReplicator, or not as a number', () => {
    for (const parts of [
      { commit_scn: null },
      { commit_scn: '8493021:1:0a' },
      { commit_scn: '8493021,8493020' },
      { commit_scn: 8_493_021 },
      { lcr_position: 'x' },
      { snapshot: 'true', scn: null, commit_scn: null },
    ]) {
      expect(positionOf({ ...oracle, ...parts }, '')).toBeNull()
    }
  })

  it('order rows against a truncate', () => {
    for (const [truncated, below, above] of [
      [oracle, { ...oracle, txSeq: 1 }, { ...oracle, commit_scn: '8493022', scn: '1' }],
      [
        xstream,
        { ...xstream, lcr_position: '00000000008197ac0000000100000001' },
        { ...xstream, lcr_position: '00000000008197ae0000000100000001' },
      ],
    ] as const) {
      const truncate = { position: place(truncated), sourceMs: 1000 }
      const isBefore = (source: SourceBlock, sourceMs: number) =>
        isBeforeTruncate({ position: markOf(place(source)), sourceMs }, truncate)
      expect([isBefore(below, 2000), isBefore(above, 0)]).toEqual([true, false])
      // Of another log or format: the clock decides.
      expect([isBefore(mariadb, 0), isBefore(mariadb, 2000)]).toEqual([true, false])
    }
  })
})

describe('positions of SQL Server and Db2', () => {
  it('of SQL Server: commit, change and number, in one database', () => {
    expect(place(sqlserver)).toEqual({
      connector: 'sqlserver',
      name: 's1',
      server: null,
      log: 'shop',
      order: [0x27_00000758_0005n, 0x27_00000758_0003n, 2],
      transaction: null,
      gtid: null,
      isSnapshot: false,
      text: '00000027:00000758:0005/00000027:00000758:0003/2',
    })
    expectRising(
      { ...sqlserver, commit_lsn: '00000027:00000757:ffff', change_lsn: '00000027:00000757:fffe' },
      { ...sqlserver, change_lsn: '00000027:00000758:0002', event_serial_no: 9 },
      { ...sqlserver, event_serial_no: 1 },
      sqlserver,
      // The transaction began before the one that was committed before it.
      { ...sqlserver, commit_lsn: '00000028:00000000:0001', change_lsn: '00000026:00000000:0001' },
    )
    expectUnknown(sqlserver, { ...sqlserver, db: 'archive' })
  })

  it('of Db2: commit and change', () => {
    expect(place(db2)).toMatchObject({
      log: 'TESTDB',
      order: [0xabcdf0n, 0xabcdefn, 0],
      text: `${db2.commit_lsn}/${db2.change_lsn}/0`,
    })
    expectRising({ ...db2, change_lsn: '00000000:00000000:0000000000000001' }, db2, {
      ...db2,
      commit_lsn: '00000000:00000001:0000000000000000',
    })
  })

  it('of a snapshot: the commit that was the last one', () => {
    const snapshot = { ...sqlserver, snapshot: 'true', change_lsn: null, event_serial_no: null }
    expect(place(snapshot)).toMatchObject({ order: [0x27_00000758_0005n], isSnapshot: true })
    expect(comparePositions(place(snapshot), place(sqlserver))).toBe(0)
    const later = { ...sqlserver, commit_lsn: '00000027:00000759:0001' }
    expect(comparePositions(place(snapshot), place(later))).toBe(-1)
  })

  it('are none where a part is missing', () => {
    for (const parts of [
      { commit_lsn: null },
      { change_lsn: null },
      { commit_lsn: 'NULL' },
      { commit_lsn: `${'f'.repeat(40)}:1` },
    ]) {
      expect(positionOf({ ...sqlserver, ...parts }, '')).toBeNull()
    }
  })
})

describe('positions of MongoDB', () => {
  it('are seconds and number of the cluster time', () => {
    expect(place(mongodb)).toMatchObject({
      log: '',
      order: [1_700_000_001, 3],
      text: '1700000001/3',
    })
    expectRising({ ...mongodb, ord: 2 }, mongodb, { ...mongodb, ts_ms: 1_700_000_002_000, ord: 1 })
    expectUnknown({ ...mongodb, rs: 'rs0' }, { ...mongodb, rs: 'rs1' })
  })

  it('are none where the seconds are the wall clock’s, and within a transaction', () => {
    for (const parts of [
      { wallTime: 1_700_000_001_000 },
      { ts_ms: 1_700_000_001_001 },
      { lsid: '{"id": 1}', txnNumber: 1 },
      { ord: -1 },
      { ord: null },
    ]) {
      expect(positionOf({ ...mongodb, ...parts }, '')).toBeNull()
    }
  })
})

it('connectors whose order is not known have no positions', () => {
  for (const source of [cassandra, vitess, informix, { ...mariadb, connector: 'spanner' }]) {
    expect(positionOf(source, '')).toBeNull()
  }
})

describe('what the row before proves', () => {
  const beforeOf = (
    source: SourceBlock,
    op = 'u',
    before: object | null = { id: 1, name: 'a' },
  ) => {
    const decoder = decoderOf()
    const change = (id: number) =>
      changeOf({ op, before, after: op === 'd' ? null : { id, name: 'b' }, source })
    // The second and third go the short way.
    const events = [1, 1, 1].map(id => eventsOf(decoder, recordOf({ id }, withSchema(change(id)))))
    const found = events.map(([event]) => [event!.isBeforeWhole, event!.before])
    expect(found[1]).toEqual(found[0])
    expect(found[2]).toEqual(found[0])
    return found[0]
  }

  it('is all, of SQL Server and Db2', () => {
    for (const source of [sqlserver, db2]) {
      expect(beforeOf(source)).toEqual([true, { id: 1, name: 'a' }])
      expect(beforeOf(source, 'd')).toEqual([true, { id: 1, name: 'a' }])
    }
    // Db2 for z/OS sends none with an update.
    expect(beforeOf(db2, 'u', null)).toEqual([false, null])
  })

  it('is not what a null in an update of SQL Server says: a large value is not logged', () => {
    const before = { id: 1, name: null }
    expect(beforeOf(sqlserver, 'u', before)).toEqual([true, { id: 1 }])
    expect(beforeOf(sqlserver, 'd', before)).toEqual([true, before])
    expect(beforeOf(db2, 'u', before)).toEqual([true, before])
  })

  it('is nothing beyond the key, of Oracle and the others', () => {
    for (const source of [oracle, vitess, informix]) {
      expect(beforeOf(source)).toEqual([false, { id: 1, name: 'a' }])
    }
  })
})

describe('the short way', () => {
  it('gives the events of all connectors as the long way does', () => {
    for (const source of [oracle, xstream, sqlserver, db2, vitess, informix]) {
      const decoder = decoderOf()
      const record = recordOf(
        { id: 1 },
        withSchema(changeOf({ op: 'c', after: { id: 1, name: 'a' }, source })),
      )
      const [long, short] = [1, 2].map(() => eventsOf(decoder, record)[0]!)
      expect(short!.constructor.name).toBe('EncodedEvent')
      expect(short!.position).toEqual(long!.position)
      expect(short!.table).toBe(tableOf(source))
    }
  })
})

describe('hostile source blocks', () => {
  it('give a position, none, or an error of data', () => {
    const odd = [
      null,
      undefined,
      '',
      'x',
      -1,
      1.5,
      2n ** 70n,
      Number.NaN,
      {},
      [],
      true,
      '0x',
      ':',
      'f'.repeat(128),
      '9'.repeat(38),
    ]
    for (const source of [oracle, xstream, sqlserver, db2, mongodb, cassandra, vitess]) {
      for (const name of Object.keys(source)) {
        for (const value of odd) {
          const changed = { ...source, [name]: value }
          const found = positionOf(changed, '')
          if (found === null) continue
          expect(compareInStream(found, found) ?? 0).toBe(0)
          const writer = new ByteWriter()
          writePosition(writer, found)
          const read = readPosition(new ByteReader(writer.take()))!
          expect(read.order.map(String)).toEqual(found.order.map(String))
        }
      }
    }
    expect(() => tableOf({ ...mongodb, collection: 5 })).toThrow(DecodeError)
  })
})
