import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../model/errors.ts'
import type { StagedBatch } from '../../model/staged-batch.ts'
import { decodeStagedBatch, encodeStagedBatch } from '../../model/staged-batch.ts'
import { column, schemaOf } from './samples.ts'

const batch: StagedBatch = {
  table: 'ods.用户',
  partitionBy: { column: 'create_time', unit: 'year_month' },
  task: '1_3',
  range: { from: 5, to: 2 ** 53 - 1 },
  schema: schemaOf({
    id: column('id', { kind: 'ubigint' }, { initialDefault: 2n ** 64n - 1n }),
    b: column('b', { kind: 'binary' }, { initialDefault: Buffer.from([255]) }),
  }),
  files: [{ path: '1_3/5-9-ab/ods.orc', sizeBytes: 10, rowCount: 2 }],
  rowCount: 2,
  eventCount: 7,
  truncate: {
    topic: 't',
    partition: 0,
    offset: 4,
    partitions: 3,
    isOrdered: true,
    point: null,
  },
  sourceMs: { first: 1, last: 2 },
}

describe('a staged batch', () => {
  it('is read back whole, its schema as the one object of that schema', () => {
    const read = decodeStagedBatch(encodeStagedBatch(batch))
    expect(read).toEqual(batch)
    expect(read.schema).toBe(batch.schema)
  })

  it('a batch that is only a truncate is read back too', () => {
    const empty = { ...batch, schema: { columns: [], key: [] }, files: [], rowCount: 0 }
    expect(decodeStagedBatch(encodeStagedBatch(empty))).toEqual(empty)
  })

  it('of an unknown version is refused, and so is nothing', () => {
    const bytes = encodeStagedBatch(batch)
    bytes[0] = 2
    expect(() => decodeStagedBatch(bytes)).toThrow(InvariantError)
    expect(() => decodeStagedBatch(bytes)).toThrow(/version 2, known is 1/)
    expect(() => decodeStagedBatch(Buffer.alloc(0))).toThrow(InvariantError)
  })
})
