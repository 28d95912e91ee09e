/** A process of the program under soak: what it is sent, what it says, and what it takes. */
import type { ChildProcess } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import type { MemoryParts } from './memory.ts'
import { memoryPartsOf } from './memory.ts'

/** Of one process at one moment; null where it did not answer, as one that is suspended. */
export interface ProcessSample {
  /** Resident, without mapped files. */
  readonly memoryBytes: number
  readonly residentBytes: number
  /** Where it lies. */
  readonly parts: MemoryParts
  /** Open files, sockets and pipes. */
  readonly files: number
  readonly heapBytes: number | null
  /** What the heap has taken, used or not. */
  readonly heapTotalBytes: number | null
  readonly externalBytes: number | null
  /** Active handles of the event loop. */
  readonly handles: number | null
  /** Of the event loop since the last sample. */
  readonly delayP99Seconds: number | null
  readonly delayMaxSeconds: number | null
  /** Records between what was read and the ends of topics. */
  readonly lagRecords: number | null
}

export type EndReason = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

const answerWithinMs = 2000
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export class Instance {
  readonly ended: Promise<EndReason>
  /** What is no line of its log: nothing, when all is well. */
  complaints = ''
  readonly #child: ChildProcess
  readonly #port: number
  readonly #memoryFolder: string

  /** `log`: what it says is added there. `memory`: the folder in which its probe writes. */
  constructor(
    child: ChildProcess,
    port: number,
    paths: { readonly log: string; readonly memory: string },
  ) {
    this.#child = child
    this.#port = port
    this.#memoryFolder = paths.memory
    running.add(child)
    let rest = ''
    child.stderr!.on('data', (chunk: Buffer) => {
      appendFileSync(paths.log, chunk)
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (!isLogLine(line)) this.complaints += `${line}\n`
    })
    this.ended = new Promise(resolve => {
      child.on('close', (code, signal) => {
        running.delete(child)
        resolve({ code, signal })
      })
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Null when it has ended. */
  async sample(): Promise<ProcessSample | null> {
    const metrics = await this.#metrics()
    try {
      const status = await readFile(`/proc/${this.pid}/status`, 'utf8')
      const bytes = (name: string): number => {
        return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)![1]) * 1024
      }
      return {
        memoryBytes: bytes('RssAnon'),
        residentBytes: bytes('VmRSS'),
        parts: await memoryPartsOf(this.pid, this.#memoryFolder),
        files: (await readdir(`/proc/${this.pid}/fd`)).length,
        heapBytes: sumOf(metrics, 'nodejs_heap_size_used_bytes'),
        heapTotalBytes: sumOf(metrics, 'nodejs_heap_size_total_bytes'),
        externalBytes: sumOf(metrics, 'nodejs_external_memory_bytes'),
        handles: sumOf(metrics, 'nodejs_active_handles_total'),
        delayP99Seconds: sumOf(metrics, 'nodejs_eventloop_lag_p99_seconds'),
        delayMaxSeconds: sumOf(metrics, 'nodejs_eventloop_lag_max_seconds'),
        lagRecords: sumOf(metrics, 'forager_lag_records'),
      }
    } catch (error) {
      // One that ended and was not waited for has no memory and no files.
      if (!this.isRunning || /ENOENT|ESRCH|null/.test(String(error))) return null
      throw error
    }
  }

  async #metrics(): Promise<string | null> {
    try {
      const url = `http://127.0.0.1:${this.#port}/metrics`
      const answer = await fetch(url, { signal: AbortSignal.timeout(answerWithinMs) })
      return await answer.text()
    } catch {
      return null
    }
  }
}

/** `Stopped …` is what it says when it was told to. */
function isLogLine(line: string): boolean {
  return line === '' || line.startsWith('{') || line.startsWith('Stopped')
}

/** The sum over all series of a metric. */
function sumOf(metrics: string | null, name: string): number | null {
  const found = metrics?.match(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm')) ?? []
  if (found.length === 0) return null
  return found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}
