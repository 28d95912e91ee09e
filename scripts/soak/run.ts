/**
 * One soak: processes are started, fed, hurt and looked at for as long as it lasts; then all of it is drained, and
 * the tables are compared with the workload.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../runtime/random.ts'
import { differences } from './compare.ts'
import type { DiskSample } from './disk.ts'
import { diskOf } from './disk.ts'
import type { Fault } from './faults.ts'
import type { ProcessSample } from './instance.ts'
import { Instance } from './instance.ts'
import type { Recording } from './samples.ts'
import type { Site } from './site.ts'
import { memoryFolderOf, topicPartitions } from './site.ts'
import type { SoakRecord } from './workload.ts'
import { SoakWorkload } from './workload.ts'

export interface SoakOptions {
  readonly site: Site
  /** All that the processes write is below; there is nothing in it yet. */
  readonly folder: string
  readonly random: Random
  readonly durationMs: number
  /** Statements in a second. */
  readonly rate: number
  /** Whether updates leave out values that they do not change. */
  readonly leavesOut: boolean
  readonly sampleEveryMs: number
  readonly faults: readonly Fault[]
  readonly say: (line: string) => void
}

export type SoakResult = Pick<Recording, 'lives' | 'disk' | 'faults' | 'counts' | 'differences'>

const feedEveryMs = 250
/** Of what is fed and not written: the source waits while the program does not take it. */
const maxWaiting = 40
const drainWithinMs = 180_000
/** More than `stopTimeout`: what takes longer hangs. */
const stopWithinMs = 90_000

interface OpenLife {
  readonly slot: number
  readonly pid: number
  readonly samples: (ProcessSample & { readonly atSeconds: number })[]
}

export class Soak {
  readonly #options: SoakOptions
  readonly #workload: SoakWorkload
  readonly #instances: Instance[] = []
  readonly #lives: OpenLife[] = []
  readonly #disk: (DiskSample & { readonly atSeconds: number })[] = []
  readonly #done: { atSeconds: number; kind: string; slot: number }[] = []
  readonly #began = performance.now()
  /** The slots whose process is ended on purpose, until the next one is there. */
  readonly #ending = new Set<number>()

