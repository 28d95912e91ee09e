/**
 * What the servers have in common wherever they run, from jars (this folder) or in containers
 * (`scripts/compose`): versions, memory, settings, and what databases begin with.
 */

/** The pom files here have them, too; a test holds the two together. */
export const versions = {
  kafka: '4.3.1',
  debezium: '3.5.0.Final',
  /** Apicurio's converter for Connect. */
  converter: '2.6.13.Final',
  registry: '3.3.3',
  hive: '4.0.1',
  hadoop: '3.3.6',
  tez: '0.10.4',
  postgresDriver: '42.7.4',
  /** As Debian 12 has them, to the digit that stays within it. */
  mariadb: '10.11',
  postgres: '15',
} as const

/** Largest heaps, in MB. */
export const heapsMb = {
  kafka: 640,
  connect: 640,
  namenode: 192,
  datanode: 192,
  metastore: 384,
  hiveserver2: 1280,
  registry: 384,
} as const

/** Few classes, little work: the quick compiler and the simple collector are enough. */
export const smallJvm = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

export const kafkaClusterId = 'Zm9yYWdlci1zdGFjay0xMQ'

/** Of the server, wherever its data lies and whoever may reach it. */
export const postgresServer = {
  wal_level: 'logical',
  max_wal_senders: 20,
  max_replication_slots: 20,
  // The pools of the metastore and of HiveServer2 take many.
  max_connections: 200,
  shared_buffers: '64MB',
  timezone: 'UTC',
} as const

/** A statement each. Who makes a publication for tables of others must be a superuser. */
export const postgresSetup = [
  "CREATE ROLE hive LOGIN PASSWORD 'hive'",
  "CREATE ROLE dbz LOGIN SUPERUSER REPLICATION PASSWORD 'dbz'",
  'CREATE DATABASE hive OWNER hive',
  'CREATE DATABASE demo',
] as const
