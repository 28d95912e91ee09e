/** Connectors of Debezium as Kafka Connect's REST interface tells of them. It is only read. */
import { isObject } from '../../formats/json/json-messages.ts'
import { askConnect } from './connect-api.ts'

export interface Connector {
  readonly name: string
  readonly config: Readonly<Record<string, string>>
  /** Of the connector and its tasks: `RUNNING`, `FAILED`, `PAUSED`. */
  readonly states: readonly string[]
}

/**
 * `address` may have the name and password of a user: `https://name:password@connect:8083`. Throws an
 * Error that says what is wrong, never with the password.
 */
export async function readConnectors(address: string): Promise<readonly Connector[]> {
  const path = '/connectors?expand=info&expand=status'
  const { status, text } = await askConnect({ url: address }, path)
  if (status !== 200) throw new Error(`it answers ${status}`)
  const found = parseObject(text)
  return Object.entries(found).flatMap(([name, one]) => {
    const connector = connectorOf(name, one)
    return connector === null ? [] : [connector]
  })
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
