import { describe, expect, it } from 'vitest'
import { columnsOf, rowsOf } from '../../../sinks/hive/hive-rows.ts'

const noNulls = new Uint8Array()

function int64(value: bigint): { buffer: Buffer; offset: number } {
  const buffer = Buffer.alloc(12)
  buffer.writeBigInt64BE(value, 4)
  return { buffer, offset: 4 }
}

describe('a result of Hive', () => {
  it('turns columns into rows', () => {
    const rows = rowsOf([
      { i32Val: { values: [1, 2], nulls: noNulls } },
      { stringVal: { values: ['a', ''], nulls: noNulls } },
      { boolVal: { values: [true, false], nulls: noNulls } },
    ])
    expect(rows).toEqual([
      [1, 'a', true],
      [2, '', false],
    ])
  })

  it('keeps all 64 bits of a bigint', () => {
    const values = [9223372036854775807n, -9223372036854775808n, -1n, 0n]
    const rows = rowsOf([{ i64Val: { values: values.map(int64), nulls: noNulls } }])
    expect(rows.flat()).toEqual(values)
  })

  it('has null where a bit says so, and not past the last bit', () => {
    const values = Array.from({ length: 19 }, (_, index) => index)
    const nulls = Uint8Array.of(0b1000_0001, 0b0000_0010)
    const rows = rowsOf([{ i16Val: { values, nulls } }])
    expect(rows.flatMap(([value], index) => (value === null ? [index] : []))).toEqual([0, 7, 9])
    expect(rows[18]).toEqual([18])
  })

  it('copies bytes, so that a value does not keep the whole answer', () => {
    const answer = Buffer.from([9, 1, 2, 9])
    const rows = rowsOf([{ binaryVal: { values: [answer.subarray(1, 3)], nulls: noNulls } }])
    expect(rows).toEqual([[Uint8Array.of(1, 2)]])
    expect((rows[0]![0] as Uint8Array).buffer.byteLength).toBe(2)
  })

  it('has no rows when there are no columns or no values', () => {
    expect(rowsOf([])).toEqual([])
    expect(rowsOf([{ doubleVal: { values: [], nulls: noNulls } }])).toEqual([])
  })

  it('names its columns in order, without their table, and their types', () => {
    const column = (columnName: string, position: number, type: number) => ({
      columnName,
      position,
      typeDesc: { types: [{ primitiveEntry: { type } }] },
    })
    expect(columnsOf([column('t.amount', 2, 15), column('id', 1, 4)])).toEqual([
      { name: 'id', type: 'bigint' },
      { name: 'amount', type: 'decimal' },
    ])
    const odd = { columnName: 'x', position: 1, typeDesc: { types: [] } }
    expect(columnsOf([odd])).toEqual([{ name: 'x', type: 'unknown' }])
  })
})
