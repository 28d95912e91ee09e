import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../../cli/config-schema.ts'
import { configSchema } from '../../../cli/config-schema.ts'
import { connectFindings, connectorFindings } from '../../../cli/connect/connector-findings.ts'
import type { Finding } from '../../../cli/connect/finding.ts'
import { findingText } from '../../../cli/connect/finding.ts'
import { fixtures } from '../program.ts'

type Settings = Readonly<Record<string, string>>

/** Of the connector that made the recording. */
function recorded(name: string): Settings {
  const folder = name.startsWith('p') ? 'postgres' : 'mariadb'
  return JSON.parse(readFileSync(join(fixtures, folder, `${name}.json`), 'utf8')) as Settings
}

function configOf(source: object = {}, rule: object = {}): Config {
  return configSchema.parse({
    applicationId: 'shop',
    source: {
      type: 'kafka',
      brokers: ['k:9092'],
      topics: ['m1.*'],
      format: 'debezium-json',
      ...source,
    },
    tables: [{ from: 'demo.*', to: 'ods.{table}', ...rule }],
    warehouse: { type: 'embedded', path: 'w' },
  })
}

function codesOf(findings: Iterable<Finding>): readonly string[] {
  return [...findings].flatMap(
    finding => /\[([a-z-]+)\]\.\n$/.exec(findingText(finding))?.[1] ?? [],
  )
}

function codes(settings: Settings, config = configOf()): readonly string[] {
  const connector = { name: 'c', config: settings, states: ['RUNNING', 'RUNNING'] }
  return codesOf(connectorFindings(config, connector))
}

const right: Settings = {
  ...recorded('m1'),
  'value.converter.replace.null.with.default': 'false',
  'bigint.unsigned.handling.mode': 'precise',
  'enable.time.adjuster': 'false',
  'topic.creation.default.partitions': '1',
}
const rightPostgres: Settings = {
  ...recorded('p1'),
  'value.converter.replace.null.with.default': 'false',
  'topic.creation.default.partitions': '1',
}
const flat: Settings = {
  ...right,
  transforms: 'unwrap',
  'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
  'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite-with-tombstone',
  'transforms.unwrap.add.fields': 'op,table,source.server_id,source.file,source.pos,row',
}
const ofFlat = configOf({
  format: 'debezium-flat',
  connector: { 'add.fields': flat['transforms.unwrap.add.fields'] },
})

