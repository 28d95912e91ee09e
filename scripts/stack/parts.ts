/**
 * The parts of the real stack: what each is made of, how it is started, and how one knows that it
 * answers. Everything comes from Maven's repository by coordinates and lies in one folder.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeCertificates } from './certificates.ts'

const run = promisify(execFile)

export interface StackOptions {
  /** Where jars lie; settings, data and logs too, unless `data` says otherwise. */
  readonly home: string
  readonly data?: string
  /** Added to every port, so that several stacks run side by side. */
  readonly portOffset: number
}

export interface Part {
  readonly name: string
  /** It is started only when it is named. */
  readonly isExtra: boolean
  /** What it downloads, in words, with its size. */
  readonly downloads: string
  readonly readyWithinMs: number
  isFetched(options: StackOptions): boolean
  fetch(options: StackOptions): Promise<void>
  /** Settings and data folders; then the command that runs until it is ended. */
  prepare(options: StackOptions): Promise<{ command: string; args: readonly string[] }>
  answers(options: StackOptions): Promise<boolean>
}

const resources = new URL('.', import.meta.url).pathname

export function kafkaPort({ portOffset }: StackOptions): number {
  return 19_092 + portOffset
}

/** The broker listens at `target`, and sends who asks there to `proxy`: tests put one there. */
export function proxyPorts(options: StackOptions): {
  readonly target: number
  readonly proxy: number
} {
  return { target: kafkaPort(options) + 2, proxy: kafkaPort(options) + 3 }
}

/** Listeners of the broker that is spoken to by TLS and SASL. */
export function securePorts(options: StackOptions): {
  readonly tls: number
  /** TLS with a certificate of the client. */
  readonly mutual: number
  /** SASL over TLS. */
  readonly sasl: number
} {
  const first = kafkaPort(options) + 4
  return { tls: first, mutual: first + 1, sasl: first + 2 }
}

/** Of the three brokers of the cluster. */
export function clusterPorts({ portOffset }: StackOptions): readonly number[] {
  return [0, 1, 2].map(node => 23_092 + portOffset + node)
}

/** Where the certificates lie that the secure broker is started with: `ca.pem`, `client.pem`, … */
export function certificatesFolder(options: StackOptions): string {
  return join(partFolder('kafka-secure', options), 'certificates')
}

interface Broker {
  readonly name: string
  readonly isExtra: boolean
  /** File with the settings; `@NAME@` stands for one of the values. */
  readonly settings: string
  readonly memoryMb: number
  readonly formatArgs?: readonly string[]
  port(options: StackOptions): number
  values(options: StackOptions): Readonly<Record<string, string | number>>
  /** Before the first start. */
  readonly equip?: (options: StackOptions) => Promise<void>
}

function brokerPart(broker: Broker): Part {
  return {
    name: broker.name,
    isExtra: broker.isExtra,
    downloads: 'Kafka 4.3.1 with its tools: 94 jars, 55 MB',
    readyWithinMs: 120_000,
    isFetched: ({ home }) => existsSync(join(home, 'kafka', 'libs', '.fetched')),
    async fetch({ home }) {
      const libs = join(home, 'kafka', 'libs')
      await mkdir(libs, { recursive: true })
      await copyDependencies(join(resources, 'kafka', 'pom.xml'), libs)
      await writeFile(join(libs, '.fetched'), '')
    },
    prepare: options => prepareBroker(broker, options),
    answers: options => canConnect(broker.port(options)),
  }
}

async function prepareBroker(
  broker: Broker,
  options: StackOptions,
): Promise<{ command: string; args: readonly string[] }> {
  const folder = partFolder(broker.name, options)
  const data = join(folder, 'data')
  const settings = join(folder, 'server.properties')
  let text = await readFile(join(resources, 'kafka', broker.settings), 'utf8')
  for (const [name, value] of Object.entries({ ...broker.values(options), DATA: data })) {
    text = text.replaceAll(`@${name}@`, String(value))
  }
  await writeFile(settings, text)
  const classPath = await classPathOf(join(options.home, 'kafka', 'libs'))
  const log4j = `-Dlog4j2.configurationFile=${join(resources, 'kafka', 'log4j2.properties')}`
  if (!existsSync(join(data, 'meta.properties'))) {
    await broker.equip?.(options)
    const tools = `-Dlog4j2.configurationFile=${join(resources, 'kafka', 'log4j2-tools.properties')}`
    const id = 'Zm9yYWdlci1zdGFjay0xMQ'
    const format = ['kafka.tools.StorageTool', 'format', '-t', id, '-c', settings]
    await run('java', ['-cp', classPath, tools, ...format, ...(broker.formatArgs ?? [])])
  }
  const memory = [`-Xmx${broker.memoryMb}m`, '-Xms128m']
  return {
    command: 'java',
    args: [...memory, log4j, '-cp', classPath, 'kafka.Kafka', settings],
  }
}

const kafka = brokerPart({
  name: 'kafka',
  isExtra: false,
  settings: 'server.properties',
  memoryMb: 640,
  port: kafkaPort,
  values: options => ({
    PORT: kafkaPort(options),
    PROXIED_PORT: proxyPorts(options).target,
    PROXY_PORT: proxyPorts(options).proxy,
    CONTROLLER_PORT: kafkaPort(options) + 1,
  }),
})

const secureKafka = brokerPart({
  name: 'kafka-secure',
  isExtra: true,
  settings: 'secure.properties',
  memoryMb: 384,
  port: options => securePorts(options).sasl,
  values: options => ({
    TLS_PORT: securePorts(options).tls,
    MUTUAL_PORT: securePorts(options).mutual,
    SASL_PORT: securePorts(options).sasl,
    INNER_PORT: kafkaPort(options) + 8,
    CONTROLLER_PORT: kafkaPort(options) + 9,
    CERTIFICATES: certificatesFolder(options),
  }),
  formatArgs: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => [
    '--add-scram',
    `${mechanism}=[name=forager,password=${mechanism.toLowerCase()}-secret]`,
  ]),
  equip: options => makeCertificates(certificatesFolder(options)),
})

/** Three brokers: coordinators and leaders move when one of them ends. */
const cluster = [0, 1, 2].map(node =>
  brokerPart({
    name: `kafka-${node + 1}`,
    isExtra: true,
    settings: 'cluster.properties',
    memoryMb: 320,
    port: options => clusterPorts(options)[node]!,
    values: options => ({
      NODE: node + 1,
      PORT: clusterPorts(options)[node]!,
      CONTROLLER_PORT: clusterPorts(options)[node]! + 3,
      VOTERS: clusterPorts(options)
        .map((port, index) => `${index + 1}@127.0.0.1:${port + 3}`)
        .join(),
    }),
  }),
)

export const clusterParts: readonly string[] = cluster.map(({ name }) => name)

/** Settings, data and log of a part. */
export function partFolder(name: string, { home, data }: StackOptions): string {
  return join(data ?? home, name)
}

export const parts: readonly Part[] = [kafka, secureKafka, ...cluster]

async function copyDependencies(pom: string, libs: string): Promise<void> {
  const goals = ['dependency:copy-dependencies', '-DincludeScope=runtime']
  await run('mvn', ['-q', '-f', pom, ...goals, `-DoutputDirectory=${libs}`], {
    maxBuffer: 64 * 1024 * 1024,
  })
}

/** Sorted: the order of jars decides which of two classes is taken. */
async function classPathOf(libs: string): Promise<string> {
  const jars = (await readdir(libs)).filter(name => name.endsWith('.jar'))
  return jars
    .sort()
    .map(name => join(libs, name))
    .join(':')
}

function canConnect(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
