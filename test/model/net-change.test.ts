import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from '../../model/bytes.ts'
import { InvariantError } from '../../model/errors.ts'
import type { Leaves, NetChange } from '../../model/net-change.ts'
import {
  alignValues,
  netChangeValues,
  readNetChange,
  uniteLeaves,
  writeNetChange,
} from '../../model/net-change.ts'
import type { RowValues } from '../../model/row-codec.ts'
import { encodeValues } from '../../model/row-codec.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import { anyText, column, schemaOf } from './samples.ts'

const schema = schemaOf({
  id: 'int',
  name: 'string',
  n: { kind: 'decimal', precision: 6, scale: 2 },
})

function change(parts: Partial<NetChange> = {}): NetChange {
  return {
    kind: 'upsert',
    key: '\x21\x01\0',
    row: [1, 'a', 150],
    schema,
    leaves: [],
    last: { position: '', sourceMs: 0 },
    ...parts,
  }
}

function bytesOf(rowSchema: TableSchema, values: RowValues): Buffer {
  const writer = new ByteWriter()
  encodeValues(writer, rowSchema, values)
  return writer.take()
}

describe('a net change as bytes', () => {
  it('is read back whole, whether its row was bytes or values', () => {
    const key = fc.uint8Array().map(bytes => Buffer.from(bytes).toString('latin1'))
    const leaves = fc.oneof(fc.constant('unknown' as const), fc.array(anyText))
    const last = fc.record({ position: anyText, sourceMs: fc.maxSafeInteger() })
    const value = fc.option(fc.constant('x'), { nil: undefined })
    const sample = fc.record({
      kind: fc.constantFrom('upsert' as const, 'patch' as const, 'delete' as const),
      key,
      leaves,
      last,
      name: value,
      asBytes: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 5 }), samples => {
        const changes = samples.map(({ kind, name, asBytes, ...rest }) => {
          const values = [1, name, null]
          const row = kind === 'delete' ? null : asBytes ? bytesOf(schema, values) : values
          return change({ kind, row, ...rest })
        })
        const writer = new ByteWriter(1)
        for (const one of changes) writeNetChange(writer, one)
        const reader = new ByteReader(writer.take())
        for (const one of changes) {
          const read = readNetChange(reader, schema)
          expect({ ...read, row: netChangeValues(read) }).toEqual({
            ...one,
            row: netChangeValues(one),
            leaves:
              one.leaves === 'unknown' ? 'unknown' : one.leaves.map(leaf => leaf.toWellFormed()),
            last: { ...one.last, position: one.last.position.toWellFormed() },
          })
        }
        expect(reader.isAtEnd).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('no leaves and unknown leaves stay apart', () => {
    for (const leaves of [[], 'unknown', ['']] as Leaves[]) {
      const writer = new ByteWriter()
      writeNetChange(writer, change({ leaves }))
      expect(readNetChange(new ByteReader(writer.take()), schema).leaves).toEqual(leaves)
    }
  })

  it('an unknown kind is refused', () => {
    expect(() => readNetChange(new ByteReader(Buffer.from([3, 0])), schema)).toThrow(InvariantError)
  })

  it('a row that cannot be written leaves nothing of itself in the next one', () => {
    const writer = new ByteWriter()
    const bad = change({ row: [1, 7 as unknown as string, null] })
    expect(() => writeNetChange(writer, bad)).toThrow()
    writer.reset()
    writeNetChange(writer, change())
    expect(netChangeValues(readNetChange(new ByteReader(writer.take()), schema))).toEqual([
      1,
      'a',
      150,
    ])
  })
})

describe('the partitions that a row may be leaving', () => {
  const leaf = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 })
  const leaves = fc.oneof(fc.constant('unknown' as const), leaf) as fc.Arbitrary<Leaves>
  const setOf = (found: Leaves): unknown =>
    found === 'unknown' ? 'unknown' : [...new Set(found)].sort()

  it('unite as sets, in any order and grouping, and unknown absorbs', () => {
    fc.assert(
      fc.property(leaves, leaves, leaves, (a, b, c) => {
        expect(setOf(uniteLeaves(a, b))).toEqual(setOf(uniteLeaves(b, a)))
        expect(setOf(uniteLeaves(uniteLeaves(a, b), c))).toEqual(
          setOf(uniteLeaves(a, uniteLeaves(b, c))),
        )
        expect(setOf(uniteLeaves(a, a))).toEqual(setOf(a))
        expect(uniteLeaves(a, 'unknown')).toBe('unknown')
        const all = a === 'unknown' || b === 'unknown' ? 'unknown' : [...a, ...b]
        expect(setOf(uniteLeaves(a, b))).toEqual(setOf(all))
      }),
    )
  })
})

describe('the values of a change under a larger schema', () => {
  const larger = schemaOf({
    n: { kind: 'decimal', precision: 10, scale: 4 },
    added: column('added', { kind: 'int' }, { initialDefault: 7 }),
    id: 'bigint',
    name: 'string',
    bare: 'int',
  })

  it('are found by column id, widened, and a whole row has the default of what is newer', () => {
    expect(alignValues(change(), larger)).toEqual([15_000, 7, 1, 'a', null])
    expect(alignValues(change({ row: bytesOf(schema, [1, 'a', 150]) }), larger)).toEqual([
      15_000,
      7,
      1,
      'a',
      null,
    ])
  })

  it('a patch has no value for what it was not sent, nor for what is newer', () => {
    const patch = change({ kind: 'patch', row: [1, undefined, null] })
    expect(alignValues(patch, larger)).toEqual([null, undefined, 1, undefined, undefined])
  })

  it('under their own schema stay as they are', () => {
    const values = [1, 'a', 150]
    expect(alignValues(change({ row: values }), schema)).toBe(values)
  })
})
