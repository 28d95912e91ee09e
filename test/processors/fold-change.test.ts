import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WarehouseError } from '../../model/errors.ts'
import type { Leaves, NetChange } from '../../model/net-change.ts'
import { netChangeValues } from '../../model/net-change.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import { unionSchema } from '../../model/table-schema.ts'
import { foldChange } from '../../processors/fold-change.ts'
import { column, schemaOf } from '../model/samples.ts'
import type { PlainRow } from './samples.ts'
import { applyPlainly, netOf, readUnder } from './samples.ts'

const upsert = netOf({ row: [1, 'old', 'M'], last: { position: 'a', sourceMs: 1 } })
const patch = netOf({
  kind: 'patch',
  row: [1, undefined, 'F'],
  last: { position: 'b', sourceMs: 2 },
})
const gone = netOf({ kind: 'delete', last: { position: 'c', sourceMs: 3 } })

function folded(older: NetChange, newer: NetChange) {
  const { kind, row, ...rest } = foldChange(older, newer)
  return { kind, values: row === null ? null : netChangeValues({ kind, row, ...rest }), ...rest }
}

describe('two changes of a row', () => {
  it('an upsert after anything is that upsert', () => {
    const newer = netOf({ row: [1, 'new', null] })
    for (const older of [upsert, patch, gone]) {
      expect(folded(older, newer)).toMatchObject({ kind: 'upsert', values: [1, 'new', null] })
    }
  })

  it('a delete after anything is a delete: an insert and its delete do not net to nothing', () => {
    for (const older of [upsert, patch, gone]) {
      expect(folded(older, gone)).toMatchObject({ kind: 'delete', values: null })
    }
  })

  it('a patch after an upsert is the whole row, patched', () => {
    expect(folded(upsert, patch)).toMatchObject({ kind: 'upsert', values: [1, 'old', 'F'] })
  })

  it('a patch after a patch is a patch of what either sent, the newer one first', () => {
    const older = netOf({ kind: 'patch', row: [1, 'x', 'M'] })
    expect(folded(older, patch)).toMatchObject({ kind: 'patch', values: [1, 'x', 'F'] })
    const little = netOf({ kind: 'patch', row: [1, undefined, 'M'] })
    expect(folded(little, patch)).toMatchObject({ kind: 'patch', values: [1, undefined, 'F'] })
  })

  it('a patch after a delete is a whole row with nulls for what was not sent', () => {
    expect(folded(gone, patch)).toMatchObject({ kind: 'upsert', values: [1, null, 'F'] })
  })

  it('null that was sent is a value; what was not sent is not null', () => {
    const toNull = netOf({ kind: 'patch', row: [1, null, undefined] })
    expect(folded(upsert, toNull).values).toEqual([1, null, 'M'])
    expect(folded(patch, toNull).values).toEqual([1, null, 'F'])
  })

  it('the place and the time are those of the newer one', () => {
    for (const older of [upsert, patch, gone]) {
      for (const newer of [upsert, patch, gone]) {
        expect(folded(older, newer).last).toEqual(newer.last)
        expect(folded(older, newer).key).toBe('k')
      }
    }
  })

  it('the row may have been wherever either says, and unknown absorbs', () => {
    const cases: readonly (readonly [Leaves, Leaves, Leaves])[] = [
      [[], [], []],
      [['a'], ['b'], ['a', 'b']],
      [['a'], ['a'], ['a']],
      [[], ['b'], ['b']],
      ['unknown', ['b'], 'unknown'],
      [['a'], 'unknown', 'unknown'],
    ]
    for (const older of [upsert, patch, gone]) {
      for (const newer of [upsert, patch, gone]) {
        for (const [left, right, both] of cases) {
          const change = foldChange({ ...older, leaves: left }, { ...newer, leaves: right })
          expect(change.leaves).toEqual(both)
        }
      }
    }
  })

  it('neither is changed', () => {
    const before = structuredClone([upsert, patch, gone])
    for (const older of [upsert, patch, gone]) {
      for (const newer of [upsert, patch, gone]) foldChange(older, newer)
    }
    expect([upsert, patch, gone]).toEqual(before)
  })
})

describe('changes under different schemas', () => {
  const price = { kind: 'decimal', precision: 6, scale: 2 } as const
  const wide = { kind: 'decimal', precision: 10, scale: 4 } as const
  const old = schemaOf({ id: 'int', price })
  const next = schemaOf({
    id: 'bigint',
    price: wide,
    vip: column('vip', { kind: 'int' }, { initialDefault: 7 }),
  })

  it('a patch under a newer schema keeps the old row, widened, with the new column’s default', () => {
    const older = netOf({ schema: old, row: [1, 150] })
    const newer = netOf({ kind: 'patch', schema: next, row: [1, undefined, undefined] })
    expect(folded(older, newer)).toMatchObject({
      kind: 'upsert',
      values: [1, 15_000, 7],
      schema: next,
    })
  })

  it('a patch under an older schema does not take the newer column away', () => {
    const older = netOf({ schema: next, row: [1, 15_000, 3] })
    const newer = netOf({ kind: 'patch', schema: old, row: [1, 225] })
    expect(folded(older, newer).values).toEqual([1, 22_500, 3])
  })

  it('types that nothing holds are refused', () => {
    const other = schemaOf({ id: 'int', price: 'string' })
    const newer = netOf({ kind: 'patch', schema: other, row: [1, 'x'] })
    expect(() => foldChange(netOf({ schema: old, row: [1, 150] }), newer)).toThrow(WarehouseError)
  })
})

