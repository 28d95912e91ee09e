import { describe, expect, it } from 'vitest'
import { canalJson } from '../../formats/canal/canal-json.ts'
import { BufferSource, describeOrcFile, OrcReader } from '../../orc/index.ts'
import type { DriverRecord } from '../../testkit/topology-test-driver.ts'
import { flat } from '../formats/canal/canal-messages.ts'
import { changeOf, type Field, mariadb, recordOf, withSchema } from '../formats/samples.ts'
import { openDriver, rowsAfter } from './driver.ts'
import { orcFilesBelow } from './orc-files.ts'

const zones = [
  'UTC',
  'America/New_York',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Europe/Berlin',
]

/** Milliseconds: the hours that clocks skip and repeat, in both hemispheres, and before 1970. */
const instants = [
  '2024-03-10T06:59:59.999Z',
  '2024-03-10T07:00:00.001Z',
  '2024-11-03T05:30:00.500Z',
  '2024-11-03T06:30:00.500Z',
  '2024-03-31T00:59:59.999Z',
  '2024-03-31T01:00:00.000Z',
  '2024-10-27T00:30:00.000Z',
  '2024-10-27T01:30:00.000Z',
  '2024-04-06T14:59:59.123Z',
  '2024-04-06T15:15:00.123Z',
  '1969-12-31T23:59:59.999Z',
  '1969-12-31T23:59:59.001Z',
  '1960-06-15T12:00:00.500Z',
].map(text => Date.parse(text))

/** Seconds that a clock of the zone is ahead of UTC. */
function offsetOf(zone: string, ms: number): number {
  const parts = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
  const name = parts.formatToParts(ms).find(({ type }) => type === 'timeZoneName')!.value
  const [, sign, hours = '0', minutes = '0'] = /^GMT(?:([+-])(\d\d):(\d\d))?$/.exec(name)!
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60)
}

const iso = (ms: number): string => new Date(ms).toISOString().slice(0, -1)

function offsetText(seconds: number): string {
  if (seconds === 0) return 'Z'
  const minutes = Math.abs(seconds) / 60
  const pad = (value: number): string => String(value).padStart(2, '0')
  return `${seconds < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`
}

function structured(ms: number) {
  const at = new Date(ms)
  return {
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    specialValue: null,
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
    picoseconds: at.getUTCMilliseconds() * 1e9,
  }
}

/** A clock’s time in each `time.precision.mode`, and an instant as it was written in a zone. */
const modes: Readonly<
  Record<string, { type: string; name: string; of: (clockMs: number, offset: number) => unknown }>
> = {
  adaptive: { type: 'int64', name: 'io.debezium.time.Timestamp', of: ms => ms },
  connect: { type: 'int64', name: 'org.apache.kafka.connect.data.Timestamp', of: ms => ms },
  microseconds: { type: 'int64', name: 'io.debezium.time.MicroTimestamp', of: ms => ms * 1000 },
  nanoseconds: {
    type: 'int64',
    name: 'io.debezium.time.NanoTimestamp',
    of: ms => BigInt(ms) * 1_000_000n,
  },
  isostring: { type: 'string', name: 'io.debezium.time.IsoTimestamp', of: ms => `${iso(ms)}Z` },
  structured: { type: 'struct', name: 'io.debezium.time.StructuredTimestamp', of: structured },
  zoned: {
    type: 'string',
    name: 'io.debezium.time.ZonedTimestamp',
    of: (ms, offset) => iso(ms) + offsetText(offset),
  },
  structured_zoned: {
    type: 'struct',
    name: 'io.debezium.time.StructuredZonedTimestamp',
    of: (ms, offset) => ({ ...structured(ms), offsetSeconds: offset }),
  },
}

const isInstant = (mode: string): boolean => mode.endsWith('zoned')
const fields: readonly Field[] = [
  { type: 'int64', field: 'id', optional: false },
  ...Object.entries(modes).map(([field, { type, name }]) => ({
    type,
    name,
    field,
    optional: true,
  })),
]

const cases = zones.flatMap(zone => instants.map(ms => ({ zone, ms })))

