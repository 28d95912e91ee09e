import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FileRegistry } from '../../../formats/avro/schema-registry.ts'
import { debeziumAvro } from '../../../formats/debezium/debezium-avro.ts'
import { debeziumFlat } from '../../../formats/debezium/debezium-flat.ts'
import { debeziumJson } from '../../../formats/debezium/debezium-json.ts'
import type { Format } from '../../../formats/decoder.ts'
import { EmbeddedLog } from '../../../log/embedded-log.ts'
import { MemoryStorage } from '../../../log/log-storage.ts'
import { openRecordedSource } from '../../../log/recorded-source.ts'
import type { ChangeEvent } from '../../../model/change-event.ts'
import { parseColumnType } from '../../../model/column-type.ts'
import type { Column } from '../../../model/table-schema.ts'
import { seededRandom } from '../../../runtime/random.ts'
import { SchemaReader } from '../../../runtime/schema-reader.ts'
import { ManualClock } from '../../../testkit/manual-clock.ts'

const fixtures = join(import.meta.dirname, '../../fixtures')

const registry = new FileRegistry({
  path: 'schemas',
  read: () =>
    Promise.resolve(
      readFileSync(join(fixtures, 'mariadb/m3_avro_confluent.schemas.jsonl'), 'utf8'),
    ),
})

/** What the operator states of `user`, where no type is told. */
const statedTypes = Object.fromEntries(
  'id bigint,name string,phone string,sex string,age int,email string,mail string,create_time timestamp,update_time timestamp,vip int'
    .split(',')
    .map(one => [one.split(' ')[0]!, parseColumnType(one.split(' ')[1]!)]),
)

interface Case {
  readonly file: string
  readonly format: Format
  readonly settings?: Readonly<Record<string, string>>
  readonly types?: typeof statedTypes
}

const cases: readonly (readonly [title: string, given: Case])[] = [
  ['m1: JSON with schemas', { file: 'm1_json_schema_true', format: debeziumJson() }],
  ['m1, the long way', { file: 'm1_json_schema_true', format: debeziumJson({ isDirect: false }) }],
  ['m2: JSON', { file: 'm2_json_schema_false_friendly_modes', format: debeziumJson() }],
  [
    'm2 with stated types',
    { file: 'm2_json_schema_false_friendly_modes', format: debeziumJson(), types: statedTypes },
  ],
  ['m3: Avro', { file: 'm3_avro_confluent', format: debeziumAvro({ registry }) }],
  [
    'm3, the long way',
    { file: 'm3_avro_confluent', format: debeziumAvro({ registry, isDirect: false }) },
  ],
  ['m4: one topic', { file: 'm4_single_topic_router', format: debeziumJson() }],
  ['m5: flattened', { file: 'm5_unwrapped_flat', format: debeziumFlat() }],
  ['m6: the connector of MySQL', { file: 'm6_mysql_connector_on_mariadb', format: debeziumJson() }],
]

async function open({ file, format, settings = {}, types }: Case) {
  const source = await openRecordedSource({ path: join(fixtures, 'mariadb', `${file}.jsonl`) })
  const log = await EmbeddedLog.open({
    storage: new MemoryStorage(),
    clock: new ManualClock(),
    random: seededRandom(1),
    sources: [source],
    isSkewed: false,
  })
  const decoder = format.createDecoder({
    hintsOf: table => (table === 'demo.user' ? (types ? { types } : {}) : null),
    incarnation: '',
    connectorSettings: settings,
    followsRenames: true,
  })
  const rows = source.topics.filter(({ name }) => /\.user$|\.all$/.test(name))
  const records = await Promise.all(
    rows.map(({ name: topic }) => source.read({ topic, partition: 0 }, 0, 1e9)),
  )
  return { reader: new SchemaReader(decoder, log, new ManualClock()), records: records.flat() }
}

function columnOf({ schema }: ChangeEvent, name: string): Column | undefined {
  return schema.columns.find(column => column.name === name)
}

const mail = { id: 'email', renamed: { times: 1, atMs: 1_795_249_307_000 } }

describe('recorded events of a column that was renamed', () => {
  it.each(cases)('have one id for both names: %s', async (_title, given) => {
    const { reader, records } = await open(given)
    const found: string[] = []
    for (const record of records) {
      const decoded = await reader.decode(record)
      if (decoded.kind !== 'changes') continue
      for (const event of decoded.events) {
        const [old, now] = [columnOf(event, 'email'), columnOf(event, 'mail')]
        // A delete of a flattened row may have its key alone.
        if (old === undefined && now === undefined) continue
        if (old !== undefined) {
          expect(old.id).toBe('email')
          expect(old).not.toHaveProperty('renamed')
        }
        if (now !== undefined) expect(now).toMatchObject(mail)
        const others = event.schema.columns.filter(column => column !== now)
        expect(others.every(({ id, name, renamed }) => id === name && renamed === undefined)).toBe(
          true,
        )
        found.push(old === undefined ? 'mail' : 'email')
      }
    }
    expect(found.join(' ')).toMatch(/^(email ){10,}(mail ?)+$/)
  })

  it.each(cases)('have it in any order of the rows: %s', async (_title, given) => {
    const { reader, records } = await open(given)
    const texts = async (order: readonly (typeof records)[number][]) => {
      const all = new Map<number, string>()
      for (const record of order) {
        const decoded = await reader.decode(record)
        if (decoded.kind !== 'changes') continue
        const ids = decoded.events.map(({ schema }) => schema.columns.map(({ id }) => id).join())
        all.set(record.offset, ids.join(' '))
      }
      return all
    }
    const forwards = await texts(records)
    // The newest first, and the oldest again: every one of them as it was.
    const backwards = await texts([...records].reverse())
    for (const [offset, ids] of forwards) {
      // A tombstone of a flattened row is read by the rows before it.
      if (given.file.startsWith('m5') && !ids.includes('name')) continue
      expect(backwards.get(offset)).toBe(ids)
    }
    expect(forwards.size).toBeGreaterThan(9)
  })

  it('have ids by their names where nothing may be read, or nobody asks', async () => {
    const off = await open({
      file: 'm1_json_schema_true',
      format: debeziumJson(),
      settings: { 'include.schema.changes': 'false' },
    })
    for (const record of off.records) {
      const decoded = await off.reader.decode(record)
      const events = decoded.kind === 'changes' ? decoded.events : []
      for (const event of events) expect(columnOf(event, 'mail')?.id ?? 'mail').toBe('mail')
    }
  })
})