describe('folding', () => {
  /** Versions of one table: a column comes, another widens, a third goes. */
  function versions(initialDefault: number | undefined): readonly TableSchema[] {
    const b = initialDefault === undefined ? {} : { initialDefault }
    const decimal = (precision: number, scale: number) =>
      ({ kind: 'decimal', precision, scale }) as const
    return [
      schemaOf({ id: 'int', a: decimal(6, 1), c: 'string' }),
      schemaOf({ id: 'int', a: decimal(6, 1), c: 'string', b: column('b', { kind: 'int' }, b) }),
      schemaOf({ id: 'bigint', a: decimal(10, 3), b: column('b', { kind: 'bigint' }, b) }),
    ]
  }

  function changes(schemas: readonly TableSchema[]): fc.Arbitrary<NetChange> {
    const value = fc.option(fc.nat(9).map(n => n * 10))
    return fc
      .record({
        version: fc.nat(schemas.length - 1),
        kind: fc.constantFrom('upsert' as const, 'patch' as const, 'delete' as const),
        values: fc.array(value, { minLength: 4, maxLength: 4 }),
        sent: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        leaves: fc.constantFrom<Leaves>('unknown', [], ['x'], ['y']),
      })
      .map(({ version, kind, values, sent, leaves }) => {
        const schema = schemas[version]!
        const row = schema.columns.map(({ name, type }, index) => {
          if (name === 'id') return 1
          if (kind === 'patch' && !sent[index]!) return undefined
          const found = values[index]!
          return found !== null && type.kind === 'string' ? String(found) : found
        })
        return netOf({ kind, schema, row: kind === 'delete' ? null : row, leaves })
      })
  }

  const start: readonly PlainRow[] = [
    null,
    new Map([
      ['id', '1'],
      ['a', '5'],
      ['c', 'kept'],
    ]),
  ]
  const union = (all: readonly NetChange[]): TableSchema =>
    all.map(({ schema }) => schema).reduce((a, b) => unionSchema(a, b))

  it('does to any row what its changes do one after another', () => {
    fc.assert(
      fc.property(fc.array(changes(versions(undefined)), { minLength: 2, maxLength: 6 }), all => {
        const schema = union(all)
        for (const row of start) {
          const inTurn = all.reduce(applyPlainly, row)
          const atOnce = applyPlainly(row, all.reduce(foldChange))
          expect(readUnder(schema, atOnce)).toEqual(readUnder(schema, inTurn))
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('does not depend on the grouping', () => {
    const change = changes(versions(undefined))
    fc.assert(
      fc.property(change, change, change, (a, b, c) => {
        const left = foldChange(foldChange(a, b), c)
        const right = foldChange(a, foldChange(b, c))
        const schema = union([a, b, c])
        for (const row of start) {
          expect(readUnder(schema, applyPlainly(row, left))).toEqual(
            readUnder(schema, applyPlainly(row, right)),
          )
        }
        const sorted = (leaves: Leaves) => (leaves === 'unknown' ? leaves : [...leaves].sort())
        expect(sorted(left.leaves)).toEqual(sorted(right.leaves))
        expect(left.last).toEqual(right.last)
      }),
      { numRuns: 5000 },
    )
  })

  it('nor where a column came with a default, while there is a row to patch', () => {
    const change = changes(versions(7))
    const row = start[1]!
    fc.assert(
      fc.property(change, change, change, (a, b, c) => {
        // A patch that finds no row makes one of nulls, wherever it was folded before.
        fc.pre(!(a.kind === 'delete' && b.kind === 'patch'))
        fc.pre(!(b.kind === 'delete' && c.kind === 'patch'))
        const schema = union([a, b, c])
        const left = applyPlainly(row, foldChange(foldChange(a, b), c))
        const right = applyPlainly(row, foldChange(a, foldChange(b, c)))
        expect(readUnder(schema, left)).toEqual(readUnder(schema, right))
        expect(readUnder(schema, left)).toEqual(
          readUnder(schema, [a, b, c].reduce(applyPlainly, row)),
        )
      }),
      { numRuns: 3000 },
    )
  })
})

describe('a patch that takes what it lacks from the row under its old key', () => {
  const moved = netOf({ kind: 'patch', key: '2', row: [2, 'b', undefined], movedFrom: '1' })

  it('replaces: what its key had before was deleted, or truncated', () => {
    for (const kind of ['upsert', 'patch', 'delete'] as const) {
      const row = kind === 'delete' ? null : [2, 'a', 'M']
      const older = netOf({ kind, key: '2', row, leaves: ['x'] })
      expect(foldChange(older, moved)).toEqual({ ...moved, leaves: ['x'] })
    }
  })

  it('stays one under a patch, and gives way to what replaces it', () => {
    const patch = netOf({ kind: 'patch', key: '2', row: [2, undefined, undefined] })
    expect(foldChange(moved, patch)).toMatchObject({
      kind: 'patch',
      movedFrom: '1',
      row: [2, 'b', undefined],
    })
    expect(foldChange(moved, netOf({ key: '2' })).movedFrom).toBeUndefined()
    expect(foldChange(moved, netOf({ key: '2', kind: 'delete' })).movedFrom).toBeUndefined()
  })

  it('of its own key alone has no row behind a delete', () => {
    const alone = { ...moved, movedFrom: '2' }
    expect(() => foldChange(netOf({ key: '2', kind: 'delete' }), alone)).toThrow(WarehouseError)
    expect(foldChange(netOf({ key: '2', row: [2, 'a', 'M'] }), alone)).toMatchObject({
      kind: 'upsert',
      row: [2, 'b', 'M'],
    })
  })
})
