import { fork, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../../runtime/random.ts'
import { planFaults } from '../../scripts/soak/faults.ts'
import type { Point } from '../../scripts/soak/flatness.ts'
import { judge, slope } from '../../scripts/soak/flatness.ts'
import type { ProcessSample } from '../../scripts/soak/instance.ts'
import { Instance } from '../../scripts/soak/instance.ts'
import { mappedMemory } from '../../scripts/soak/memory.ts'
import { reportOf } from '../../scripts/soak/report.ts'
import type { Recording } from '../../scripts/soak/samples.ts'
import { loadRecording, saveRecording, verdictsOf } from '../../scripts/soak/samples.ts'

const root = join(import.meta.dirname, '../..')
const folder = await mkdtemp(join(tmpdir(), 'forager-soak-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Half an hour of samples, one each five seconds. */
function halfHour(valueAt: (seconds: number, index: number) => number): Point[] {
  return Array.from({ length: 360 }, (_, index) => {
    return { atSeconds: index * 5, value: valueAt(index * 5, index) }
  })
}

const bound = { name: 'memory', unit: 'MB', maxPerHour: 30 }

/** As a collector leaves it: up by 40 in a minute, and down at once. */
const sawtooth = (seconds: number): number => 200 + ((seconds % 60) / 60) * 40

describe('the verdict on a series', () => {
  it('a sawtooth is flat, however high its teeth', () => {
    const verdict = judge(halfHour(sawtooth), bound)!
    expect(verdict).toMatchObject({ isFlat: true, maxPerHour: 30 })
    expect(Math.abs(verdict.perHour)).toBeLessThan(5)
    expect(verdict.median).toBeLessThan(210)
    expect(verdict.max).toBeGreaterThan(230)
  })

  it('a leak of 60 MB an hour under the same teeth is found, and its size', () => {
    const verdict = judge(
      halfHour(seconds => sawtooth(seconds) + (60 * seconds) / 3600),
      bound,
    )!
    expect(verdict.isFlat).toBe(false)
    expect(verdict.perHour).toBeGreaterThan(50)
    expect(verdict.perHour).toBeLessThan(70)
  })

  it('warming up in the first half counts for nothing', () => {
    const warming = halfHour(seconds => Math.min(400, 100 + seconds))
    expect(judge(warming, bound)).toMatchObject({ isFlat: true, perHour: 0, fromSeconds: 900 })
  })

  it('what is only noise, with outliers, is flat; a slope under it is not', () => {
    const random = seededRandom(7)
    const noise = halfHour((_, index) => {
      return 200 + 10 * random.next() + (index % 17 === 0 ? 300 : 0)
    })
    expect(judge(noise, bound)!.isFlat).toBe(true)
    const growing = noise.map(({ atSeconds, value }) => {
      return { atSeconds, value: value + (90 * atSeconds) / 3600 }
    })
    expect(judge(growing, bound)!.isFlat).toBe(false)
  })

  it('a slope that chance would give is none', () => {
    // The least values of buffers in a soak, of fifty seconds each.
    const seen = [47.9, 19.5, 23.2, 20.8, 41.1, 52.7, 21.6, 27.6, 22.4, 20.5, 28.5, 26.0]
    const points = [...seen, ...seen].map((value, index) => ({ atSeconds: index * 50, value }))
    const steep = points.map(({ atSeconds, value }) => {
      return { atSeconds, value: value + atSeconds / 180 }
    })
    expect(judge(steep, { ...bound, maxPerHour: 10 })).toMatchObject({ isFlat: true })
    expect(judge(steep, { ...bound, maxPerHour: 10 })!.perHour).toBeGreaterThan(10)
    const rising = points.map(({ atSeconds, value }) => ({
      atSeconds,
      value: value + atSeconds / 10,
    }))
    expect(judge(rising, { ...bound, maxPerHour: 10 })!.isFlat).toBe(false)
  })

  it('what shrinks is flat', () => {
    expect(
      judge(
        halfHour(seconds => 1000 - seconds / 10),
        bound,
      )!.isFlat,
    ).toBe(true)
  })

  it('a few samples give none', () => {
    expect(judge([], bound)).toBeNull()
    expect(judge(halfHour(sawtooth).slice(0, 20), bound)).toBeNull()
  })

  it('the slope is the median over pairs: a fifth of outliers does not move it', () => {
    const points = Array.from({ length: 30 }, (_, index) => {
      return { atSeconds: index, value: index % 5 === 4 ? 9999 : 3 * index }
    })
    expect(slope(points)).toBeCloseTo(3)
    expect(slope([{ atSeconds: 1, value: 1 }])).toBe(0)
  })
})

/** Of a child that does as much each second as its mode says, for so many seconds of its own clock. */
async function sampled(mode: 'leak' | 'flat', seconds: number) {
  const child = fork(join(import.meta.dirname, 'soaked-child.ts'), [mode], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const paths = { log: join(folder, `${mode}.log`), memory: folder }
  const instance = new Instance(child, 1, paths)
  const samples: (ProcessSample & { atSeconds: number })[] = []
  for (let atSeconds = 0; atSeconds < seconds; atSeconds += 1) {
    const done = new Promise(resolve => child.once('message', resolve))
    child.send('go on')
    await done
    samples.push({ atSeconds, ...(await instance.sample())! })
  }
  instance.signal('SIGTERM')
  await instance.ended
  expect(await instance.sample()).toBeNull()
  return samples
}

describe('a process', () => {
  it.each([
    ['leak', false],
    ['flat', true],
  ] as const)(
    'of mode %s has flat memory and files: %s',
    async (mode, isFlat) => {
      const samples = await sampled(mode, 48)
      const memory = samples.map(({ atSeconds, memoryBytes }) => {
        return { atSeconds, value: memoryBytes / 1024 / 1024 }
      })
      const files = samples.map(one => ({ atSeconds: one.atSeconds, value: one.files }))
      // It leaks a megabyte and a file a second: 3600 an hour.
      expect(judge(memory, { name: 'memory', unit: 'MB', maxPerHour: 1000 })!.isFlat).toBe(isFlat)
      const verdict = judge(files, { name: 'files', unit: '', maxPerHour: 100 })!
      expect(verdict.isFlat).toBe(isFlat)
      expect(verdict.perHour).toBeCloseTo(isFlat ? 0 : 3600)
    },
    240_000,
  )
})

describe('the plan of faults', () => {
  it('kills and stops in the first third, and only suspends afterwards', () => {
    const options = { durationMs: 1_800_000, instances: 2, sessionMs: 6000 }
    const faults = planFaults({ ...options, random: seededRandom(3) })
    expect(planFaults({ ...options, random: seededRandom(3) })).toEqual(faults)
    expect(planFaults({ ...options, random: seededRandom(4) })).not.toEqual(faults)
    const ends = faults.filter(({ kind }) => kind !== 'pause')
    const pauses = faults.filter(({ kind }) => kind === 'pause')
    expect(new Set(ends.map(({ kind }) => kind))).toEqual(new Set(['kill', 'stop']))
    expect(Math.max(...ends.map(({ atMs }) => atMs))).toBeLessThan(600_000)
    expect(Math.min(...pauses.map(({ atMs }) => atMs))).toBeGreaterThan(600_000)
    expect(pauses.some(({ forMs }) => forMs > options.sessionMs)).toBe(true)
    expect(pauses.some(({ forMs }) => forMs < options.sessionMs)).toBe(true)
    expect(new Set(faults.map(({ slot }) => slot))).toEqual(new Set([0, 1]))
  })

  it('has one of each in a soak of seconds', () => {
    const options = { durationMs: 9000, instances: 1, sessionMs: 6000 }
    const kinds = planFaults({ ...options, random: seededRandom(1) }).map(({ kind }) => kind)
    expect(kinds).toEqual(['kill', 'stop', 'pause'])
  })
})

function soak(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['scripts/soak.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  return new Promise(resolve => child.on('close', code => resolve({ code, output })))
}

describe('the soak', () => {
  it('runs, hurts and compares the program over the local log', async () => {
    const out = join(folder, 'short')
    const args = ['--minutes', '0.15', '--rate', '100', '--sample-seconds', '0.5', '--out', out]
    const { code, output } = await soak(args)
    expect(output).toContain('tables equal')
    // Seconds tell nothing of growth: of what was recorded only the equality is judged here.
    expect([0, 1], output).toContain(code)
    expect(output).toMatch(/kill: 1\nstop: 1\npause: 1/)
    const recording = loadRecording(out)
    expect(recording.differences).toEqual([])
    expect(recording.lives).toHaveLength(3)
    expect(recording.counts.records).toBeGreaterThan(200)
    expect(recording.disk.at(-1)!.warehouseBytes).toBeGreaterThan(0)
    const processes = readFileSync(join(out, 'processes.csv'), 'utf8')
    expect(processes).toMatch(/^slot,pid,atSeconds,memoryBytes,/)
    expectMemoryParts(recording)
    expect(processes.split('\n').length).toBeGreaterThan(3)
    const svg = readFileSync(join(out, 'soak.svg'), 'utf8')
    expect(svg.match(/<polyline /g)!.length).toBeGreaterThan(5)
  }, 300_000)

  it('fails when a series grows, and when a table is not what it must be', async () => {
    const flat = recordingOf(() => 200)
    expect(reportOf(flat)).toMatchObject({ isWell: true })
    expect(reportOf(flat).lines.at(-1)).toBe('tables equal, flat')
    const leaking = reportOf(recordingOf(seconds => 200 + seconds / 10))
    expect(leaking.isWell).toBe(false)
    expect(leaking.lines.at(-1)).toBe('tables equal, NOT FLAT')
    expect(leaking.lines.filter(line => line.includes('GROWS'))).toEqual([
      expect.stringMatching(/^\| process 0 \| memory, MB \| .* 360\.0 \| 30 \| GROWS \|$/),
    ])
    const different = { ...flat, differences: ['orders 7: is missing'] }
    const out = join(folder, 'different')
    mkdirSync(out)
    saveRecording(out, different)
    const { code, output } = await soak(['--again', '--out', out])
    expect(code).toBe(1)
    expect(output).toContain('DIFFERENT: orders 7: is missing')
    expect(output).toContain('tables NOT EQUAL, flat')
  }, 240_000)

  it('judges lives that are long enough, and the disk over all of them', () => {
    const { lives, ...rest } = recordingOf(() => 200)
    const short = { ...lives[0]!, slot: 1, samples: lives[0]!.samples.slice(0, 100) }
    const of = verdictsOf({ ...rest, lives: [short, ...lives] }).map(verdict => verdict.of)
    expect(new Set(of)).toEqual(new Set(['process 0', 'disk']))
    expect(of).toHaveLength(7 + 5)
  })
})

/** What lies where is all of what is resident, but for what changed between two looks. */
function expectMemoryParts({ lives }: Recording): void {
  const samples = lives.flatMap(life => life.samples)
  const told = samples.filter(({ parts }) => parts.v8 !== null && parts.notOfV8Bytes !== null)
  expect(told.length).toBeGreaterThan(0)
  for (const { memoryBytes, parts } of told) {
    const { heapBytes, arenaBytes, stackBytes, fileBytes, otherBytes, v8 } = parts
    const sum = heapBytes + arenaBytes + stackBytes + fileBytes + otherBytes
    expect(Math.abs(sum - memoryBytes)).toBeLessThan(memoryBytes / 2)
    expect(v8!.spaces.old_space!.usedBytes).toBeGreaterThan(1_000_000)
    expect(v8!.physicalBytes).toBeGreaterThan(v8!.spaces.old_space!.usedBytes)
  }
}

/** Half an hour of one life, with so much memory (MB) at each second. */
function recordingOf(memoryAt: (seconds: number) => number): Recording {
  const at = halfHour(() => 0).map(({ atSeconds }) => atSeconds)
  const samples = at.map(atSeconds => ({
    atSeconds,
    memoryBytes: memoryAt(atSeconds) * 1024 * 1024,
    residentBytes: 0,
    parts: { ...mappedMemory(''), notOfV8Bytes: null, v8: null, threads: 0 },
    files: 20,
    heapBytes: 5e7,
    heapTotalBytes: 9e7,
    externalBytes: 1e7,
    handles: 5,
    delayP99Seconds: 0.02,
    delayMaxSeconds: 0.05,
    lagRecords: 3,
  }))
  const sizes = { logBytes: 1e6, stateBytes: 1e6, stagingBytes: 0, warehouseBytes: 1e6 }
  return {
    over: 'local',
    ordering: 'log',
    seed: 1,
    rate: 200,
    settings: {},
    date: '2026-11-22T00:00:00.000Z',
    seconds: 1800,
    lives: [{ slot: 0, pid: 1, samples }],
    disk: at.map(atSeconds => ({ atSeconds, ...sizes, fileCount: 50 })),
    faults: [],
    counts: {},
    differences: [],
  }
}
