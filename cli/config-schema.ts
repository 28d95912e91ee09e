/**
 * The configuration file: one strict schema. Every key has a description, and a default or is required;
 * `docs/config.md` and `docs/config.schema.json` are generated from it.
 */
import { z } from 'zod'
import { connectorSettings } from '../formats/connector-settings.ts'
import { isTimeZone } from '../formats/mysql/time-zone.ts'
import type { StartPosition } from '../topology/nodes.ts'
import { connectors } from './connectors-schema.ts'
import { database } from './database-schema.ts'
import { formatNames } from './formats.ts'
import { history } from './history-schema.ts'
import { client, sasl, tls } from './kafka-connection-schema.ts'
import { parsed } from './parsed.ts'
import { duration, size } from './quantities.ts'
import { registry } from './registry-schema.ts'
import { staging } from './staging-schema.ts'
import { table } from './table-schema.ts'
import { warehouse } from './warehouse-schema.ts'

/** Throws what is wrong with it. */
export function parseStart(text: string): StartPosition['at'] {
  if (text === 'earliest' || text === 'latest') return text
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text)
  const timeMs = isTime ? Date.parse(text) : Number.NaN
  if (Number.isNaN(timeMs)) {
    throw new Error('must be earliest, latest, or a time with its zone, like 2026-05-31T08:00:00Z')
  }
  return { timeMs }
}

const name = z
  .string()
  .regex(
    /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,150}$/,
    'must be letters, digits, ".", "_" and "-", at most 150, and not "." or ".."',
  )

const connector = z
  .strictObject({
    'decimal.handling.mode': z
      .enum(connectorSettings['decimal.handling.mode'])
      .optional()
      .describe('How decimals are written. Absent: seen from their values where that is safe.'),
    'time.precision.mode': z
      .enum(connectorSettings['time.precision.mode'])
      .optional()
      .describe('In which unit times are written. Absent: seen from the rows.'),
    'bigint.unsigned.handling.mode': z
      .enum(connectorSettings['bigint.unsigned.handling.mode'])
      .optional()
      .describe(
        'How an unsigned BIGINT is written. Absent: seen from the values; a number below 0 is one above 2^63.',
      ),
    'interval.handling.mode': z
      .enum(connectorSettings['interval.handling.mode'])
      .optional()
      .describe('How intervals are written. Each value tells it, so it need not be stated.'),
    'hstore.handling.mode': z
      .enum(connectorSettings['hstore.handling.mode'])
      .optional()
      .describe('How an hstore is written. Each value tells it, so it need not be stated.'),
    'binary.handling.mode': z
      .enum(connectorSettings['binary.handling.mode'])
      .optional()
      .describe('How bytes are written. Absent: `bytes`.'),
    'unavailable.value.placeholder': z
      .string()
      .optional()
      .describe(
        'Stands for a value that was not sent; `hex:` begins one of bytes. Absent: `__debezium_unavailable_value`.',
      ),
    'user.timezone': z
      .string()
      .refine(isTimeZone, 'is not a time zone, like Asia/Shanghai or GMT+08:00')
      .optional()
      .describe(
        'Of the JVM in which canal runs: it writes the values of TIMESTAMP columns as the clock is there. ' +
          'Absent: UTC.',
      ),
    ddl_kafka_topic: z
      .string()
      .optional()
      .describe(
        'Maxwell’s topic of schema changes (`output_ddl`), which tell the types of columns. Absent: types are ' +
          'inferred from values.',
      ),
    output_nulls: z
      .union([z.boolean(), z.enum(connectorSettings.output_nulls)])
      .transform(given => (String(given) === 'false' ? 'false' : 'true'))
      .optional()
      .describe(
        'Of Maxwell. `false`: what a row lacks is null. Absent: `true`, and what an update lacks was not sent.',
      ),
    'include.schema.changes': z
      .union([z.boolean(), z.enum(connectorSettings['include.schema.changes'])])
      .transform(given => (String(given) === 'false' ? 'false' : 'true'))
      .optional()
      .describe(
        '`false`: there is no topic of schema changes, and types that no schema tells and nobody states are ' +
          'inferred from the values. Absent: `true`.',
      ),
    'add.fields': z
      .string()
      .optional()
      .describe(
        'Of `debezium-flat`: what the transform adds to rows, as it has it: `op,source.ts_ms,lsn:LSN`. ' +
          'Absent: every field that is called as Debezium calls them.',
      ),
    'add.fields.prefix': z
      .string()
      .optional()
      .describe('Of `debezium-flat`: what the names of added fields begin with. Absent: `__`.'),
  })
  .prefault({})
  .describe(
    'Settings of the connector, by its own names and as it has them, that messages do not tell.',
  )

/** What every source has. */
const anySource = {
  format: z
    .enum(formatNames)
    .describe('What the messages are. `auto`: found out for each topic, and said.'),
  registry,
  connector,
  dropRepeats: z
    .boolean()
    .default(true)
    .describe('Drops what the producer sent again after a crash.'),
  ordering: z
    .enum(['log', 'position'])
    .default('log')
    .describe(
      'Which of two changes of a row is the later one: by the order of their partition, or by their place in ' +
        'the source’s log, for producers that spread a row’s changes over partitions (`docs/ordering.md`).',
    ),
  keyedBy: z
    .enum(['unknown', 'primary-key'])
    .default('unknown')
    .describe(
      '`primary-key`: the producer sends all changes of a row through one partition of one topic, as Debezium ' +
        'does by default. Then they need no hop to come together (`docs/kafka.md`). Where it is not so, rows ' +
        'turn back to earlier states.',
    ),
  incarnation: z
    .string()
    .default('')
    .describe(
      'A new name says that the source’s log began anew (restored, reset): nothing counts as sent before.',
    ),
  database,
}

