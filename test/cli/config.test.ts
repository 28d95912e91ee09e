import { describe, expect, it } from 'vitest'
import { formatProblem, loadConfig, readConfig } from '../../cli/config.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import { configText } from './program.ts'

const path = '/shop/forager.yaml'

async function filesWith(text: string): Promise<SimulatedFileSystem> {
  const files = new SimulatedFileSystem({ random: seededRandom(1) })
  await files.makeDirectory('/shop/folder')
  for (const [name, content] of [
    ['forager.yaml', text],
    ['events.jsonl', ''],
  ] as const) {
    await (await files.open(`/shop/${name}`, 'write')).write(Buffer.from(content), 0)
  }
  return files
}

async function problemsOf(text: string): Promise<string[]> {
  const { problems, loaded } = await readConfig(await filesWith(text), path)
  expect(loaded === null).toBe(problems.length > 0)
  return problems.map(problem => formatProblem('f.yaml', problem))
}

async function configOf(text: string) {
  const { loaded, problems } = await readConfig(await filesWith(text), path)
  expect(problems).toEqual([])
  return loaded!.config
}

describe('a configuration that is right', () => {
  it('is the smallest one of the README, with defaults for the rest', async () => {
    const text = `applicationId: shop
source: { type: file, path: events.jsonl, format: debezium-json }   # a comment
tables:
  - { from: "demo.*", to: "ods.{table}" }         # database.table; schema.table for PostgreSQL
warehouse: { type: embedded, path: ./warehouse }
window: { maxAge: 5s, maxRows: 500000, maxBytes: 64MiB }
`
    expect(await configOf(text)).toEqual({
      applicationId: 'shop',
      source: {
        type: 'file',
        path: 'events.jsonl',
        format: 'debezium-json',
        connector: {},
        dropRepeats: true,
        ordering: 'log',
        keyedBy: 'unknown',
        incarnation: '',
      },
      tables: [{ from: 'demo.*', to: 'ods.{table}' }],
      warehouse: {
        type: 'embedded',
        path: './warehouse',
        targetFileSize: 64 * 1024 * 1024,
        retain: 60_000,
      },
      window: { maxAge: 5000, maxRows: 500_000, maxBytes: 64 * 1024 * 1024 },
      repartition: {},
      state: { path: '.forager', store: 'memory', memory: 8 * 1024 * 1024 },
      onError: 'fail',
      processingGuarantee: 'exactly_once_v2',
      stopTimeout: 25_000,
      commitInterval: 1000,
      staging: { type: 'local' },
      history: {
        type: 'sqlite',
        retain: 720 * 3_600_000,
        maxRows: 2_000_000,
        maxWaiting: 10_000,
      },
    })
  })

  it('has the settings of its connector, by their own names', async () => {
    const connector = {
      'decimal.handling.mode': 'string',
      'time.precision.mode': 'connect',
      'binary.handling.mode': 'hex',
      'unavailable.value.placeholder': 'GONE',
    }
    const text = configText({}).replace(
      'debezium-json',
      `debezium-json, connector: ${JSON.stringify(connector)}`,
    )
    expect((await configOf(text)).source.connector).toEqual(connector)
  })

  it.each([
    ['250ms', 250],
    ['5s', 5000],
    ['5 s', 5000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['0s', 0],
  ])('has a duration of %s', async (text, expected) => {
    const { window } = await configOf(configText({ more: `window: { maxAge: ${text} }` }))
    expect(window.maxAge).toBe(expected)
  })

  it.each([
    ['10B', 10],
    ['1KiB', 1024],
    ['1KB', 1000],
    ['1.5MiB', 1_572_864],
    ['2 GB', 2_000_000_000],
    ['1GiB', 1_073_741_824],
  ])('has a size of %s', async (text, expected) => {
    const { window } = await configOf(configText({ more: `window: { maxBytes: ${text} }` }))
    expect(window.maxBytes).toBe(expected)
  })

  it('takes everything that a table can say', async () => {
    const more = `  - from: shop.user
    to: dw.users
    key: [tenant, id]
    partitionBy: year_month(created)
    columns:
      include: [id, tenant, created]
      types: { created: timestamp with local time zone, price: "decimal(38,10)" }
    beforeImage: full
`
    const text = configText().replace('warehouse:', `${more}warehouse:`)
    expect((await configOf(text)).tables[1]).toEqual({
      from: 'shop.user',
      to: 'dw.users',
      key: ['tenant', 'id'],
      partitionBy: { column: 'created', unit: 'year_month' },
      columns: {
        include: ['id', 'tenant', 'created'],
        types: {
          created: { kind: 'timestamptz' },
          price: { kind: 'decimal', precision: 38, scale: 10 },
        },
      },
      beforeImage: 'full',
    })
  })
})

describe('a configuration that is wrong', () => {
  it('is told which kinds of source there are', async () => {
    const text = `applicationId: a
source: { type: kafak, path: x }
tables: [{ from: a.b, to: c }]
warehouse: { type: embedded, path: w }
`
    expect(await problemsOf(text)).toEqual([
      'f.yaml:2: source.type must be file or kafka',
      'f.yaml:2: source.path: /shop/x does not exist',
    ])
  })

  it('has problems of the kind of source that it names', async () => {
    const text = `applicationId: a
source: { type: kafka, brokers: [kafka], topic: x, format: debezium-json, start: noon }
tables: [{ from: a.b, to: c }]
warehouse: { type: embedded, path: w }
`
    expect(await problemsOf(text)).toEqual([
      'f.yaml:2: source.brokers[0] must be host:port, like kafka-1:9092',
      'f.yaml:2: source.topics is missing',
      'f.yaml:2: source.start must be earliest, latest, or a time with its zone, like 2026-05-31T08:00:00Z',
      'f.yaml:2: unknown key source.topic; did you mean "topics"?',
    ])
  })

  it('has every problem told at once, in the order of its lines', async () => {
    const text = `applicationId: "a b"
source: { type: file, path: nowhere.jsonl, format: avro, conector: {}, repartitionInto: 0 }
tables:
  - from: demo.user
    too: x
    columns: { includ: [a], include: [a, b], exclude: [b], types: { a: foo } }
    partitionBy: "a b"
    key: []
  - { from: "demo.*", to: ods.all }
  - nonsense
warehouse: { type: embedded }
window: { maxAge: 5, maxRows: 0, maxBytes: 64 }
onErorr: skip
`
    expect(await problemsOf(text)).toEqual([
      'f.yaml:1: applicationId must be letters, digits, ".", "_" and "-", at most 150, and not "." or ".."',
      'f.yaml:2: source.repartitionInto must be at least 1',
      expect.stringMatching(/^f\.yaml:2: source\.format must be debezium-json\b/),
      'f.yaml:2: unknown key source.conector; did you mean "connector"?',
      'f.yaml:2: source.path: /shop/nowhere.jsonl does not exist',
      'f.yaml:4: tables[0].to is missing',
      'f.yaml:5: unknown key tables[0].too; did you mean "to"?',
      expect.stringMatching(
        /^f\.yaml:6: tables\[0\]\.columns\.types\.a "foo" is not a type; known are/,
      ),
      'f.yaml:6: unknown key tables[0].columns.includ; did you mean "include"?',
      'f.yaml:6: tables[0].columns: b is both included and excluded',
      'f.yaml:7: tables[0].partitionBy "a b" is not a partitioning: give a column, or year_month(column)',
      'f.yaml:8: tables[0].key must not be empty',
      'f.yaml:9: tables[1].to: many tables of demo.* would go to one; use {table}, or say `merge: true` when they are parts of one table and their keys do not overlap',
      'f.yaml:10: tables[2] must be a mapping of keys',
      'f.yaml:11: warehouse.path is missing',
      'f.yaml:12: window.maxAge must be a duration with its unit, like 5s (units: ms, s, m, h)',
      'f.yaml:12: window.maxRows must be at least 1',
      'f.yaml:12: window.maxBytes must be a size with its unit, like 64MiB (units: B, KiB, MiB, GiB, KB, MB, GB)',
      'f.yaml:13: unknown key onErorr; did you mean "onError"?',
    ])
  })

  it.each([
    ['window: { maxage: 1s }', 'unknown key window.maxage; did you mean "maxAge"?'],
    ['window: { rows: 5 }', 'unknown key window.rows; known are maxAge, maxRows, maxBytes'],
    ['state: { memmory: 1MiB }', 'unknown key state.memmory; did you mean "memory"?'],
    [
      'repartition: { partition: 2 }',
      'unknown key repartition.partition; did you mean "partitions"?',
    ],
    ['tabels: []', 'unknown key tabels; did you mean "tables"?'],
    [
      'repartition: { zzzzzzzzzzzz: 2 }',
      'unknown key repartition.zzzzzzzzzzzz; known are partitions',
    ],
  ])('by an unknown key (%s) is told the nearest known one, or all', async (more, expected) => {
    expect(await problemsOf(configText({ more }))).toEqual([`f.yaml:6: ${expected}`])
  })

  it.each([
    ['window: 5s', 'window must be a mapping of keys'],
    ['window: [5s]', 'window must be a mapping of keys'],
    ['window:', 'window must be a mapping of keys'],
    ['window: { maxRows: many }', 'window.maxRows must be a number'],
    ['window: { maxRows: 1.5 }', 'window.maxRows must be a whole number'],
    [
      'window: { maxAge: -1s }',
      'window.maxAge must be a duration with its unit, like 5s (units: ms, s, m, h)',
    ],
    [
      'window: { maxAge: 5d }',
      'window.maxAge must be a duration with its unit, like 5s (units: ms, s, m, h)',
    ],
    [
      'window: { maxAge: }',
      'window.maxAge must be a duration with its unit, like 5s (units: ms, s, m, h)',
    ],
    ['repartition: { partitions: 1001 }', 'repartition.partitions must be at most 1000'],
    ['state: { store: disk }', 'state.store must be memory or persistent'],
    ['state: { path: 5 }', 'state.path must be a string'],
    ['onError: [fail]', 'onError must be fail or skip or dead-letter'],
    [
      'commitInterval: 5',
      'commitInterval must be a duration with its unit, like 5s (units: ms, s, m, h)',
    ],
  ])('by a value (%s) is told what it must be', async (more, expected) => {
    expect(await problemsOf(configText({ more }))).toEqual([`f.yaml:6: ${expected}`])
  })

  it.each([
    [
      '',
      ['applicationId', 'source', 'tables', 'warehouse'].map(key => `f.yaml:1: ${key} is missing`),
    ],
    [
      '# nothing but a comment\n',
      ['applicationId', 'source', 'tables', 'warehouse'].map(key => `f.yaml:1: ${key} is missing`),
    ],
    ['hello\n', ['f.yaml:1: the configuration must be a mapping of keys']],
    ['- a\n- b\n', ['f.yaml:1: the configuration must be a mapping of keys']],
    ['a: 1\nb: 2\na: 3\n', ['f.yaml:3: the key a is given twice']],
    [
      'applicationId: shop\nsource: *events\n',
      [expect.stringMatching(/^f\.yaml:2: Unresolved alias .*: events$/)],
    ],
    ['a:\n\t- b\n', [expect.stringMatching(/^f\.yaml:2: Tabs are not allowed as indentation/)]],
    ['a: "open\n', [expect.stringMatching(/^f\.yaml:\d: Missing closing "quote/)]],
  ])('as a whole (%j) says where', async (text, expected) => {
    expect(await problemsOf(text)).toEqual(expected)
  })

  it.each([
    ['decimal.handling.mod: string', 'unknown key', '; did you mean "decimal.handling.mode"?'],
    ['decimal.handling.mode: STRING', '', ' must be precise or string or double'],
    ['time.precision.mode: millis', '', ' must be adaptive or adaptive_time_microseconds'],
    ['binary.handling.mode: base32', '', ' must be bytes or base64 or base64-url-safe or hex'],
    ['unavailable.value.placeholder: 5', '', ' must be a string'],
  ])('by a setting of the connector (%s) is told what there is', async (setting, before, after) => {
    const text = configText({}).replace('debezium-json', `debezium-json, connector: { ${setting} }`)
    const [problem, ...others] = await problemsOf(text)
    expect(others).toEqual([])
    const name = `source.connector.${setting.split(':')[0]}`
    expect(problem).toContain(`${before}${before === '' ? '' : ' '}${name}${after}`)
  })

  it('finds the line of a key whose value begins on the next one', async () => {
    const text = configText({ more: 'window:\n  maxRows:\n    many\n' })
    expect(await problemsOf(text)).toEqual(['f.yaml:7: window.maxRows must be a number'])
  })

  it('that leaves the format open says to name it where something depends on it', async () => {
    const problems = async (source: string) =>
      await problemsOf(configText({ source }).replace('debezium-json', 'auto'))
    expect(await problems('')).toEqual([])
    for (const [key, value] of [
      ['ordering', 'position'],
      ['keyedBy', 'primary-key'],
    ] as const) {
      const [problem, ...others] = await problems(`, ${key}: ${value}`)
      expect(others).toEqual([])
      expect(problem).toContain(`source.${key}: `)
      expect(problem).toContain('name yours instead of `format: auto`')
    }
  })

  it('of a format without positions, or that moves rows to other keys, says what it does not go with', async () => {
    const problems = async (source: string) =>
      await problemsOf(configText({ source }).replace('debezium-json', 'canal-json'))
    expect(await problems(', ordering: position')).toEqual([
      'f.yaml:2: source.ordering: `position` needs messages with positions, and those of canal-json have none',
    ])
    expect(await problems(', keyedBy: primary-key')).toEqual([
      expect.stringMatching(/^f\.yaml:2: source\.keyedBy: a message of canal-json may move a row/),
    ])
    expect(await problems('')).toEqual([])
    expect(await problems(', connector: { user.timezone: Asia/Shanghai }')).toEqual([])
    expect(await problems(', connector: { user.timezone: Shanghai }')).toEqual([
      expect.stringMatching(/^f\.yaml:2: source\.connector\.user\.timezone is not a time zone/),
    ])
  })

  it('that orders by position and would apply repeats says what to leave out', async () => {
    const source = ', ordering: position, dropRepeats: false'
    expect(await problemsOf(configText({ source }))).toEqual([
      'f.yaml:2: source.dropRepeats: with `ordering: position` what is older than the last change of its ' +
        'row is always dropped; leave it out, or use `ordering: log`',
    ])
    expect(await problemsOf(configText({ source: ', ordering: position' }))).toEqual([])
  })

  it('that is keyed by primary key, and does what needs the hop, says what to leave out', async () => {
    const source = ', keyedBy: primary-key'
    expect(await problemsOf(configText({ source }))).toEqual([])
    expect(await problemsOf(configText({ source: `${source}, ordering: position` }))).toEqual([
      'f.yaml:2: source.keyedBy: `ordering: position` is for producers that spread a row’s changes over ' +
        'partitions; leave out one of them',
    ])
    const text = configText({ source }).replace('{table}"', '{table}", merge: true')
    expect(await problemsOf(text)).toEqual([
      expect.stringMatching(
        /^f\.yaml:\d: tables\[0\]\.merge: several tables in one need the hop, and source\.keyedBy takes it away/,
      ),
    ])
  })

  it('by a source that is a folder says so', async () => {
    const text = configText().replace('events.jsonl', 'folder')
    expect(await problemsOf(text)).toEqual(['f.yaml:2: source.path: /shop/folder is a folder'])
  })

  it('by a warehouse that is a file says so', async () => {
    const text = configText().replace('./warehouse', './events.jsonl')
    expect(await problemsOf(text)).toEqual([
      'f.yaml:5: warehouse.path: /shop/events.jsonl is a file, not a folder',
    ])
  })

  it.each(['.', '..'])('by an application id that is the folder %j says so', async id => {
    const text = configText().replace('shop', `"${id}"`)
    expect(await problemsOf(text)).toEqual([
      'f.yaml:1: applicationId must be letters, digits, ".", "_" and "-", at most 150, and not "." or ".."',
    ])
  })

  it('that is not there says so', async () => {
    const files = await filesWith('')
    const { problems } = await readConfig(files, '/shop/nothing.yaml')
    expect(problems.map(problem => formatProblem('nothing.yaml', problem))).toEqual([
      'nothing.yaml: cannot open /shop/nothing.yaml: no such file or folder',
    ])
  })

  it('is one error with a line for each problem', async () => {
    const files = await filesWith(configText({ more: 'a: 1\nb: 2\n' }))
    const loading = loadConfig(files, path)
    await expect(loading).rejects.toMatchObject({ code: 'config-invalid' })
    await expect(loading).rejects.toThrow(
      /^the configuration is wrong:\n {2}\/shop\/forager\.yaml:6: unknown key a;.*\n {2}\/shop\/forager\.yaml:7: unknown key b;.*$/,
    )
  })
})
