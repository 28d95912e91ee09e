import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../../cli/config.ts'
import { eventFindings } from '../../../cli/connect/event-findings.ts'
import { findingText } from '../../../cli/connect/finding.ts'
import { nodeFileSystem } from '../../../runtime/file-system.ts'
import { fixtures, inFolder } from '../program.ts'
import type { Recorded } from '../recorded.ts'
import { changeLine, fileOf, goodLines, idAndName } from '../recorded.ts'

interface Case {
  /** Of a fixture. */
  readonly path?: string
  readonly lines?: readonly Recorded[]
  /** Of the file with the lines. */
  readonly name?: string
  readonly format?: string
  readonly source?: object
  readonly rule?: object
  readonly isDatabaseKnown?: boolean
}

/** Each line without its advice: `warn  demo.user: …: …. … [code].` is `warn demo.user [code]`. */
async function look(given: Case): Promise<readonly string[]> {
  return (await linesOf(given)).slice(1).map(line => {
    const [, word, what, code] = /^(\w+) +(.*?): .*\[([a-z-]+)\]\.\n$/.exec(line) ?? []
    return `${word} ${what} [${code}]`
  })
}

async function linesOf(given: Case): Promise<readonly string[]> {
  const {
    lines = [],
    name = 'events.jsonl',
    format = 'debezium-json',
    source = {},
    rule = {},
  } = given
  return await inFolder(async program => {
    await program.write(name, fileOf(lines))
    const path = given.path === undefined ? name : join(fixtures, given.path)
    const config = {
      applicationId: 'shop',
      source: { type: 'file', path, format, ...source },
      tables: [{ from: '*.*', to: 'ods.{table}', merge: true, ...rule }],
      warehouse: { type: 'embedded', path: 'w' },
    }
    // JSON is YAML.
    await program.write('forager.yaml', JSON.stringify(config))
    const { loaded, problems } = await readConfig(nodeFileSystem, program.path('forager.yaml'))
    expect(problems).toEqual([])
    const { isDatabaseKnown = false } = given
    const found = (await eventFindings(loaded!, { isDatabaseKnown })).map(findingText)
    // Nothing was opened that a run needs.
    expect(await nodeFileSystem.stat(program.path('.forager'))).toBeNull()
    return found
  })
}

const m1 = 'mariadb/m1_json_schema_true.jsonl'
const m2 = 'mariadb/m2_json_schema_false_friendly_modes.jsonl'
const m5 = 'mariadb/m5_unwrapped_flat.jsonl'
const p1 = 'postgres/p1_json_schema_true.jsonl'
const p2 = 'postgres/p2_json_schema_false_friendly_modes.jsonl'
const canal = 'canal/canal117_flat_message_FULL.jsonl'
const maxwell = 'maxwell/maxwell_1.22.6.jsonl'

