/** What messages of the source tell of settings by which changes are lost, where nobody else can be asked. */
import { formatOf } from '../../formats/auto.ts'
import type { Decoded, Decoder, Format } from '../../formats/decoder.ts'
import { SchemaAbsent, SchemaPending } from '../../formats/decoder.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { ForagerError } from '../../model/errors.ts'
import type { TableRouter } from '../../processors/route-tables.ts'
import { routerOf } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import type { FormatName } from '../formats.ts'
import { formats } from '../formats.ts'
import { plural } from '../output.ts'
import { registryOf } from '../registry.ts'
import { withoutUndefined } from '../without-undefined.ts'
import type { Sample, SampledTopic } from './event-sample.ts'
import { withSample } from './event-sample.ts'
import type { Finding } from './finding.ts'
import { ill, problem, well } from './finding.ts'
import { adviceOf } from './hive-findings.ts'
import { parseObject } from './message-shape.ts'
import type { TableOptions } from './table-look.ts'
import { TableLook } from './table-look.ts'

export async function eventFindings(
  loaded: LoadedConfig,
  options: TableOptions,
): Promise<readonly Finding[]> {
  try {
    return await withSample(
      loaded,
      async sample => await new EventLook(loaded, sample).look(options),
    )
  } catch (error) {
    return [ill('events', adviceOf(error))]
  }
}

class EventLook {
  readonly #loaded: LoadedConfig
  readonly #sample: Sample
  readonly #router: TableRouter
  readonly #format: Format
  readonly #tables = new Map<string, TableLook>()
  /** By code and subject: each is said once. */
  readonly #findings = new Map<string, Finding>()
  /** Topics of schema changes, and which decoder has read them. */
  readonly #histories = new Map<string, readonly LogRecord[] | null>()
  readonly #learned = new WeakMap<Decoder, ReadonlySet<string>>()
  #recordCount = 0
  #topicCount = 0

  constructor(loaded: LoadedConfig, sample: Sample) {
    this.#loaded = loaded
    this.#sample = sample
    this.#router = routerOf(loaded.config)
    this.#format = formats[loaded.config.source.format]({ registry: registryOf(loaded) })
  }

  async look(options: TableOptions): Promise<readonly Finding[]> {
    for await (const topic of this.#sample.topics) {
      this.#topicCount += 1
      this.#recordCount += topic.records.length
      await this.#lookAt(topic)
    }
    const { leftOut } = this.#sample
    const rest = leftOut === 0 ? '' : `; ${plural(leftOut, 'topic')} more were not looked at`
    const text = `${plural(this.#recordCount, 'message')} of ${plural(this.#topicCount, 'topic')} were read${rest}`
    const tables = [...this.#tables].toSorted(([a], [b]) => (a < b ? -1 : 1))
    const found = tables.flatMap(([, table]) => {
      return [...table.findings(options)]
    })
    return [well('events', text), ...merged([...this.#findings.values(), ...found])]
  }

  async #lookAt(topic: SampledTopic): Promise<void> {
    let { format } = this.#loaded.config.source
    const other = topic.records
      .map(formatOf)
      .find(shape => shape !== null && shape !== format && format !== 'auto')
    if (other !== undefined) {
      this.#add(
        'events-format',
        topic.name,
        `its messages look like ${other}, and the format is ${format}`,
      )
      return
    }
    const decoder = this.#openDecoder(name => {
      format = name as FormatName
    })
    const newest = new Set(topic.newest)
    const endsInSnapshot: boolean[] = []
    for (const record of topic.records) {
      const decoded = await this.#decode(decoder, record)
      if (decoded?.kind !== 'changes') continue
      const { events, isKeyOrdered } = decoded
      if (newest.has(record)) endsInSnapshot.push(events.every(({ op }) => op === 'r'))
      const table = events[0]?.table
      if (table === undefined) continue
      if (!isKeyOrdered && topic.partitions > 1 && this.#loaded.config.source.ordering === 'log') {
        const fact = `the key of its messages lacks a column of \`key\`, and ${topic.name} has ${plural(topic.partitions, 'partition')}`
        this.#add('events-spread', table, fact)
      }
      this.#addChange(table, format, record, events)
    }
    if (format === 'maxwell-json') this.#lookAtKeys(topic)
    if (endsInSnapshot.length > 0 && endsInSnapshot.every(Boolean)) {
      this.#add('events-of-snapshot', topic.name, 'its newest messages are of a snapshot')
    }
  }

