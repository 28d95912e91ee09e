/**
 * The socket below hive-driver's binary transport, TLS or not. hive-driver's own neither gives up
 * connecting, nor checks certificates, nor says when the server hangs up during authentication.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { HiveConnectionOptions } from './hive-options.ts'

type Listener = (...args: unknown[]) => void

/** What hive-driver's authentications and its Thrift connection ask of a transport (ITransport). */
export class SocketTransport {
  readonly #socket: Socket | TLSSocket
  readonly #readyEvent: 'connect' | 'secureConnect'
  #options: Readonly<Record<string, unknown>> = {}
  #error: Error | undefined

  private constructor(options: HiveConnectionOptions) {
    const { host, port, tls } = options
    this.#readyEvent = tls === undefined ? 'connect' : 'secureConnect'
    this.#socket =
      tls === undefined
        ? connectTcp({ host, port })
        : connectTls({ host, port, ...tlsSettings(options) })
    // Without a listener an error ends the process, at whatever moment it comes.
    this.#socket.on('error', error => {
      this.#error ??= error
    })
    this.#socket.setNoDelay(true)
    // A peer that is gone without a word is noticed although nothing is sent.
    this.#socket.setKeepAlive(true, 30_000)
  }

  /** Resolves when it is connected and, with TLS, the server's certificate was checked. */
  static async open(options: HiveConnectionOptions, signal: AbortSignal): Promise<SocketTransport> {
    const transport = new SocketTransport(options)
    const stop = (): void => void transport.#socket.destroy(new Error('connecting took too long'))
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    try {
      await new Promise<void>((resolve, reject) => {
        transport.#socket.once(transport.#readyEvent, resolve)
        transport.onClose(reject)
      })
    } finally {
      signal.removeEventListener('abort', stop)
    }
    return transport
  }

  /** Called once, with why, also when it is closed already. */
  onClose(listener: (reason: Error) => void): void {
    const tell = (): void => listener(this.#error ?? new Error('the server closed the connection'))
    if (this.#socket.closed) tell()
    else this.#socket.once('close', tell)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  getTransport(): Socket | TLSSocket {
    return this.#socket
  }

  setOptions(option: string, value: unknown): void {
    this.#options = { ...this.#options, [option]: value }
  }

  getOptions(): object {
    return this.#options
  }

  /** It is connected already: hive-driver adds its listeners after this call, and then is told so. */
  connect(): void {
    void Promise.resolve().then(() => this.emit('connect'))
  }

  addListener(event: string, listener: Listener): void {
    this.#socket.addListener(this.#eventName(event), listener)
  }

  removeListener(event: string, listener: Listener): void {
    this.#socket.removeListener(this.#eventName(event), listener)
  }

  emit(event: string): void {
    this.#socket.emit(this.#eventName(event))
  }

  write(data: Buffer | string): void {
    this.#socket.write(data)
  }

  end(): void {
    this.#socket.end()
  }

  #eventName(event: string): string {
    return event === 'connect' ? this.#readyEvent : event
  }
}

export function tlsSettings({ host, tls }: HiveConnectionOptions): {
  readonly servername?: string
  readonly rejectUnauthorized: boolean
} {
  const { serverName, rejectUnauthorized, ...pem } = tls ?? {}
  // Server Name Indication knows no addresses (RFC 6066, 3).
  const servername = serverName ?? (isIP(host) === 0 ? host : undefined)
  return {
    ...pem,
    rejectUnauthorized: rejectUnauthorized ?? true,
    ...(servername === undefined ? {} : { servername }),
  }
}
