/**
 * The configuration file: one strict schema. Every key has a description, and a default or is required;
 * `docs/config.md` and `docs/config.schema.json` are generated from it.
 */
import { z } from 'zod'
import { parseColumnType } from '../model/column-type.ts'
import { parsePartitionBy } from '../model/partition-by.ts'

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
}

/** Text with a unit, as a number of the smallest unit. */
function quantity(what: string, units: Readonly<Record<string, number>>, example: string) {
  const names = Object.keys(units).join('|')
  const form = new RegExp(`^(\\d+(?:\\.\\d+)?) ?(${names})$`)
  const message = `must be a ${what} with its unit, like ${example} (units: ${names.replaceAll('|', ', ')})`
  return z
    .string(message)
    .regex(form, message)
    .transform(text => {
      const match = form.exec(text)
      return Math.round(Number(match?.[1]) * units[match?.[2] ?? '']!)
    })
}

const duration = quantity('duration', durationUnits, '5s')
const size = quantity('size', sizeUnits, '64MiB')

/** Text that another parser accepts; its error is the problem that is shown. */
function parsed<T>(parse: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })
}

const name = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,150}$/, 'must be letters, digits, ".", "_" and "-", at most 150')

const columnList = z.array(z.string()).min(1)

const source = z
  .strictObject({
    type: z.literal('file').describe('`file`: a file of recorded events, read to its end.'),
    path: z
      .string()
      .describe('The file: JSON lines, plain or gzipped. Relative to the configuration file.'),
    format: z.literal('debezium-json').describe('What the messages are.'),
    repartitionInto: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .describe(
        'Gives every topic of the file this many partitions, by the hash of the key. For tests. ' +
          'Absent: the partitions that were recorded.',
      ),
    connector: z
      .record(z.string(), z.string())
      .default({})
      .describe(
        'Settings of the connector, by Debezium’s names, that messages without schemas do not tell: ' +
          '`time.precision.mode`, `decimal.handling.mode`, `binary.handling.mode`, ' +
          '`unavailable.value.placeholder`.',
      ),
    dropRepeats: z
      .boolean()
      .default(true)
      .describe('Drops what the producer sent again after a crash.'),
    incarnation: z
      .string()
      .default('')
      .describe(
        'A new name says that the source’s log began anew (restored, reset): nothing counts as sent before.',
      ),
  })
  .describe('Where the change events come from.')

const columns = z.strictObject({
  include: columnList.optional().describe('Only these columns are taken over. Absent: all.'),
  exclude: columnList.optional().describe('These columns are left out.'),
  types: z
    .record(z.string(), parsed(parseColumnType))
    .optional()
    .describe(
      'Types by column, in Hive’s words, where messages do not tell or should be overruled.',
    ),
})

const table = z.strictObject({
  from: z
    .string()
    .regex(/^[^.\s]+\.[^.\s]+$/, 'must be database.table, or schema.table for PostgreSQL')
    .describe('Source tables: `database.table`, or `schema.table`; `*` stands for any characters.'),
  to: z
    .string()
    .regex(/^[^.\s]+(\.[^.\s]+)?$/, 'must be a table, or database.table')
    .describe('The target table; `{database}`, `{schema}` and `{table}` of the source.'),
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
})

const warehouse = z
  .strictObject({
    type: z
      .literal('embedded')
      .describe('`embedded`: ORC tables in a local folder, without a server.'),
    path: z.string().describe('The folder. Relative to the configuration file.'),
    targetFileSize: size.prefault('64MiB').describe('About how large a data file becomes.'),
    retain: duration
      .prefault('60s')
      .describe('How long files stay that left a table, for readers that began before.'),
  })
  .describe('Where the tables are.')

const window = z
  .strictObject({
    maxAge: duration
      .prefault('60s')
      .describe('A window (each task has its own) closes at this age,'),
    maxRows: z.int().min(1).default(500_000).describe('or with this many net changes,'),
    maxBytes: size.prefault('64MiB').describe('or when they take this much.'),
  })
  .prefault({})
  .describe('When windows close: at the first limit that is reached.')

export const configSchema = z.strictObject({
  applicationId: name.describe('Names the application: prefix of its internal topics.'),
  source,
  tables: z
    .array(table)
    .min(1)
    .describe('Which tables go where. The first rule that matches counts.'),
  warehouse,
  window,
  repartition: z
    .strictObject({
      partitions: z
        .int()
        .min(1)
        .max(1000)
        .optional()
        .describe('Partitions of the hop; they stay. Absent: as many as the widest source topic.'),
    })
    .prefault({})
    .describe('The hop that brings the changes of a row together.'),
  state: z
    .strictObject({
      path: z
        .string()
        .default('.forager')
        .describe('Folder of the log, stores and staging. Relative to the configuration file.'),
      store: z
        .enum(['memory', 'persistent'])
        .default('memory')
        .describe('Where open windows are kept: in memory, or on disk beyond `memory`.'),
      memory: size
        .prefault('8MiB')
        .describe('What a persistent store keeps in memory before it writes to disk.'),
    })
    .prefault({})
    .describe('What the application keeps between runs.'),
  onError: z
    .enum(['fail', 'skip'])
    .default('fail')
    .describe('What becomes of a bad message: stop, or count it and go on.'),
  commitInterval: duration
    .prefault('1s')
    .describe('How often what was read is committed to the hop.'),
})

export type Config = z.output<typeof configSchema>
