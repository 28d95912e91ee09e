/**
 * Operations of a cluster over its NameNodes' HTTP addresses: each is tried until it succeeds, is
 * refused, or the time for it is over. Which NameNode is active is found by asking.
 */
import { StateError } from '../../model/errors.ts'
import type { Logger } from '../../observe/logger.ts'
import { silentLogger } from '../../observe/logger.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { Parameters } from './attempt.ts'
import { Attempt } from './attempt.ts'
import type { TlsOptions } from './exchange.ts'
import { HttpClient } from './exchange.ts'
import { WebHdfsFailure } from './failures.ts'

export interface ClusterOptions {
  /** HTTP addresses of the NameNodes: `http://namenode:9870`, without a path. */
  readonly urls: readonly string[]
  /** Who asks, where the cluster believes it (simple authentication). */
  readonly user?: string
  /** A delegation token in its URL-safe form, instead of a user. */
  readonly delegationToken?: string
  readonly tls?: TlsOptions
  /** How long a NameNode may do nothing; a DataNode three times that. 30 s by default. */
  readonly requestTimeoutMs?: number
  /** How long an operation is repeated that fails for a passing reason; 2 min by default. */
  readonly retryTimeoutMs?: number
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
}

/** What is done, for messages: `cannot rename /a/b`. */
export interface Operation {
  readonly verb: string
  readonly path: string
}

const firstPauseMs = 100
const maxPauseMs = 5000

export class HdfsCluster {
  readonly #options: ClusterOptions
  readonly #http: HttpClient
  readonly #urls: readonly URL[]
  readonly #identity: Parameters
  readonly #retryTimeoutMs: number
  /** Place of the NameNode that served last. */
  #active = 0

  constructor(options: ClusterOptions) {
    this.#options = options
    this.#http = new HttpClient(options)
    this.#urls = options.urls.map(url => new URL(url))
    this.#retryTimeoutMs = options.retryTimeoutMs ?? 120_000
    const { user, delegationToken } = options
    if (delegationToken !== undefined) this.#identity = { delegation: delegationToken }
    else this.#identity = user === undefined ? {} : { 'user.name': user }
  }

  /**
   * Tries until it succeeds. StateError `storage-failed` for what will not pass, `storage-unreachable`
   * for what did not.
   */
  async repeat<T>(operation: Operation, body: (attempt: Attempt) => Promise<T>): Promise<T> {
    const { clock } = this.#options
    const excluded = new Set<string>()
    const began = clock.monotonic()
    for (let tries = 0; ; tries += 1) {
      const asked = this.#active
      try {
        return await body(this.#attempt(asked, excluded, tries > 0))
      } catch (error) {
        if (!(error instanceof WebHdfsFailure) || error.kind !== 'passing') {
          throw this.failed(operation, error)
        }
        const pauseMs = this.#pauseMs(error, tries)
        const spentMs = clock.monotonic() - began
        if (spentMs + pauseMs > this.#retryTimeoutMs) throw unreachable(operation, error, spentMs)
        // Another operation may have found the active one meanwhile.
        const isMoved = this.#active !== asked
        if (error.isOfNameNode && !isMoved) this.#active = (asked + 1) % this.#urls.length
        this.#report(operation, error)
        await clock.sleep(pauseMs)
      }
    }
  }

  /** Tries once. Rejects with a WebHdfsFailure. */
  once<T>(body: (attempt: Attempt) => Promise<T>): Promise<T> {
    return body(this.#attempt(this.#active, new Set(), false))
  }

  /** The error of an operation that is not repeated. */
  failed(operation: Operation, error: unknown): Error {
    if (!(error instanceof WebHdfsFailure)) return error as Error
    if (error.kind === 'passing') return unreachable(operation, error, 0)
    return refused(operation, error)
  }

  #attempt(asked: number, excluded: Set<string>, isRepeated: boolean): Attempt {
    const transport = {
      http: this.#http,
      nameNode: this.#urls[asked]!,
      identity: this.#identity,
      timeoutMs: this.#options.requestTimeoutMs ?? 30_000,
    }
    return new Attempt(transport, excluded, isRepeated)
  }

  /** Other NameNodes are asked at once. When all were there is a pause, which grows. */
  #pauseMs(error: WebHdfsFailure, tries: number): number {
    const isRoundOver = (tries + 1) % this.#urls.length === 0
    if (error.isOfNameNode && !isRoundOver) return 0
    const round = Math.floor(tries / this.#urls.length)
    const longest = Math.min(maxPauseMs, firstPauseMs * 2 ** Math.min(round, 10))
    return longest * (0.5 + this.#options.random.next() / 2)
  }

  #report({ verb, path }: Operation, error: WebHdfsFailure): void {
    const logger = this.#options.logger ?? silentLogger
    logger.warn('staging.retried', { operation: verb, path, reason: error.message })
  }
}

function refused({ verb, path }: Operation, { kind, message, cause }: WebHdfsFailure): StateError {
  const text = kind === 'missing' ? `no such file or folder (${message})` : message
  return new StateError('storage-failed', `cannot ${verb} ${path}: ${text}`, {
    context: { file: path },
    cause,
  })
}

function unreachable({ verb, path }: Operation, error: WebHdfsFailure, ms: number): StateError {
  const time = ms < 1000 ? '' : `, for ${Math.round(ms / 1000)} s`
  return new StateError('storage-unreachable', `cannot ${verb} ${path}${time}: ${error.message}`, {
    retry: 'backoff',
    context: { file: path },
    cause: error.cause,
  })
}
