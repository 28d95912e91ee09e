/** What the source of a simulation is told. */
import type { Random } from '../../runtime/random.ts'
import type { MemorySource } from '../memory-source.ts'
import type { Drops } from './dropped-tables.ts'
import type { Connector } from './source-events.ts'

export interface WorkloadOptions {
  /** Of each statement, by its number: to leave one out changes no other. */
  readonly randomOf: (statement: number) => Random
  /** The statements that are made; null: all. */
  readonly statements: readonly number[] | null
  readonly source: MemorySource
  readonly tables: readonly string[]
  /** Of every source topic. */
  readonly partitions: number
  /** Ids are 1 to this: small, so that rows come and go often. */
  readonly maxId: number
  readonly truncates: boolean
  /** Of the statements; by default one of a hundred. */
  readonly truncateShare?: number
  /** Told of what the source does, in words. */
  readonly tell?: (line: string) => void
  /** The producer sends each message through any partition, and whole rows only. */
  readonly spreads?: boolean
  /** Sometimes another server takes over, whose log begins anew. */
  readonly restarts?: boolean
  /** Whose events they are; by default MySQL's. PostgreSQL's are of tables with the default replica identity. */
  readonly connector?: Connector
  /** A key whose row left it, and left a value out on the way, gets no other row. */
  readonly oldKeysStayFree?: boolean
  /** Tables are dropped and made again; absent: never. */
  readonly drops?: Drops
  /** Rows are read by incremental snapshots, while transactions are open. PostgreSQL's. */
  readonly snapshots?: boolean
}