  /** `recognised` is told which format it is where that is not configured. */
  #openDecoder(recognised: (name: string) => void): Decoder {
    const { incarnation, connector } = this.#loaded.config.source
    return this.#format.createDecoder({
      onRecognised: (_topic, name) => recognised(name),
      hintsOf: table => this.#router.hintsOf(table),
      incarnation,
      connectorSettings: withoutUndefined(connector) as Readonly<Record<string, string>>,
    })
  }

  /** Null for what cannot be read; it is said once of a topic. */
  async #decode(decoder: Decoder, record: LogRecord): Promise<Decoded | null> {
    try {
      for (;;) {
        const decoded = await this.#tryDecode(decoder, record)
        if (decoded !== 'again') return decoded
      }
    } catch (error) {
      this.#addError(error, record)
      return null
    }
  }

  /** A schema comes once, so that this ends. */
  async #tryDecode(decoder: Decoder, record: LogRecord): Promise<Decoded | 'again'> {
    try {
      return decoder.decode(record)
    } catch (error) {
      if (error instanceof SchemaAbsent) {
        await error.fetch()
        return 'again'
      }
      if (error instanceof SchemaPending && (await this.#learn(decoder, error.topic)))
        return 'again'
      throw error
    }
  }

  /** Whether there was something that the decoder did not know. */
  async #learn(decoder: Decoder, topic: string): Promise<boolean> {
    if (this.#learned.get(decoder)?.has(topic) === true || !this.#sample.known.has(topic))
      return false
    this.#learned.set(decoder, new Set([...(this.#learned.get(decoder) ?? []), topic]))
    const known = this.#histories.get(topic)
    const records = known === undefined ? await this.#sample.wholeTopic(topic) : known
    this.#histories.set(topic, records)
    for (const record of records ?? []) decoder.learn(record)
    return records !== null
  }

  #addError(error: unknown, { topic, partition, offset }: LogRecord): void {
    if (error instanceof SchemaPending) {
      // A run reads all of it first.
      if (this.#sample.known.has(error.topic)) return
      const fact = `there is no topic ${error.topic} with the types of its columns`
      this.#add('events-without-types', error.table, fact)
      return
    }
    if (!(error instanceof ForagerError)) throw error
    const fact = `message ${offset} of partition ${partition}: ${error.message} (\`${error.code}\`)`
    this.#add('events-undecodable', topic, fact)
  }

  #addChange(
    table: string,
    format: FormatName,
    record: LogRecord,
    events: Extract<Decoded, { kind: 'changes' }>['events'],
  ): void {
    const target = this.#router.lookUp(table)
    if (target === null) return
    const { hasPositions } = formats[format]({ registry: null })
    const look = this.#tables.get(table) ?? new TableLook(table, target.rule, hasPositions)
    this.#tables.set(table, look)
    const isKeyed = format.startsWith('debezium-')
    for (const event of events) look.addEvent(event, !isKeyed || record.key !== null)
    const message = format === 'debezium-avro' ? null : parseObject(record.value)
    if (message === null) return
    if (format === 'debezium-json') look.addEnvelope(message, parseObject(record.key))
    if (format === 'canal-json' || format === 'maxwell-json') look.addBinlogRow(message)
  }

  /** Maxwell's `producer_partition_by: database`: rows of many keys, and all in one partition. */
  #lookAtKeys({ name, partitions, records }: SampledTopic): void {
    if (partitions < 2) return
    const used = new Set(records.map(({ partition }) => partition))
    const keys = new Set(records.map(({ key }) => (key === null ? '' : String(key))))
    if (used.size > 1 || keys.size < manyKeys) return
    const fact = `${plural(keys.size, 'key')} were seen, and all in one of ${plural(partitions, 'partition')}`
    this.#add('events-in-one-partition', name, fact)
  }

  #add(code: Parameters<typeof problem>[0], what: string, fact: string): void {
    const name = `${code} ${what}`
    if (!this.#findings.has(name)) this.#findings.set(name, problem(code, what, fact))
  }
}

const maxNames = 5

/** What is the same of many tables is one line. */
function merged(findings: readonly Finding[]): readonly Finding[] {
  return [...Map.groupBy(findings, ({ text }) => text).values()].map(same => {
    const names = same.slice(0, maxNames).map(({ what }) => what)
    const rest = same.length - names.length
    const what = rest === 0 ? names.join(', ') : `${names.join(', ')} and ${rest} more`
    return { ...same[0]!, what }
  })
}

/** By chance so many would not be in one partition of two. */
const manyKeys = 12
