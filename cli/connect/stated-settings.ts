/** Settings that `source.connector` states or leaves out, against those that a connector has. */
import { connectorSettings } from '../../formats/connector-settings.ts'
import type { Config } from '../config-schema.ts'
import type { Finding } from './finding.ts'
import { problem } from './finding.ts'
import { flatteningOf } from './transform-findings.ts'

type Settings = Readonly<Record<string, string>>
type Name = keyof typeof connectorSettings

/** What each is when it is not set; null: it is none of this connector's. */
function defaultOf(name: Name, settings: Settings): string | null {
  const connector = settings['connector.class'] ?? ''
  const isMysql = /mysql|mariadb/i.test(connector)
  const isPostgres = /postgres/i.test(connector)
  switch (name) {
    case 'decimal.handling.mode':
      return 'precise'
    case 'time.precision.mode':
      return isMysql ? 'adaptive_time_microseconds' : 'adaptive'
    case 'bigint.unsigned.handling.mode':
      return isMysql ? 'long' : null
    case 'interval.handling.mode':
      return isPostgres ? 'numeric' : null
    case 'hstore.handling.mode':
      return isPostgres ? 'json' : null
    case 'binary.handling.mode':
      return 'bytes'
    case 'unavailable.value.placeholder':
      return '__debezium_unavailable_value'
    case 'include.schema.changes':
      return isPostgres ? null : 'true'
    case 'add.fields':
      return flatteningOf(settings) === undefined ? null : ''
    case 'add.fields.prefix':
      return flatteningOf(settings) === undefined ? null : '__'
    case 'user.timezone':
    case 'ddl_kafka_topic':
    case 'output_nulls':
      return null
  }
}

/** What Forager takes for granted when nothing is stated; the others are seen from the messages. */
const assumed: readonly Name[] = [
  'binary.handling.mode',
  'unavailable.value.placeholder',
  'include.schema.changes',
  'add.fields.prefix',
]

export function* statedFindings(
  what: string,
  settings: Settings,
  { source }: Config,
): Generator<Finding> {
  const transform = flatteningOf(settings)?.settings ?? {}
  const hasSchemas = settings['value.converter.schemas.enable']?.toLowerCase() !== 'false'
  for (const name of Object.keys(connectorSettings) as Name[]) {
    const usual = defaultOf(name, settings)
    if (usual === null) continue
    const given = (name.startsWith('add.') ? transform : settings)[name] ?? usual
    // What Connect fills in by itself cannot be compared.
    if (given.includes('${')) continue
    const isText = connectorSettings[name] === null
    const own = isText ? given : given.toLowerCase()
    const stated = source.connector[name]
    if (stated !== undefined && stated !== own) {
      const fact = `${name} is ${own || 'empty'}, and \`source.connector\` states ${stated}`
      yield problem('setting-differs', what, fact)
    }
    // An embedded schema says itself how bytes are written, and needs no schema changes.
    const isTold = hasSchemas && !isText
    if (stated === undefined && own !== usual && assumed.includes(name) && !isTold) {
      yield problem('setting-unstated', what, `${name} is ${own}`)
    }
  }
}
