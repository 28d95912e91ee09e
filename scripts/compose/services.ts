/** The servers of `docker-compose.yml`, with the settings of the stack from jars. */
import type { ConnectorConfig } from '../stack/connector-settings.ts'
import { heapsMb, kafkaClusterId, postgresServer, smallJvm, versions } from '../stack/servers.ts'
import type { PlaceName } from './places.ts'
import { addressOf, hostPortOf, places, published } from './places.ts'
import { hadoopSettings, kafkaSettings, mariadbOptions, scratch } from './stack-settings.ts'

type Condition = 'service_healthy' | 'service_completed_successfully'

export interface Service {
  /** Above it in the file. */
  readonly comment: string
  readonly image: string
  readonly build?: string | { readonly dockerfile_inline: string }
  readonly command?: readonly string[]
  readonly environment?: ConnectorConfig
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: Condition }>>
  readonly healthcheck?: HealthCheck | { readonly disable: true }
  readonly [key: string]: unknown
}

interface HealthCheck {
  readonly test: readonly string[]
  readonly interval: string
  readonly timeout: string
  readonly retries: number
  readonly start_period: string
}

/** It is asked until it answers, for five minutes at most. */
export function healthy(...command: readonly string[]): HealthCheck {
  return {
    test: ['CMD', ...command],
    interval: '5s',
    timeout: '10s',
    retries: 12,
    start_period: '5m',
  }
}

export function after(...names: readonly string[]): NonNullable<Service['depends_on']> {
  return Object.fromEntries(names.map(name => [name, { condition: 'service_healthy' as const }]))
}

/** Images without other tools have a shell that opens connections. */
function canConnect(name: PlaceName): HealthCheck {
  return healthy('bash', '-c', `exec 3<>/dev/tcp/localhost/${places[name].port}`)
}

/** Exact tags, so that the same file starts the same servers. */
export const images = {
  kafka: `apache/kafka:${versions.kafka}`,
  connect: `quay.io/debezium/connect:${versions.debezium}`,
  mariadb: `mariadb:${versions.mariadb}.18`,
  postgres: `postgres:${versions.postgres}.17-bookworm`,
  registry: `apicurio/apicurio-registry:${versions.registry}`,
  hadoop: `apache/hadoop:${versions.hadoop}`,
  hive: `apache/hive:${versions.hive}`,
  prometheus: 'prom/prometheus:v3.5.0',
  grafana: 'grafana/grafana:12.1.1',
} as const

/** `a.b` → `KAFKA_A_B`; no setting of ours has a `_` or `-`, which are written otherwise. */
function asEnvironment(prefix: string, settings: ConnectorConfig): ConnectorConfig {
  const pairs = Object.entries(settings).map(([name, value]) => {
    if (!/^[a-z.]+$/.test(name)) throw new Error(`${name} cannot be a variable of an image`)
    return [`${prefix}${name.toUpperCase().replaceAll('.', '_')}`, value]
  })
  return Object.fromEntries(pairs) as ConnectorConfig
}