describe('recorded messages', () => {
  it('say how many were read', async () => {
    expect((await linesOf({ path: m1 }))[0]).toBe(
      'ok    events: 217 messages of 16 topics were read.\n',
    )
  })

  it('of MariaDB tell tables without a key and columns whose nulls may be defaults', async () => {
    expect(await look({ path: m1 })).toEqual([
      'warn demo.op_log [events-without-key]',
      'warn demo.product [events-defaults]',
      'warn demo.user, demo.user_bak [events-defaults]',
    ])
    expect((await linesOf({ path: m1 })).at(-2)).toMatch(
      /: stock, on_sale may be null and have a default/,
    )
    const key = { from: 'demo.op_log', key: ['who'] }
    expect(await look({ path: m1, rule: key })).toEqual([])
    expect(await look({ path: m1, isDatabaseKnown: true })).toEqual([
      'warn demo.product [events-defaults]',
      'warn demo.user, demo.user_bak [events-defaults]',
    ])
  })

  it('without schemas are read with the topic of schema changes', async () => {
    expect(await look({ path: m2 })).toEqual(['warn demo.op_log [events-without-key]'])
  })

  it('of PostgreSQL tell the replica identity by updates without `before`', async () => {
    const found = await look({ path: p1, rule: { from: 'shop.product' } })
    expect(found).toContain('note shop.product [events-without-before]')
    const stated = { from: 'shop.product', beforeImage: 'full' }
    expect(await look({ path: p1, rule: stated })).toContain(
      'WRONG shop.product [events-not-whole]',
    )
    expect(await look({ path: p1, rule: { from: 'shop.ri_full', beforeImage: 'full' } })).toEqual(
      [],
    )
    expect(
      await look({ path: p1, rule: { from: 'shop.product' }, isDatabaseKnown: true }),
    ).not.toContain('note shop.product [events-without-before]')
  })

  it('of PostgreSQL without schemas tell that nothing says the types', async () => {
    const lines = await linesOf({ path: p2 })
    expect(lines.at(-1)).toMatch(
      /^WRONG shop\.all_types, .* and 10 more: there is no topic p2 .*\[events-without-types\]\.\n$/,
    )
    expect(await look({ path: p2, rule: { from: 'other.*' } })).toEqual([])
  })

  it('that are flattened without places in the log are told', async () => {
    expect(await look({ path: m5, format: 'debezium-flat' })).toEqual([
      'warn demo.product, demo.user, demo.user_order [events-without-position]',
    ])
  })

  it('of canal and Maxwell with whole rows tell only the table without a key', async () => {
    const expected = ['warn canaldemo.op_log [events-without-key]']
    expect(await look({ path: canal, format: 'canal-json' })).toEqual(expected)
    expect(await look({ path: maxwell, format: 'maxwell-json' })).toEqual(expected)
    const source = { connector: { ddl_kafka_topic: 'maxwell_ddl' } }
    expect(await look({ path: maxwell, format: 'maxwell-json', source })).toEqual(expected)
  })

  it('in Avro are read with the schemas of the registry', async () => {
    const path = join(fixtures, 'mariadb/m3_avro_confluent.schemas.jsonl')
    const avro = { path: 'mariadb/m3_avro_confluent.jsonl', format: 'debezium-avro' }
    expect(await look({ ...avro, source: { registry: { type: 'file', path } } })).toEqual([
      'warn demo.op_log [events-without-key]',
    ])
  })

  it('whose format is found out tell the same', async () => {
    const format = 'auto'
    expect(await look({ path: m2, format })).toEqual(['warn demo.op_log [events-without-key]'])
    expect(await look({ path: m5, format })).toEqual([
      'warn demo.product, demo.user, demo.user_order [events-without-position]',
    ])
    expect(await look({ path: canal, format })).toEqual([
      'warn canaldemo.op_log [events-without-key]',
    ])
    expect(await look({ path: p1, format, rule: { from: 'shop.product' } })).toContain(
      'note shop.product [events-without-before]',
    )
  })

  it.each([
    [m5, 'debezium-json', 'm5.demo.product', 'debezium-flat'],
    [m1, 'debezium-flat', 'm1.demo.all_types', 'debezium-json'],
    [canal, 'debezium-json', 'canal_demo', 'canal-json'],
    [maxwell, 'canal-json', 'maxwell_ddl', 'maxwell-json'],
    [canal, 'maxwell-json', 'canal_demo', 'canal-json'],
    ['mariadb/m3_avro_confluent.jsonl', 'debezium-json', 'm3', 'debezium-avro'],
  ])(
    '%s that are configured as %s are said to be what they are',
    async (path, format, topic, shape) => {
      const lines = await linesOf({ path, format })
      const expected = new RegExp(`^WRONG ([\\w.-]+, )*${topic}[ ,:].*look like ${shape}, `)
      expect(lines).toContainEqual(expect.stringMatching(expected))
    },
  )
})

/** Updates of MariaDB. */
function updates(before: object | null, after: object, count = 3): readonly Recorded[] {
  return Array.from({ length: count }, (_, index) => {
    const line = changeLine(index + 1, 'u', 1, JSON.stringify(after))
    return {
      ...line,
      value: line.value!.replace('"before":null', `"before":${JSON.stringify(before)}`),
    }
  })
}

function maxwellLine(offset: number, type: string, data: object, rest: object = {}): Recorded {
  const key = JSON.stringify({ database: 'demo', table: 'user', 'pk.id': offset })
  const base = { database: 'demo', table: 'user', type, ts: 1, xid: 1, xoffset: 0 }
  const value = JSON.stringify({ ...base, position: `b.000001:${offset}`, data, ...rest })
  return { topic: 'maxwell', partition: 0, offset, timestamp: 1, headers: [], key, value }
}

const ofMaxwell = { format: 'maxwell-json' } as const
const row = { id: 1, name: 'a' }

