/** Keys of a Kafka source that say which client connects, and how it is let in. */
import { z } from 'zod'

export const client = z
  .enum(['platformatic', 'kafkajs', 'node-rdkafka'])
  .default('platformatic')
  .describe(
    'The library that speaks to the brokers: `platformatic` (@platformatic/kafka), `kafkajs`, or ' +
      '`node-rdkafka`, which must be installed beside Forager. docs/kafka.md compares them.',
  )

export const tls = z
  .strictObject({
    ca: z
      .string()
      .optional()
      .describe('Certificates that brokers are checked against (PEM): `${file:ca.pem}`.'),
    cert: z.string().optional().describe('Certificate of this client (PEM): `${file:PATH}`.'),
    key: z.string().optional().describe('Its key (PEM): `${file:PATH}`.'),
    passphrase: z.string().optional().describe('Of the key: `${env:NAME}`.'),
  })
  .optional()
  .describe(
    'TLS to the brokers; `{}` trusts what the system trusts. In its values, and in those of ' +
      '`source.sasl`, `${env:NAME}` stands for a variable of the environment and `${file:PATH}` for what ' +
      'a file holds, without its last line end.',
  )

export const sasl = z
  .strictObject({
    mechanism: z
      .enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'])
      .describe('How the client authenticates.'),
    username: z.string().optional().describe('For PLAIN and SCRAM.'),
    password: z.string().optional().describe('For PLAIN and SCRAM: `${env:NAME}`, `${file:PATH}`.'),
    token: z.string().optional().describe('For OAUTHBEARER: `${file:PATH}`, read at the start.'),
  })
  .optional()
  .describe('Authentication to the brokers.')
