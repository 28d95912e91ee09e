/**
 * A proxy before a NameNode or a DataNode. What is done to a request is asked of the test: it passes, or
 * breaks somewhere. What passes is the server's own.
 */
import * as http from 'node:http'
import * as https from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export type Fault =
  | 'pass'
  /** The connection ends before the server hears of the request, or after it did what was asked. */
  | 'cut'
  | 'lose-answer'
  | 'hang'
  /** The connections end when so much of the request, or of the answer, went through. */
  | { readonly cutAfterBytes: number }
  | { readonly cutAnswerAfterBytes: number }
  /** Another answer than the server's. */
  | { readonly status: number; readonly body: string }
  /** It passes then. */
  | { readonly delayedUntil: () => Promise<unknown> }
  /** The server gets the whole request then, when who asked does not wait any more. */
  | { readonly heldUntil: Promise<void> }

export interface ProxiedRequest {
  readonly method: string
  readonly url: URL
  readonly op: string
}

export interface ProxyOptions {
  readonly target: string
  readonly faultOf?: (request: ProxiedRequest) => Fault
  /** Redirects of the server lead there instead. */
  readonly redirectsTo?: () => string
  /** What the server knows of the request. */
  readonly forwardedUrl?: (url: URL) => URL
  readonly tls?: { readonly key: string; readonly cert: string }
}

export class HttpProxy {
  readonly requests: ProxiedRequest[] = []
  readonly #options: ProxyOptions
  readonly #server: http.Server

  private constructor(options: ProxyOptions) {
    this.#options = options
    const serve = (request: http.IncomingMessage, answer: http.ServerResponse): void => {
      // A request that is cut is the test's own doing.
      this.#serve(request, answer).catch(() => answer.destroy())
    }
    const { tls } = options
    this.#server = tls === undefined ? http.createServer(serve) : https.createServer(tls, serve)
  }

  static async open(options: ProxyOptions): Promise<HttpProxy> {
    const proxy = new HttpProxy(options)
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get origin(): string {
    const scheme = this.#options.tls === undefined ? 'http' : 'https'
    return `${scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The operations that were asked for, in order. */
  get ops(): string[] {
    return this.requests.map(({ op }) => op)
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: http.IncomingMessage, answer: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.#options.target)
    const method = request.method ?? ''
    const asked = { method, url, op: url.searchParams.get('op') ?? '' }
    this.requests.push(asked)
    const fault = this.#options.faultOf?.(asked) ?? 'pass'
    if (fault === 'hang') return
    if (fault === 'cut') {
      request.socket.destroy()
      return
    }
    if (typeof fault === 'object' && 'status' in fault) {
      answer.writeHead(fault.status, { 'Content-Type': 'application/json' }).end(fault.body)
      return
    }
    if (typeof fault === 'object' && 'heldUntil' in fault) {
      const body = await buffer(request)
      await fault.heldUntil
      const { response } = await this.#forward(request, url, sent => sent.end(body))
      response.resume()
      answer.destroy()
      return
    }
    if (typeof fault === 'object' && 'delayedUntil' in fault) await fault.delayedUntil()
    await this.#pass(request, answer, url, fault)
  }

  async #pass(
    request: http.IncomingMessage,
    answer: http.ServerResponse,
    url: URL,
    fault: Fault,
  ): Promise<void> {
    const { sent, response } = await this.#forward(request, url, forwarded => {
      if (typeof fault === 'object' && 'cutAfterBytes' in fault) {
        afterBytes(request, fault.cutAfterBytes, () => {
          forwarded.destroy()
          request.socket.destroy()
        })
      }
      request.pipe(forwarded)
    })
    if (fault === 'lose-answer') {
      await buffer(response)
      request.socket.destroy()
      return
    }
    const { location } = response.headers
    const headers = { ...response.headers, ...this.#redirect(location) }
    answer.writeHead(response.statusCode ?? 0, headers)
    if (typeof fault === 'object' && 'cutAnswerAfterBytes' in fault) {
      afterBytes(response, fault.cutAnswerAfterBytes, () => {
        sent.destroy()
        request.socket.destroy()
      })
    }
    response.pipe(answer)
  }

  #redirect(location: string | undefined): { location?: string } {
    if (location === undefined) return {}
    const to = this.#options.redirectsTo?.()
    if (to === undefined) return {}
    return { location: location.replace(new URL(location).origin, to) }
  }

  #forward(
    request: http.IncomingMessage,
    url: URL,
    send: (sent: http.ClientRequest) => void,
  ): Promise<{ readonly sent: http.ClientRequest; readonly response: http.IncomingMessage }> {
    return new Promise((resolve, reject) => {
      const to = this.#options.forwardedUrl?.(url) ?? url
      const headers = { ...request.headers, host: to.host }
      const sent = http.request(to, { method: request.method ?? 'GET', headers, agent: false })
      sent.on('error', reject)
      sent.on('response', response => resolve({ sent, response }))
      send(sent)
    })
  }
}

function afterBytes(stream: http.IncomingMessage, count: number, action: () => void): void {
  let seen = 0
  stream.on('data', (bytes: Buffer) => {
    seen += bytes.length
    if (seen >= count) action()
  })
}
