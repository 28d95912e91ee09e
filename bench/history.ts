/**
 * What the record of what runs takes: CPU of the whole program over 114,447 recorded events in small
 * windows, with the history in SQLite and without, in turn.
 *
 *     node bench/history.ts [rounds]
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { crashConfig, crashEvents } from '../test/fixtures/crash-config.ts'

const rounds = Number(process.argv[2] ?? 5)
const root = join(import.meta.dirname, '..')
const config = (type: string): string =>
  crashConfig(`window: { maxRows: 500 }\nhistory: { type: ${type} }`)

interface Measured {
  readonly cpuSeconds: number
  readonly rows: number
  readonly bytes: number
}

function run(type: string): Measured {
  const folder = mkdtempSync(join(tmpdir(), 'forager-history-'))
  try {
    copyFileSync(crashEvents, join(folder, 'events.jsonl.gz'))
    writeFileSync(join(folder, 'forager.yaml'), config(type))
    const program = [
      process.execPath,
      join(root, 'cli/forager.js'),
      'run',
      'forager.yaml',
      '--quiet',
    ]
    // The shell's second line is of its children.
    const output = execFileSync('sh', ['-c', '"$@" && times', 'sh', ...program], { cwd: folder })
    const [, children = ''] = output.toString().trim().split('\n')
    const times = [...children.matchAll(/(\d+)m([\d.]+)s/g)]
    const cpuSeconds = times.reduce((sum, [, min, sec]) => sum + Number(min) * 60 + Number(sec), 0)
    if (type === 'none') return { cpuSeconds, rows: 0, bytes: 0 }
    const path = join(folder, '.forager/shop-history.sqlite')
    const database = new DatabaseSync(path)
    const found = database.prepare('SELECT last_seq AS n FROM forager_runs').get()
    database.close()
    return { cpuSeconds, rows: Number(found!.n), bytes: statSync(path).size }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const results = new Map<string, Measured[]>([
  ['none', []],
  ['sqlite', []],
])
for (let round = 0; round < rounds; round += 1) {
  for (const [type, measured] of results) measured.push(run(type))
}
for (const [type, measured] of results) {
  const seconds = measured.map(({ cpuSeconds }) => cpuSeconds).sort((a, b) => a - b)
  const { rows, bytes } = measured[0]!
  const middle = seconds[Math.floor(seconds.length / 2)]!
  const all = [seconds[0]!, middle, seconds.at(-1)!].map(one => one.toFixed(2)).join(' / ')
  console.log(`${type}: ${all} CPU s, ${rows} rows, ${(bytes / 1024).toFixed(0)} KiB`)
}
