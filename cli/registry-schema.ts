/** Keys that say where the schemas of messages are which carry only an id. */
import { z } from 'zod'
import { duration } from './quantities.ts'
import { tls } from './tls-schema.ts'

const confluent = z.strictObject({
  type: z
    .literal('confluent')
    .describe('`confluent`: a registry with Confluent’s HTTP interface (Apicurio, Karapace, …).'),
  url: z
    .url({ protocol: /^https?$/, error: 'must be a URL, like http://registry:8081' })
    .refine(
      url => URL.parse(url)?.username === '' && URL.parse(url)?.password === '',
      'has a user or a password in it, and addresses are shown: give them as username and password',
    )
    .describe('Its address; Apicurio’s has the path `/apis/ccompat/v7`.'),
  username: z.string().optional().describe('For basic authentication.'),
  password: z.string().optional().describe('For it: `${env:NAME}`, `${file:PATH}`.'),
  token: z.string().optional().describe('For bearer authentication: `${file:PATH}`.'),
  tls: tls('the registry'),
  requestTimeout: duration.prefault('10s').describe('How long the registry may say nothing.'),
  retryTimeout: duration
    .prefault('1m')
    .describe('How long it is asked again while it does not answer; then the run stops.'),
})

const file = z.strictObject({
  type: z.literal('file').describe('`file`: schemas that were recorded with the events.'),
  path: z
    .string()
    .describe('JSON lines with `id` and `schema`. Relative to the configuration file.'),
})

export const registry = z
  .discriminatedUnion('type', [confluent, file])
  .optional()
  .describe('Where the schemas are that messages name by an id. Needed for `debezium-avro`.')

export type RegistryConfig = NonNullable<z.output<typeof registry>>
