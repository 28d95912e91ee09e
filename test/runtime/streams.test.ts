import { filter, firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import { CounterRegistry } from '../../observe/metrics.ts'
import { systemClock } from '../../runtime/clock.ts'
import { seededRandom } from '../../runtime/random.ts'
import { Streams } from '../../runtime/streams.ts'
import type { StreamsEvent } from '../../runtime/streams-events.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import type { ShopOptions } from './shop.ts'
import { rowsIn, Shop, shopTopology, topic } from './shop.ts'

/** An application over the same log, files and source each time that it is run. */
class Application {
  readonly files = new SimulatedFileSystem({ random: seededRandom(1) })
  readonly shop = new Shop(new MemorySource({ [topic]: 2 }), 2)
  readonly metrics = new CounterRegistry()
  readonly #storage = new MemoryStorage()
  readonly #options: ShopOptions

  constructor(options: ShopOptions = {}) {
    this.#options = options
  }

  change(count: number, seed = 1): void {
    const random = seededRandom(seed)
    for (let index = 0; index < count; index += 1) this.shop.change(random)
  }

  async open(): Promise<Streams> {
    const log = await EmbeddedLog.open({
      storage: this.#storage,
      clock: systemClock,
      random: seededRandom(1),
      sources: [this.shop.source],
    })
    return new Streams(shopTopology(this.#options), {
      applicationId: 'app',
      log,
      stateDir: '/state',
      fileSystem: this.files,
      metrics: this.metrics,
      commitIntervalMs: 0,
      maxPollBytes: 4000,
    })
  }

  async expectWhole(): Promise<void> {
    expect(this.shop.rows.size).toBeGreaterThan(5)
    expect(await rowsIn(this.files)).toEqual(this.shop.expected())
  }
}

function collect(streams: Streams): StreamsEvent[] {
  const events: StreamsEvent[] = []
  streams.events.subscribe(event => events.push(event))
  return events
}

function statesOf(events: readonly StreamsEvent[]): string[] {
  return events.flatMap(event => (event.type === 'state' ? [event.state] : []))
}

describe('a run until the end of its source', () => {
  it('applies all of it, and tells what it does', async () => {
    const application = new Application({ maxRows: 5 })
    application.change(100)
    const streams = await application.open()
    const events = collect(streams)
    await streams.run(undefined, { until: 'end' })
    await application.expectWhole()
    expect(statesOf(events)).toEqual(['rebalancing', 'running', 'stopping', 'stopped'])
    const progress = events.flatMap(event => (event.type === 'progress' ? [event] : []))
    const total = application.shop.source
    const count = [0, 1].reduce(
      (sum, partition) => sum + total.offsets({ topic, partition }).end,
      0,
    )
    expect(progress.at(-1)).toEqual({ type: 'progress', recordsRead: count, recordsTotal: count })
    expect(progress.map(({ recordsRead }) => recordsRead)).toEqual(
      progress.map(({ recordsRead }) => recordsRead).sort((a, b) => a - b),
    )
    const staged = events.filter(({ type }) => type === 'batch-staged').length
    const applied = events.flatMap(event => (event.type === 'batch-applied' ? [event] : []))
    expect(applied.reduce((sum, { batches }) => sum + batches, 0)).toBe(staged)
    expect(application.metrics.total('forager_batches_staged_total')).toBe(staged)
  })

  it('that is stopped at any event ends, when it is run again, as if it had not been', async () => {
    const undisturbed = new Application({ maxRows: 5 })
    undisturbed.change(60)
    const whole = await undisturbed.open()
    const all = collect(whole)
    await whole.run(undefined, { until: 'end' })
    await undisturbed.expectWhole()
    expect(all.length).toBeGreaterThan(30)
    for (let stopAt = 1; stopAt < all.length; stopAt += 1) {
      const application = new Application({ maxRows: 5 })
      application.change(60)
      const first = await application.open()
      const stop = new AbortController()
      let seen = 0
      first.events.subscribe(() => {
        seen += 1
        if (seen === stopAt) stop.abort()
      })
      await first.run(stop.signal, { until: 'end' })
      const second = await application.open()
      await second.run(undefined, { until: 'end' })
      await application.expectWhole()
    }
  })

  it('under a signal that is aborted already does nothing', async () => {
    const application = new Application()
    application.change(10)
    const streams = await application.open()
    await streams.run(AbortSignal.abort(), { until: 'end' })
    expect(await rowsIn(application.files)).toEqual([])
    await (await application.open()).run(undefined, { until: 'end' })
    await application.expectWhole()
  })
})

describe('a run without an end', () => {
  it('takes what comes, and stages what it has when it is stopped', async () => {
    const application = new Application({ maxAgeMs: 20 })
    application.change(20)
    const streams = await application.open()
    const stop = new AbortController()
    const applied = firstValueFrom(
      streams.events.pipe(filter(({ type }) => type === 'batch-applied')),
    )
    const running = streams.run(stop.signal)
    await applied
    application.change(20, 2)
    stop.abort()
    await running
    await (await application.open()).run(undefined, { until: 'end' })
    await application.expectWhole()
  })

  it('ends a wait when it is stopped', async () => {
    const application = new Application({ maxAgeMs: 3_600_000 })
    const streams = await application.open()
    const events = collect(streams)
    const stop = new AbortController()
    const running = streams.run(stop.signal)
    await firstValueFrom(
      streams.events.pipe(filter(event => event.type === 'state' && event.state === 'running')),
    )
    stop.abort()
    await running
    expect(statesOf(events).at(-1)).toBe('stopped')
  })
})

describe('a run that fails', () => {
  it('says so, gives its cause, and has left the group', async () => {
    const application = new Application()
    application.change(10)
    application.shop.append(5, Buffer.from('{not JSON'))
    application.change(10, 2)
    for (let times = 0; times < 2; times += 1) {
      const streams = await application.open()
      const events = collect(streams)
      const running = streams.run(undefined, { until: 'end' })
      await expect(running).rejects.toMatchObject({
        code: 'message-not-json',
        context: { topic, offset: expect.any(Number), partition: expect.any(Number) },
      })
      expect(statesOf(events).at(-1)).toBe('error')
    }
  })

  it('under the policy to skip does not, and counts', async () => {
    const application = new Application({ onError: 'skip' })
    application.change(10)
    application.shop.append(5, Buffer.from('{not JSON'))
    application.change(10, 2)
    await (await application.open()).run(undefined, { until: 'end' })
    await application.expectWhole()
    const skipped = { reason: 'message-not-json' }
    expect(application.metrics.total('forager_messages_skipped_total', skipped)).toBe(1)
  })

  it('for a topic that is not there names those that are', async () => {
    const application = new Application()
    const log = await EmbeddedLog.open({
      storage: new MemoryStorage(),
      clock: systemClock,
      random: seededRandom(1),
      sources: [new MemorySource({ 'shop.demo.order': 1, 'shop.demo.item': 1 })],
    })
    const streams = new Streams(shopTopology(), {
      applicationId: 'app',
      log,
      stateDir: '/state',
      fileSystem: application.files,
    })
    await expect(streams.run()).rejects.toMatchObject({
      code: 'topic-missing',
      message: `there is no topic "${topic}" (known are shop.demo.order, shop.demo.item)`,
    })
  })
})
