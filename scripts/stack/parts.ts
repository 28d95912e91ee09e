/**
 * What a part of the stack is, and where parts listen and lie. The parts themselves are in one file for
 * each family of servers (`kafka.ts`, `hdfs.ts`, `hive.ts`, …), and `stack.ts` has the list of them.
 */
import { join } from 'node:path'
import type { Download } from './downloads.ts'

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
  /** Parts that must answer before this one is started. */
  readonly needs: readonly string[]
  readonly downloads: readonly Download[]
  readonly readyWithinMs: number
  /** Ends it in order; SIGTERM unless it says otherwise. */
  readonly stopSignal?: NodeJS.Signals
  /** Where it is reached, for people. */
  address(options: StackOptions): string
  /** Settings and data folders; then the command that runs until it is ended. */
  prepare(options: StackOptions): Promise<Command>
  /** It does its work: an open port is not enough where a server opens it before it is ready. */
  answers(options: StackOptions): Promise<boolean>
}

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  /** Where it runs; the part's own folder unless it says otherwise. */
  readonly cwd?: string
}

/** Settings files and server sources of the parts lie beside this file. */
export const resources = new URL('.', import.meta.url).pathname

/** Settings, data and log of a part. */
export function partFolder(name: string, { home, data }: StackOptions): string {
  return join(data ?? home, name)
}

const firstPort = 19_092

/** Offsets that differ by this much never meet. */
export const portsPerStack = 50

/** Of the stacks that tests start, beside the one that somebody runs by hand. */
export const testOffsets: readonly number[] = Array.from(
  { length: 38 },
  (_, index) => 100 + index * portsPerStack,
)

/**
 * Every port of a stack, counted from its first one. They stay below 32768, where systems begin to take
 * ports for outgoing connections.
 */
export const portIndexes = {
  kafka: 0,
  kafkaController: 1,
  /** The broker listens at the first, and sends who asks there to the second: tests put a proxy there. */
  kafkaProxied: 2,
  kafkaProxy: 3,
  secureTls: 4,
  secureMutual: 5,
  secureSasl: 6,
  /** What brokers use among themselves. */
  secureInner: 8,
  secureController: 9,
  cluster1: 10,
  cluster2: 11,
  cluster3: 12,
  clusterController1: 13,
  clusterController2: 14,
  clusterController3: 15,
  connect: 20,
  mariadb: 21,
  postgres: 22,
  registry: 23,
  registryManagement: 24,
  namenode: 30,
  namenodeHttp: 31,
  datanode: 32,
  datanodeHttp: 33,
  datanodeIpc: 34,
  metastore: 35,
  hiveserver2: 36,
  /** No server's: who listens there has the whole block, see `claim`. */
  claim: 49,
} as const

export type PortName = keyof typeof portIndexes

export function portOf(name: PortName, { portOffset }: StackOptions): number {
  return firstPort + portOffset + portIndexes[name]
}

export function allPorts(options: StackOptions): readonly number[] {
  return (Object.keys(portIndexes) as PortName[]).map(name => portOf(name, options))
}

export function kafkaPort(options: StackOptions): number {
  return portOf('kafka', options)
}

/** The broker listens at `target`, and sends who asks there to `proxy`: tests put one there. */
export function proxyPorts(options: StackOptions): {
  readonly target: number
  readonly proxy: number
} {
  return { target: portOf('kafkaProxied', options), proxy: portOf('kafkaProxy', options) }
}

/** Listeners of the broker that is spoken to by TLS and SASL. */
export function securePorts(options: StackOptions): {
  readonly tls: number
  /** TLS with a certificate of the client. */
  readonly mutual: number
  /** SASL over TLS. */
  readonly sasl: number
} {
  return {
    tls: portOf('secureTls', options),
    mutual: portOf('secureMutual', options),
    sasl: portOf('secureSasl', options),
  }
}

/** Of the three brokers of the cluster. */
export function clusterPorts(options: StackOptions): readonly number[] {
  const names = ['cluster1', 'cluster2', 'cluster3'] as const
  return names.map(name => portOf(name, options))
}
