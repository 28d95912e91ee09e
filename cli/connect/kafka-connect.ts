/** Connectors of Debezium as Kafka Connect's REST interface tells of them. It is only read. */
import { isObject } from '../../formats/json/json-messages.ts'

export interface Connector {
  readonly name: string
  readonly config: Readonly<Record<string, string>>
  /** Of the connector and its tasks: `RUNNING`, `FAILED`, `PAUSED`. */
  readonly states: readonly string[]
}

const patienceMs = 10_000
const maxAnswerBytes = 64 * 1024 * 1024

/**
 * `address` may have the name and password of a user: `https://name:password@connect:8083`. Throws an
 * Error that says what is wrong, never with the password.
 */
export async function readConnectors(address: string): Promise<readonly Connector[]> {
  const url = new URL(`${address.replace(/\/+$/, '')}/connectors?expand=info&expand=status`)
  const headers = new Headers({ Accept: 'application/json' })
  if (url.username !== '') {
    const user = [url.username, url.password].map(decodeURIComponent).join(':')
    headers.set('Authorization', `Basic ${Buffer.from(user).toString('base64')}`)
    url.username = ''
    url.password = ''
  }
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(patienceMs) })
  if (!answer.ok) throw new Error(`it answers ${answer.status}`)
  const found = parseObject(await textOf(answer))
  return Object.entries(found).flatMap(([name, one]) => {
    const connector = connectorOf(name, one)
    return connector === null ? [] : [connector]
  })
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

function parseObject(text: string): object {
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch {
    found = null
  }
  if (isObject(found)) return found
  throw new Error('its answer has no connectors: is it the address of Kafka Connect?')
}

/** Null for what is none of Debezium's. */
function connectorOf(name: string, found: unknown): Connector | null {
  const { info, status } = (isObject(found) ? found : {}) as { info?: unknown; status?: unknown }
  const { config } = (isObject(info) ? info : {}) as { config?: unknown }
  if (!isObject(config)) return null
  const texts = Object.entries(config).flatMap(([key, value]) =>
    typeof value === 'string' ? [[key, value] as const] : [],
  )
  const known = Object.fromEntries(texts)
  const isDebezium = known['connector.class']?.startsWith('io.debezium.connector.') === true
  if (!isDebezium) return null
  return { name, config: known, states: statesOf(status) }
}

function statesOf(status: unknown): readonly string[] {
  const { connector, tasks } = (isObject(status) ? status : {}) as Record<string, unknown>
  return [connector, ...(Array.isArray(tasks) ? (tasks as unknown[]) : [])].flatMap(part => {
    const { state } = (isObject(part) ? part : {}) as { state?: unknown }
    return typeof state === 'string' ? [state] : []
  })
}
