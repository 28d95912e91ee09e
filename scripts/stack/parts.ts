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

const kafka: Part = {
  name: 'kafka',
  downloads: 'Kafka 4.3.1 with its tools: 94 jars, 55 MB',
  readyWithinMs: 120_000,
  isFetched: ({ home }) => existsSync(join(home, 'kafka', 'libs', '.fetched')),
  async fetch({ home }) {
    const libs = join(home, 'kafka', 'libs')
    await mkdir(libs, { recursive: true })
    await copyDependencies(join(resources, 'kafka', 'pom.xml'), libs)
    await writeFile(join(libs, '.fetched'), '')
  },
  async prepare(options) {
    const folder = partFolder('kafka', options)
    const data = join(folder, 'data')
    const settings = join(folder, 'server.properties')
    const template = await readFile(join(resources, 'kafka', 'server.properties'), 'utf8')
    const port = kafkaPort(options)
    const text = template
      .replaceAll('@PORT@', String(port))
      .replaceAll('@PROXIED_PORT@', String(proxyPorts(options).target))
      .replaceAll('@PROXY_PORT@', String(proxyPorts(options).proxy))
      .replaceAll('@CONTROLLER_PORT@', String(port + 1))
      .replaceAll('@DATA@', data)
    await writeFile(settings, text)
    const classPath = await classPathOf(join(options.home, 'kafka', 'libs'))
    const log4j = `-Dlog4j2.configurationFile=${join(resources, 'kafka', 'log4j2.properties')}`
    if (!existsSync(join(data, 'meta.properties'))) {
      const tools = `-Dlog4j2.configurationFile=${join(resources, 'kafka', 'log4j2-tools.properties')}`
      const id = 'Zm9yYWdlci1zdGFjay0xMQ'
      const format = ['kafka.tools.StorageTool', 'format', '-t', id, '-c', settings]
      await run('java', ['-cp', classPath, tools, ...format])
    }
    return {
      command: 'java',
      args: ['-Xmx640m', '-Xms128m', log4j, '-cp', classPath, 'kafka.Kafka', settings],
    }
  },
  answers: options => canConnect(kafkaPort(options)),
}

/** Settings, data and log of a part. */
export function partFolder(name: string, { home, data }: StackOptions): string {
  return join(data ?? home, name)
}

export const parts: readonly Part[] = [kafka]

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
