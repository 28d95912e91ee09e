/** Keys of the connectors that `forager connectors apply` registers. A run does not look at them. */
import { z } from 'zod'

const value = z
  .union([z.string(), z.number(), z.boolean()], { error: 'must be text, a number, true or false' })
  .transform(String)

const settings = z
  .record(z.string(), value)
  .refine(given => given['connector.class'] !== undefined, 'has no `connector.class`')

export const connectors = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'must be a URL, like http://connect:8083' })
      .describe('Address of Kafka Connect’s REST interface.'),
    username: z.string().optional().describe('For basic authentication.'),
    password: z.string().optional().describe('For it: `${env:NAME}`, `${file:PATH}`.'),
    configs: z
      .record(
        z.string().regex(/^[^/\s]{1,255}$/, 'must be a name without spaces and slashes'),
        settings,
      )
      .describe(
        'Name of a connector → its settings, by the connector’s own names and as it has them. ' +
          '`${env:NAME}` and `${file:PATH}` are put in before they are sent; `$${…}` is sent as `${…}`, for ' +
          'Connect’s own providers.',
      ),
  })
  .optional()
  .describe(
    'Debezium’s connectors of the source, for `forager connectors apply` (`docs/connectors.md`). A run does not ' +
      'look at them.',
  )

export type ConnectorsConfig = NonNullable<z.output<typeof connectors>>
