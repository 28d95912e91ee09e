/**
 * Settings of Debezium's connectors for the databases of the stack, wherever it runs. Every message carries
 * its schema, in JSON.
 */
import { createHash } from 'node:crypto'

export type ConnectorConfig = Readonly<Record<string, string>>

export interface ConnectorOptions {
  /** Topics are named `<prefix>.<database or schema>.<table>`; unique among the connectors. */
  readonly topicPrefix: string
  /** MariaDB's databases; schemas of PostgreSQL. */
  readonly include: readonly string[]
  /** Of each topic that is made. 1 unless it says otherwise. */
  readonly partitions?: number
  /** Taken over the ones that are chosen here. */
  readonly more?: ConnectorConfig
}

/** Where Connect finds what its connectors need. */
export interface ConnectorPlaces {
  readonly mariadb: { readonly host: string; readonly port: number }
  readonly postgres: { readonly host: string; readonly port: number }
  /** A broker, as `host:port`. */
  readonly kafka: string
  /** Of the user `dbz`. */
  readonly password: string
}

const schemaJson = (which: 'key' | 'value'): ConnectorConfig => ({
  [`${which}.converter`]: 'org.apache.kafka.connect.json.JsonConverter',
  [`${which}.converter.schemas.enable`]: 'true',
})

function sharedSettings(
  { password }: ConnectorPlaces,
  { topicPrefix, partitions = 1 }: ConnectorOptions,
): ConnectorConfig {
  return {
    'tasks.max': '1',
    'database.user': 'dbz',
    'database.password': password,
    'topic.prefix': topicPrefix,
    // The broker makes no topic by itself.
    'topic.creation.default.replication.factor': '1',
    'topic.creation.default.partitions': String(partitions),
    'include.schema.comments': 'true',
    'provide.transaction.metadata': 'true',
    'heartbeat.interval.ms': '5000',
    'snapshot.mode': 'initial',
    // Truncates are skipped otherwise.
    'skipped.operations': 'none',
    ...schemaJson('key'),
    ...schemaJson('value'),
  }
}

export function mariadbSettings(
  places: ConnectorPlaces,
  options: ConnectorOptions,
): ConnectorConfig {
  const { topicPrefix, include, more } = options
  return {
    ...sharedSettings(places, options),
    'connector.class': 'io.debezium.connector.mariadb.MariaDbConnector',
    'database.hostname': places.mariadb.host,
    'database.port': String(places.mariadb.port),
    // To the server a connector is a replica, and no two replicas may have one number.
    'database.server.id': String(replicaId(topicPrefix)),
    'database.ssl.mode': 'disable',
    'database.include.list': include.join(),
    'include.schema.changes': 'true',
    'tombstones.on.delete': 'true',
    'schema.history.internal.kafka.bootstrap.servers': places.kafka,
    'schema.history.internal.kafka.topic': `${topicPrefix}._schema_history`,
    // The default turns the upper half of BIGINT UNSIGNED into negative numbers.
    'bigint.unsigned.handling.mode': 'precise',
    // A YEAR of 0000 stops the snapshot otherwise.
    'driver.yearIsDateType': 'false',
    'include.query': 'true',
    ...more,
  }
}

function replicaId(topicPrefix: string): number {
  return 1000 + (createHash('sha256').update(topicPrefix).digest().readUInt32BE() % 2 ** 31)
}

export function postgresSettings(
  places: ConnectorPlaces,
  options: ConnectorOptions,
): ConnectorConfig {
  const { topicPrefix, include, more } = options
  const suffix = topicPrefix.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')
  return {
    ...sharedSettings(places, options),
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'database.hostname': places.postgres.host,
    'database.port': String(places.postgres.port),
    'database.dbname': 'demo',
    'schema.include.list': include.join(),
    'plugin.name': 'pgoutput',
    'slot.name': `dbz_${suffix}`,
    'slot.drop.on.stop': 'false',
    'publication.name': `pub_${suffix}`,
    'publication.autocreate.mode': 'filtered',
    'publish.via.partition.root': 'true',
    'include.unknown.datatypes': 'false',
    ...more,
  }
}
