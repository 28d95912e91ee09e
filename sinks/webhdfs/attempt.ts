/**
 * One try of an operation: requests to one NameNode, and to the DataNodes that it redirects to.
 * Everything that goes wrong is a WebHdfsFailure.
 */
import type { Answer, HttpClient } from './exchange.ts'
import { answerFailure, connectionFailure, parseJson, WebHdfsFailure } from './failures.ts'
import { hdfsPath } from './paths.ts'
import { Upload } from './upload.ts'

export type Parameters = Readonly<Record<string, string>>

type Method = 'GET' | 'PUT' | 'DELETE'

export interface Transport {
  readonly http: HttpClient
  readonly nameNode: URL
  /** Who asks, as parameters. */
  readonly identity: Parameters
  /** How long a NameNode may do nothing; a DataNode, which may wait for others, three times that. */
  readonly timeoutMs: number
}

/** Of a folder with a hundred thousand names some forty. */
const maxJsonBytes = 256 * 1024 * 1024

export class Attempt {
  /** An earlier try may have been carried out, or may be yet. */
  readonly isRepeated: boolean
  readonly #transport: Transport
  /** Hosts of DataNodes that failed in earlier tries. */
  readonly #excluded: Set<string>

  constructor(transport: Transport, excluded: Set<string>, isRepeated: boolean) {
    this.#transport = transport
    this.#excluded = excluded
    this.isRepeated = isRepeated
  }

  /** Asks the NameNode. The answer is JSON, or null where it has no body. */
  async ask(method: Method, op: string, path: string, parameters?: Parameters): Promise<unknown> {
    const url = this.#url(op, path, parameters)
    const answer = await this.#askNameNode(method, url)
    if (answer.status !== 200) throw answerFailure(answer, url, true)
    if (answer.body.length === 0) return null
    const json = parseJson(answer.body)
    if (json === null) throw unlikely(url)
    return json
  }

  /** Where the NameNode redirects to: a DataNode, if it can one that did not fail. */
  async redirect(
    method: Method,
    op: string,
    path: string,
    parameters: Parameters = {},
  ): Promise<URL> {
    const excludedatanodes = [...this.#excluded].join(',')
    const past = excludedatanodes === '' ? {} : { excludedatanodes }
    const url = this.#url(op, path, { ...parameters, ...past })
    const answer = await this.#askNameNode(method, url)
    const { location } = answer.headers
    if (answer.status === 307 && location !== undefined) return targetOf(location, url)
    // When all that there are failed for us they must be tried again.
    this.#excluded.clear()
    throw answerFailure(answer, url, true)
  }

  /** What is at the address that the NameNode redirected to. */
  async download(url: URL, maxAnswerBytes: number): Promise<Buffer> {
    return await this.#onDataNode(url, async () => {
      const { http } = this.#transport
      const timeoutMs = this.#dataTimeoutMs
      const answer = await http.send({ method: 'GET', url, timeoutMs, maxAnswerBytes })
      if (answer.status !== 200) throw answerFailure(answer, url, false)
      return answer.body
    })
  }

  /** Sends these pieces, and maybe more: an upload whose size is not known yet. */
  async upload(url: URL, pieces: readonly Uint8Array[], bodyBytes: number | null): Promise<Upload> {
    return await this.#onDataNode(url, async () => {
      const upload = new Upload(this.#transport.http, url, bodyBytes, this.#dataTimeoutMs)
      for (const piece of pieces) await upload.write(piece)
      if (bodyBytes !== null) await upload.finish()
      return upload
    })
  }

  async #onDataNode<T>(url: URL, body: () => Promise<T>): Promise<T> {
    try {
      return await body()
    } catch (error) {
      const failure = error instanceof WebHdfsFailure ? error : connectionFailure(error, url, false)
      if (failure.kind === 'passing' && !failure.isOfNameNode) this.#excluded.add(url.hostname)
      throw failure
    }
  }

  get #dataTimeoutMs(): number {
    return 3 * this.#transport.timeoutMs
  }

  async #askNameNode(method: Method, url: URL): Promise<Answer> {
    const { http, timeoutMs } = this.#transport
    try {
      return await http.send({ method, url, timeoutMs, maxAnswerBytes: maxJsonBytes })
    } catch (error) {
      throw connectionFailure(error, url, true)
    }
  }

  #url(op: string, path: string, parameters: Parameters = {}): URL {
    const { nameNode, identity } = this.#transport
    const url = new URL(`/webhdfs/v1${hdfsPath(path)}`, nameNode)
    for (const [name, value] of Object.entries({ op, ...identity, ...parameters })) {
      url.searchParams.set(name, value)
    }
    return url
  }
}

function targetOf(location: string, from: URL): URL {
  const url = URL.parse(location, from.href)
  if (url === null) throw unlikely(from)
  if (url.protocol === from.protocol || url.protocol === 'https:') return url
  throw new WebHdfsFailure({
    kind: 'refused',
    message: `redirects to ${url.origin}: from https nothing is sent without it`,
    url: from,
    isOfNameNode: true,
  })
}

function unlikely(url: URL): WebHdfsFailure {
  const message = 'answered what WebHDFS does not: it may be no NameNode'
  return new WebHdfsFailure({ kind: 'refused', message, url, isOfNameNode: true })
}
