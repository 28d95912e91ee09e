/** Keys of staging. */
import { z } from 'zod'
import { duration } from './quantities.ts'
import { tls } from './tls-schema.ts'

const localStaging = z.strictObject({
  type: z
    .literal('local')
    .optional()
    .transform(() => 'local' as const)
    .describe('`local`: a folder of this machine or of a mount. It may be left out.'),
  path: z
    .string()
    .optional()
    .describe(
      'Folder of windows that are not applied yet; all instances must reach it, and Hive too. ' +
        'Absent: with a file source below `state.path`, else below `warehouse.path`.',
    ),
})

const webhdfsStaging = z.strictObject({
  type: z.literal('webhdfs').describe('`webhdfs`: a folder of HDFS, for `warehouse.type: hive`.'),
  urls: z
    .array(
      z
        .string()
        .regex(/^https?:\/\/[^\s/?#@]+\/?$/, 'must be an address like http://namenode:9870'),
    )
    .min(1)
    .describe('HTTP addresses of the NameNodes: `http://namenode:9870`. The active one is found.'),
  path: z
    .string()
    // Other names that lie in it are escaped; this one is the operator’s, and taken as it is.
    .regex(
      /^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9_=.-]+)+$/,
      'must be like /forager/staging: letters, digits, "_", "-", "=" and "."',
    )
    .describe('The folder; applications get one each below it.'),
  location: z
    .string()
    .regex(/^hdfs:\/\/[^\s/?#]+\/?$/, 'must be like hdfs://nameservice, without a path')
    .describe('The same cluster as Hive names it: `hdfs://nameservice`, `hdfs://host:8020`.'),
  user: z
    .string()
    .optional()
    .describe(
      'Who asks, where the cluster believes it (`hadoop.security.authentication: simple`).',
    ),
  delegationToken: z
    .string()
    .optional()
    .describe(
      'Instead of a user: `${env:NAME}`, `${file:PATH}`, as `hdfs fetchdt --webservice` gets it. It is read ' +
        'at the start.',
    ),
  tls: tls('the cluster'),
  requestTimeout: duration
    .prefault('30s')
    .describe('How long a NameNode may do nothing about a request; a DataNode three times that.'),
  retryTimeout: duration
    .prefault('2m')
    .describe('How long a request is repeated that fails for a passing reason.'),
})

export const staging = z
  .discriminatedUnion('type', [localStaging, webhdfsStaging])
  .prefault({})
  .describe('Where closed windows wait for the warehouse.')

export type StagingConfig = z.output<typeof staging>
