import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import {
  type FuzzReport,
  fuzzFiles,
  maxReadMs,
  mutationTitle,
  type Outcome,
} from '../../orc/fuzz.ts'
import type { FuzzPart, FuzzProgress } from './fuzz-worker.ts'

const mutationCount = 1_000_000

/** Other numbers are other mutations. */
const first = Number(process.env.ORC_FUZZ_FIRST ?? 0)

/** Of the whole process; an intact file takes a thousandth of it. */
const maxMemoryBytes = 1.5 * 2 ** 30

const files = await fuzzFiles()

/** Runs a part in a thread; a mutation that takes too long or too much memory ends it. */
function runPart(from: number, to: number): Promise<FuzzReport> {
  const progress: FuzzProgress = {
    number: new Int32Array(new SharedArrayBuffer(4)),
    startedAtMs: new Float64Array(new SharedArrayBuffer(8)),
  }
  progress.startedAtMs[0] = Date.now()
  const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), {
    workerData: { from, to, progress } satisfies FuzzPart,
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  })
  const place = (): string => mutationTitle(files, progress.number[0]!)
  return new Promise<FuzzReport>((resolve, reject) => {
    const watch = setInterval(() => {
      const tookMs = Date.now() - progress.startedAtMs[0]!
      // One that ends by itself is in the report of the worker.
      if (tookMs > 3 * maxReadMs) reject(new Error(`${place()}: no end after ${tookMs} ms`))
      const { rss } = process.memoryUsage()
      if (rss > maxMemoryBytes) reject(new Error(`${place()} or another: ${rss} bytes of memory`))
    }, 100)
    worker.on('message', resolve)
    worker.on('error', error => reject(new Error(`${place()}: ${error.stack}`)))
    worker.on('exit', () => clearInterval(watch))
  }).finally(() => void worker.terminate())
}

describe('a damaged file', () => {
  it('gives rows or an OrcError in bounded time and memory, for a million mutations', async () => {
    const partCount = Math.min(availableParallelism(), 8)
    const bounds = Array.from(
      { length: partCount + 1 },
      (_, k) => first + Math.round((k * mutationCount) / partCount),
    )
    const reports = await Promise.all(bounds.slice(1).map((to, k) => runPart(bounds[k]!, to)))
    const outcomes: Partial<Record<Outcome, number>> = {}
    for (const [outcome, count] of reports.flatMap(report => [...report.outcomes])) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + count
    }
    const slowestMs = Math.round(Math.max(...reports.map(report => report.slowestMs)))
    process.stdout.write(
      `mutations from ${first} on: ${JSON.stringify(outcomes)}, the slowest took ${slowestMs} ms\n`,
    )
    expect(reports.flatMap(report => report.failures)).toEqual([])
    expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(mutationCount)
    expect(outcomes.rows).toBeGreaterThan(mutationCount / 5)
    expect(outcomes['file-corrupt']).toBeGreaterThan(mutationCount / 4)
  })
})