function kafka(): Service {
  const { port } = places.kafka
  const outside = hostPortOf('kafka')
  const controller = places.kafkaController.port
  const settings = kafkaSettings('kafka/server.properties', {
    'controller.quorum.voters': `1@${addressOf('kafkaController')}`,
    listeners: `PLAINTEXT://:${port},OUTSIDE://:${outside},CONTROLLER://:${controller}`,
    'advertised.listeners': `PLAINTEXT://${addressOf('kafka')},OUTSIDE://127.0.0.1:${outside}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,OUTSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': '/var/lib/kafka/data',
  })
  return {
    comment: 'One broker in KRaft mode, which is its own controller.',
    image: images.kafka,
    environment: {
      CLUSTER_ID: kafkaClusterId,
      KAFKA_HEAP_OPTS: `-Xmx${heapsMb.kafka}m -Xms128m`,
      ...asEnvironment('KAFKA_', settings),
    },
    // Who asks from this machine is sent to the port that it has here.
    ports: [`127.0.0.1:${outside}:${outside}`],
    volumes: ['kafka:/var/lib/kafka/data'],
    healthcheck: healthy('nc', '-z', 'localhost', String(port)),
  }
}

/** Names of its own that the image has for settings of the worker. */
const connectNames: Readonly<Record<string, string>> = {
  'bootstrap.servers': 'BOOTSTRAP_SERVERS',
  'group.id': 'GROUP_ID',
  'config.storage.topic': 'CONFIG_STORAGE_TOPIC',
  'offset.storage.topic': 'OFFSET_STORAGE_TOPIC',
  'status.storage.topic': 'STATUS_STORAGE_TOPIC',
  'key.converter': 'KEY_CONVERTER',
  'value.converter': 'VALUE_CONVERTER',
  'offset.flush.interval.ms': 'OFFSET_FLUSH_INTERVAL_MS',
  'rest.advertised.host.name': 'ADVERTISED_HOST_NAME',
  'rest.advertised.port': 'ADVERTISED_PORT',
}

/** The image knows where its plugins are, and has to look through them: Apicurio's do not say what they are. */
const connectOwn = ['plugin.path', 'plugin.discovery']

function connect(): Service {
  const { service, port } = places.connect
  const settings = kafkaSettings('connect/connect.properties', {
    'bootstrap.servers': addressOf('kafka'),
    listeners: `http://:${port}`,
    'rest.advertised.host.name': service,
    'rest.advertised.port': String(port),
    'plugin.path': '',
  })
  const kept = Object.entries(settings).filter(([name]) => !connectOwn.includes(name))
  const named = kept.filter(([name]) => connectNames[name] !== undefined)
  const others = kept.filter(([name]) => connectNames[name] === undefined)
  return {
    comment: `Kafka Connect with Debezium ${versions.debezium} and Apicurio's Avro converter ${versions.converter}.`,
    image: images.connect,
    environment: {
      ...Object.fromEntries(named.map(([name, value]) => [connectNames[name]!, value])),
      HEAP_OPTS: `-Xmx${heapsMb.connect}m -Xms128m`,
      ENABLE_APICURIO_CONVERTERS: 'true',
      ...asEnvironment('CONNECT_', Object.fromEntries(others)),
    },
    ports: [published('connect')],
    depends_on: after('kafka'),
    healthcheck: healthy('curl', '-fsS', `http://localhost:${port}/connectors`),
  }
}

function mariadb(): Service {
  return {
    comment: 'Where changes come from: root/root, dbz/dbz, database demo.',
    image: images.mariadb,
    command: mariadbOptions(),
    environment: { MARIADB_ROOT_PASSWORD: 'root' },
    ports: [published('mariadb')],
    volumes: ['mariadb:/var/lib/mysql', './deploy/compose/mariadb:/docker-entrypoint-initdb.d:ro'],
    healthcheck: healthy('healthcheck.sh', '--connect', '--innodb_initialized'),
  }
}

function postgres(): Service {
  const settings = Object.entries(postgresServer).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  return {
    comment:
      'Where changes come from, too: postgres/postgres, dbz/dbz, database demo. And what the metastore and the ' +
      'registry keep.',
    image: images.postgres,
    command: ['postgres', ...settings],
    environment: {
      POSTGRES_PASSWORD: 'postgres',
      POSTGRES_INITDB_ARGS: '--encoding=UTF8 --locale=C.UTF-8',
    },
    ports: [published('postgres')],
    volumes: [
      'postgres:/var/lib/postgresql/data',
      './deploy/compose/postgres:/docker-entrypoint-initdb.d:ro',
    ],
    // Not by its socket, where the server answers while it is being set up.
    healthcheck: healthy('pg_isready', '-h', '127.0.0.1', '-U', 'postgres', '-d', 'demo'),
  }
}

function registry(): Service {
  const { port } = places.registry
  const ask = `exec 3<>/dev/tcp/localhost/${port} && printf 'GET /apis/ccompat/v7/subjects HTTP/1.0\\r\\n\\r\\n' >&3 && head -1 <&3 | grep -q ' 200 '`
  return {
    comment:
      "Schemas of messages in Avro, with Confluent's interface at /apis/ccompat/v7. Nobody needs it while " +
      'connectors write JSON.',
    image: images.registry,
    environment: {
      QUARKUS_HTTP_PORT: String(port),
      APICURIO_STORAGE_KIND: 'sql',
      APICURIO_STORAGE_SQL_KIND: 'postgresql',
      APICURIO_DATASOURCE_URL: `jdbc:postgresql://${addressOf('postgres')}/registry`,
      APICURIO_DATASOURCE_USERNAME: 'hive',
      APICURIO_DATASOURCE_PASSWORD: 'hive',
      JAVA_OPTS_APPEND: `-Xmx${heapsMb.registry}m`,
    },
    ports: [published('registry')],
    depends_on: after('postgres'),
    healthcheck: healthy('bash', '-c', ask),
  }
}

