import { describe, expect, it } from 'vitest'
import type { FileSystem } from '../../runtime/file-system.ts'
import { localStagingFiles } from '../../sinks/local-staging-files.ts'
import { readOrcRows } from '../../sinks/orc-files.ts'
import type { DriverRecord, TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { changeOf, type Field, postgres, recordOf, withSchema } from '../formats/samples.ts'
import { openDriver, rowsAfter } from './driver.ts'
import { orcFilesBelow } from './orc-files.ts'

/** A column in each form that Debezium has for a value that was not sent, with a value that was. */
interface Form {
  readonly field: Omit<Field, 'field'>
  readonly unsent: (text: string) => unknown
  readonly sent: unknown
}

const bytes = (text: string): Buffer =>
  text.startsWith('hex:') ? Buffer.from(text.slice(4), 'hex') : Buffer.from(text)
const plain = (text: string): string => bytes(text).toString('utf8')
const base64 = (text: string): string => bytes(text).toString('base64')
const optional = true
/** Java: UUID.nameUUIDFromBytes(…). */
const uuids: Readonly<Record<string, string>> = {
  __debezium_unavailable_value: 'b68a35a7-17ad-35b3-af2a-ae46edb4545a',
  'hex:00ff10': '481e4551-ec03-3aad-a760-901cf52b1917',
}
const wkb = Buffer.from('0101000000000000000000F03F0000000000000040', 'hex').toString('base64')
const place = {
  wkb: Buffer.from('0101000020E6100000000000FC83D797C1000000FC83D797C1', 'hex').toString('base64'),
  srid: 4326,
}

const forms: Readonly<Record<string, Form>> = {
  text: { field: { type: 'string', optional }, unsent: plain, sent: 'real' },
  json: {
    field: { type: 'string', name: 'io.debezium.data.Json', optional },
    unsent: plain,
    sent: '{"a":1}',
  },
  bytea: { field: { type: 'bytes', optional }, unsent: base64, sent: 'cmVhbA==' },
  bytea_base64: { field: { type: 'string', optional }, unsent: base64, sent: 'cmVhbA==' },
  bytea_hex: {
    field: { type: 'string', optional },
    unsent: text => bytes(text).toString('hex'),
    sent: '7265616c',
  },
  texts: {
    field: { type: 'array', items: { type: 'string', optional }, optional },
    unsent: text => [plain(text)],
    sent: ['a', 'b'],
  },
  byteas: {
    field: { type: 'array', items: { type: 'bytes', optional }, optional },
    unsent: text => [base64(text)],
    sent: ['cmVhbA=='],
  },
  integers: {
    field: { type: 'array', items: { type: 'int64', optional }, optional },
    unsent: text => [...new Int8Array(bytes(text))],
    sent: [1, -2, 3],
  },
  uuids: {
    field: {
      type: 'array',
      items: { type: 'string', name: 'io.debezium.data.Uuid', optional },
      optional,
    },
    unsent: text => [uuids[text]],
    sent: ['11111111-2222-3333-4444-555555555555'],
  },
  booleans: {
    field: { type: 'array', items: { type: 'boolean', optional }, optional },
    unsent: text => [...bytes(text)].map(byte => byte !== 0),
    sent: [true, false],
  },
  tags: {
    field: {
      type: 'map',
      keys: { type: 'string' },
      values: { type: 'string', optional },
      optional,
    } as Form['field'],
    unsent: text => ({ [plain(text)]: plain(text) }),
    sent: { a: '1' },
  },
  tags_json: {
    field: { type: 'string', name: 'io.debezium.data.Json', optional },
    unsent: text => JSON.stringify({ [plain(text)]: plain(text) }),
    sent: '{"a":"1"}',
  },
  spot: {
    field: { type: 'struct', name: 'io.debezium.data.geometry.Point', optional },
    unsent: () => ({ x: -99_999_999, y: -99_999_999, wkb, srid: null }),
    sent: { x: 1, y: 2, wkb, srid: null },
  },
  shape: {
    field: { type: 'struct', name: 'io.debezium.data.geometry.Geometry', optional },
    unsent: () => place,
    sent: { wkb, srid: 4326 },
  },
}

const names = Object.keys(forms)
const fields: readonly Field[] = [
  { type: 'int64', field: 'id', optional: false },
  { type: 'int64', field: 'n', optional: false },
  ...names.map(name => ({ ...forms[name]!.field, field: name })),
]
const whole = Object.fromEntries(names.map(name => [name, forms[name]!.sent]))

function recordWith(op: 'c' | 'u', id: number, n: number, rest: object): DriverRecord {
  const source = {
    ...postgres,
    table: 'orders',
    lsn: 1000 + n,
    sequence: `["${999 + n}","${1000 + n}"]`,
  }
  const after = { id, n, ...rest }
  const value = withSchema(changeOf({ op, before: null, after, source }), fields)
  return recordOf({ id }, value, { topic: 'db.shop.orders' })
}

/** Every value of every ORC file, staged or of a table. */
async function allValues(fileSystem: FileSystem): Promise<readonly unknown[]> {
  const values: unknown[] = []
  for (const path of await orcFilesBelow(fileSystem, '')) {
    for await (const rows of readOrcRows(localStagingFiles(fileSystem), path)) values.push(...rows)
  }
  return values
}

/** As text in which each form of the placeholder would show. */
function shown(values: readonly unknown[]): string {
  return JSON.stringify(values, (_name, value: unknown) => {
    if (typeof value === 'bigint') return String(value)
    return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value
  })
}

async function expectNoTrace(driver: TopologyTestDriver, text: string): Promise<void> {
  const values = await allValues(driver.fileSystem)
  expect(values.length).toBeGreaterThan(0)
  const found = shown(values)
  const written = JSON.stringify([plain(text), bytes(text).toString('latin1')]).slice(1, -1)
  const traces = [
    ...written.split(',').map(trace => trace.slice(1, -1)),
    base64(text),
    bytes(text).toString('hex'),
    String([...new Int8Array(bytes(text))]),
    uuids[text]!,
    '-99999999',
    place.wkb,
  ]
  for (const trace of traces) expect(found).not.toContain(trace)
}

describe.each(Object.keys(uuids))('row 10, a placeholder (%s) that lands in the table', text => {
  const unsent = Object.fromEntries(names.map(name => [name, forms[name]!.unsent(text)]))
  const open = () =>
    openDriver({ connectorSettings: { 'unavailable.value.placeholder': text }, hop: 1 })

  /** Full and partial rows; of row 2 each column is left out once while the others are sent. */
  const mixed = [
    recordWith('c', 1, 1, whole),
    recordWith('u', 1, 2, unsent),
    recordWith('c', 2, 3, whole),
    ...names.map((name, index) =>
      recordWith('u', 2, 4 + index, { ...whole, [name]: unsent[name] }),
    ),
    recordWith('u', 1, 90, unsent),
  ]
  const withoutGaps = [recordWith('c', 2, 3 + names.length, whole), recordWith('c', 1, 90, whole)]

  it('in any form keeps the stored value, in one window of full and partial rows and in several', async () => {
    const expected = await rowsAfter(await open(), withoutGaps)
    expect(expected).toHaveLength(2)
    expect(Object.values(expected[0]!).filter(value => value === null)).toEqual([])
    expect(await rowsAfter(await open(), mixed)).toEqual(expected)
    const driver = await open()
    for (const record of mixed) await rowsAfter(driver, [record])
    expect(await driver.rows('orders')).toEqual(expected)
  })

  it('in no form reaches an ORC file, staged or in the table', async () => {
    const driver = await open()
    await rowsAfter(driver, mixed.slice(0, 1))
    // What is staged then is a patch, and lies there.
    driver.crashAt('merge.before-apply')
    await expect(rowsAfter(driver, mixed.slice(1, 2))).rejects.toThrow()
    await expectNoTrace(driver, text)
    await rowsAfter(driver, mixed.slice(2))
    await expectNoTrace(driver, text)
  })
})