describe('messages', () => {
  it('that lose nothing tell nothing', async () => {
    expect(await look({ lines: goodLines() })).toEqual([])
    expect(await look({ lines: updates(row, row) })).toEqual([])
    const lines = [1, 2, 3].map(offset => maxwellLine(offset, 'update', row, { old: {} }))
    expect(await look({ lines, ...ofMaxwell })).toEqual([])
  })

  it('with a row before of which only the key is known are partial, if there are some of them', async () => {
    const before = { id: 1, name: null }
    expect(await look({ lines: updates(before, row) })).toEqual(['warn demo.user [events-partial]'])
    expect(await look({ lines: updates(before, row, 2) })).toEqual([])
    expect(await look({ lines: updates(before, { id: 1, name: null }) })).toEqual([])
  })

  it('of Maxwell that lack columns between whole rows are partial; a column that went is no reason', async () => {
    const narrow = maxwellLine(2, 'delete', { id: 1 })
    const lines = [maxwellLine(1, 'insert', row), narrow, maxwellLine(3, 'insert', row)]
    expect(await look({ lines, ...ofMaxwell })).toEqual(['warn demo.user [events-partial]'])
    const dropped = [maxwellLine(1, 'insert', row), narrow, maxwellLine(3, 'insert', { id: 2 })]
    expect(await look({ lines: dropped, ...ofMaxwell })).toEqual([])
  })

  it('of Maxwell without position or number are told', async () => {
    const noPosition = [maxwellLine(1, 'insert', row, { position: undefined })]
    expect(await look({ lines: noPosition, ...ofMaxwell })).toEqual([
      'warn demo.user [events-without-position]',
    ])
    const noNumber = [maxwellLine(1, 'insert', row, { xoffset: undefined })]
    expect(await look({ lines: noNumber, ...ofMaxwell })).toEqual([
      'warn demo.user [events-without-number]',
    ])
    const last = [maxwellLine(1, 'insert', row, { xoffset: undefined, commit: true })]
    expect(await look({ lines: last, ...ofMaxwell })).toEqual([])
  })

  it('of many keys in one partition of several are told', async () => {
    const lines = Array.from({ length: 12 }, (_, index) => maxwellLine(index, 'insert', row))
    const other = { ...maxwellLine(1, 'insert', row), partition: 1 }
    expect(await look({ lines, ...ofMaxwell })).toEqual([])
    expect(await look({ lines: [...lines, other], ...ofMaxwell })).toEqual([])
    const heartbeat = { ...other, value: null }
    expect(await look({ lines: [...lines, heartbeat], ...ofMaxwell })).toEqual([])
    const inLast = lines.map(line => ({ ...line, partition: 1 }))
    expect(await look({ lines: inLast, ...ofMaxwell })).toEqual([
      'note maxwell [events-in-one-partition]',
    ])
  })

  it('whose key lacks a column of the configured key have no order in several partitions', async () => {
    const lines = [goodLines()[0]!, { ...goodLines()[1]!, partition: 1 }]
    const rule = { from: 'demo.user', key: ['name'] }
    expect(await look({ lines, rule })).toEqual(['WRONG demo.user [events-spread]'])
    expect(await look({ lines, rule, source: { ordering: 'position' } })).toEqual([])
    expect(await look({ lines: goodLines().slice(0, 2), rule })).toEqual([])
  })

  it('without a key end a run where the rule names the table', async () => {
    const lines = goodLines().map(line => ({ ...line, key: null }))
    expect(await look({ lines, rule: { from: 'demo.user' } })).toEqual([
      'WRONG demo.user [named-events-without-key]',
    ])
  })

  it('of a snapshot to the end are told', async () => {
    const lines = [1, 2].map(id => changeLine(id, 'r', id, JSON.stringify({ id, name: 'a' })))
    expect(await look({ lines })).toEqual(['note s.demo.user [events-of-snapshot]'])
    const change = changeLine(3, 'u', 1, JSON.stringify(row))
    expect(await look({ lines: [...lines, change] })).not.toContain(
      'note s.demo.user [events-of-snapshot]',
    )
  })

  it('with a default for a column that may be null are told until a null comes', async () => {
    const fields = [idAndName[0]!, { ...idAndName[1]!, default: 'x' }]
    const line = (id: number, name: string | null) =>
      changeLine(id, 'c', id, JSON.stringify({ id, name }), fields)
    expect(await look({ lines: [line(1, 'x')] })).toEqual(['warn demo.user [events-defaults]'])
    expect(await look({ lines: [line(1, 'x'), line(2, null)] })).toEqual([])
  })

  it('that cannot be read are told once for each topic, with their place', async () => {
    const bad = goodLines().map(line => ({ ...line, value: '{"' }))
    const lines = await linesOf({ lines: bad })
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(
      /^warn {2}s\.demo\.user: message 1 of partition 0: .*\(`message-not-json`\).*\[events-undecodable\]/,
    )
  })

  it.each([
    'null',
    '[]',
    '1',
    '"x"',
    '{}',
    '{"payload":null,"schema":null}',
    '{"op":1,"source":{}}',
    '{"schema":{"fields":[null,1,{"field":"after","fields":7}]},"payload":{"op":"u","source":{},"after":[]}}',
  ])('of any other shape are told or passed, and nothing breaks: %s', async value => {
    for (const format of [
      'debezium-json',
      'debezium-flat',
      'canal-json',
      'canal-rows',
      'maxwell-json',
    ]) {
      const lines = [{ ...goodLines()[0]!, value }]
      const [first] = await linesOf({ lines, format })
      expect(first).toBe('ok    events: 1 message of 1 topic were read.\n')
    }
  })

  it('of a long topic are read at both ends', async () => {
    const many = Array.from({ length: 1000 }, (_, index) =>
      changeLine(index + 1, 'c', index, JSON.stringify({ id: index, name: 'a' })),
    )
    expect((await linesOf({ lines: many }))[0]).toBe(
      'ok    events: 200 messages of 1 topic were read.\n',
    )
    const last = { ...many.at(-1)!, value: '{"' }
    expect(await look({ lines: [...many.slice(0, -1), last] })).toEqual([
      'warn s.demo.user [events-undecodable]',
    ])
    const middle = many.map((line, index) => (index === 500 ? { ...line, value: '{"' } : line))
    expect(await look({ lines: middle })).toEqual([])
  })

  it('of a file that cannot be read are an error', async () => {
    const lines = await linesOf({ name: 'events.jsonl.gz' })
    expect(lines).toEqual([expect.stringMatching(/^WRONG events: .*\[source-unreadable\]/)])
  })
})
