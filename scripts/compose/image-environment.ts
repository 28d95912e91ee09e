/**
 * Which variables each image of `docker-compose.yml` reads, and where that can be read. No image is at hand where
 * tests run: a variable that its image would pass over is found by this table.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { resources } from '../stack/parts.ts'

export interface ImageEnvironment {
  /** Without its tag. */
  readonly image: string
  /** Public repository and file. */
  readonly source: string
  readonly names: readonly string[]
  /** Variables that become settings of the server: the names of settings that we have. */
  readonly settings?: {
    /** The setting that a variable becomes; null for what is no such variable. */
    settingOf(variable: string): string | null
    readonly known: readonly string[]
  }
}

function propertiesOf(path: string): readonly string[] {
  const text = readFileSync(join(resources, path), 'utf8')
  return [...text.matchAll(/^([a-z.]+)=/gm)].map(match => match[1]!)
}

function hadoopPropertiesOf(path: string): readonly string[] {
  const text = readFileSync(join(resources, path), 'utf8')
  // Who runs HiveServer2 in its image.
  return [...text.matchAll(/<name>(.*?)<\/name>/g)].map(match =>
    match[1]!.replace('@USER@', 'hive'),
  )
}

const hadoopKnown: readonly string[] = [
  ...hadoopPropertiesOf('hdfs/core-site.xml').map(name => `core-site.xml ${name}`),
  ...hadoopPropertiesOf('hdfs/hdfs-site.xml').map(name => `hdfs-site.xml ${name}`),
  // hadoop-hdfs, hdfs-default.xml
  'hdfs-site.xml dfs.namenode.datanode.registration.ip-hostname-check',
]

const hive: Omit<ImageEnvironment, 'image'> = {
  source: 'apache/hive: packaging/src/docker/entrypoint.sh',
  names: ['SERVICE_NAME', 'SERVICE_OPTS', 'DB_DRIVER', 'IS_RESUME', 'HIVE_CUSTOM_CONF_DIR'],
}

export const imageEnvironments: readonly ImageEnvironment[] = [
  {
    image: 'apache/kafka',
    source:
      'apache/kafka: core/src/main/scala/kafka/docker/KafkaDockerWrapper.scala, docker/resources/common-scripts/run',
    names: ['CLUSTER_ID', 'KAFKA_HEAP_OPTS'],
    settings: {
      // Three `_` are a `-` and two a `_`; no setting of ours has either.
      settingOf: name => (name.startsWith('KAFKA_') ? dotted(name.slice('KAFKA_'.length)) : null),
      known: propertiesOf('kafka/server.properties'),
    },
  },
  {
    image: 'quay.io/debezium/connect',
    source: 'debezium/container-images: connect-base/3.5/docker-entrypoint.sh',
    names: [
      'BOOTSTRAP_SERVERS',
      'GROUP_ID',
      'CONFIG_STORAGE_TOPIC',
      'OFFSET_STORAGE_TOPIC',
      'STATUS_STORAGE_TOPIC',
      'KEY_CONVERTER',
      'VALUE_CONVERTER',
      'OFFSET_FLUSH_INTERVAL_MS',
      'ADVERTISED_HOST_NAME',
      'ADVERTISED_PORT',
      'HEAP_OPTS',
      'ENABLE_APICURIO_CONVERTERS',
    ],
    settings: {
      settingOf: name =>
        name.startsWith('CONNECT_') ? dotted(name.slice('CONNECT_'.length)) : null,
      known: propertiesOf('connect/connect.properties'),
    },
  },
  {
    image: 'mariadb',
    source: 'MariaDB/mariadb-docker: 10.11/docker-entrypoint.sh',
    names: ['MARIADB_ROOT_PASSWORD'],
  },
  {
    image: 'postgres',
    source: 'docker-library/postgres: docker-entrypoint.sh',
    names: ['POSTGRES_PASSWORD', 'POSTGRES_INITDB_ARGS'],
  },
  {
    image: 'apicurio/apicurio-registry',
    source:
      'Apicurio/apicurio-registry: docs, "Installing using Docker" (APICURIO_…); Quarkus, "Configuration reference" ' +
      '(QUARKUS_…); jboss-container-images/openjdk: run-java.sh (JAVA_OPTS_APPEND)',
    names: [
      'QUARKUS_HTTP_PORT',
      'APICURIO_STORAGE_KIND',
      'APICURIO_STORAGE_SQL_KIND',
      'APICURIO_DATASOURCE_URL',
      'APICURIO_DATASOURCE_USERNAME',
      'APICURIO_DATASOURCE_PASSWORD',
      'JAVA_OPTS_APPEND',
    ],
  },
  {
    image: 'apache/hadoop',
    source:
      'apache/hadoop, branch docker-hadoop-runner: scripts/starter.sh, scripts/envtoconf.py; trunk: ' +
      'hadoop-common-project/hadoop-common/src/main/conf/hadoop-env.sh (HADOOP_OPTS)',
    names: ['ENSURE_NAMENODE_DIR', 'HADOOP_OPTS'],
    settings: {
      settingOf: name => {
        const found = /^([A-Z-]+\.XML)_(.+)$/.exec(name)
        return found === null ? null : `${found[1]!.toLowerCase()} ${found[2]}`
      },
      known: hadoopKnown,
    },
  },
  { image: 'forager-hive', ...hive },
  {
    image: 'grafana/grafana',
    source: 'grafana/grafana: conf/defaults.ini, GF_<SECTION>_<KEY>',
    names: [
      'GF_SECURITY_ADMIN_PASSWORD',
      'GF_AUTH_ANONYMOUS_ENABLED',
      'GF_AUTH_ANONYMOUS_ORG_ROLE',
    ],
  },
  { image: 'prom/prometheus', source: 'prometheus/prometheus: Dockerfile', names: [] },
  {
    image: 'forager',
    source: 'this repository: deploy/compose/forager.yaml (${env:…}); nodejs/node: doc/api/cli.md',
    names: ['DBZ_PASSWORD', 'NODE_OPTIONS'],
  },
]

function dotted(text: string): string {
  return text.toLowerCase().replaceAll('_', '.')
}

/** Why a variable should not be there; null when its image reads it. */
export function environmentProblem(image: string, variable: string): string | null {
  const name = image.replace(/:[^/:]*$/, '')
  const found = imageEnvironments.find(one => one.image === name)
  if (found === undefined) return `nothing is known of the image ${name}`
  if (found.names.includes(variable)) return null
  const setting = found.settings?.settingOf(variable) ?? null
  if (setting === null) return `${name} reads no ${variable} (${found.source})`
  if (found.settings?.known.includes(setting) === true) return null
  return `${name} makes ${variable} the setting ${setting}, which the stack from jars does not have`
}