const fileSource = z.strictObject({
  type: z.literal('file').describe('`file`: a file of recorded events, read to its end.'),
  path: z
    .string()
    .describe('The file: JSON lines, plain or gzipped. Relative to the configuration file.'),
  repartitionInto: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe(
      'Gives every topic of the file this many partitions, by the hash of the key. For tests. ' +
        'Absent: the partitions that were recorded.',
    ),
  ...anySource,
})

const broker = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:[\]]+):\d{1,5}$/, 'must be host:port, like kafka-1:9092')

const kafkaSource = z.strictObject({
  type: z.literal('kafka').describe('`kafka`: topics of a Kafka cluster (3.1 or newer).'),
  brokers: z.array(broker).min(1).describe('Some brokers of the cluster, as `host:port`.'),
  topics: z
    .array(z.string().min(1))
    .min(1)
    .describe('Topics with change events; `*` stands for any characters.'),
  start: parsed(parseStart)
    .prefault('earliest')
    .describe(
      'Where a partition is begun that was never read before: `earliest`, `latest`, or at a time like ' +
        '`2026-05-31T08:00:00Z`. With a pattern `latest` is when the application first ran, so that nothing ' +
        'is passed over of a topic that is made later.',
    ),
  startOffsets: z
    .record(z.string().regex(/^.+-\d+$/, 'must name a partition, like orders-0'), z.int().min(0))
    .default({})
    .describe('The same by partition: `orders-0: 1234`.'),
  topicRefresh: duration
    .prefault('30s')
    .describe(
      'How often it is looked for topics of a pattern that came or went, and for partitions.',
    ),
  confirmPartitions: z
    .record(z.string(), z.int().min(1))
    .default({})
    .describe(
      'Topics that got more partitions, with how many they have now: `orders: 8`. What the partitions of ' +
        'before have is read first. It may stay.',
    ),
  client,
  clientId: name.optional().describe('Names the client to the brokers. Absent: `applicationId`.'),
  instanceId: name
    .optional()
    .describe(
      'A name of this instance that outlives a restart (static membership): its partitions wait for it ' +
        'for `sessionTimeout`.',
    ),
  sessionTimeout: duration
    .prefault('45s')
    .describe('A member of the group that is silent for so long loses its partitions.'),
  rebalanceTimeout: duration
    .prefault('5m')
    .describe('How long the group waits for a member that is busy.'),
  requestTimeout: duration.prefault('30s').describe('How long a broker may take for one request.'),
  retryTimeout: duration
    .prefault('2m')
    .describe(
      'How long a request that fails for a passing reason is repeated, and how long a topic that is named ' +
        'may be missing.',
    ),
  replicationFactor: z
    .int()
    .min(1)
    .optional()
    .describe('Of internal topics. Absent: the brokers’ default.'),
  tls,
  sasl,
  ...anySource,
})

const source = z
  .discriminatedUnion('type', [fileSource, kafkaSource])
  .describe('Where the change events come from.')

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
  connectors,
  warehouse,
  window,
  repartition: z
    .strictObject({
      partitions: z
        .int()
        .min(1)
        .max(1000)
        .optional()
        .describe(
          'Partitions of the hop; they stay. Absent: as many as the widest source topic has at the first ' +
            'start, and 1 where there is none yet.',
        ),
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
    .enum(['fail', 'skip', 'dead-letter'])
    .default('fail')
    .describe(
      'What becomes of a bad message: stop; count it and go on; or keep it as a dead letter as well ' +
        '(`docs/bad-messages.md`).',
    ),
  staging,
  http: z
    .strictObject({
      port: z.int().min(0).max(65_535).default(9464).describe('Where it listens.'),
      host: z
        .string()
        .default('127.0.0.1')
        .describe('Which address; in a container `0.0.0.0`, so that Prometheus reaches it.'),
      token: z
        .string()
        // Before its secret is put in, it is what names that.
        .regex(/^(?:[!-~]{16,}|.*\$\{.*)$/, 'must have 16 characters or more, and no space')
        .optional()
        .describe(
          'Who sends it (`Authorization: Bearer …`) may read `/history`: `${env:NAME}`, `${file:PATH}`. Absent: ' +
            'nobody may.',
        ),
    })
    .optional()
    .describe(
      'Shows `/metrics`, `/status`, `/health/live`, `/health/ready`, and with a token `/history`. Absent: ' +
        'nothing listens.',
    ),
  history,
  processingGuarantee: z
    .enum(['exactly_once_v2', 'at_least_once'])
    .default('exactly_once_v2')
    .describe(
      '`at_least_once` writes without transactions, to measure against: see docs/kafka.md for what may be ' +
        'seen after a crash.',
    ),
  stopTimeout: duration
    .prefault('25s')
    .describe(
      'After SIGTERM: how long open windows may take to be staged. When it is over the group is left within ' +
        'two seconds, and the exit code is 1; nothing is lost, it is read again.',
    ),
  commitInterval: duration
    .prefault('1s')
    .describe('How often what was read is committed to the hop.'),
})

export type Config = z.output<typeof configSchema>
export type KafkaSourceConfig = z.output<typeof kafkaSource>
export type FileSourceConfig = z.output<typeof fileSource>
