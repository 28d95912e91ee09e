/** Batches of vectors as rows of values, for what the row interface of the writer costs. */
import type { OrcBatch, OrcValue, OrcVector } from '../../orc/index.ts'

export function toRows({ rowCount, columns }: OrcBatch): OrcValue[][] {
  const read = columns.map(valuesOf)
  return Array.from({ length: rowCount }, (_, row) =>
    columns.map(({ present }, column) => (present?.[row] === 0 ? null : read[column]!(row))),
  )
}

function valuesOf(vector: OrcVector): (row: number) => OrcValue {
  switch (vector.kind) {
    case 'boolean':
      return row => vector.values[row] === 1
    case 'integer':
    case 'double':
    case 'long':
    case 'decimal':
      return row => vector.values[row]!
    case 'bytes': {
      const { bytes, starts, lengths } = vector
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      return row => text.toString('latin1', starts[row]!, starts[row]! + lengths[row]!)
    }
    case 'timestamp':
      return row => vector.seconds[row]! * 1_000_000 + vector.nanos[row]! / 1000
    default:
      throw new Error(`the benchmark has no vectors of kind ${vector.kind}`)
  }
}
