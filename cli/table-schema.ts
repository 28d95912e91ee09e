/** The part of a configuration that says which tables go where, and how: `tables[]`. */
import { z } from 'zod'
import { parsePartitionBy } from '../model/partition-by.ts'
import { parseStatedType } from '../model/stated-type.ts'
import { parsed } from './parsed.ts'
import { schemaChanges } from './schema-changes-schema.ts'

const columnList = z.array(z.string()).min(1)

const columns = z.strictObject({
  include: columnList.optional().describe('Only these columns are taken over. Absent: all.'),
  exclude: columnList.optional().describe('These columns are left out.'),
  types: z
    .record(z.string(), parsed(parseStatedType))
    .optional()
    .describe(
      'Types by column, in Hive’s words and some more (`docs/types.md`), where messages do not tell or should ' +
        'be overruled.',
    ),
})

export const table = z.strictObject({
  from: z
    .string()
    .regex(/^[^.\s]+\.[^.\s]+$/, 'must be database.table, or schema.table for PostgreSQL')
    .describe(
      'Source tables: `database.table`, or `schema.table`. `*` stands for any characters but a point, ' +
        'also for none; upper and lower case differ.',
    ),
  to: z
    .string()
    .regex(/^[^.\s]+(\.[^.\s]+)?$/, 'must be a table, or database.table')
    .describe(
      'The target table; `{database}`, `{schema}` and `{table}` of the source. What `*` stands for must ' +
        'be kept, so that each source table has a target of its own.',
    ),
  merge: z
    .boolean()
    .optional()
    .describe(
      'Several source tables may go to one target: parts of one table (shards). Their keys must not ' +
        'overlap, and a truncate of one of them empties the target.',
    ),
  key: columnList
    .optional()
    .describe(
      'Columns that identify a row. Absent: the primary key, as the messages’ keys have it.',
    ),
  partitionBy: parsed(parsePartitionBy)
    .optional()
    .describe('A column, or `year_month(column)` of a date or timestamp. Absent: no partitions.'),
  columns: columns.optional().describe('Which columns are taken over, and as what.'),
  beforeImage: z
    .enum(['full', 'key'])
    .optional()
    .describe(
      'Whether `before` is the whole old row. Absent: `full` for MySQL and MariaDB; `key` for others, ' +
        'where only `REPLICA IDENTITY FULL` makes it `full`.',
    ),
  schemaChanges,
})