  constructor(options: SoakOptions) {
    this.#options = options
    const { random, leavesOut } = options
    this.#workload = new SoakWorkload({
      random,
      partitions: topicPartitions,
      leavesOut,
      now: () => Date.now(),
    })
  }

  /** Throws when a process ends by itself, or does not end when it is told to. */
  async run(): Promise<SoakResult> {
    const { site, faults, durationMs, say } = this.#options
    try {
      for (let slot = 0; slot < site.instances; slot += 1) await this.#start(slot)
      const work = [this.#feed(), this.#sampleAll()]
      for (let slot = 0; slot < site.instances; slot += 1) {
        work.push(this.#hurt(faults.filter(fault => fault.slot === slot)))
      }
      await Promise.all([...work, this.#untilMs(durationMs)])
      say('drained, and compared')
      site.feed(this.#workload.settle())
      await this.#drain()
      for (const slot of this.#instances.keys()) await this.#stop(slot)
      await this.#sampleDisk()
      return {
        lives: this.#lives,
        disk: this.#disk,
        faults: this.#done,
        counts: this.#workload.counts,
        differences: await this.#differences(),
      }
    } finally {
      for (const instance of this.#instances) if (instance.isRunning) instance.signal('SIGKILL')
      await site.close()
    }
  }

  get #seconds(): number {
    return (performance.now() - this.#began) / 1000
  }

  get #isOver(): boolean {
    return this.#seconds * 1000 >= this.#options.durationMs
  }

  async #untilMs(atMs: number): Promise<void> {
    await sleep(Math.max(0, atMs - this.#seconds * 1000))
  }

  async #start(slot: number): Promise<void> {
    const { child, port } = await this.#options.site.start(slot)
    const { folder } = this.#options
    const log = join(folder, `forager-${slot}.log`)
    const instance = new Instance(child, port, { log, memory: memoryFolderOf(folder) })
    this.#instances[slot] = instance
    this.#lives.push({ slot, pid: instance.pid, samples: [] })
  }

  async #stop(slot: number): Promise<void> {
    const instance = this.#instances[slot]!
    instance.signal('SIGTERM')
    const late = sleep(stopWithinMs, null, { ref: false })
    const end = await Promise.race([instance.ended, late])
    if (end === null) throw new Error(`process ${slot} does not end by SIGTERM`)
    // One that had only begun to start is ended by the signal itself. And on a machine that has no time for it, a stop
    // may be late, as `stopTimeout` says; then it is as after a kill.
    const isLate = end.code === 1 && instance.complaints.includes('[stop-timed-out]')
    if (isLate) this.#done.push({ atSeconds: this.#seconds, kind: 'late stop', slot })
    else if (end.code !== 0 && end.signal !== 'SIGTERM') {
      throw new Error(`process ${slot} ended with code ${end.code}: ${instance.complaints}`)
    }
  }

  /** The source goes on by the clock; it waits while what it sends is not taken, and does not make up for it. */
  async #feed(): Promise<void> {
    const { site, rate } = this.#options
    let due = 0
    for (let last = this.#seconds; !this.#isOver; ) {
      await sleep(feedEveryMs)
      if (site.failure !== null) throw site.failure
      const elapsed = Math.min(1, this.#seconds - last)
      last = this.#seconds
      if (site.waiting > maxWaiting) continue
      const records: SoakRecord[] = []
      for (due += elapsed * rate; due >= 1; due -= 1) records.push(...this.#workload.step())
      if (records.length > 0) site.feed(records)
    }
  }

  async #hurt(faults: readonly Fault[]): Promise<void> {
    const { durationMs } = this.#options
    for (const [index, { atMs, kind, slot, forMs }] of faults.entries()) {
      await this.#untilMs(atMs)
      await this.#untilUp(slot, durationMs / 20)
      // Where starting takes long the ends are late: the last ones are left out, for the long life behind them.
      const isLate = index >= 2 && this.#seconds * 1000 > 0.4 * durationMs
      if (isLate && kind !== 'pause') continue
      this.#done.push({ atSeconds: this.#seconds, kind, slot })
      const instance = this.#instances[slot]!
      if (kind === 'pause') {
        instance.signal('SIGSTOP')
        await sleep(forMs)
        instance.signal('SIGCONT')
        continue
      }
      this.#ending.add(slot)
      if (kind === 'stop') await this.#stop(slot)
      else {
        instance.signal('SIGKILL')
        await instance.ended
      }
      await sleep(forMs)
      await this.#start(slot)
      this.#ending.delete(slot)
    }
  }

  /** A process that was ended before it had begun would prove nothing. */
  async #untilUp(slot: number, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs
    const isUp = (): boolean => {
      const { samples } = this.#lives.findLast(life => life.slot === slot)!
      return samples.some(({ lagRecords }) => lagRecords !== null)
    }
    while (!isUp() && !this.#isOver && performance.now() < deadline) await sleep(200)
  }

  async #sampleAll(): Promise<void> {
    for (let index = 1; !this.#isOver; index += 1) {
      await this.#untilMs(index * this.#options.sampleEveryMs)
      this.#expectAllAlive()
      const atSeconds = this.#seconds
      for (const [slot, instance] of this.#instances.entries()) {
        const sample = await instance.sample()
        const life = this.#lives.findLast(one => one.slot === slot)!
        if (sample !== null && life.pid === instance.pid)
          life.samples.push({ atSeconds, ...sample })
      }
      await this.#sampleDisk()
      if (index % 12 === 0) this.#report()
    }
  }

  async #sampleDisk(): Promise<void> {
    const atSeconds = this.#seconds
    this.#disk.push({ atSeconds, ...(await diskOf(this.#options.folder)) })
  }

  #report(): void {
    const memory = this.#instances.map(({ pid }) => {
      const sample = this.#lives.findLast(life => life.pid === pid)?.samples.at(-1)
      return sample === undefined ? '-' : `${Math.round(sample.memoryBytes / 1024 / 1024)} MB`
    })
    const { records } = this.#workload.counts
    this.#options.say(`${Math.round(this.#seconds)} s: ${records} records, ${memory.join(', ')}`)
  }

  #expectAllAlive(): void {
    for (const [slot, instance] of this.#instances.entries()) {
      if (instance.isRunning || this.#ending.has(slot)) continue
      throw new Error(`process ${slot} ended by itself: ${instance.complaints}`)
    }
  }

  /** Until the tables are what they must be; when they do not come to it, the comparison will say what is wrong. */
  async #drain(): Promise<void> {
    const deadline = performance.now() + drainWithinMs
    for (;;) {
      this.#expectAllAlive()
      if (this.#options.site.waiting === 0 && (await this.#differences()).length === 0) return
      if (performance.now() > deadline) return
      await sleep(1000)
    }
  }

  #differences(): Promise<string[]> {
    return differences(join(this.#options.folder, 'warehouse'), this.#workload)
  }
}
