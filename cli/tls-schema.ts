/** Keys that say whom a connection trusts, and who it is. */
import { z } from 'zod'

export const tls = (peer: string) =>
  z
    .strictObject({
      ca: z.string().optional().describe(`Certificates that ${peer} is checked against (PEM).`),
      cert: z.string().optional().describe('Certificate of this client (PEM): `${file:PATH}`.'),
      key: z.string().optional().describe('Its key (PEM): `${file:PATH}`.'),
      passphrase: z.string().optional().describe('Of the key: `${env:NAME}`.'),
    })
    .optional()
    .describe(`TLS to ${peer}; \`{}\` trusts what the system trusts.`)
