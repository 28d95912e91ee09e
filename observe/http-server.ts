/**
 * The HTTP side: `/metrics` for Prometheus; `/health/live`, which answers while the process works at
 * all; `/health/ready`, which says yes once the group has given the instance its tasks and they run;
 * `/status`, what the instance says of itself as JSON; `/history` and `/history/TABLE`, the record of what
 * runs, which only who knows a token may read. It refuses what it does not know: there is nothing to write,
 * and what it shows is for whoever reaches the address (`docs/security.md`).
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, Server, ServerOptions } from 'node:http'
import { createServer } from 'node:http'
import { isIP } from 'node:net'
import { ConfigError } from '../model/errors.ts'

export interface HttpAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface HistoryPages {
  readonly token: string
  /** Of a path below `/history`, with its query. */
  readonly answer: (url: string) => Promise<HttpAnswer>
}

export interface HttpServerOptions {
  readonly host: string
  /** 0 takes any that is free. */
  readonly port: number
  readonly contentType: string
  readonly metrics: () => Promise<string>
  /** What becomes JSON. */
  readonly status: () => unknown
  /** Absent: nobody may read it. */
  readonly history?: HistoryPages | null
  /** Null when it is; else why it is not. */
  readonly notReady: () => string | null
}

const plain = 'text/plain; charset=utf-8'

/** Who asks has little to say, and says it at once. */
export const httpLimits = {
  /** Of the request line and all headers; beyond it 431. */
  maxHeaderBytes: 16 * 1024,
  /** Until the head is there; then 408. */
  headersTimeoutMs: 10_000,
  /** Between two requests of a connection. */
  idleTimeoutMs: 5000,
  /** At once; others are closed. */
  maxConnections: 256,
} as const

export class HttpServer {
  readonly #server: Server
  readonly #options: HttpServerOptions

  private constructor(options: HttpServerOptions) {
    this.#options = options
    this.#server = createServer(serverOptions, (request, response) => {
      const failed = { status: 500, type: plain, body: 'the metrics could not be read\n' }
      const answer: Promise<HttpAnswer> = this.#answer(request).catch(() => failed)
      void answer.then(({ status, type, body, headers }) => {
        const always = {
          'content-type': type,
          'content-length': Buffer.byteLength(body),
          'x-content-type-options': 'nosniff',
          // What else comes on the connection is not read.
          ...(status >= 400 && { connection: 'close' }),
        }
        response.writeHead(status, { ...always, ...headers }).end(body)
      })
    })
    this.#server.maxConnections = httpLimits.maxConnections
  }

  /** ConfigError when the port is taken or not allowed. */
  static async open(options: HttpServerOptions): Promise<HttpServer> {
    const { host, port } = options
    const server = new HttpServer(options)
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'EADDRINUSE' ? ': another process listens there' : ''
        const message = `http.port: cannot listen on ${host}:${port}: ${cause.code ?? cause.message}${why}`
        reject(new ConfigError('config-invalid', message, { cause }))
      })
      server.#server.listen(port, host, resolve)
    })
    return server
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : this.#options.port
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise(resolve => this.#server.close(() => resolve()))
  }

  async #answer(request: IncomingMessage): Promise<HttpAnswer> {
    const { url = '/' } = request
    const refused = refusalOf(request, this.#options.host)
    if (refused !== null) return refused
    const path = url.split('?')[0]
    if (path === '/metrics') {
      return { status: 200, type: this.#options.contentType, body: await this.#options.metrics() }
    }
    if (path === '/health/live') return { status: 200, type: plain, body: 'live\n' }
    if (path === '/health/ready') {
      const reason = this.#options.notReady()
      return { status: reason === null ? 200 : 503, type: plain, body: `${reason ?? 'ready'}\n` }
    }
    if (path === '/status') {
      const body = `${JSON.stringify(this.#options.status(), null, 2)}\n`
      return { status: 200, type: 'application/json', body }
    }
    if (path === '/history' || path?.startsWith('/history/') === true) {
      return await this.#history(request, url)
    }
    const known = 'there are /metrics, /status, /history, /health/live and /health/ready\n'
    return { status: 404, type: plain, body: known }
  }

  async #history({ headers }: IncomingMessage, url: string): Promise<HttpAnswer> {
    const { history } = this.#options
    if (history == null) {
      const body = 'the history is shown only where the configuration has http.token\n'
      return { status: 404, type: plain, body }
    }
    const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
    if (given === undefined || !isSame(given, history.token)) {
      const asked = { 'www-authenticate': 'Bearer realm="forager"' }
      const body = 'send http.token of the configuration: Authorization: Bearer TOKEN\n'
      return { status: 401, type: plain, body, headers: asked }
    }
    return await history.answer(url)
  }
}

const serverOptions: ServerOptions = {
  maxHeaderSize: httpLimits.maxHeaderBytes,
  headersTimeout: httpLimits.headersTimeoutMs,
  requestTimeout: httpLimits.headersTimeoutMs,
  keepAliveTimeout: httpLimits.idleTimeoutMs,
  connectionsCheckingInterval: 1000,
}

/** Null for a request that only asks. */
function refusalOf({ method, headers }: IncomingMessage, listensOn: string): HttpAnswer | null {
  if (method !== 'GET' && method !== 'HEAD') {
    const body = 'everything here can only be read\n'
    return { status: 405, type: plain, body, headers: { allow: 'GET, HEAD' } }
  }
  const hasBody =
    headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0
  if (hasBody) return { status: 413, type: plain, body: 'send no body: it is not read\n' }
  if (!isLoopback(listensOn) || isOfThisMachine(headers.host)) return null
  const body = 'the address is that of this machine alone: ask for localhost, or for its number\n'
  return { status: 421, type: plain, body }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.[\d.]+$/.test(host)
}

/** A page of a browser may have a name of its own lead to this machine (DNS rebinding); a number leads nowhere else. */
function isOfThisMachine(host: string | undefined): boolean {
  const name = URL.parse(`http://${host ?? 'localhost'}`)?.hostname ?? ''
  return name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) > 0
}

/** It takes as long, wherever they differ, and however long they are. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
