/** Keys of the database that changes come from. Only `verify` and `check --connect` ask it. */
import { z } from 'zod'

export const databasePort = z
  .int()
  .min(1)
  .max(65_535)
  .optional()
  .describe('Its port. Absent: 3306, and 5432 for PostgreSQL.')

export const database = z
  .strictObject({
    type: z.enum(['mariadb', 'mysql', 'postgres']).describe('What it is.'),
    host: z.string().describe('Where it is.'),
    port: databasePort,
    user: z.string().describe('Who asks; reading is enough.'),
    password: z.string().optional().describe('`${env:NAME}`, `${file:PATH}`.'),
    database: z
      .string()
      .optional()
      .describe('For PostgreSQL: which database. Absent: the one named like the user.'),
    tls: z
      .strictObject({
        ca: z.string().optional().describe('Certificates that it is checked against (PEM).'),
        cert: z.string().optional().describe('Certificate of this client (PEM): `${file:PATH}`.'),
        key: z.string().optional().describe('Its key (PEM): `${file:PATH}`.'),
      })
      .optional()
      .describe('TLS to it; `{}` trusts what the system trusts.'),
  })
  .optional()
  .describe(
    'The database itself, for `forager verify` and `forager check --connect`. A run does not need it.',
  )

export type DatabaseConfig = NonNullable<z.output<typeof database>>
