/**
 * Makes hive-driver's connection: transport, TLS, authentication. The only file that imports hive-driver,
 * and it does when a connection is opened and not before.
 */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { createRequire } from 'node:module'
import type { HiveDriver } from 'hive-driver'
import { ConfigError } from '../../model/errors.ts'
import type { HiveAuth, HiveConnectionOptions } from './hive-options.ts'
import { SocketTransport, tlsSettings } from './socket-transport.ts'

type Library = typeof import('hive-driver')
type DriverClient = InstanceType<Library['HiveClient']>
type KerberosProcess = Library['auth']['helpers']['MongoKerberosAuthProcess']
type Kerberos = ConstructorParameters<KerberosProcess>[1]
type Authentication = NonNullable<Parameters<DriverClient['connect']>[2]>

export interface DriverConnection {
  /** Calls, one method each; their promises may stay open for ever when the connection ends. */
  readonly driver: HiveDriver
  /** Tells each listener once why the connection ended, also when it has already. */
  onLost(listener: (reason: Error) => void): void
  destroy(): void
}

/** Rejects with what went wrong; nothing stays open then. */
export async function openConnection(
  options: HiveConnectionOptions,
  signal: AbortSignal,
): Promise<DriverConnection> {
  const library = await import('hive-driver')
  return options.transport?.type === 'http'
    ? await openHttp(library, options, options.transport.path)
    : await openBinary(library, options, signal)
}

async function openBinary(
  library: Library,
  options: HiveConnectionOptions,
  signal: AbortSignal,
): Promise<DriverConnection> {
  const authentication = binaryAuthentication(library, options)
  const transport = await SocketTransport.open(options, signal)
  const ending = new Ending()
  transport.onClose(reason => ending.end(reason))
  const stop = (): void => transport.destroy()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    const client = newClient(library, ending)
    // hive-driver would open a socket of its own: it is given ours instead.
    const provider = new library.connections.TcpConnection()
    const authenticate = (): ReturnType<Authentication['authenticate']> =>
      authentication.authenticate(transport)
    await Promise.race([
      client.connect({ host: options.host, port: options.port }, provider, { authenticate }),
      ending.promise,
    ])
    return connectionOf(library, client, ending, () => transport.destroy())
  } catch (error) {
    transport.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

async function openHttp(
  library: Library,
  options: HiveConnectionOptions,
  path: string,
): Promise<DriverConnection> {
  const { host, port, tls } = options
  const agent =
    tls === undefined
      ? new HttpAgent({ keepAlive: true })
      : new HttpsAgent({ keepAlive: true, ...tlsSettings(options) })
  const ending = new Ending()
  const client = newClient(library, ending)
  await client.connect(
    {
      host,
      port,
      options: {
        path: `/${path.replace(/^\/+/, '')}`,
        https: tls !== undefined,
        nodeOptions: { agent, ...(tls === undefined ? {} : tlsSettings(options)) },
      },
    },
    new library.connections.HttpConnection(),
    httpAuthentication(library, options),
  )
  return connectionOf(library, client, ending, () => agent.destroy())
}

function newClient(library: Library, ending: Ending): DriverClient {
  const { TCLIService, TCLIService_types } = library.thrift
  const client = new library.HiveClient(TCLIService, TCLIService_types)
  // An `error` that nobody listens to ends the process; with HTTP it is the only sign of a failed call.
  client.on('error', (error: unknown) => ending.end(plainError(error)))
  client.on('close', () => ending.end(new Error('the connection was closed')))
  return client
}

function connectionOf(
  library: Library,
  client: DriverClient,
  ending: Ending,
  destroy: () => void,
): DriverConnection {
  return {
    driver: new library.HiveDriver(library.thrift.TCLIService_types, client.getClient()),
    onLost: listener => ending.tell(listener),
    destroy: () => {
      ending.end(new Error('the connection was closed by this side'))
      destroy()
    },
  }
}

/** Why the connection ended, once: the first reason counts. */
class Ending {
  readonly promise: Promise<never>
  #reject: (reason: Error) => void = () => undefined

  constructor() {
    this.promise = new Promise<never>((_, reject) => {
      this.#reject = reject
    })
    // Nobody may be waiting just then.
    this.promise.catch(() => undefined)
  }

  end(reason: Error): void {
    this.#reject(reason)
  }

  tell(listener: (reason: Error) => void): void {
    this.promise.catch(listener)
  }
}

/** Errors of HTTP carry the whole request, with the password in its headers: only the text is kept. */
function plainError(error: unknown): Error {
  return new Error(error instanceof Error ? error.message : String(error))
}

function binaryAuthentication(library: Library, options: HiveConnectionOptions): Authentication {
  const auth = options.auth ?? { type: 'none' }
  if (auth.type === 'nosasl') return new library.auth.NoSaslAuthentication()
  if (auth.type === 'kerberos') {
    return new library.auth.KerberosTcpAuthentication(
      credentials(auth),
      kerberosProcess(library, options, auth),
    )
  }
  return new library.auth.PlainTcpAuthentication(credentials(auth))
}

function httpAuthentication(library: Library, options: HiveConnectionOptions): Authentication {
  const auth = options.auth ?? { type: 'none' }
  if (auth.type === 'kerberos') {
    return new library.auth.KerberosHttpAuthentication(
      credentials(auth),
      kerberosProcess(library, options, auth),
    )
  }
  return new library.auth.PlainHttpAuthentication(credentials(auth))
}

/** hive-driver's own defaults are the word `anonymous` for what is absent. */
export function credentials(auth: HiveAuth): { username: string; password: string } {
  return {
    username: ('username' in auth ? auth.username : undefined) ?? 'forager',
    password: 'password' in auth ? auth.password : 'none',
  }
}

function kerberosProcess(
  library: Library,
  options: HiveConnectionOptions,
  auth: HiveAuth & { readonly type: 'kerberos' },
): InstanceType<KerberosProcess> {
  const { service = 'hive', serviceHost = options.host } = auth
  return new library.auth.helpers.MongoKerberosAuthProcess(
    { service, fqdn: serviceHost },
    loadKerberos(),
  )
}

/**
 * It is compiled where it is installed, so it is not a dependency. hive-driver calls it with callbacks,
 * which later major versions than 2 do not take. ConfigError `kerberos-missing`.
 */
export function loadKerberos(): Kerberos {
  try {
    return createRequire(import.meta.url)('kerberos') as Kerberos
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const reason = code === 'MODULE_NOT_FOUND' ? 'it is not installed' : message.split('\n')[0]
    throw new ConfigError(
      'kerberos-missing',
      `authentication is kerberos, and the package kerberos could not be loaded: ${reason}`,
      { cause },
    )
  }
}
