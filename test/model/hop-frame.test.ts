import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../model/errors.ts'
import type { HopChange, HopFrame } from '../../model/hop-frame.ts'
import { decodeHopFrame, encodeTableFrame, HopFrameWriter } from '../../model/hop-frame.ts'
import type { NetChange } from '../../model/net-change.ts'
import { netChangeValues } from '../../model/net-change.ts'
import type { Target } from '../../model/partition-by.ts'
import type { TruncateMarker } from '../../model/staged-batch.ts'
import { internSchema } from '../../model/table-schema.ts'
import { column, schemaOf } from './samples.ts'

const users: Target = { table: 'ods.user', partitionBy: { column: 'sex', unit: 'value' } }
const orders: Target = { table: 'ods.order', partitionBy: null }
const first = schemaOf({ id: 'int', name: 'string' })
const second = schemaOf({
  id: 'bigint',
  name: 'string',
  blob: column('blob', { kind: 'binary' }, { initialDefault: Buffer.from([0, 255]) }),
})

function change(parts: Partial<NetChange>): NetChange {
  return {
    kind: 'upsert',
    key: 'k',
    row: [1, 'a'],
    schema: first,
    leaves: 'unknown',
    last: { position: 'mysql-bin.000001:4:0@1', sourceMs: 1000 },
    ...parts,
  }
}

function framed(changes: readonly HopChange[], topic = 'shop', partition = 3) {
  const writer = new HopFrameWriter(topic, partition)
  for (const one of changes) writer.add(one)
  return writer.take()
}

function changesOf(frame: HopFrame): HopChange[] {
  const found: HopChange[] = []
  if (frame.kind !== 'changes') return found
  const { changes } = frame
  while (changes.next()) {
    const { target, schema } = changes.of
    found.push({ target, change: changes.change.decode(schema), offset: changes.offset })
  }
  return found
}

const marker: TruncateMarker = {
  topic: 'shop',
  partition: 0,
  offset: 9,
  partitions: 8,
  isOrdered: false,
  point: {
    sourceMs: 1000,
    position: {
      connector: 'postgresql',
      name: 'p1',
      server: null,
      log: 'demo',
      order: [2n ** 64n - 1n, null],
      transaction: '7',
      gtid: null,
      isSnapshot: false,
      text: '18446744073709551615/',
    },
  },
}

describe('a frame with halves of changed keys', () => {
  it.each([false, true])('tells them of their changes, with positions: %s', hasPositions => {
    const half = {
      half: 'new',
      oldKey: '!\u0001\u0000',
      newKey: 'ÿ\u0000',
      isPartial: true,
    } as const
    const writer = new HopFrameWriter('shop', 3, { hasPositions, isSpread: true })
    writer.add({ target: orders, change: change({ key: 'a' }), offset: 5 })
    writer.add({ target: orders, change: change({ key: 'b' }), offset: 6, changedKey: half })
    writer.add({ target: users, change: change({ key: 'c' }), offset: 7 })
    const frame = decodeHopFrame(writer.take())
    const read: unknown[] = []
    while (frame.kind === 'changes' && frame.changes.next()) {
      read.push([frame.changes.change.key, frame.changes.changedKey])
    }
    expect(frame).toMatchObject({ kind: 'changes', isSpread: true })
    expect(read).toEqual([
      ['a', undefined],
      ['b', half],
      ['c', undefined],
    ])
    writer.add({ target: orders, change: change({ key: 'd' }), offset: 8 })
    const next = decodeHopFrame(writer.take())
    const { changes } = next as Extract<HopFrame, { kind: 'changes' }>
    expect([changes.next(), changes.changedKey]).toEqual([true, undefined])
  })
})

describe('a frame of changes with positions', () => {
  it('gives each its position, whether it has one or not', () => {
    const { position } = marker.point!
    const { gtid: _, text: __, ...comparable } = position
    const changes: HopChange[] = [
      { target: orders, change: change({}), offset: 5, position, isIncremental: true },
      { target: orders, change: change({}), offset: 7, position: null },
    ]
    const writer = new HopFrameWriter('shop', 3, { hasPositions: true })
    for (const one of changes) writer.add(one)
    const frame = decodeHopFrame(writer.take())
    const read: unknown[] = []
    while (frame.kind === 'changes' && frame.changes.next()) {
      const { offset, position: at, isIncremental } = frame.changes
      read.push({ offset, position: at, isIncremental })
    }
    expect(read).toEqual([
      { offset: 5, position: comparable, isIncremental: true },
      { offset: 7, position: null, isIncremental: false },
    ])
  })
})

