/** Settings of Debezium's connectors and their converters by which changes or values are lost. */
import { ForagerError } from '../../model/errors.ts'
import type { Config } from '../config-schema.ts'
import { plural } from '../output.ts'
import { whyNoAnswer } from './connect-api.ts'
import type { Finding } from './finding.ts'
import { ill, problem, well } from './finding.ts'
import type { Connector } from './kafka-connect.ts'
import { readConnectors } from './kafka-connect.ts'
import { statedFindings } from './stated-settings.ts'
import { transformFindings } from './transform-findings.ts'

/** `address` is that of Kafka Connect's REST interface. */
export async function* connectFindings(config: Config, address: string): AsyncGenerator<Finding> {
  const what = 'Kafka Connect'
  let connectors: readonly Connector[]
  try {
    connectors = await readConnectors(address)
  } catch (error) {
    if (!(error instanceof Error) || error instanceof ForagerError) throw error
    yield ill(what, `it does not answer: ${whyNoAnswer(error)}`)
    return
  }
  const own = connectors.filter(connector => mayFeed(config, connector))
  const text = `it has ${plural(connectors.length, 'connector')} of Debezium`
  if (own.length === 0) {
    yield problem('connector-none', what, text)
    return
  }
  yield well(what, `${text}, of the source: ${own.map(({ name }) => name).join(', ')}`)
  for (const connector of own) yield* connectorFindings(config, connector)
}

/** Whether it may write to a topic of the source; one that routes may write anywhere. */
export function mayFeed({ source }: Config, { config }: Pick<Connector, 'config'>): boolean {
  if (source.type === 'file' || /router/i.test(config.transforms ?? '')) return true
  const routes = Object.entries(config).some(([key, type]) => {
    return /^transforms\.[^.]+\.type$/.test(key) && /Router/.test(type)
  })
  const prefix = `${config['topic.prefix'] ?? config['database.server.name'] ?? ''}.`
  return (
    routes ||
    source.topics.some(topic => {
      const [start = ''] = topic.split('*')
      const isPattern = start.length < topic.length
      return (
        start.startsWith(prefix) ||
        `${start}.` === prefix ||
        (isPattern && prefix.startsWith(start))
      )
    })
  )
}

export function* connectorFindings(config: Config, connector: Connector): Generator<Finding> {
  const what = `connector ${connector.name}`
  const idle = connector.states.find(state => state !== 'RUNNING')
  if (idle !== undefined) {
    yield problem('connector-not-running', what, `it or a task of it is ${idle}`)
  }
  yield* changeFindings(what, connector.config)
  yield* valueFindings(what, connector.config, config)
  yield* converterFindings(what, connector.config, config)
  yield* transformFindings(what, connector.config, config)
  yield* statedFindings(what, connector.config, config)
}

type Settings = Connector['config']

/** As Debezium reads it: in any case. */
function lower(settings: Settings, name: string, absent = ''): string {
  return (settings[name] ?? absent).trim().toLowerCase()
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
}

const failureSettings = [
  'event.processing.failure.handling.mode',
  'event.deserialization.failure.handling.mode',
  'inconsistent.schema.handling.mode',
]

/** Snapshots of no rows, also by their older names. */
const rowlessSnapshots = ['never', 'no_data', 'schema_only', 'recovery', 'schema_only_recovery']

/** Changes that are not sent. */
function* changeFindings(what: string, settings: Settings): Generator<Finding> {
  const skipped = listOf(lower(settings, 'skipped.operations', 't'))
  const rows = skipped.filter(op => ['c', 'u', 'd'].includes(op))
  if (rows.length > 0) {
    yield problem('operations-skipped', what, `skipped.operations has ${rows.join(', ')}`)
  }
  if (skipped.includes('t')) {
    const isDefault = settings['skipped.operations'] === undefined
    yield problem(
      'truncates-skipped',
      what,
      `skipped.operations is t${isDefault ? ', the default' : ''}`,
    )
  }
  for (const name of failureSettings) {
    const mode = lower(settings, name, 'fail')
    if (mode !== 'fail') yield problem('failures-passed', what, `${name} is ${mode}`)
  }
  if (lower(settings, 'errors.tolerance') === 'all') {
    yield problem('failures-passed', what, 'errors.tolerance is all')
  }
  const mode = lower(settings, 'snapshot.mode', 'initial')
  if (rowlessSnapshots.includes(mode)) {
    yield problem('snapshot-without-rows', what, `snapshot.mode is ${mode}`)
  }
  if (mode === 'initial_only') {
    yield problem('snapshot-without-changes', what, `snapshot.mode is ${mode}`)
  }
  if (lower(settings, 'slot.drop.on.stop') === 'true') {
    yield problem('slot-dropped', what, 'slot.drop.on.stop is true')
  }
  if (!Object.keys(settings).some(name => name.startsWith('topic.creation.'))) {
    yield problem('topics-by-broker', what, 'topic.creation is not set')
  }
}

