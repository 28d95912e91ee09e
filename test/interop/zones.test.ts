/** What we write is the same time to readers in any zone: see row 16 of "What broke elsewhere". */
import { mkdtemp, rm, writeFile as writeToDisk } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { structOf, writeFile } from '../orc/samples.ts'
import { linesOf, orcVersions, runJava } from './java.ts'
import { expectedLines } from './row-text.ts'

const zones = ['UTC', 'America/New_York', 'Asia/Kolkata']

/** Microseconds: before 1970, before the zones had whole hours, over changes of clocks, and far away. */
const times = [
  '0001-01-01T00:00:00.000Z',
  '1582-10-15T00:00:00.000Z',
  '1883-11-18T12:03:58.000Z',
  '1945-08-14T23:00:00.500Z',
  '1969-12-31T23:59:58.999Z',
  '1969-12-31T23:59:59.000Z',
  '1970-01-01T00:00:00.000Z',
  '2015-01-01T00:00:00.000Z',
  '2024-03-10T02:30:00.123Z',
  '2024-11-03T01:30:00.123Z',
  '9999-12-31T23:59:59.999Z',
].flatMap(text => [0n, 1n, 456n].map(micros => BigInt(Date.parse(text)) * 1000n + micros))

const orcType = { kind: 'timestamp' } as const
const instantType = { kind: 'timestamp_instant' } as const

it.each(orcVersions)('row 16: Java %s reads the same timestamps in three zones', async version => {
  const folder = await mkdtemp(join(tmpdir(), 'orc-zones-'))
  try {
    const schema = structOf({ local: orcType, instant: instantType })
    const rows = times.map(time => [time, time])
    const path = join(folder, 'times.orc')
    await writeToDisk(path, await writeFile(schema, rows, {}))
    for (const zone of zones) {
      const output = join(folder, zone.replace('/', '-'))
      await runJava([['rows', path, output]], folder, version, zone)
      expect(await linesOf(output), zone).toEqual(expectedLines(schema, rows))
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
