/** Types that were inferred from values, over crashes that forget them: the tables end the same. */
import { expect, it } from 'vitest'
import { maxwellJson } from '../../formats/maxwell/maxwell-json.ts'
import type { ProducerRecord } from '../../log/log.ts'
import type { Random } from '../../runtime/random.ts'
import { seededRandom } from '../../runtime/random.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'

const topic = 'maxwell'
const partitions = 2

/** From narrow to wide: later ones come later in the topic. */
const values = ['null', '1', '0', 'true', '2.50', '18446744073709551615', '1E-3', '"x"', '[1.50]']

async function openDriver(): Promise<TopologyTestDriver> {
  const builder = new StreamsBuilder()
  builder
    .stream(topic, { name: 'events', format: maxwellJson() })
    .repartition({ name: 'rows', partitions: 2 })
    .compact({ name: 'window', flush: { maxRows: 7 }, store: inMemory() })
    .to(embedded({ path: '/warehouse' }), { name: 'tables' })
  return await TopologyTestDriver.open(builder.build(), { topics: { [topic]: partitions } })
}

function randomRecord(random: Random, index: number, count: number): ProducerRecord {
  const pick = (most: number): number => Math.floor(random.next() * most)
  const widest = Math.ceil(((index + 1) / count) * values.length)
  const id = pick(12)
  const columns = ['a', 'b', 'c'].map(name => `"${name}":${values[pick(widest)]!}`)
  // Some rows are older than a column.
  const kept = index < count / 3 ? columns.slice(0, 2) : columns
  const type = random.next() < 0.1 ? 'delete' : 'insert'
  const place = `"ts":1700000000,"xid":${index},"commit":true,"position":"b.000001:${index * 10}"`
  const data = `{"id":${id},${kept.join(',')}}`
  const value = `{"database":"shop","table":"t","type":"${type}",${place},"data":${data}}`
  return {
    topic,
    partition: id % partitions,
    timestampMs: 0,
    key: Buffer.from(`{"database":"shop","table":"t","pk.id":${id}}`),
    value: Buffer.from(value),
  }
}

async function rowsOf(
  records: readonly ProducerRecord[],
  afterEach: (driver: TopologyTestDriver) => Promise<void>,
): Promise<readonly unknown[]> {
  const driver = await openDriver()
  for (const record of records) {
    await driver.pipeInput([record])
    await afterEach(driver)
  }
  await driver.drain()
  return (await driver.rows('shop.t'))!.toSorted((a, b) => Number(a.id) - Number(b.id))
}

it.each(Array.from({ length: 12 }, (_, index) => index + 1))(
  'rows are the same as without a crash, seed %i',
  async seed => {
    const random = seededRandom(seed)
    const records = Array.from({ length: 60 }, (_, index) => randomRecord(random, index, 60))
    const expected = await rowsOf(records, async () => {})
    expect(expected.length).toBeGreaterThan(4)
    let crashes = 0
    const actual = await rowsOf(records, async driver => {
      const chance = random.next()
      if (chance < 0.15) await driver.drain()
      if (chance > 0.2) return
      crashes += 1
      await driver.crash()
    })
    expect(actual).toEqual(expected)
    expect(crashes).toBeGreaterThan(2)
  },
)

/** A change of the row 1. */
function changeOf(index: number, data: string, type = 'insert'): ProducerRecord {
  const record = randomRecord(seededRandom(1), index, 60)
  const value = Buffer.from(record.value!)
    .toString()
    .replace(/"type":"\w+"/, `"type":"${type}"`)
    .replace(/"data":.*$/, `"data":${data}}`)
  const key = Buffer.from('{"database":"shop","table":"t","pk.id":1}')
  return { ...record, partition: 0, key, value: Buffer.from(value) }
}

it('a column that only had nulls since a crash keeps its type, and takes the null', async () => {
  const driver = await openDriver()
  await driver.pipeInput([changeOf(1, '{"id":1,"a":1.50}')])
  await driver.drain()
  expect(await driver.rows('shop.t')).toEqual([{ id: 1, a: 150 }])
  await driver.crash()
  await driver.pipeInput([changeOf(2, '{"id":1,"a":null}')])
  await driver.drain()
  expect(await driver.rows('shop.t')).toEqual([{ id: 1, a: null }])
  await driver.pipeInput([changeOf(3, '{"id":1,"a":2}')])
  await driver.drain()
  expect(await driver.rows('shop.t')).toEqual([{ id: 1, a: 200 }])
})

it('a column that updates leave out keeps its value and its type, over a crash that forgets them', async () => {
  const driver = await openDriver()
  await driver.pipeInput([
    changeOf(1, '{"id":1,"a":1,"b":2.50,"c":"long"}'),
    changeOf(2, '{"id":1,"a":2}', 'update'),
  ])
  await driver.drain()
  await driver.crash()
  await driver.pipeInput([changeOf(3, '{"id":1,"a":3}', 'update')])
  await driver.drain()
  expect(await driver.rows('shop.t')).toEqual([{ id: 1, a: 3, b: 250, c: 'long' }])
  // One that has them all again.
  await driver.pipeInput([changeOf(4, '{"id":1,"a":4,"b":3,"c":"x"}', 'update')])
  await driver.drain()
  expect(await driver.rows('shop.t')).toEqual([{ id: 1, a: 4, b: 300, c: 'x' }])
})
