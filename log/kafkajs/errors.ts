/** What kafkajs throws, in Kafka's own names. */
import { errorNameOfCode } from '../kafka/protocol.ts'
import { RequestError } from '../kafka/wire.ts'

interface KafkaJsError extends Error {
  /** Kafka's number of the error; of a connection, the system's name. */
  readonly code?: number | string
  readonly memberId?: string
  /** Of several answers in one. */
  readonly errors?: readonly KafkaJsError[]
  readonly partitions?: readonly { readonly error: KafkaJsError }[]
}

const timeouts = new Set(['KafkaJSRequestTimeoutError', 'KafkaJSTimeout', 'KafkaJSLockTimeout'])

export function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error
  const cause = error as KafkaJsError
  const [inner] = cause.errors ?? cause.partitions?.map(one => one.error) ?? []
  if (inner !== undefined) return toRequestError(inner)
  const { memberId } = cause
  const response = memberId === undefined ? undefined : { memberId }
  return new RequestError(nameOf(cause), cause.message, { cause, response })
}

function nameOf({ name, code, message }: KafkaJsError): string {
  if (name.startsWith('KafkaJSConnection')) return 'NETWORK'
  if (timeouts.has(name)) return 'TIMEOUT'
  if (name === 'KafkaJSSASLAuthenticationError') return 'AUTHENTICATION'
  if (typeof code !== 'number') return 'UNKNOWN'
  // kafkajs knows the errors up to 2020; a newer one is only in the text.
  const unknown = /^Unknown error code (\d+)$/.exec(message)
  return errorNameOfCode(unknown === null ? code : Number(unknown[1]))
}
