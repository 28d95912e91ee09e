/**
 * Where servers are in containers: each by its service's name, at the port that its image is known for. On the
 * host they have the ports that they have when they run from jars.
 */
import type { PortName } from '../stack/parts.ts'
import { portOf } from '../stack/parts.ts'

export interface Place {
  readonly service: string
  readonly port: number
}

/** Of the ports that somebody in another container asks. */
export const places = {
  kafka: { service: 'kafka', port: 9092 },
  kafkaController: { service: 'kafka', port: 9093 },
  connect: { service: 'connect', port: 8083 },
  mariadb: { service: 'mariadb', port: 3306 },
  postgres: { service: 'postgres', port: 5432 },
  registry: { service: 'registry', port: 8080 },
  namenode: { service: 'namenode', port: 8020 },
  namenodeHttp: { service: 'namenode', port: 9870 },
  datanode: { service: 'datanode', port: 9866 },
  datanodeHttp: { service: 'datanode', port: 9864 },
  datanodeIpc: { service: 'datanode', port: 9867 },
  metastore: { service: 'metastore', port: 9083 },
  hiveserver2: { service: 'hiveserver2', port: 10_000 },
} as const satisfies Partial<Record<PortName, Place>>

export type PlaceName = keyof typeof places

/** `kafka:9092` */
export function addressOf(name: PlaceName): string {
  const { service, port } = places[name]
  return `${service}:${port}`
}

/** Of the stack from jars that somebody starts by hand. */
export function hostPortOf(name: PortName): number {
  return portOf(name, { home: '', portOffset: 0 })
}

/** Reachable from this machine alone, as all of the stack is. */
export function published(name: PlaceName): string {
  return `127.0.0.1:${hostPortOf(name)}:${places[name].port}`
}