describe('a connector', () => {
  it('that loses nothing is right', () => {
    expect(codes(right)).toEqual([])
    expect(codes(rightPostgres)).toEqual([])
    expect(codes(flat, ofFlat)).toEqual([])
  })

  it.each([
    ['operations-skipped', { 'skipped.operations': 'u, D' }],
    ['truncates-skipped', { 'skipped.operations': 't' }],
    ['failures-passed', { 'event.processing.failure.handling.mode': 'WARN' }],
    ['failures-passed', { 'inconsistent.schema.handling.mode': 'skip' }],
    ['failures-passed', { 'errors.tolerance': 'all' }],
    ['snapshot-without-rows', { 'snapshot.mode': 'no_data' }],
    ['snapshot-without-rows', { 'snapshot.mode': 'never' }],
    ['snapshot-without-changes', { 'snapshot.mode': 'initial_only' }],
    ['nulls-replaced', { 'value.converter.replace.null.with.default': 'true' }],
    ['decimals-as-doubles', { 'decimal.handling.mode': 'double' }],
    ['times-cut', { 'time.precision.mode': 'connect' }],
    ['unsigned-as-long', { 'bigint.unsigned.handling.mode': 'long' }],
    ['years-adjusted', { 'enable.time.adjuster': 'true' }],
    ['values-masked', { 'column.mask.with.5.chars': 'demo.user.name' }],
    ['values-masked', { 'column.truncate.to.9.chars': 'demo.user.name' }],
    ['columns-left-out', { 'column.exclude.list': 'demo.user.name' }],
    ['keys-changed', { 'message.key.columns': 'demo.user:name' }],
    ['setting-unstated', { 'unavailable.value.placeholder': 'none' }],
    ['setting-differs', { 'add.fields': '', 'decimal.handling.mode': 'string' }],
    [
      'messages-transformed',
      { transforms: 'f', 'transforms.f.type': 'org.apache.kafka.connect.transforms.Filter' },
    ],
  ] satisfies readonly (readonly [string, Settings])[])(
    'is told of: %s by %o',
    (code, settings) => {
      const stated = code === 'setting-differs' ? { 'decimal.handling.mode': 'precise' } : {}
      expect(codes({ ...right, ...settings }, configOf({ connector: stated }))).toEqual([code])
    },
  )

  it('has defaults that lose truncates, nulls and unsigned numbers', () => {
    const { 'skipped.operations': _, ...rest } = recorded('m1')
    expect(codes(rest)).toEqual([
      'truncates-skipped',
      'topics-by-broker',
      'unsigned-as-long',
      'years-adjusted',
      'nulls-replaced',
    ])
  })

  it('that stands still, or drops its slot when it stops, is told', () => {
    const connector = { name: 'c', config: rightPostgres, states: ['RUNNING', 'FAILED'] }
    expect(codesOf(connectorFindings(configOf(), connector))).toEqual(['connector-not-running'])
    expect(codes({ ...rightPostgres, 'slot.drop.on.stop': 'true' })).toEqual(['slot-dropped'])
  })

  it('of which the worker chooses the converter is told', () => {
    const { 'value.converter': _, ...rest } = right
    expect(codes(rest)).toEqual(['converter-unknown'])
  })

  it('with an Avro converter puts defaults for nulls: Confluent’s unless it is told, Apicurio’s always', () => {
    const avro = configOf({ format: 'debezium-avro', registry: { type: 'file', path: 's.jsonl' } })
    const confluent = { ...right, 'value.converter': 'io.confluent.connect.avro.AvroConverter' }
    expect(codes(confluent, avro)).toEqual(['nulls-replaced'])
    const name = 'value.converter.ignore.default.for.nullables'
    expect(codes({ ...confluent, [name]: 'true' }, avro)).toEqual([])
    const apicurio = 'io.apicurio.registry.utils.converter.AvroConverter'
    expect(codes({ ...confluent, 'value.converter': apicurio, [name]: 'true' }, avro)).toEqual([
      'nulls-replaced',
    ])
    expect(codes(confluent)).toContain('connector-format')
    expect(codes(right, avro)).toEqual(['connector-format'])
  })

  it('without schemas and schema changes leaves types to be inferred, unless they are stated', () => {
    const bare = { ...rightPostgres, 'value.converter.schemas.enable': 'false' }
    expect(codes(bare)).toEqual(['connector-types'])
    expect(codes(bare, configOf({}, { columns: { types: { id: 'int' } } }))).toEqual([])
    const bareMysql = { ...right, 'value.converter.schemas.enable': 'false' }
    expect(codes(bareMysql)).toEqual([])
    expect(codes({ ...bareMysql, 'include.schema.changes': 'false' })).toEqual([
      'connector-types',
      'setting-unstated',
    ])
  })

  it('whose way to write bytes is not stated is told where no schema says it', () => {
    const hex = { ...right, 'binary.handling.mode': 'HEX' }
    expect(codes(hex)).toEqual([])
    const bare = { ...hex, 'value.converter.schemas.enable': 'false' }
    expect(codes(bare)).toEqual(['setting-unstated'])
    expect(codes(bare, configOf({ connector: { 'binary.handling.mode': 'hex' } }))).toEqual([])
    const other = configOf({ connector: { 'binary.handling.mode': 'base64' } })
    expect(codes(bare, other)).toEqual(['setting-differs'])
  })

  it('that flattens rows must be read so, send deletes, and add places in the log', () => {
    expect(codes(flat)).toEqual(['connector-format'])
    expect(codes(right, configOf({ format: 'debezium-flat' }))).toEqual(['connector-format'])
    expect(codes(flat, configOf({ format: 'auto' }))).toEqual([])
    expect(codes(right, configOf({ format: 'auto' }))).toEqual([])
    const prefix = 'transforms.unwrap.'
    const noDeletes = { ...flat, [`${prefix}delete.tombstone.handling.mode`]: 'drop' }
    expect(codes(noDeletes, ofFlat)).toEqual(['deletes-dropped'])
    const noTombstones = {
      ...flat,
      [`${prefix}delete.tombstone.handling.mode`]: 'tombstone',
      'tombstones.on.delete': 'false',
    }
    expect(codes(noTombstones, ofFlat)).toEqual(['deletes-dropped'])
    const noPlaces = { ...flat, [`${prefix}add.fields`]: 'op,table' }
    expect(codes(noPlaces, configOf({ format: 'debezium-flat' }))).toEqual(['positions-left-out'])
    expect(codes(noPlaces, ofFlat)).toEqual(['positions-left-out', 'setting-differs'])
  })
})

