/**
 * The real process, killed: at every named crash point and at random times, over recorded events. What
 * a reader finds then is, for every key, a state that the source had; and after restarts the tables
 * end equal to what the source has.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { rowText } from '../../cli/commands/tables.ts'
import { type CrashPoint, crashPoints } from '../../model/crash-points.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { type Random, seededRandom } from '../../runtime/random.ts'
import { listTables } from '../../sinks/embedded/table-folders.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import { compare, tableOfLines } from '../fold/compare.ts'
import { type FoldedTable, foldEvents, type Tables } from '../fold/naive-fold.ts'
import type { Row } from '../fold/normal-form.ts'
import { finalTables, recordings } from '../main/recordings.ts'

const root = join(import.meta.dirname, '../..')
const recording = recordings.find(({ name }) => name === 'm1')!
const fold = foldEvents(recording.lines, { settings: recording.settings })

/** Kills a run at each point so many times, and between. */
export async function killEverywhere(times: number): Promise<void> {
  const states = statesOf()
  const killedAt = new Map<string, number>()
  for (let seed = 1; seed <= crashPoints.length * times; seed += 1) {
    const random = seededRandom(seed)
    // A fresh folder reaches every point.
    const first = crashPoints[seed % crashPoints.length]!
    const folder = newFolder(random)
    try {
      for (let round = 0; round < 3; round += 1) {
        const point = round === 0 ? first : anyPoint(random)
        const outcome = await run(folder, point, random)
        if (outcome !== 'killed') break
        killedAt.set(point, (killedAt.get(point) ?? 0) + 1)
        const problems = await problemsOf(folder, states)
        expect(problems, `seed ${seed}, round ${round}, ${point}`).toEqual([])
      }
      expect(await run(folder, null, random), `seed ${seed}`).toBe('done')
      const actual = await tablesIn(folder)
      const problems = compare(actual, finalTables(recording), recording.exceptions)
      expect(problems, `seed ${seed}`).toEqual([])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  for (const point of crashPoints) expect(killedAt.get(point), point).toBeGreaterThanOrEqual(times)
}

/** A crash point, or some milliseconds after which the process is killed from outside. */
function anyPoint(random: Random): CrashPoint | 'any time' {
  if (random.next() < 0.25) return 'any time'
  return crashPoints[Math.floor(random.next() * crashPoints.length)]!
}

function newFolder(random: Random): string {
  const folder = mkdtempSync(join(tmpdir(), 'forager-kill-'))
  // Without the hop the truncates of the recording need one partition.
  const isKeyed = random.next() < 0.3
  const config = {
    applicationId: 'killed',
    source: {
      type: 'file',
      path: recording.path,
      format: 'debezium-json',
      ...(isKeyed
        ? { repartitionInto: 1, keyedBy: 'primary-key' }
        : {
            repartitionInto: 1 + Math.floor(random.next() * 4),
            ordering: random.next() < 0.5 ? 'position' : 'log',
          }),
    },
    tables: [{ from: 'demo.*', to: '{database}.{table}' }],
    warehouse: { type: 'embedded', path: 'warehouse' },
    window: { maxRows: 4 + Math.floor(random.next() * 12) },
    repartition: { partitions: 1 + Math.floor(random.next() * 3) },
    commitInterval: '1ms',
  }
  // YAML reads JSON.
  writeFileSync(join(folder, 'forager.yaml'), JSON.stringify(config))
  return folder
}

function run(
  folder: string,
  point: CrashPoint | 'any time' | null,
  random: Random,
): Promise<'killed' | 'done'> {
  const atPoint = point === null || point === 'any time' ? {} : { FORAGER_CRASH_AT: `${point}:1` }
  const child = spawn(process.execPath, ['cli/forager.js', 'run', join(folder, 'forager.yaml')], {
    cwd: root,
    env: { ...process.env, ...atPoint },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const timer =
    point === 'any time' ? setTimeout(() => child.kill('SIGKILL'), random.next() * 600) : undefined
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (signal === 'SIGKILL') resolve('killed')
      else if (code === 0) resolve('done')
      else reject(new Error(`exit code ${code}: ${stderr}`))
    })
  })
}

async function tablesIn(folder: string): Promise<Tables> {
  const warehouse = join(folder, 'warehouse')
  const tables = new Map<string, FoldedTable>()
  for (const name of await listTables(nodeFileSystem, warehouse)) {
    const known = fold.get(name)
    if (known === undefined) continue
    const table = await openTable(nodeFileSystem, warehouse, name)
    const lines: string[] = []
    for await (const rows of table.rows()) {
      lines.push(...rows.map(row => rowText(table, row, false)))
    }
    expect(new Set(lines).size).toBe(lines.length)
    tables.set(name, tableOfLines(lines, known.keyColumns, known.kinds))
  }
  return tables
}

type States = ReadonlyMap<string, ReadonlyMap<string, readonly Row[]>>

/** Every state that each row ever had, by table and key: the fold of every prefix of its topic. */
function statesOf(): States {
  const states = new Map<string, Map<string, Row[]>>()
  const topics = new Set(recording.lines.map(({ topic }) => topic))
  for (const topic of topics) {
    if (!topic.startsWith('m1.demo.')) continue
    const lines = recording.lines.filter(line => line.topic === topic)
    for (let end = 1; end <= lines.length; end += 1) {
      const tables = foldEvents(lines.slice(0, end), { typesFrom: recording.lines })
      for (const [name, { rows }] of tables) {
        const table = states.get(name) ?? new Map<string, Row[]>()
        states.set(name, table)
        for (const [key, row] of rows) table.set(key, [...(table.get(key) ?? []), row])
      }
    }
  }
  return states
}

/** Rows that the source never had. That a row is not there yet, or no longer, is a state as well. */
async function problemsOf(folder: string, states: States): Promise<string[]> {
  const problems: string[] = []
  for (const [name, { rows }] of await tablesIn(folder)) {
    for (const [key, row] of rows) {
      const known = states.get(name)?.get(key) ?? []
      if (!known.some(state => isState(row, state))) problems.push(`${name} ${key} was never so`)
    }
  }
  return problems
}

/** Columns come and go: those that both have must be equal. */
function isState(row: Row, state: Row): boolean {
  return Object.entries(state).every(([column, value]) => {
    return row[column] === undefined || row[column] === value
  })
}
