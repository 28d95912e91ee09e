/** `onError: dead-letter`: each bad message that is passed leaves one letter, with its own bytes. */
import { bufferCount, concatMap } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { ProducerRecord } from '../../log/log.ts'
import type { DeadLetter } from '../../model/dead-letter.ts'
import { readDeadLetters } from '../../runtime/dead-letters.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import { CrashedError, TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import { openShop, rowsAfter } from './driver.ts'
import { change } from './messages.ts'

const unsent = '__debezium_unavailable_value'
const onError = 'dead-letter'

/** No JSON. */
const garbled = (key: string | null, value: Uint8Array | null): ProducerRecord => ({
  topic: 'db.shop.orders',
  partition: 0,
  key: key === null ? null : Buffer.from(key),
  value,
  timestampMs: 1234,
  headers: [{ key: 'trace', value: Buffer.from([0, 255]) }],
})

/** Fails when it is keyed: it is the second half of a changed key, and a value was not sent. */
const unkeyed = (id: number, pos: number) =>
  change('c', { after: { id, big: unsent } }, { pos, headers: { oldkey: { id: 8 } } })

const insert = (id: number, pos: number) => change('c', { after: { id, n: pos } }, { pos })

async function lettersIn(driver: TopologyTestDriver): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = []
  for await (const letter of readDeadLetters(driver.log, 'test')) letters.push(letter)
  return letters
}

const idsOf = (rows: readonly unknown[]): unknown[] => rows.map(row => (row as { id: number }).id)

describe('a message that cannot be decoded', () => {
  it('is kept as it was, with where, why and when, and what is around it is applied', async () => {
    const driver = await openShop({ onError })
    const bytes = Buffer.from([0x7b, 0x00, 0xff, 0x0a])
    driver.clock.advance(5000)
    const rows = await rowsAfter(driver, [
      insert(1, 100),
      garbled('{"id":7}', bytes),
      insert(2, 300),
    ])
    expect(idsOf(rows)).toEqual([1, 2])
    const [letter, ...others] = await lettersIn(driver)
    expect(others).toEqual([])
    expect(letter).toMatchObject({
      offset: 0,
      record: { topic: 'db.shop.orders', partition: 0, offset: 1, timestampMs: 1234 },
      code: 'message-not-json',
      table: null,
      source: 'events',
      task: '0_db.shop.orders-0',
      failedAtMs: driver.clock.now(),
    })
    expect(Buffer.from(letter!.record.key!).toString()).toBe('{"id":7}')
    expect(Buffer.from(letter!.record.value!)).toEqual(bytes)
    expect(letter!.record.headers).toEqual([{ key: 'trace', value: Buffer.from([0, 255]) }])
    expect(letter!.message).not.toBe('')
    const reason = { reason: 'message-not-json' }
    expect(driver.metrics.total('forager_dead_letters_total', reason)).toBe(1)
    expect(driver.metrics.total('forager_messages_skipped_total')).toBe(0)
  })

  it('has its own headers also when it had been a dead letter before', async () => {
    const driver = await openShop({ onError })
    await rowsAfter(driver, [garbled(null, Buffer.from('{'))])
    const topic = 'test-dead-letters'
    const { records } = await driver.log.read({ topic, partition: 0 }, 0, 1)
    const again = { ...records[0]!, topic: 'db.shop.orders', partition: 0 }
    await rowsAfter(driver, [again])
    const letters = await lettersIn(driver)
    expect(letters.map(({ record }) => record.offset)).toEqual([0, 2])
    expect(letters[1]!.record.headers).toEqual(records[0]!.headers)
  })
})

describe('a message whose event fails on its way to the hop', () => {
  it('is found among its batch, and only it is kept', async () => {
    const driver = await openShop({ onError })
    const records = [insert(1, 100), unkeyed(9, 200), insert(2, 300)]
    expect(idsOf(await rowsAfter(driver, records))).toEqual([1, 2])
    const [letter, ...others] = await lettersIn(driver)
    expect(others).toEqual([])
    expect(letter).toMatchObject({ code: 'value-not-sent', table: 'shop.orders' })
    expect(Buffer.from(letter!.record.value!)).toEqual(Buffer.from(records[1]!.value!))
    expect(letter!.record.headers.map(({ key }) => key)).toEqual(['__debezium.oldkey'])
    expect(driver.metrics.total('forager_events_total')).toBe(2)
  })

  it('makes its table doubtful, as a skipped one does', async () => {
    const rule = { partitionBy: { column: 'name', unit: 'value' } as const }
    const driver = await openShop({ onError, rule })
    const row = (n: unknown, name: string) => ({ id: 1, n, name })
    await rowsAfter(driver, [change('c', { after: row(1, 'a') }, { pos: 100 })])
    const bad = { before: row(1, 'a'), after: row('no number', 'b') }
    await rowsAfter(driver, [change('u', bad, { pos: 200 })])
    const update = { before: row(2, 'b'), after: row(3, 'c') }
    expect(await rowsAfter(driver, [change('u', update, { pos: 300 })])).toEqual([row(3, 'c')])
    expect(await lettersIn(driver)).toHaveLength(1)
  })
})

