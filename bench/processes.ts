/** Processes that are measured: CPU seconds, wall seconds and peak memory between two marks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Measured {
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly peakMb: number
}

export interface Usage {
  readonly cpuSeconds: number
  readonly peakMb: number
}

const ticksPerSecond = 100

export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return { cpuSeconds, peakMb: Number(peak![1]) / 1024 }
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A process whose output is kept, and that is ended when the bench fails. */
export class Process {
  output = ''
  readonly ended: Promise<number | null>
  readonly #child: ChildProcess

  constructor(command: string, args: readonly string[], options: { cwd: string; broker?: string }) {
    this.#child = spawn(command, args, {
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...(options.broker && { BROKER: options.broker }) },
    })
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        this.output += chunk.toString()
      })
    }
    this.ended = new Promise(done => {
      this.#child.on('close', code => {
        running.delete(this.#child)
        done(code)
      })
    })
    running.add(this.#child)
  }

  get pid(): number {
    return this.#child.pid!
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Throws with what it said unless it ends well. */
  async end(signal?: NodeJS.Signals): Promise<void> {
    if (signal !== undefined) this.#child.kill(signal)
    const code = await this.ended
    if (code !== 0) throw new Error(`exit code ${code}: ${this.output.slice(-2000)}`)
  }
}

/** Of processes that work together: their CPU and memory in sum. */
export function together(all: readonly Usage[]): Usage {
  return {
    cpuSeconds: all.reduce((sum, one) => sum + one.cpuSeconds, 0),
    peakMb: all.reduce((sum, one) => sum + one.peakMb, 0),
  }
}
