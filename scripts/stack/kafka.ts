/** Kafka: the broker, one that wants TLS and SASL, and a cluster of three. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeCertificates } from './certificates.ts'
import type { Download } from './downloads.ts'
import { classPathOf } from './downloads.ts'
import type { Command, Part, PortName, StackOptions } from './parts.ts'
import { partFolder, portOf, resources } from './parts.ts'
import { canConnect } from './probes.ts'
import { heapsMb, kafkaClusterId, versions } from './servers.ts'
import type { Values } from './settings.ts'
import { writeSettings } from './settings.ts'

const run = promisify(execFile)

export const kafkaJars: Download = {
  title: `Kafka ${versions.kafka} with its tools and Connect`,
  folder: 'kafka/libs',
  pom: join(resources, 'kafka', 'pom.xml'),
  files: 94,
  megabytes: 55,
}

export const kafkaLog4j = `-Dlog4j2.configurationFile=${join(resources, 'kafka', 'log4j2.properties')}`

interface Broker {
  readonly name: string
  readonly isExtra: boolean
  readonly settings: string
  readonly memoryMb: number
  readonly formatArgs?: readonly string[]
  readonly port: PortName
  values(options: StackOptions): Values
  /** Before the first start. */
  readonly equip?: (options: StackOptions) => Promise<void>
}

function brokerPart(broker: Broker): Part {
  return {
    name: broker.name,
    isExtra: broker.isExtra,
    needs: [],
    downloads: [kafkaJars],
    readyWithinMs: 120_000,
    address: options => `127.0.0.1:${portOf(broker.port, options)}`,
    prepare: options => prepareBroker(broker, options),
    answers: options => canConnect(portOf(broker.port, options)),
  }
}

async function prepareBroker(broker: Broker, options: StackOptions): Promise<Command> {
  const folder = partFolder(broker.name, options)
  const data = join(folder, 'data')
  const settings = join(folder, 'server.properties')
  await writeSettings(`kafka/${broker.settings}`, settings, {
    ...broker.values(options),
    DATA: data,
  })
  const classPath = await classPathOf(kafkaJars, options.home)
  if (!existsSync(join(data, 'meta.properties'))) {
    await broker.equip?.(options)
    const tools = `-Dlog4j2.configurationFile=${join(resources, 'kafka', 'log4j2-tools.properties')}`
    const format = ['kafka.tools.StorageTool', 'format', '-t', kafkaClusterId, '-c', settings]
    await run('java', ['-cp', classPath, tools, ...format, ...(broker.formatArgs ?? [])])
  }
  const memory = [`-Xmx${broker.memoryMb}m`, '-Xms128m']
  return {
    command: 'java',
    args: [...memory, kafkaLog4j, '-cp', classPath, 'kafka.Kafka', settings],
  }
}

export const kafka = brokerPart({
  name: 'kafka',
  isExtra: false,
  settings: 'server.properties',
  memoryMb: heapsMb.kafka,
  port: 'kafka',
  values: options => ({
    PORT: portOf('kafka', options),
    PROXIED_PORT: portOf('kafkaProxied', options),
    PROXY_PORT: portOf('kafkaProxy', options),
    CONTROLLER_PORT: portOf('kafkaController', options),
  }),
})

/** Where the certificates lie that the secure broker is started with: `ca.pem`, `client.pem`, … */
export function certificatesFolder(options: StackOptions): string {
  return join(partFolder('kafka-secure', options), 'certificates')
}

export const secureKafka = brokerPart({
  name: 'kafka-secure',
  isExtra: true,
  settings: 'secure.properties',
  memoryMb: 384,
  port: 'secureSasl',
  values: options => ({
    TLS_PORT: portOf('secureTls', options),
    MUTUAL_PORT: portOf('secureMutual', options),
    SASL_PORT: portOf('secureSasl', options),
    INNER_PORT: portOf('secureInner', options),
    CONTROLLER_PORT: portOf('secureController', options),
    CERTIFICATES: certificatesFolder(options),
  }),
  formatArgs: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => [
    '--add-scram',
    `${mechanism}=[name=forager,password=${mechanism.toLowerCase()}-secret]`,
  ]),
  equip: options => makeCertificates(certificatesFolder(options)),
})

const nodes = [
  { node: 1, port: 'cluster1', controller: 'clusterController1' },
  { node: 2, port: 'cluster2', controller: 'clusterController2' },
  { node: 3, port: 'cluster3', controller: 'clusterController3' },
] as const

/** Three brokers: coordinators and leaders move when one of them ends. */
export const cluster: readonly Part[] = nodes.map(({ node, port, controller }) =>
  brokerPart({
    name: `kafka-${node}`,
    isExtra: true,
    settings: 'cluster.properties',
    memoryMb: 320,
    port,
    values: options => ({
      NODE: node,
      PORT: portOf(port, options),
      CONTROLLER_PORT: portOf(controller, options),
      VOTERS: nodes
        .map(other => `${other.node}@127.0.0.1:${portOf(other.controller, options)}`)
        .join(),
    }),
  }),
)

export const clusterParts: readonly string[] = cluster.map(({ name }) => name)
