/** Dead letters that are replayed: each once, and never over what its row has by now. */
import { describe, expect, it } from 'vitest'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { Log, ProducerRecord } from '../../log/log.ts'
import { noMembership } from '../../log/log.ts'
import type { DeadLetter } from '../../model/dead-letter.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import { readDeadLetters, replayDeadLetters, whyNotReplayable } from '../../runtime/dead-letters.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import { CrashedError, TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import type { Ordering, StartPosition } from '../../topology/nodes.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import { rowsAfter } from './driver.ts'
import { change } from './messages.ts'

/** An application whose node fails on rows with `n` above a bound, until it is mended. */
class Shop {
  readonly driver: TopologyTestDriver
  readonly #node: { isMended: boolean }

  private constructor(driver: TopologyTestDriver, node: { isMended: boolean }) {
    this.driver = driver
    this.#node = node
  }

  static async open(ordering: Ordering = 'position', start?: StartPosition): Promise<Shop> {
    const node = { isMended: false }
    const builder = new StreamsBuilder()
    builder
      .stream(/^db\./, {
        name: 'events',
        format: debeziumJson(),
        onError: 'dead-letter',
        ordering,
        ...(start && { start }),
      })
      .map(
        event => {
          const isTooMuch = Number(event.after?.n ?? 0) > 1000
          if (isTooMuch && !node.isMended) throw new Error('too much')
          return event
        },
        { name: 'bounded' },
      )
      .route(new TableRouter([{ from: 'shop.*', to: '{table}' }]), { name: 'route' })
      .repartition({ name: 'rows', partitions: 2 })
      .compact({ name: 'window', flush: { maxRows: 1000, maxAgeMs: 1000 }, store: inMemory() })
      .to(embedded({ path: '/warehouse' }), { name: 'tables' })
    const topics = { 'db.shop.orders': ordering === 'position' ? 2 : 1 }
    return new Shop(await TopologyTestDriver.open(builder.build(), { topics }), node)
  }

  mend(): void {
    this.#node.isMended = true
  }

  async rowsAfter(records: readonly ProducerRecord[] = []): Promise<readonly unknown[]> {
    return await rowsAfter(this.driver, records)
  }

  async letters(): Promise<DeadLetter[]> {
    return await Array.fromAsync(readDeadLetters(this.driver.log, 'test'))
  }

  async replay(wants: (letter: DeadLetter) => boolean = all, log?: Log): Promise<number> {
    const options = { applicationId: 'test', source: 'events', clock: this.driver.clock, wants }
    return await replayDeadLetters(log ?? this.driver.log, options)
  }

  count(name: 'forager_superseded_changes_total' | 'forager_dead_letters_total'): number {
    return this.driver.metrics.total(name)
  }
}

const all = (): boolean => true

const row = (id: number, n: number) => ({ id, n })
const upsert = (id: number, n: number, pos: number, partition = 0) =>
  change('u', { before: row(id, 0), after: row(id, n) }, { pos, partition })

describe('a letter that is replayed', () => {
  it('is applied as its message would have been, and is listed no more', async () => {
    const shop = await Shop.open()
    const records = [upsert(1, 5000, 100), upsert(2, 2, 200), upsert(3, 6000, 300, 1)]
    expect(await shop.rowsAfter(records)).toEqual([row(2, 2)])
    const letters = await shop.letters()
    expect(letters.map(({ code }) => code)).toEqual(['processor-failed', 'processor-failed'])
    shop.mend()
    expect(await shop.replay(({ offset }) => offset === letters[0]!.offset)).toBe(1)
    expect(await shop.rowsAfter()).toEqual([row(1, 5000), row(2, 2)])
    expect(await shop.letters()).toMatchObject([{ offset: letters[1]!.offset }])
    expect(await shop.replay()).toBe(1)
    expect(await shop.rowsAfter()).toEqual([row(1, 5000), row(2, 2), row(3, 6000)])
    expect(await shop.replay()).toBe(0)
    expect(await shop.letters()).toEqual([])
  })

  it.each([false, true])('is dropped where its row is newer (restarted: %s)', async isRestarted => {
    const shop = await Shop.open()
    await shop.rowsAfter([upsert(1, 5000, 100), upsert(1, 7, 200, 1), upsert(2, 5000, 300)])
    await shop.rowsAfter([change('d', { before: row(2, 5000) }, { pos: 400, partition: 1 })])
    if (isRestarted) await shop.driver.crash()
    shop.mend()
    expect(await shop.replay()).toBe(2)
    expect(await shop.rowsAfter()).toEqual([row(1, 7)])
    expect(shop.count('forager_superseded_changes_total')).toBe(2)
  })

  it('is dropped where it cannot be told which is newer', async () => {
    const shop = await Shop.open()
    await shop.rowsAfter([upsert(1, 5000, 900)])
    const failedOver = { pos: 5, serverId: 2, partition: 1 }
    await shop.rowsAfter([change('u', { before: row(1, 0), after: row(1, 7) }, failedOver)])
    shop.mend()
    expect(await shop.replay()).toBe(1)
    expect(await shop.rowsAfter()).toEqual([row(1, 7)])
    expect(shop.count('forager_superseded_changes_total')).toBe(1)
  })

  it.each([false, true])(
    'is dropped where a snapshot has read its row since (restarted: %s)',
    async isRestarted => {
      const shop = await Shop.open()
      // Both fail; the snapshot brings what the second one left.
      await shop.rowsAfter([upsert(1, 5000, 100), upsert(1, 6000, 200)])
      const read = { pos: 300, partition: 1, snapshot: 'incremental' }
      await shop.rowsAfter([change('r', { after: row(1, 6) }, read)])
      if (isRestarted) await shop.driver.crash()
      shop.mend()
      const [first] = await shop.letters()
      expect(await shop.replay(({ offset }) => offset === first!.offset)).toBe(1)
      expect(await shop.rowsAfter()).toEqual([row(1, 6)])
    },
  )

  it('that is still bad is kept again, by the place where it was first', async () => {
    const shop = await Shop.open()
    await shop.rowsAfter([upsert(2, 2, 50), upsert(1, 5000, 100)])
    const [first] = await shop.letters()
    expect(await shop.replay()).toBe(1)
    await shop.rowsAfter()
    const [again, ...others] = await shop.letters()
    expect(others).toEqual([])
    expect(again!.record).toEqual({ ...first!.record, timestampMs: first!.record.timestampMs })
    expect(again!.offset).toBeGreaterThan(first!.offset)
    expect(again!.task).toBe('0_test-events-replay-0')
    shop.mend()
    expect(await shop.replay()).toBe(1)
    expect(await shop.rowsAfter()).toEqual([row(1, 5000), row(2, 2)])
    expect(await shop.letters()).toEqual([])
  })

  it('without a position is kept again', async () => {
    const shop = await Shop.open()
    const record = upsert(1, 5000, 100)
    const text = Buffer.from(record.value!).toString().replace('"pos":100', '"pos":null')
    await shop.rowsAfter([{ ...record, value: Buffer.from(text) }])
    shop.mend()
    await shop.replay()
    expect(await shop.rowsAfter()).toEqual([])
    expect(await shop.letters()).toMatchObject([{ code: 'replay-unordered' }])
  })

  it('is taken in also when it was replayed before the application began at the end', async () => {
    const first = await Shop.open()
    await first.rowsAfter([upsert(1, 5000, 100)])
    const topic = 'test-dead-letters'
    const { records } = await first.driver.log.read({ topic, partition: 0 }, 0, 1)
    const shop = await Shop.open('position', { at: 'latest', offsets: new Map() })
    await shop.driver.log.createTopic({ name: topic, partitions: 1, cleanup: 'delete' })
    const producer = await shop.driver.log.openProducer('test')
    await producer.commit({ records, offsets: [], group: noMembership })
    shop.mend()
    expect(await shop.replay()).toBe(1)
    expect(await shop.rowsAfter()).toEqual([row(1, 5000)])
  })

  it('leaves nothing behind in the topic that it came back through', async () => {
    const shop = await Shop.open()
    await shop.rowsAfter([upsert(1, 5000, 100)])
    shop.mend()
    await shop.replay()
    await shop.rowsAfter()
    const { start, end } = await shop.driver.log.offsets({
      topic: 'test-events-replay',
      partition: 0,
    })
    expect(end).toBeGreaterThan(0)
    expect(start).toBe(end)
  })
})

describe('a crash', () => {
  it.each(['before', 'after'] as const)('of the replay %s its commit', async when => {
    const shop = await Shop.open()
    await shop.rowsAfter([upsert(1, 5000, 100), upsert(2, 5000, 200)])
    shop.mend()
    await expect(shop.replay(undefined, crashing(shop.driver.log, when))).rejects.toThrow('crashed')
    expect(await shop.letters()).toHaveLength(when === 'before' ? 2 : 0)
    expect(await shop.replay()).toBe(when === 'before' ? 2 : 0)
    expect(await shop.rowsAfter()).toEqual([row(1, 5000), row(2, 5000)])
    const at = { topic: 'test-events-replay', partition: 0 }
    // Two records and their marker: nothing was replayed twice.
    expect((await shop.driver.log.offsets(at)).end).toBe(3)
  })

  it.each(['source.before-commit', 'source.committed'] as const)(
    'of the application at %s, when it takes a letter in',
    async point => {
      const shop = await Shop.open()
      // One that comes right, one that is bad again.
      await shop.rowsAfter([upsert(1, 5000, 100), { ...upsert(2, 1, 200), value: bad }])
      shop.mend()
      await shop.replay()
      shop.driver.crashAt(point)
      await expect(shop.rowsAfter()).rejects.toThrow(CrashedError)
      expect(await shop.rowsAfter()).toEqual([row(1, 5000)])
      expect(await shop.letters()).toMatchObject([{ code: 'message-not-json' }])
      expect(await shop.rowsAfter([upsert(1, 7, 300, 1)])).toEqual([row(1, 7)])
    },
  )
})

const bad = Buffer.from('no JSON')

/** The log of a process that ends when it commits. */
function crashing(log: Log, when: 'before' | 'after'): Log {
  return {
    topics: () => log.topics(),
    createTopic: spec => log.createTopic(spec),
    offsets: at => log.offsets(at),
    offsetOfTime: (at, timeMs) => log.offsetOfTime(at, timeMs),
    decidedEnd: at => log.decidedEnd(at),
    read: (at, offset, maxBytes) => log.read(at, offset, maxBytes),
    committed: (group, partitions) => log.committed(group, partitions),
    openConsumer: options => log.openConsumer(options),
    deleteRecords: (at, before) => log.deleteRecords(at, before),
    close: () => log.close(),
    openProducer: async id => {
      const producer = await log.openProducer(id)
      return {
        close: () => producer.close(),
        commit: async transaction => {
          if (when === 'after') await producer.commit(transaction)
          throw new Error('crashed')
        },
      }
    },
  }
}

describe('two replays at once', () => {
  it('bring back each letter once: the later one fences the other', async () => {
    const shop = await Shop.open()
    await shop.rowsAfter([upsert(1, 5000, 100)])
    shop.mend()
    let isSecond = false
    const first = shop.replay(() => {
      isSecond = true
      return true
    })
    const second = shop.replay()
    const outcomes = await Promise.allSettled([first, second])
    expect(isSecond).toBe(true)
    const replayed = outcomes.map(one => (one.status === 'fulfilled' ? one.value : 'fenced'))
    expect(replayed.filter(one => one === 1)).toHaveLength(1)
    expect(await shop.letters()).toEqual([])
    const { end } = await shop.driver.log.offsets({ topic: 'test-events-replay', partition: 0 })
    expect(end).toBe(2)
  })
})

describe('what cannot be replayed', () => {
  it('is a letter that was kept under another order, or too long ago', async () => {
    const byLog = await Shop.open('log')
    await byLog.rowsAfter([upsert(1, 5000, 100)])
    const [letter] = await byLog.letters()
    const now = byLog.driver.clock.now()
    expect(whyNotReplayable(letter!, now)).toContain('was not `position`')
    expect(await byLog.replay()).toBe(0)
    const shop = await Shop.open()
    await shop.rowsAfter([upsert(1, 5000, 100)])
    const [young] = await shop.letters()
    expect(whyNotReplayable(young!, shop.driver.clock.now())).toBe(null)
    shop.driver.clock.advance(7 * 24 * 60 * 60 * 1000 + 1)
    expect(whyNotReplayable(young!, shop.driver.clock.now())).toContain('older than 7 days')
    expect(await shop.replay()).toBe(0)
    expect(await shop.letters()).toHaveLength(1)
  })
})
