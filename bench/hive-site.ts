/** What both benches of Hive have: the stack, a database and a folder of their own, and how they say it. */
import { loadavg } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../runtime/clock.ts'
import { systemRandom } from '../runtime/random.ts'
import { portOf } from '../scripts/stack/parts.ts'
import { settingsOf } from '../sinks/hive/hive.ts'
import { HiveSessions } from '../sinks/hive/hive-sessions.ts'
import { WebHdfsStagingFiles } from '../sinks/webhdfs/webhdfs-staging-files.ts'

export const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    home: { type: 'string', default: '.cache/stack' },
    'port-offset': { type: 'string', default: '0' },
    runs: { type: 'string', default: '3' },
    rows: { type: 'string', default: '100000,1000000' },
  },
})
export const stack = { home: resolve(options.home), portOffset: Number(options['port-offset']) }
export const name = `bench_${systemRandom.id().slice(0, 8).toLowerCase()}`
export const hdfs = {
  urls: [`http://127.0.0.1:${portOf('namenodeHttp', stack)}`],
  location: `hdfs://127.0.0.1:${portOf('namenode', stack)}`,
  user: 'forager',
}
export const folder = `/forager/${name}`
export const files = new WebHdfsStagingFiles({ ...hdfs, clock: systemClock, random: systemRandom })

/** In one process, two tasks at once of Tez share operators: rows come to be lost, or counted twice. */
export const oneTask = { 'tez.am.inline.task.execution.max-tasks': '1' }

export function openSessions(): HiveSessions {
  const connection = { host: '127.0.0.1', port: portOf('hiveserver2', stack) }
  const sessionSettings = { ...settingsOf(connection, '4.0'), ...oneTask }
  return new HiveSessions({ ...connection, sessionSettings }, systemClock, 1)
}

export function load(): string {
  return loadavg()[0]!.toFixed(1)
}

export function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)]!
  return [sorted[0]!, median, sorted.at(-1)!].map(value => value.toFixed(1)).join(' / ')
}

export function row(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(' | ')} |`)
}
