/** How HiveServer2 is reached, and for how long it is waited for. Everything that has a limit has a default. */
import { ConfigError } from '../../model/errors.ts'

/** PEM texts; what is absent is the system's. */
export interface HiveTlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
  /** The name that the certificate must have; absent: the host that is connected to. */
  readonly serverName?: string
  /** False trusts any certificate: for trials only. */
  readonly rejectUnauthorized?: boolean
}

/**
 * What `hive.server2.authentication` of the server asks for: `none` is its NONE (SASL PLAIN with a
 * user name that nobody checks), `plain` its LDAP, PAM and CUSTOM, which all look alike from here.
 *
 * Tests run `none` over the binary transport, with TLS and without. `plain` and `nosasl`, over the binary
 * and the HTTP transport, and HTTPS were tried by hand against Hive 4.0.1: no test starts such a
 * server. `kerberos` was never run against one.
 */
export type HiveAuth =
  | { readonly type: 'none'; readonly username?: string }
  | { readonly type: 'nosasl' }
  | { readonly type: 'plain' | 'ldap'; readonly username: string; readonly password: string }
  | {
      /** Takes the ticket of this process's credential cache (`kinit`). Needs the package `kerberos`. */
      readonly type: 'kerberos'
      /** The first part of the server's principal `hive/host@REALM`. */
      readonly service?: string
      /** Its second part; absent: the host that is connected to. */
      readonly serviceHost?: string
      readonly username?: string
    }

export interface HiveConnectionOptions {
  readonly host: string
  readonly port: number
  readonly transport?:
    | { readonly type: 'binary' }
    | { readonly type: 'http'; readonly path: string }
  readonly auth?: HiveAuth
  /** Absent: no TLS. */
  readonly tls?: HiveTlsOptions
  readonly database?: string
  /** Given to each session when it is opened: `hive.merge.cardinality.check: 'false'`. */
  readonly sessionSettings?: Readonly<Record<string, string>>
  readonly limits?: Partial<HiveLimits>
}

export interface HiveLimits {
  /** For the connection with its handshakes, TLS and SASL. */
  readonly connectTimeoutMs: number
  /** For opening a session, which may start an application master. */
  readonly openTimeoutMs: number
  /** For a statement, from when it is its turn; `execute` may be told another one. */
  readonly statementTimeoutMs: number
  /** For each answer that HiveServer2 gives soon: a state, a part of a result. */
  readonly requestTimeoutMs: number
  /** For cancelling a statement and for closing what is no longer needed. */
  readonly cancelTimeoutMs: number
  /** A session that was idle for so long is asked whether it still is before a statement goes out. */
  readonly idleCheckMs: number
  /** Rows of one part of a result. */
  readonly maxRowsPerFetch: number
}

export const defaultHiveLimits: HiveLimits = {
  connectTimeoutMs: 10_000,
  openTimeoutMs: 120_000,
  statementTimeoutMs: 30 * 60_000,
  requestTimeoutMs: 60_000,
  cancelTimeoutMs: 30_000,
  idleCheckMs: 5_000,
  maxRowsPerFetch: 1_000,
}

export function hiveLimits(options: HiveConnectionOptions): HiveLimits {
  return { ...defaultHiveLimits, ...options.limits }
}

/** For messages: where it is, without who asks. */
export function hiveAddress(options: HiveConnectionOptions): string {
  const { host, port, transport } = options
  const path = transport?.type === 'http' ? `/${transport.path.replace(/^\/+/, '')}` : ''
  return `${host.includes(':') ? `[${host}]` : host}:${port}${path}`
}

/**
 * What OpenSession is told: `set:hiveconf:NAME` for a setting, `use:database` for the database
 * (HiveServer2, HiveSessionImpl.configureSession). ConfigError `config-invalid` for a name that is none.
 */
export function sessionConfiguration(options: HiveConnectionOptions): Record<string, string> {
  const configuration: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.sessionSettings ?? {})) {
    // `set:system:…` and the like would reach into the server's own process.
    if (!/^[a-z][a-z0-9_-]*(\.[A-Za-z0-9_-]+)+$/.test(name)) {
      throw new ConfigError('config-invalid', `${name} is not the name of a setting of Hive`)
    }
    configuration[`set:hiveconf:${name}`] = value
  }
  if (options.database !== undefined) configuration['use:database'] = options.database
  return configuration
}
