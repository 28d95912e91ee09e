/**
 * One HTTP request and its answer. Whoever waits for a server waits for so long and not longer: each
 * wait begins anew with whatever the server does. Redirects are the caller's.
 */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import * as http from 'node:http'
import * as https from 'node:https'
import type { Clock } from '../../runtime/clock.ts'

/** PEM texts; what is absent is the system's. */
export interface TlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface ExchangeOptions {
  readonly method: 'GET' | 'PUT' | 'DELETE'
  readonly url: URL
  /** Of the body; null when it is not known beforehand. */
  readonly bodyBytes: number | null
  /** How long the server may do nothing. */
  readonly timeoutMs: number
  /** An answer may not be larger. */
  readonly maxAnswerBytes: number
}

/** What is handed to the connection at once: so that waiting is noticed, and memory bounded. */
const sliceBytes = 256 * 1024
/** A server that is there accepts a connection within. */
const connectTimeoutMs = 10_000

export class HttpClient {
  readonly #clock: Clock
  readonly #plain = new http.Agent({ keepAlive: true })
  readonly #secure: https.Agent

  constructor(options: { clock: Clock; tls?: TlsOptions }) {
    this.#clock = options.clock
    this.#secure = new https.Agent({ keepAlive: true, ...options.tls })
  }

  /** Sends the head of a request. */
  start(options: ExchangeOptions): Exchange {
    const { method, url, bodyBytes } = options
    const isSecure = url.protocol === 'https:'
    const agent = isSecure ? this.#secure : this.#plain
    const headers = {
      'User-Agent': 'forager',
      ...(method === 'PUT' && { 'Content-Type': 'application/octet-stream' }),
      ...(bodyBytes === null
        ? { 'Transfer-Encoding': 'chunked' }
        : method !== 'GET' && { 'Content-Length': bodyBytes }),
    }
    const request = (isSecure ? https : http).request(url, { method, agent, headers })
    return new Exchange(request, this.#clock, options)
  }

  /** A request without a body, and its whole answer. */
  async send(options: Omit<ExchangeOptions, 'bodyBytes'>): Promise<Answer> {
    const exchange = this.start({ ...options, bodyBytes: 0 })
    try {
      return await exchange.finish()
    } catch (error) {
      exchange.destroy()
      throw error
    }
  }
}

/** One call at a time. An error of the connection rejects the call that waits, and all later ones. */
export class Exchange {
  readonly #request: ClientRequest
  readonly #clock: Clock
  readonly #options: ExchangeOptions
  readonly #body: Buffer[] = []
  #bodyBytes = 0
  #isConnected = false
  #response: IncomingMessage | null = null
  #isComplete = false
  #failure: Error | null = null
  #wake: () => void = () => undefined

  constructor(request: ClientRequest, clock: Clock, options: ExchangeOptions) {
    this.#request = request
    this.#clock = clock
    this.#options = options
    request.on('socket', socket => {
      const connected = (): void => {
        this.#isConnected = true
        this.#wake()
      }
      if (socket.connecting) socket.once('connect', connected)
      else connected()
    })
    request.on('response', response => this.#receive(response))
    request.on('error', error => this.#fail(error))
  }

  /** The server said its last word, maybe before it had all of the request. */
  get isAnswered(): boolean {
    return this.#response !== null
  }

  /** Resolves when the connection took the bytes, which are the caller's again, or was answered. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start += sliceBytes) {
      let isTaken = false
      this.#request.write(bytes.subarray(start, start + sliceBytes), () => {
        isTaken = true
        this.#wake()
      })
      await this.#until(() => isTaken || this.isAnswered)
    }
  }

  async finish(): Promise<Answer> {
    this.#request.end()
    await this.#until(() => this.isAnswered)
    const { statusCode: status = 0, headers } = this.#response!
    try {
      await this.#until(() => this.#isComplete)
    } catch (error) {
      // Of an answer that is no success its status tells enough.
      if (status < 400) throw error
    }
    return { status, headers, body: Buffer.concat(this.#body) }
  }

  /** Ends the connection when the exchange is not at its end. */
  destroy(): void {
    this.#request.destroy()
  }

  #receive(response: IncomingMessage): void {
    this.#response = response
    response.on('data', (bytes: Buffer) => {
      this.#body.push(bytes)
      this.#bodyBytes += bytes.length
      if (this.#bodyBytes > this.#options.maxAnswerBytes) {
        this.#fail(new Error(`its answer is larger than ${this.#options.maxAnswerBytes} bytes`))
        this.destroy()
      }
      this.#wake()
    })
    response.on('end', () => {
      this.#isComplete = response.complete && this.#failure === null
      this.#wake()
    })
    response.on('error', error => this.#fail(error))
    this.#wake()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#wake()
  }

  async #until(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      if (this.#failure !== null) throw this.#failure
      await this.#nextEvent()
    }
  }

  async #nextEvent(): Promise<void> {
    const { timeoutMs } = this.#options
    const waitMs = this.#isConnected ? timeoutMs : Math.min(timeoutMs, connectTimeoutMs)
    const timer = new AbortController()
    const happened = new Promise<true>(resolve => {
      this.#wake = () => resolve(true)
    })
    const late = this.#clock.sleep(waitMs, timer.signal).then(() => false)
    if (await Promise.race([happened, late])) {
      timer.abort()
      return
    }
    const verb = this.#isConnected ? 'it did nothing' : 'no connection'
    this.#failure ??= new Error(`${verb} for ${waitMs} ms`)
    this.destroy()
  }
}