/** Values that are not sent as they are. */
function* valueFindings(what: string, settings: Settings, { tables }: Config): Generator<Finding> {
  if (lower(settings, 'decimal.handling.mode') === 'double') {
    yield problem('decimals-as-doubles', what, 'decimal.handling.mode is double')
  }
  if (lower(settings, 'time.precision.mode') === 'connect') {
    yield problem('times-cut', what, 'time.precision.mode is connect')
  }
  for (const name of Object.keys(settings)) {
    if (/^column\.(mask|truncate)\./.test(name))
      yield problem('values-masked', what, `${name} is set`)
    if (/^column\.(exclude|include|blacklist|whitelist)(\.list)?$/.test(name)) {
      yield problem('columns-left-out', what, `${name} is set`)
    }
  }
  if ((settings['message.key.columns'] ?? '').trim() !== '') {
    yield problem('keys-changed', what, 'message.key.columns is set')
  }
  if (!/mysql|mariadb/i.test(settings['connector.class'] ?? '')) return
  const states = tables.some(({ columns }) =>
    // `ubigint`
    Object.values(columns?.types ?? {}).some(
      type => type.kind === 'decimal' && type.precision === 20 && type.scale === 0,
    ),
  )
  const isLong = lower(settings, 'bigint.unsigned.handling.mode', 'long') === 'long'
  if (isLong && !states && hasSchemas(settings)) {
    yield problem('unsigned-as-long', what, 'bigint.unsigned.handling.mode is long')
  }
  if (lower(settings, 'enable.time.adjuster', 'true') !== 'false') {
    yield problem('years-adjusted', what, 'enable.time.adjuster is true')
  }
}

const jsonConverter = 'org.apache.kafka.connect.json.JsonConverter'

/** Whether messages have the types of their values with them. A converter that is not stated is the worker's. */
function hasSchemas(settings: Settings): boolean {
  return (
    settings['value.converter'] !== jsonConverter ||
    lower(settings, 'value.converter.schemas.enable', 'true') !== 'false'
  )
}

/**
 * Nulls: KIP-581 for JSON (in the fields of rows from Kafka 3.6 on: KAFKA-8713), and
 * `ignore.default.for.nullables` of Confluent's AvroData. Apicurio's has no such setting.
 */
function* converterFindings(
  what: string,
  settings: Settings,
  { source, tables }: Config,
): Generator<Finding> {
  const converter = settings['value.converter']
  if (converter === undefined) {
    yield problem('converter-unknown', what, 'value.converter is not set')
    return
  }
  const shortName = converter.split('.').slice(-1).join('')
  const isJson = converter === jsonConverter
  const isAvro = converter.endsWith('AvroConverter')
  if (isJson && lower(settings, 'value.converter.replace.null.with.default', 'true') !== 'false') {
    yield problem('nulls-replaced', what, 'value.converter.replace.null.with.default is not false')
  }
  const ignores = lower(settings, 'value.converter.ignore.default.for.nullables') === 'true'
  if (converter.startsWith('io.confluent.') && isAvro && !ignores) {
    const name = 'value.converter.ignore.default.for.nullables'
    yield problem('nulls-replaced', what, `${name} is not true`)
  }
  if (converter.startsWith('io.apicurio.') && isAvro) {
    yield problem('nulls-replaced', what, 'the converter is Apicurio’s')
  }
  const { format, registry } = source
  // `auto` reads Avro where there is a registry.
  const isRead =
    format === 'auto' ? !isAvro || registry !== undefined : (format === 'debezium-avro') === isAvro
  if ((isJson || isAvro) && !isRead) {
    yield problem('connector-format', what, `${shortName} writes no ${source.format}`)
  }
  const isTyped = tables.every(({ columns }) => columns?.types !== undefined)
  const noHistory =
    /postgres/i.test(settings['connector.class'] ?? '') ||
    lower(settings, 'include.schema.changes', 'true') === 'false'
  if (!hasSchemas(settings) && noHistory && !isTyped) {
    yield problem('connector-types', what, 'there are neither schemas nor schema changes')
  }
}