/** Instants are written as the clock of the snapshot’s server shows them, or in UTC, as streams do. */
function record(op: 'r' | 'c' | 'u', id: number, inZone: boolean): DriverRecord {
  const { zone, ms } = cases[id]!
  const offset = offsetOf(zone, ms)
  const columns = Object.entries(modes).map(([mode, { of }]) => {
    if (!isInstant(mode)) return [mode, of(ms + offset * 1000, 0)]
    return [mode, inZone ? of(ms + offset * 1000, offset) : of(ms, 0)]
  })
  const after = { id, ...Object.fromEntries(columns) }
  const source = {
    ...mariadb,
    table: 'orders',
    snapshot: String(op === 'r'),
    pos: op === 'u' ? 9000 + id : id + 1,
  }
  const value = JSON.stringify(
    withSchema(changeOf({ op, after, source }), fields),
    (_, json: unknown) => (typeof json === 'bigint' ? `#${json}#` : json),
  ).replaceAll(/"#(-?\d+)#"/g, '$1')
  return recordOf({ id }, value, { topic: 'db.shop.orders' })
}

/** ORC has no last second before 1970: `docs/orc.md`. */
const inOrc = (ms: number): number => (ms < 0 && ms > -1000 ? ms + 1000 : ms)

/** Microseconds since 1970. */
const expected = cases.map(({ zone, ms }, id) => ({
  id,
  ...Object.fromEntries(
    Object.keys(modes).map(mode => {
      return [mode, inOrc(ms + (isInstant(mode) ? 0 : offsetOf(zone, ms) * 1000)) * 1000]
    }),
  ),
}))

const ids = cases.map((_, id) => id)

describe('row 15, timestamps of a snapshot and of the stream that differ by the zone', () => {
  it('one instant is the same from r, c and u, in every precision mode, in any zone of the server, over the change of clocks', async () => {
    const snapshot = await openDriver({ hop: 1 })
    expect(
      await rowsAfter(
        snapshot,
        ids.map(id => record('r', id, true)),
      ),
    ).toEqual(expected)
    // The same rows again, as changes: nothing moves.
    expect(
      await rowsAfter(
        snapshot,
        ids.map(id => record('u', id, false)),
      ),
    ).toEqual(expected)
    const stream = await openDriver({ hop: 1 })
    expect(
      await rowsAfter(
        stream,
        ids.map(id => record('c', id, false)),
      ),
    ).toEqual(expected)
    expect(
      await rowsAfter(
        stream,
        ids.map(id => record('u', id, true)),
      ),
    ).toEqual(expected)
  })

  it('the clock of canal’s server gives the instants that Debezium gives, from inserts and updates', async () => {
    for (const zone of zones) {
      const known = instants.filter(ms => !isAmbiguous(zone, ms))
      const text = (ms: number, offset: number): string => iso(ms + offset * 1000).replace('T', ' ')
      const rows = known.map((ms, id) => ({ id, at: inOrc(ms) * 1000 }))
      const row = (ms: number, id: number) => ({ id: String(id), at: text(ms, offsetOf(zone, ms)) })
      const types = { id: 'int', at: 'timestamp(3)' }
      const canal = await openDriver({
        format: canalJson(),
        topics: { canal: 1 },
        connectorSettings: { 'user.timezone': zone },
      })
      const send = (message: object) => ({
        topic: 'canal',
        key: null,
        value: JSON.stringify(message),
      })
      expect(await rowsAfter(canal, [send(flat('INSERT', known.map(row), { types }))])).toEqual(
        rows,
      )
      const updates = known.map((ms, id) => [row(ms, id), { at: '2000-01-01 00:00:00' }] as const)
      expect(await rowsAfter(canal, [send(flat('UPDATE', updates, { types }))])).toEqual(rows)
    }
  })

  it('a file says that its writer was in UTC', async () => {
    const driver = await openDriver({ hop: 1 })
    await rowsAfter(driver, [record('r', 0, true)])
    const { fileSystem } = driver
    const files = await orcFilesBelow(fileSystem, '/warehouse')
    expect(files.length).toBeGreaterThan(0)
    for (const path of files) {
      const reader = await OrcReader.open(new BufferSource(await fileSystem.readFile(path)))
      const { stripes } = await describeOrcFile(reader)
      expect(stripes.map(({ writerTimezone }) => writerTimezone)).toEqual(['UTC'])
    }
  })
})

/** Clocks that were put back show a time twice, and nothing tells which of them a text without an offset is. */
function isAmbiguous(zone: string, ms: number): boolean {
  const clock = ms + offsetOf(zone, ms) * 1000
  const around = [-7_200_000, 7_200_000].map(by => offsetOf(zone, ms + by))
  return around.some(offset => {
    const other = clock - offset * 1000
    return other !== ms && offsetOf(zone, other) === offset
  })
}
