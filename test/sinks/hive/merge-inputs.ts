/** What `mergeSql` is given in tests: a table without partitions and one with, and batches of each kind. */
import type { BatchFacts, MergeInput } from '../../../sinks/hive/merge-sql.ts'

export const noFacts: BatchFacts = {
  upserts: 0,
  patches: 0,
  moves: 0,
  deletes: 0,
  searches: 0,
  places: [],
}

const plain: MergeInput = {
  target: '`shop`.`orders`',
  source: '`changes`',
  table: {
    columns: [
      { name: 'id', type: 'int' },
      { name: 'name', type: 'string' },
      { name: 'tags', type: 'array<string>' },
      // Somebody else's.
      { name: 'added', type: 'date' },
    ],
    partition: null,
  },
  keys: [{ name: 'id', nullable: false }],
  sourceColumns: ['id', 'name', 'tags'],
  partitionSource: null,
  facts: noFacts,
  isWhole: false,
}

export function plainInput(
  facts: Partial<BatchFacts>,
  rest: Partial<Omit<MergeInput, 'facts'>> = {},
): MergeInput {
  return { ...plain, ...rest, facts: { ...noFacts, ...facts } }
}

/** By a column of the given type, which is `region` of the source. */
export function dividedInput(
  facts: Partial<BatchFacts>,
  rest: Partial<Omit<MergeInput, 'facts'>> = {},
  type = 'string',
): MergeInput {
  const table = { columns: plain.table.columns, partition: { name: 'region', type } }
  const sourceColumns = ['id', 'name', 'region', 'tags']
  return plainInput(facts, { table, sourceColumns, partitionSource: 'region', ...rest })
}
