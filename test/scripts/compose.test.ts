/**
 * What holds of docker-compose.yml where no container engine is: its form, its environment, and that it is the
 * stack from jars. That the committed files are what is generated is in test/docs/generated.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { buildTopology } from '../../cli/application.ts'
import { readConfig } from '../../cli/config.ts'
import { connectorFindings, mayFeed } from '../../cli/connect/connector-findings.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { foragerConfig } from '../../scripts/compose/forager.ts'
import { environmentProblem, imageEnvironments } from '../../scripts/compose/image-environment.ts'
import type { PlaceName } from '../../scripts/compose/places.ts'
import { hostPortOf, places } from '../../scripts/compose/places.ts'
import { hadoopSettings, mariadbOptions } from '../../scripts/compose/stack-settings.ts'
import { mariadbConnector, postgresConnector } from '../../scripts/stack/connectors.ts'
import { postgresServer, postgresSetup, versions } from '../../scripts/stack/servers.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

interface Service {
  image: string
  build?: unknown
  command?: string[]
  environment?: Record<string, string>
  ports?: string[]
  volumes?: string[]
  healthcheck?: { disable?: boolean; test?: string[] }
  depends_on?: Record<string, { condition: string }>
  [key: string]: unknown
}

interface Compose {
  services: Record<string, Service>
  volumes: Record<string, unknown>
}

const compose = (): Compose => parse(read('docker-compose.yml')) as Compose
const { services } = compose()

describe('docker-compose.yml and the Compose specification', () => {
  const validate = ((): ValidateFunction => {
    const ajv = new Ajv({ strict: false, allErrors: true })
    const schema = JSON.parse(read('test/fixtures/compose/compose-spec.json')) as object
    // Its own name for it is none that a validator knows.
    return ajv.compile({ ...schema, $schema: 'http://json-schema.org/draft-07/schema#' })
  })()
  const problems = (given: unknown): readonly string[] =>
    validate(given)
      ? []
      : validate.errors!.map(error => `${error.instancePath} ${JSON.stringify(error.params)}`)

  it('agree', () => {
    expect(problems(compose())).toEqual([])
  })

  const mistakes: readonly (readonly [string, (given: Compose) => void])[] = [
    ['an unknown key of a service', ({ services }) => (services.kafka!.enviroment = {})],
    ['an unknown key of the file', given => Object.assign(given, { service: {} })],
    ['ports that are no list', ({ services }) => (services.kafka!.ports = '19092' as never)],
    [
      'a condition that there is not',
      ({ services }) => (services.connect!.depends_on!.kafka!.condition = 'healthy'),
    ],
    ['a list in the environment', ({ services }) => (services.kafka!.environment!.A = [] as never)],
    ['a number for a switch', ({ services }) => (services.forager!.read_only = 1)],
    [
      'a check without a form',
      ({ services }) => (services.kafka!.healthcheck = { tests: [] } as never),
    ],
  ]
  it.each(mistakes)('disagree about %s', (_, plant) => {
    const given = compose()
    plant(given)
    expect(problems(given)).not.toEqual([])
  })
})

describe('the environment of containers', () => {
  const all = Object.entries(services).flatMap(([service, { image, environment = {} }]) =>
    Object.keys(environment).map(variable => ({ service, image, variable })),
  )

  it('has variables alone that their image reads', () => {
    expect(all.length).toBeGreaterThan(80)
    const found = all.map(({ image, variable }) => environmentProblem(image, variable))
    expect(found.filter(problem => problem !== null)).toEqual([])
    for (const { source } of imageEnvironments) expect(source).toMatch(/^[^:]+: ./)
  })

  it('has nothing in its table that no container uses', () => {
    const used = new Set(Object.values(services).map(({ image }) => image.replace(/:[^/:]*$/, '')))
    expect(new Set(imageEnvironments.map(({ image }) => image))).toEqual(used)
    const variables = new Set(all.map(({ variable }) => variable))
    const unused = imageEnvironments.flatMap(({ names }) => names).filter(x => !variables.has(x))
    expect(unused).toEqual([])
  })

  it.each([
    ['apache/kafka:4.3.1', 'KAFKA_LOG_RETENTION_HOUR'],
    ['apache/kafka:4.3.1', 'KAFKA_CFG_NODE_ID'],
    ['apache/kafka:4.3.1', 'KAFKA_ZOOKEEPER_CONNECT'],
    ['quay.io/debezium/connect:3.5.0.Final', 'CONNECT_BOOTSTRAP_SERVER'],
    ['mariadb:10.11.18', 'MARIADB_ROOT_PASWORD'],
    ['postgres:15.17-bookworm', 'MARIADB_ROOT_PASSWORD'],
    ['apache/hadoop:3.3.6', 'CORE_SITE_fs_defaultFS'],
    ['apache/hadoop:3.3.6', 'CORE-SITE.XML_dfs.replication'],
    ['apache/hadoop:3.3.6', 'HDFS-SITE.XML_dfs.replicas'],
    ['forager-hive:4.0.1', 'HIVE_CONF_DIRECTORY'],
    ['bitnami/kafka:4', 'KAFKA_NODE_ID'],
  ])('of %s is refused with %s', (image, variable) => {
    expect(environmentProblem(image, variable)).not.toBeNull()
  })
})

describe('containers and the stack from jars', () => {
  const pom = (path: string): string => read(`scripts/stack/${path}`)
  const tagOf = (service: string): string => services[service]!.image.split(':').at(-1)!

  it('have the same versions', () => {
    const tag = (text: string, name: string): string | undefined =>
      new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1]
    const versionOf = (text: string, artifact: string): string | undefined =>
      new RegExp(`<artifactId>${artifact}</artifactId><version>([^<]+)</version>`).exec(text)?.[1]
    const kafka = tag(pom('kafka/pom.xml'), 'kafka.version')
    const debezium = tag(pom('connect/debezium.xml'), 'debezium.version')
    const hive = pom('hive/pom.xml')
    expect({
      kafka,
      debezium,
      converter: versionOf(pom('connect/avro-converter.xml'), 'apicurio-registry-utils-converter'),
      registry: versionOf(pom('registry/pom.xml'), 'apicurio-registry-app'),
      hive: tag(hive, 'hive.version'),
      hadoop: tag(hive, 'hadoop.version'),
      tez: tag(hive, 'tez.version'),
      postgresDriver: versionOf(hive, 'postgresql'),
      mariadb: tagOf('mariadb').split('.').slice(0, 2).join('.'),
      postgres: tagOf('postgres').split('.')[0],
    }).toEqual(versions)
    expect([tagOf('kafka'), tagOf('connect')]).toEqual([kafka, debezium])
    expect(tagOf('registry')).toBe(versions.registry)
    expect([tagOf('namenode'), tagOf('datanode')]).toEqual([versions.hadoop, versions.hadoop])
    expect(JSON.stringify(services.hiveserver2!.build)).toContain(
      `FROM apache/hive:${versions.hive}`,
    )
    expect(JSON.stringify(services.metastore!.build)).toContain(versions.postgresDriver)
    expect(services.metastore!.build).toEqual(services.hiveserver2!.build)
  })

  it('have the same ports on this machine, and only this machine reaches them', () => {
    const found = Object.values(services).flatMap(({ ports = [] }) => ports)
    expect(found.length).toBeGreaterThan(8)
    for (const port of found) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
    for (const [name, { service, port }] of Object.entries(places)) {
      const own = services[service]!.ports?.map(text => text.split(':'))
      const outside = own?.find(([, , inside]) => inside === String(port))?.[1]
      if (outside !== undefined) expect(Number(outside), name).toBe(hostPortOf(name as PlaceName))
    }
    const named = found.map(text => Number(text.split(':')[1]))
    const wanted = ['kafka', 'connect', 'mariadb', 'postgres', 'registry', 'hiveserver2'] as const
    expect(named).toEqual(expect.arrayContaining(wanted.map(hostPortOf)))
    expect(new Set(named).size).toBe(named.length)
  })

  it('have the same settings, but for places', () => {
    const places =
      /^(controller\.quorum\.voters|listeners|advertised\.listeners|listener\.security\.protocol\.map|log\.dirs)$/
    const broker = properties('kafka/server.properties').filter(([name]) => !places.test(name))
    expect(broker.length).toBeGreaterThan(15)
    const { environment } = services.kafka!
    for (const [name, value] of broker) {
      expect(environment![`KAFKA_${name.toUpperCase().replaceAll('.', '_')}`], name).toBe(value)
    }
    // Names that the image has for settings, beside its rule for all others.
    const named =
      /^(group\.id|(key|value)\.converter|(config|offset|status)\.storage\.topic|offset\.flush\.interval\.ms)$/
    const elsewhere = /^(bootstrap\.servers|listeners|rest\.advertised\..*|plugin\..*)$/
    const worker = properties('connect/connect.properties').filter(
      ([name]) => !elsewhere.test(name),
    )
    expect(worker.length).toBeGreaterThan(15)
    for (const [name, value] of worker) {
      const variable = name.toUpperCase().replaceAll('.', '_')
      const own = named.test(name) ? variable : `CONNECT_${variable}`
      expect(services.connect!.environment![own], name).toBe(value)
    }
    const paths = ['hdfs/core-site.xml', 'hdfs/hdfs-site.xml', 'hive/hive-site.xml']
    const sites = paths.map(path => {
      const jars = [...pom(path).matchAll(/<name>(.*?)<\/name><value>(.*?)<\/value>/g)]
      const found = hadoopSettings(path)
      const plain = jars.filter(([, , value = '']) => !/@|127\.0\.0\.1/.test(value))
      for (const [, name = '', value] of plain) {
        const own = name.replace('@USER@', 'hive')
        expect(found[own], own).toBe(value)
      }
      return plain.length
    })
    expect(Math.min(...sites)).toBeGreaterThanOrEqual(2)
    expect(mariadbOptions()).toEqual(services.mariadb!.command)
    expect(mariadbOptions()).toContain('--binlog-row-image=FULL')
    const postgres = Object.entries(postgresServer).map(([name, value]) => `${name}=${value}`)
    expect(services.postgres!.command?.filter(text => text !== '-c').slice(1)).toEqual(postgres)
    for (const statement of postgresSetup) {
      expect(read('deploy/compose/postgres/1-setup.sql')).toContain(`${statement};\n`)
    }
  })

  it('leave no address of this machine in what containers are given', () => {
    const files = ['core-site.xml', 'hdfs-site.xml', 'hive-site.xml'].map(
      name => `deploy/compose/hive/${name}`,
    )
    for (const path of [
      ...files,
      'deploy/compose/forager.yaml',
      'deploy/compose/mariadb/1-setup.sql',
    ]) {
      expect(read(path), path).not.toMatch(/127\.0\.0\.1|localhost|@[A-Z_]+@/)
    }
  })
})

function properties(path: string): readonly (readonly [string, string])[] {
  const text = read(`scripts/stack/${path}`)
  return [...text.matchAll(/^([a-z.]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value])
}

describe('the services', () => {
  it('wait for each other by checks that are there, and name files and volumes that are there', () => {
    for (const [name, { depends_on: needs = {}, volumes = [] }] of Object.entries(services)) {
      for (const [need, { condition }] of Object.entries(needs)) {
        const { healthcheck, build } = services[need]!
        const isChecked = healthcheck?.test !== undefined || build === '.'
        if (condition === 'service_healthy') expect(isChecked, `${name} → ${need}`).toBe(true)
      }
      for (const volume of volumes) {
        const [source = ''] = volume.split(':')
        if (source.startsWith('./')) expect(existsSync(join(root, source)), volume).toBe(true)
        else if (!source.startsWith('/')) expect(compose().volumes, volume).toHaveProperty(source)
      }
    }
  })

  it('let Forager be as many as there are partitions, each with a state and an address of its own', () => {
    const forager = services.forager!
    expect(forager.ports).toBeUndefined()
    expect(forager.container_name).toBeUndefined()
    expect(forager.hostname).toBeUndefined()
    expect(forager.volumes?.at(-1)).toBe('/var/lib/forager')
    expect(parse(read('deploy/prometheus.yml'))).toMatchObject({
      scrape_configs: [{ dns_sd_configs: [{ names: ['forager'], port: 9464 }] }],
    })
  })

  it('give Forager nothing that it does not need', () => {
    for (const name of ['forager', 'connectors']) {
      expect(services[name]).toMatchObject({
        read_only: true,
        tmpfs: ['/tmp'],
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      })
      expect(services[name]!.user).toBeUndefined()
      expect(services[name]!.privileged).toBeUndefined()
    }
  })
})

describe('the configuration of Forager in containers', () => {
  it('is right, and its connectors lose nothing', async () => {
    const path = join(root, 'deploy/compose/forager.yaml')
    const { loaded, problems } = await readConfig(nodeFileSystem, path, {})
    expect(problems).toEqual([])
    const { config } = loaded!
    expect(buildTopology(loaded!).describe('shop').toString()).toContain('hive:')
    expect(config.http).toEqual({ host: '0.0.0.0', port: 9464 })
    expect(config.state.path).toBe('/var/lib/forager')
    expect(config.repartition.partitions).toBe(3)
    for (const [name, settings] of Object.entries(config.connectors!.configs)) {
      const connector = { name, config: settings, states: [] }
      expect(mayFeed(config, connector), name).toBe(true)
      expect([...connectorFindings(config, connector)], name).toEqual([])
      expect(settings['topic.creation.default.partitions']).toBe('3')
      expect(settings['database.password']).toBe('${env:DBZ_PASSWORD}')
    }
  })

  it('has the connectors of the stack from jars, but for places and passwords', () => {
    const stack = { home: '', portOffset: 0 }
    const { connectors } = parse(foragerConfig()) as {
      connectors: { configs: Record<string, Record<string, string>> }
    }
    const jars = {
      shop: mariadbConnector(stack, { topicPrefix: 'shop', include: ['demo'], partitions: 3 }),
      crm: postgresConnector(stack, { topicPrefix: 'crm', include: ['public'], partitions: 3 }),
    }
    for (const [name, settings] of Object.entries(jars)) {
      const own = connectors.configs[name]!
      const differing = Object.keys({ ...settings, ...own }).filter(
        key => own[key] !== settings[key],
      )
      const isPlace = /^database\.(hostname|port|password)$|bootstrap\.servers$/
      // Defaults that the stack keeps, and users should not.
      const isBetter = /^(value\.converter\.replace\.null\.with\.default|enable\.time\.adjuster)$/
      expect(differing.filter(key => !isPlace.test(key) && !isBetter.test(key))).toEqual([])
    }
  })
})
