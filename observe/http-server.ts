/**
 * The HTTP side: `/metrics` for Prometheus; `/health/live`, which answers while the process works at
 * all; `/health/ready`, which says yes once the group has given the instance its tasks and they run;
 * `/status`, what the instance says of itself as JSON.
 */
import { createServer, type Server } from 'node:http'
import { ConfigError } from '../model/errors.ts'

export interface HttpServerOptions {
  readonly host: string
  /** 0 takes any that is free. */
  readonly port: number
  readonly contentType: string
  readonly metrics: () => Promise<string>
  /** What becomes JSON. */
  readonly status: () => unknown
  /** Null when it is; else why it is not. */
  readonly notReady: () => string | null
}

export class HttpServer {
  readonly #server: Server
  readonly #options: HttpServerOptions

  private constructor(options: HttpServerOptions) {
    this.#options = options
    this.#server = createServer((request, response) => {
      const failed = { status: 500, type: 'text/plain', body: 'the metrics could not be read\n' }
      const answer = this.#answer(request.url ?? '/').catch(() => failed)
      void answer.then(({ status, type, body }) => {
        response.writeHead(status, { 'content-type': type }).end(body)
      })
    })
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

  async #answer(url: string): Promise<{ status: number; type: string; body: string }> {
    const plain = 'text/plain; charset=utf-8'
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
    const known = 'there are /metrics, /status, /health/live and /health/ready\n'
    return { status: 404, type: plain, body: known }
  }
}