describe('a frame of changes', () => {
  it('is read alone: changes of several tables, each under the schema that it was made with', () => {
    const sample = fc.record({
      isUser: fc.boolean(),
      isSecond: fc.boolean(),
      kind: fc.constantFrom('upsert' as const, 'patch' as const, 'delete' as const),
      offset: fc.maxSafeInteger().map(Math.abs),
    })
    fc.assert(
      fc.property(fc.array(sample), samples => {
        const changes = samples.map(({ isUser, isSecond, kind, offset }): HopChange => {
          const schema = isSecond ? second : first
          const values = isSecond ? [1, 'a', Buffer.from('b')] : [1, 'a']
          return {
            target: isUser ? users : orders,
            change: change({ kind, schema, row: kind === 'delete' ? null : values }),
            offset,
          }
        })
        const frame = decodeHopFrame(framed(changes))
        expect(frame).toMatchObject({ kind: 'changes', topic: 'shop', partition: 3 })
        const read = changesOf(frame)
        expect(read).toHaveLength(changes.length)
        for (const [index, { target, change: found, offset }] of read.entries()) {
          const given = changes[index]!
          expect(target).toEqual(given.target)
          expect(offset).toBe(given.offset)
          expect(found.schema).toBe(given.change.schema)
          expect({ ...found, row: netChangeValues(found) }).toEqual(given.change)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('names a schema once, however many changes have it', () => {
    const one = framed([{ target: users, change: change({}), offset: 1 }])
    const many = framed(
      Array.from({ length: 100 }, (_, offset) => ({ target: users, change: change({}), offset })),
    )
    expect(many.length).toBeLessThan(one.length * 40)
    expect(many.toString('latin1').split('"columns"')).toHaveLength(2)
  })

  it('begins anew after it was taken, with its schemas', () => {
    const writer = new HopFrameWriter('shop', 0)
    writer.add({ target: users, change: change({}), offset: 1 })
    expect(writer.isEmpty).toBe(false)
    writer.take()
    expect(writer.isEmpty).toBe(true)
    expect(writer.sizeBytes).toBe(0)
    writer.add({ target: orders, change: change({}), offset: 2 })
    const frame = decodeHopFrame(writer.take())
    expect(changesOf(frame)).toMatchObject([{ target: orders, offset: 2 }])
  })

  it('an unknown version, an unknown kind, a cut and a rest are refused', () => {
    const bytes = framed([{ target: users, change: change({}), offset: 1 }])
    for (const version of [0, 2, 255]) {
      const other = Buffer.from(bytes)
      other[0] = version
      expect(() => decodeHopFrame(other)).toThrow(/version/)
    }
    const other = Buffer.from(bytes)
    other[1] = 7
    expect(() => decodeHopFrame(other)).toThrow(InvariantError)
    const longer = Buffer.concat([bytes, Buffer.from([0])])
    expect(() => changesOf(decodeHopFrame(longer))).toThrow(InvariantError)
    // Cut anywhere behind its schemas, which are text of their own.
    for (let end = bytes.length - 1; end > bytes.length - 40; end -= 1) {
      expect(() => changesOf(decodeHopFrame(bytes.subarray(0, end)))).toThrow(InvariantError)
    }
    expect(() => decodeHopFrame(Buffer.alloc(0))).toThrow(InvariantError)
  })
})

describe('a truncate marker', () => {
  it('is read back with its position, bigints and nulls in it', () => {
    expect(decodeHopFrame(encodeTableFrame({ kind: 'truncate', target: users, marker }))).toEqual({
      kind: 'truncate',
      target: users,
      marker,
    })
    const ordered = { ...marker, isOrdered: true, point: null }
    expect(
      decodeHopFrame(encodeTableFrame({ kind: 'truncate', target: orders, marker: ordered })),
    ).toMatchObject({ marker: ordered })
  })

  it('of a table that was dropped, and one of a table that was made, are read back as well', () => {
    const dropped = { ...marker, isDrop: true as const }
    const frame = { kind: 'truncate' as const, target: users, marker: dropped }
    expect(decodeHopFrame(encodeTableFrame(frame))).toEqual(frame)
    const { schema } = change({})
    const created = { kind: 'created' as const, target: users, schema, sourceMs: 5 }
    const read = decodeHopFrame(encodeTableFrame(created))
    expect(read).toEqual(created)
    // Rows of the same columns have the same schema.
    expect(read).toHaveProperty('schema', internSchema(schema))
  })

  it('of another version is refused', () => {
    const bytes = encodeTableFrame({ kind: 'truncate', target: users, marker })
    bytes[0] = 2
    expect(() => decodeHopFrame(bytes)).toThrow(/version 2/)
  })
})
