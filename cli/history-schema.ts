/** Keys of the record of what runs. */
import { z } from 'zod'
import { databasePort } from './database-schema.ts'
import { duration } from './quantities.ts'
import { tls } from './tls-schema.ts'

const kept = {
  retain: duration
    .prefault('720h')
    .describe('How long rows are kept. Pruned at the start, and every hour.'),
  maxRows: z
    .int()
    .min(1000)
    .default(2_000_000)
    .describe('Of each kind (windows, batches, …): beyond it the oldest go earlier.'),
  maxWaiting: z
    .int()
    .min(100)
    .default(10_000)
    .describe(
      'Rows that wait in memory while the history cannot be written; beyond it the oldest are let go, and what ' +
        'they covered is written down later.',
    ),
}

const sqlite = z.strictObject({
  type: z
    .literal('sqlite')
    .describe('`sqlite`: a file of this machine, for all instances that run on it.'),
  path: z
    .string()
    .optional()
    .describe(
      'The file. Relative to the configuration file. Absent: `<applicationId>-history.sqlite` in `state.path`.',
    ),
  ...kept,
})

function server<T extends 'postgres' | 'mariadb' | 'mysql'>(type: T, what: string) {
  return z.strictObject({
    type: z.literal(type).describe(`\`${type}\`: ${what}`),
    host: z.string().describe('Where it is.'),
    port: databasePort,
    user: z.string().describe('Who writes: it may make tables and indexes there.'),
    password: z.string().optional().describe('`${env:NAME}`, `${file:PATH}`.'),
    database: z.string().describe('In which database the tables `forager_…` are.'),
    tls: tls('the history’s server'),
    timeout: duration
      .prefault('10s')
      .describe('How long the server may take to let in, and for a statement.'),
    ...kept,
  })
}

const none = z.strictObject({ type: z.literal('none').describe('`none`: nothing is recorded.') })

export const history = z
  .discriminatedUnion('type', [
    sqlite,
    server('postgres', 'a database of PostgreSQL, for instances on several machines.'),
    server('mariadb', 'the same of MariaDB.'),
    server('mysql', 'the same of MySQL.'),
    none,
  ])
  .prefault({ type: 'sqlite' })
  .describe(
    'Where runs, windows, batches and statements are recorded (`docs/history.md`). It never stops data.',
  )
