/** What a soak recorded: of each process and of the disk, each few seconds; its series, and its files. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DiskSample } from './disk.ts'
import type { Bound, Point, Verdict } from './flatness.ts'
import { judge } from './flatness.ts'
import type { ProcessSample } from './instance.ts'
import type { ProcessEnv } from './site.ts'

/** Of one life of one process. */
export interface Life {
  readonly slot: number
  readonly pid: number
  readonly samples: readonly (ProcessSample & { readonly atSeconds: number })[]
}

export interface Recording {
  readonly over: 'local' | 'kafka'
  readonly ordering: 'log' | 'position'
  readonly seed: number
  readonly rate: number
  /** Environment variables of the processes. */
  readonly settings: ProcessEnv
  /** When it began. */
  readonly date: string
  readonly seconds: number
  readonly lives: readonly Life[]
  readonly disk: readonly (DiskSample & { readonly atSeconds: number })[]
  readonly faults: readonly {
    readonly atSeconds: number
    readonly kind: string
    readonly slot: number
  }[]
  /** What became of it: counts of the workload, and of faults. */
  readonly counts: Readonly<Record<string, number>>
  readonly differences: readonly string[]
}

const mb = 1024 * 1024

interface Series<T> extends Bound {
  readonly of: (sample: T) => number | null
}

/** Of a process. */
export const processSeries: readonly Series<ProcessSample>[] = [
  {
    name: 'memory',
    unit: 'MB',
    maxPerHour: 30,
    of: ({ memoryBytes }) => memoryBytes / mb,
  },
  {
    name: 'heap',
    unit: 'MB',
    maxPerHour: 10,
    of: ({ heapBytes }) => heapBytes && heapBytes / mb,
  },
  {
    name: 'external',
    unit: 'MB',
    maxPerHour: 10,
    of: ({ externalBytes }) => externalBytes && externalBytes / mb,
  },
  { name: 'open files', unit: '', maxPerHour: 10, of: ({ files }) => files },
  { name: 'handles', unit: '', maxPerHour: 10, of: ({ handles }) => handles },
  {
    name: 'loop delay p99',
    unit: 'ms',
    maxPerHour: 20,
    of: ({ delayP99Seconds }) => delayP99Seconds && delayP99Seconds * 1000,
  },
  { name: 'lag', unit: 'records', maxPerHour: 2000, of: ({ lagRecords }) => lagRecords },
]

/** Of the disk, over all lives. */
export const diskSeries: readonly Series<DiskSample>[] = [
  { name: 'log', unit: 'MB', maxPerHour: 10, of: ({ logBytes }) => logBytes / mb },
  { name: 'state', unit: 'MB', maxPerHour: 10, of: ({ stateBytes }) => stateBytes / mb },
  { name: 'staging', unit: 'MB', maxPerHour: 5, of: ({ stagingBytes }) => stagingBytes / mb },
  {
    name: 'warehouse',
    unit: 'MB',
    maxPerHour: 20,
    of: ({ warehouseBytes }) => warehouseBytes / mb,
  },
  { name: 'files on disk', unit: '', maxPerHour: 100, of: ({ fileCount }) => fileCount },
]

export function pointsOf<T extends { readonly atSeconds: number }>(
  samples: readonly T[],
  of: (sample: T) => number | null,
): readonly Point[] {
  return samples.flatMap(sample => {
    const value = of(sample)
    return value === null ? [] : [{ atSeconds: sample.atSeconds, value }]
  })
}

/** Of every series; of processes only of lives that took a half of the soak: shorter ones only warm up. */
export function verdictsOf({ lives, disk, seconds }: Recording): readonly (Verdict & {
  readonly of: string
})[] {
  const long = lives.filter(({ samples }) => {
    const [first, last] = [samples[0], samples.at(-1)]
    return first !== undefined && last!.atSeconds - first.atSeconds >= seconds / 2
  })
  const ofProcesses = long.flatMap(({ slot, samples }) =>
    processSeries.map(({ of, ...bound }) => {
      return { of: `process ${slot}`, verdict: judge(pointsOf(samples, of), bound) }
    }),
  )
  const ofDisk = diskSeries.map(({ of, ...bound }) => {
    return { of: 'disk', verdict: judge(pointsOf(disk, of), bound) }
  })
  return [...ofProcesses, ...ofDisk].flatMap(({ of, verdict }) => {
    return verdict === null ? [] : [{ of, ...verdict }]
  })
}

const file = 'soak.json'

/** `soak.json` with all of it, and two tables for who likes to draw. */
export function saveRecording(folder: string, recording: Recording): void {
  writeFileSync(join(folder, file), JSON.stringify(recording, null, 1))
  const processes = recording.lives.flatMap(({ slot, pid, samples }) =>
    samples.map(sample => flattened({ slot, pid, ...sample })),
  )
  writeFileSync(join(folder, 'processes.csv'), csv(processes))
  writeFileSync(join(folder, 'disk.csv'), csv(recording.disk))
}

export function loadRecording(folder: string): Recording {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Recording
}

/** Of an object within an object the names are joined by dots. */
function flattened(row: object, before = ''): Record<string, unknown> {
  const cells = Object.entries(row).map(([name, value]: [string, unknown]) => {
    const whole = before + name
    return typeof value === 'object' && value !== null
      ? flattened(value, `${whole}.`)
      : { [whole]: value }
  })
  return Object.assign({}, ...cells) as Record<string, unknown>
}

type Cells = Readonly<Record<string, number | string | null>>

function csv(rows: readonly object[]): string {
  const names = [...new Set(rows.flatMap(row => Object.keys(row)))]
  const lines = rows.map(row => names.map(name => (row as Cells)[name] ?? ''))
  return [names, ...lines].map(cells => `${cells.join(',')}\n`).join('')
}
