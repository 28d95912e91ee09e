/** Keys of the warehouse. */
import { z } from 'zod'
import { duration, size } from './quantities.ts'
import { tls } from './tls-schema.ts'

const embeddedWarehouse = z.strictObject({
  type: z
    .literal('embedded')
    .describe('`embedded`: ORC tables in a local folder, without a server.'),
  path: z.string().describe('The folder. Relative to the configuration file.'),
  targetFileSize: size.prefault('64MiB').describe('About how large a data file becomes.'),
  retain: duration
    .prefault('60s')
    .describe('How long files stay that left a table, for readers that began before.'),
})

const auth = z
  .strictObject({
    type: z
      .enum(['none', 'nosasl', 'plain', 'ldap', 'kerberos'])
      .default('none')
      .describe(
        'What `hive.server2.authentication` is: `none` (SASL PLAIN with a name that nobody checks), `nosasl`, ' +
          '`plain` and `ldap` (a name and a password), `kerberos` (the ticket of this process). Tests run ' +
          '`none` over the binary transport; the others have no server in the tests.',
      ),
    username: z.string().optional().describe('Who asks.'),
    password: z
      .string()
      .optional()
      .describe('For `plain` and `ldap`: `${env:NAME}`, `${file:PATH}`.'),
    service: z
      .string()
      .optional()
      .describe('For `kerberos`: first part of the server’s principal.'),
    serviceHost: z.string().optional().describe('For `kerberos`: its second part.'),
  })
  .prefault({})
  .describe('How HiveServer2 lets Forager in.')

const keepStaged = z
  .strictObject({
    maxAge: duration
      .prefault('15m')
      .describe('How long after a batch was applied. `0s`: nothing is kept.'),
    maxSize: size.prefault('64MiB').describe('Of the files of one table: beyond it the oldest go.'),
  })
  .prefault({})
  .describe(
    'Staged files of tables that come through topics of several partitions are kept for truncates, which may ' +
      'come later than rows that are newer: how far the partitions of a topic may be apart.',
  )

const hiveWarehouse = z.strictObject({
  type: z.literal('hive').describe('`hive`: transactional tables of Hive, through HiveServer2.'),
  host: z.string().describe('Of HiveServer2.'),
  port: z.int().min(1).max(65_535).default(10_000).describe('Its port.'),
  httpPath: z
    .string()
    .optional()
    .describe('Given: the HTTP transport, with this path (`cliservice`). Absent: binary.'),
  auth,
  tls: tls('HiveServer2'),
  database: z
    .string()
    .regex(/^[A-Za-z0-9_]+$/, 'must be letters, digits and "_"')
    .default('default')
    .describe('Of target tables that are named without one.'),
  version: z
    .enum(['4.0', '3.1', '2.3'])
    .default('4.0')
    .describe('Which SQL is spoken. 4.0 is tested; for the others it is generated and untested.'),
  sessions: z
    .int()
    .min(1)
    .max(64)
    .default(2)
    .describe(
      'How many tables an instance applies to at once. Each session is an application master of its own.',
    ),
  statementTimeout: duration
    .prefault('30m')
    .describe('How long a statement may take; then it is cancelled, and tried anew.'),
  keepStaged,
  drainTimeout: duration
    .prefault('10m')
    .describe(
      'After an attempt whose end is not known: how long statements that are open on the table are waited for. ' +
        'More than `hive.txn.timeout` of the metastore.',
    ),
  settings: z
    .record(z.string(), z.string())
    .default({})
    .describe('Settings of the sessions by Hive’s names: `tez.queue.name: etl`.'),
  buckets: z
    .int()
    .min(1)
    .max(256)
    .default(4)
    .describe('Of new tables, for Hive 2.3 alone, where a transactional table must have some.'),
})

export const warehouse = z
  .discriminatedUnion('type', [embeddedWarehouse, hiveWarehouse])
  .describe('Where the tables are.')

export type HiveWarehouseConfig = z.output<typeof hiveWarehouse>
