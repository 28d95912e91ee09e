/** Kafka Connect's REST interface: one request, with a limit of time and of bytes. */
import { basicAuthorization } from '../../model/secrets.ts'

export interface ConnectAddress {
  /** It may have the name and password of a user: `https://name:password@connect:8083`. */
  readonly url: string
  readonly user?: { readonly name: string; readonly password: string }
}

export interface ConnectAnswer {
  readonly status: number
  readonly text: string
}

const patienceMs = 10_000
const maxAnswerBytes = 64 * 1024 * 1024

/** Throws an Error that says why there is no answer, never with the password. */
export async function askConnect(
  { url: address, user }: ConnectAddress,
  path: string,
  {
    method = 'GET',
    body,
    timeoutMs = patienceMs,
  }: { readonly method?: string; readonly body?: object; readonly timeoutMs?: number } = {},
): Promise<ConnectAnswer> {
  const url = new URL(`${address.replace(/\/+$/, '')}${path}`)
  const headers = new Headers({ Accept: 'application/json' })
  const known =
    user ??
    (url.username === ''
      ? undefined
      : {
          name: decodeURIComponent(url.username),
          password: decodeURIComponent(url.password),
        })
  if (known !== undefined) {
    headers.set('Authorization', basicAuthorization(known.name, known.password))
  }
  url.username = ''
  url.password = ''
  if (body !== undefined) headers.set('Content-Type', 'application/json')
  const answer = await fetch(url, {
    method,
    headers,
    signal: AbortSignal.timeout(timeoutMs),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, text: await textOf(answer) }
}

async function textOf(answer: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of answer.body ?? []) {
    size += part.length
    if (size > maxAnswerBytes) throw new Error('its answer is larger than 64 MiB')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** `fetch failed (connect ECONNREFUSED 127.0.0.1:8083)` */
export function whyNoAnswer(error: Error): string {
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return `${error.message}${cause}`
}
