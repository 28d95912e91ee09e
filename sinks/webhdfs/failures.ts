/**
 * What one try of an operation failed with: a connection, or an answer that is no success. It says
 * whether another try may do better; `cluster.ts` makes the StateError of it.
 */
import type { Answer } from './exchange.ts'

/** `missing`: HDFS itself says that there is no such path; `exists`: that something is there. */
export type FailureKind = 'passing' | 'missing' | 'exists' | 'refused'

interface FailureOptions {
  readonly kind: FailureKind
  readonly message: string
  readonly url: URL
  /** Whether another NameNode is to be asked: this one is not there, or does not serve. */
  readonly isOfNameNode: boolean
  readonly cause?: unknown
}

export class WebHdfsFailure extends Error {
  readonly kind: FailureKind
  readonly isOfNameNode: boolean
  readonly #options: FailureOptions

  /** Of the address only what is no secret becomes a part of the message. */
  constructor(options: FailureOptions) {
    super(`${options.url.origin} ${options.message}`, { cause: options.cause })
    this.name = 'WebHdfsFailure'
    this.#options = options
    this.kind = options.kind
    this.isOfNameNode = options.isOfNameNode
  }

  /** The same, where another try may do better after all. */
  passing(): WebHdfsFailure {
    return new WebHdfsFailure({ ...this.#options, kind: 'passing' })
  }
}

/** Of a connection that broke, or never was. */
export function connectionFailure(error: unknown, url: URL, isOfNameNode: boolean): WebHdfsFailure {
  const { code = '', message } = error as { code?: string; message: string }
  // A server that is not trusted will not be the next time.
  const isUntrusted = /CERT|^ERR_TLS|^ERR_SSL|^ERR_OSSL|^EPROTO|SELF_SIGNED|UNABLE_TO/.test(code)
  return new WebHdfsFailure({
    kind: isUntrusted ? 'refused' : 'passing',
    message: `cannot be used: ${message}`,
    url,
    isOfNameNode,
    cause: error,
  })
}

interface RemoteException {
  readonly exception: string
  readonly message: string
}

/** Of an answer that is no success. */
export function answerFailure(answer: Answer, url: URL, isOfNameNode: boolean): WebHdfsFailure {
  const remote = remoteExceptionOf(answer)
  if (remote === null) {
    const isPassing = answer.status >= 500 || [408, 429].includes(answer.status)
    return new WebHdfsFailure({
      kind: isPassing ? 'passing' : 'refused',
      message: `answered ${answer.status}, which is nothing that WebHDFS says here${hintOf(answer.status)}`,
      url,
      isOfNameNode,
    })
  }
  return new WebHdfsFailure({
    kind: kindOf(remote, answer.status),
    message: `said ${remote.exception}: ${remote.message}`,
    url,
    // A DataNode passes on what the NameNode said that it asked.
    isOfNameNode: isOfNameNode || standby.test(remote.exception),
  })
}

function hintOf(status: number): string {
  if (status === 401) return ': it wants another way of authentication'
  return status === 404 ? ': it may be no NameNode' : ''
}

const standby = /^(Standby|ObserverRetryOnActive)Exception$/

/** Names of exceptions without their packages. */
const passing = new Set([
  'StandbyException',
  'ObserverRetryOnActiveException',
  'RetriableException',
  'SafeModeException',
  'ConnectException',
  'ConnectTimeoutException',
  'SocketTimeoutException',
  'SocketException',
  'NoRouteToHostException',
  'EOFException',
  'ClosedChannelException',
  'InterruptedIOException',
  'NotReplicatedYetException',
  'ServerTooBusyException',
])

/** Plain IOExceptions whose cause passes: no DataNode is alive, or has room, at the moment. */
const passingMessage =
  /Failed to find datanode|could only be (written|replicated) to|startup mode|StandbyException|No active nodes|Could not obtain block/i

function kindOf({ exception, message }: RemoteException, status: number): FailureKind {
  if (exception === 'FileNotFoundException') return 'missing'
  if (exception === 'FileAlreadyExistsException') return 'exists'
  if (passing.has(exception) || passingMessage.test(message) || status >= 500) return 'passing'
  return 'refused'
}

function remoteExceptionOf({ body }: Answer): RemoteException | null {
  const remote = (parseJson(body) as { RemoteException?: Partial<RemoteException> } | null)
    ?.RemoteException
  if (typeof remote?.exception !== 'string') return null
  // A message goes on with Java's stack.
  const message = String(remote.message ?? '').split('\n')[0]!
  return { exception: remote.exception, message: message.slice(0, 500) }
}

/** Null when it is none. */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return null
  }
}