async function withConnect<T>(
  answer: RequestListener,
  action: (address: string) => Promise<T>,
): Promise<T> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    return await action(`127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

async function linesOf(config: Config, address: string): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const finding of connectFindings(config, address)) lines.push(findingText(finding))
  return lines
}

function listing(connectors: Readonly<Record<string, Settings>>): string {
  const entries = Object.entries(connectors).map(([name, config]) => {
    const status = { connector: { state: 'RUNNING' }, tasks: [{ id: 0, state: 'RUNNING' }] }
    return [name, { info: { name, config, tasks: [], type: 'source' }, status }]
  })
  return JSON.stringify(Object.fromEntries(entries))
}

describe('Kafka Connect', () => {
  it('is asked for connectors of Debezium that write to the source, as the user who is named', async () => {
    const sink = { 'connector.class': 'org.example.Sink', 'topic.prefix': 'm1' }
    const body = listing({ shop: right, other: { ...right, 'topic.prefix': 'm11' }, sink })
    const asked: unknown[] = []
    const answer: RequestListener = (request, response) => {
      asked.push(request.url, request.headers.authorization)
      response.end(body)
    }
    await withConnect(answer, async address => {
      const config = configOf({ topics: ['m1.demo.*'] })
      expect(await linesOf(config, `http://me:p%40ss@${address}/`)).toEqual([
        'ok    Kafka Connect: it has 2 connectors of Debezium, of the source: shop.\n',
      ])
      expect(asked).toEqual([
        '/connectors?expand=info&expand=status',
        `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
      ])
      const none = await linesOf(configOf({ topics: ['x.*'] }), `http://${address}`)
      expect(none).toEqual([
        expect.stringMatching(/^warn {2}Kafka Connect: .*\[connector-none\]\.\n$/),
      ])
    })
  })

  it.each([
    ['an error', 500, '{}', /it answers 500/],
    ['no JSON', 200, '<html>', /is it the address of Kafka Connect\?/],
    ['a list', 200, '[]', /is it the address of Kafka Connect\?/],
  ])('that answers with %s is said to be wrong', async (_title, status, body, text) => {
    await withConnect(
      (_, response) => void response.writeHead(status).end(body),
      async address => {
        const lines = await linesOf(configOf(), `http://${address}`)
        expect(lines).toEqual([expect.stringMatching(/^WRONG Kafka Connect: /)])
        expect(lines[0]).toMatch(text)
      },
    )
  })

  it('that answers with other things in place of connectors has none', async () => {
    const body = JSON.stringify({ a: null, b: { info: 1 }, c: { info: { config: [] }, status: 2 } })
    await withConnect(
      (_, response) => void response.end(body),
      async address => {
        const lines = await linesOf(configOf(), `http://${address}`)
        expect(lines).toEqual([expect.stringMatching(/it has 0 connectors/)])
      },
    )
  })

  it('that does not answer is said to be wrong, without the password', async () => {
    const address = await withConnect(
      () => undefined,
      closed => Promise.resolve(closed),
    )
    const lines = await linesOf(configOf(), `http://me:secret@${address}`)
    expect(lines).toEqual([expect.stringMatching(/^WRONG Kafka Connect: it does not answer: /)])
    expect(lines[0]).not.toMatch(/secret/)
  })
})