/** `fs.defaultFS` of core-site.xml → `CORE-SITE.XML_fs.defaultFS` */
function hadoopEnvironment(): ConnectorConfig {
  const files = { 'CORE-SITE.XML': 'hdfs/core-site.xml', 'HDFS-SITE.XML': 'hdfs/hdfs-site.xml' }
  const pairs = Object.entries(files).flatMap(([file, path]) =>
    Object.entries(hadoopSettings(path)).map(([name, value]) => [`${file}_${name}`, value]),
  )
  return Object.fromEntries(pairs) as ConnectorConfig
}

function hdfs(name: 'namenode' | 'datanode', service: Partial<Service>): Service {
  return {
    comment: '',
    image: images.hadoop,
    hostname: name,
    command: ['hdfs', name],
    ...service,
    environment: {
      ...service.environment,
      HADOOP_OPTS: `-Xmx${heapsMb[name]}m ${smallJvm.join(' ')} -Djava.net.preferIPv4Stack=true`,
      ...hadoopEnvironment(),
    },
    volumes: [`${name}:/data`],
  }
}

function namenode(): Service {
  const status = `http://${addressOf('namenodeHttp')}/webhdfs/v1/?op=GETFILESTATUS`
  return hdfs('namenode', {
    comment:
      'HDFS: tables of Hive, and what Forager stages. It is formatted when it has nothing yet.',
    environment: { ENSURE_NAMENODE_DIR: '/data/namenode/current' },
    ports: [published('namenode'), published('namenodeHttp')],
    healthcheck: healthy('curl', '-fsS', status),
  })
}

function datanode(): Service {
  const state = `http://${addressOf('namenodeHttp')}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState`
  const isUsed = `curl -fsS '${state}' | grep -q 'NumLiveDataNodes. : 1'`
  return hdfs('datanode', {
    comment: 'WebHDFS sends who reads and writes there, by this name.',
    depends_on: after('namenode'),
    healthcheck: healthy('bash', '-c', isUsed),
  })
}

/** Hive's image has no driver for PostgreSQL; with Derby, compaction does not work. */
const hiveImage = {
  dockerfile_inline: `FROM ${images.hive}
ADD --chmod=644 --checksum=sha256:188976721ead8e8627eb6d8389d500dccc0c9bebd885268a3047180274a6031e \\
  https://repo1.maven.org/maven2/org/postgresql/postgresql/${versions.postgresDriver}/postgresql-${versions.postgresDriver}.jar \\
  /opt/hive/lib/
`,
}

function hive(name: 'metastore' | 'hiveserver2', service: Partial<Service>): Service {
  return {
    comment: '',
    image: `forager-hive:${versions.hive}`,
    build: hiveImage,
    ...service,
    environment: {
      SERVICE_NAME: name,
      DB_DRIVER: 'postgres',
      HIVE_CUSTOM_CONF_DIR: '/opt/hive/custom',
      ...service.environment,
    },
    ports: [published(name)],
    volumes: ['./deploy/compose/hive:/opt/hive/custom:ro'],
    tmpfs: [scratch],
    healthcheck: canConnect(name),
  }
}

function metastore(): Service {
  return hive('metastore', {
    comment: "Hive's metastore. It makes its tables in PostgreSQL when there are none.",
    environment: { SERVICE_OPTS: `-Xmx${heapsMb.metastore}m ${smallJvm.join(' ')}` },
    depends_on: after('postgres', 'namenode', 'datanode'),
  })
}

function hiveserver2(): Service {
  return hive('hiveserver2', {
    comment: 'HiveServer2 with Tez in its process; it lets in any name with any password.',
    environment: { IS_RESUME: 'true', SERVICE_OPTS: `-Xmx${heapsMb.hiveserver2}m -Xms256m` },
    depends_on: after('metastore'),
  })
}

export function servers(): Readonly<Record<string, Service>> {
  return {
    mariadb: mariadb(),
    postgres: postgres(),
    kafka: kafka(),
    connect: connect(),
    registry: registry(),
    namenode: namenode(),
    datanode: datanode(),
    metastore: metastore(),
    hiveserver2: hiveserver2(),
  }
}