describe('a crash', () => {
  it.each(['source.before-commit', 'source.committed'] as const)(
    'at %s leaves one letter for the passing of the message',
    async point => {
      const driver = await openShop({ onError })
      driver.crashAt(point, 2)
      const records = [insert(1, 100), garbled(null, Buffer.from('no')), unkeyed(9, 200)]
      await rowsAfter(driver, [insert(5, 50)])
      await expect(driver.pipeInput(records)).rejects.toThrow(CrashedError)
      const before = await lettersIn(driver)
      expect(before).toHaveLength(point === 'source.committed' ? 2 : 0)
      expect(idsOf(await rowsAfter(driver, [insert(2, 300)]))).toEqual([1, 2, 5])
      const letters = await lettersIn(driver)
      expect(letters.map(({ record }) => record.offset)).toEqual([3, 4])
    },
  )
})

describe('a letter within a run of repeats', () => {
  it('is written when the offset passes its message, and not with what goes out before', async () => {
    const driver = await openShop({ onError })
    await rowsAfter(driver, [insert(1, 100), insert(2, 200)])
    const incremental = change('r', { after: { id: 9 } }, { pos: 400, snapshot: 'incremental' })
    // The end of the source, and the run is not proven: its events go out, its offset does not.
    const run = [insert(1, 100), garbled(null, Buffer.from('no')), incremental]
    expect(idsOf(await rowsAfter(driver, run))).toEqual([1, 2, 9])
    expect(await lettersIn(driver)).toEqual([])
    await driver.crash()
    expect(idsOf(await rowsAfter(driver, [insert(2, 200), insert(3, 300)]))).toEqual([1, 2, 3, 9])
    expect(await lettersIn(driver)).toHaveLength(1)
  })

  it('is kept once when the run is read again', async () => {
    const driver = await openShop({ onError })
    await rowsAfter(driver, [insert(1, 100), insert(2, 200)])
    const otherServer = change('c', { after: { id: 3 } }, { pos: 50, serverId: 2 })
    const records = [insert(1, 100), garbled(null, Buffer.from('no')), otherServer]
    expect(idsOf(await rowsAfter(driver, records))).toEqual([1, 2, 3])
    expect(driver.metrics.total('forager_dead_letters_total')).toBe(1)
    expect(await lettersIn(driver)).toHaveLength(1)
  })
})

it.each(['skip', 'dead-letter'] as const)(
  '%s: what an operator holds back when another event fails is neither lost nor blamed',
  async policy => {
    const builder = new StreamsBuilder()
    builder
      .stream('db.shop.orders', { name: 'events', format: debeziumJson(), onError: policy })
      .pipe('pairs', events =>
        events.pipe(
          bufferCount(2),
          concatMap(pair => pair),
        ),
      )
      .repartition({ name: 'rows' })
      .compact({ name: 'window', store: inMemory() })
      .to(embedded({ path: '/warehouse', table: 'orders' }), { name: 'tables' })
    const topics = { 'db.shop.orders': 1 }
    const driver = await TopologyTestDriver.open(builder.build(), {
      topics,
      commitIntervalMs: 1000,
    })
    // Each in a batch of its own.
    for (const record of [insert(1, 100), unkeyed(9, 200), insert(2, 300), unkeyed(8, 400)]) {
      await driver.pipeInput([record])
    }
    expect(idsOf(await rowsAfter(driver, []))).toEqual([1, 2])
    const offsets = (await lettersIn(driver)).map(({ record }) => record.offset)
    // A transaction has a record and its marker.
    expect(offsets).toEqual(policy === 'skip' ? [] : [2, 6])
  },
)

it('many large bad messages are written before they fill the memory', async () => {
  const driver = await openShop({ onError, commitIntervalMs: 1_000_000 })
  const large = Buffer.alloc(3_000_000, 'x')
  await driver.pipeInput(Array.from({ length: 12 }, () => garbled(null, large)))
  const written = (await lettersIn(driver)).length
  expect(written).toBeGreaterThan(5)
  await driver.drain()
  expect(await lettersIn(driver)).toHaveLength(12)
})

it('an application without the policy has no topic of dead letters', async () => {
  const driver = await openShop({ onError: 'skip' })
  await rowsAfter(driver, [garbled(null, Buffer.from('no'))])
  const names = (await driver.log.topics()).map(({ name }) => name)
  expect(names).not.toContain('test-dead-letters')
  expect(await lettersIn(driver)).toEqual([])
})
