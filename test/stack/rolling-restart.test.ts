/**
 * A rolling restart under load: each of three instances is told to stop and started again while events
 * come. A reader that looks at the tables all the while never sees a step back, a row that was never
 * there, or two rows of a key.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, inject, it } from 'vitest'
import type { LogRecord } from '../../model/change-event.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { Judge } from '../../testkit/simulation/judge.ts'
import { openKafka, produce, until } from './instances.ts'
import { Running } from './running.ts'
import { differences, makeShop, makeTopics, shopConfig } from './shop.ts'

const log = openKafka(inject('broker'))
afterAll(() => log.close())

/** Generous for a machine that does other things: it takes a second. */
const stopWithinMs = 30_000

it('a rolling restart of three instances shows no gap in the tables', async () => {
  const shop = makeShop({ seed: 31, partitions: 3, events: 60_000, maxId: 1000 })
  await makeTopics(log, shop)
  const tables = [
    { from: 'shop.product', to: 'product', partitionBy: 'month' },
    { from: 'shop.*', to: '{table}' },
  ]
  const config = { ...shopConfig('', inject('broker'), shop), tables }
  await Running.use({ name: 'rolling', log, config }, async running => {
    for (let count = 0; count < 3; count += 1) running.start()
    const reader = new Reader(new Judge(shop.workload, nodeFileSystem, running.warehouse))
    const reading = reader.read()
    // Judged at the end, and not before somebody waits for it.
    reading.catch(() => undefined)
    const load = new Load(shop.records)
    const producing = load.produce()
    await untilAllHaveTasks(running)
    for (const instance of running.instances.slice()) {
      const began = performance.now()
      expect(await instance.stop()).toEqual({ code: 0, signal: null })
      expect(performance.now() - began).toBeLessThan(stopWithinMs)
      running.start()
      await untilAllHaveTasks(running)
      await sleep(1000)
    }
    expect(load.left, 'all of it happened under load').toBeGreaterThan(0)
    load.hurry()
    await producing
    await running.untilApplied(shop.partitions)
    reader.stop()
    await reading
    expect(reader.looks).toBeGreaterThan(20)
    await running.stop()
    expect(await differences(running.warehouse, shop)).toEqual([])
  })
})

/** Writes little by little, and the rest at once when it is told to. */
class Load {
  readonly #records: readonly LogRecord[]
  #written = 0
  #isInHurry = false

  constructor(records: readonly LogRecord[]) {
    this.#records = records
  }

  get left(): number {
    return this.#records.length - this.#written
  }

  async produce(): Promise<void> {
    while (this.left > 0) {
      const count = this.#isInHurry ? this.left : 100
      await produce(log, this.#records.slice(this.#written, this.#written + count))
      this.#written += count
      await sleep(200)
    }
  }

  hurry(): void {
    this.#isInHurry = true
  }
}

/** As an operator does it: the next one goes when the one before is ready. */
async function untilAllHaveTasks({ instances }: Running): Promise<void> {
  await until('all instances have tasks', () => {
    return instances.every(({ isRunning, lines }) => {
      return !isRunning || lines.some(({ event }) => event === 'tasks.assigned')
    })
  })
}

/** Looks at all tables again and again, and keeps what it saw first that must not be. */
class Reader {
  looks = 0
  readonly #judge: Judge
  #isStopped = false

  constructor(judge: Judge) {
    this.#judge = judge
  }

  async read(): Promise<void> {
    while (!this.#isStopped) {
      await this.#judge.look()
      this.looks += 1
      await sleep(50)
    }
    await this.#judge.lookFinally()
  }

  stop(): void {
    this.#isStopped = true
  }
}
