import { describe, expect, it } from 'vitest'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { TableRule } from '../../processors/route-tables.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import { goodLines } from '../cli/recorded.ts'

async function openDriver(rule: Partial<TableRule> = {}): Promise<TopologyTestDriver> {
  const builder = new StreamsBuilder()
  builder
    .stream('s.demo.user', { name: 'users', format: debeziumJson() })
    .route(new TableRouter([{ from: 'demo.*', to: '{table}', ...rule }]), { name: 'route' })
    .repartition({ name: 'rows' })
    .compact({ name: 'window', store: inMemory() })
    .to(embedded({ path: '/warehouse' }), { name: 'tables' })
  return await TopologyTestDriver.open(builder.build(), { topics: { 's.demo.user': 2 } })
}

const lines = goodLines().map(({ topic, key, value }) => ({ topic, key, value }))

describe('the test driver', () => {
  it('takes records as text, at its own time and in the first partition unless told', async () => {
    const driver = await openDriver()
    await driver.pipeInput(lines)
    await driver.drain()
    expect((await driver.rows('user'))?.map(row => row.name)).toEqual([
      'name 1',
      'changed',
      'name 4',
      'name 5',
      'name 6',
    ])
    const { records } = await driver.log.read({ topic: 's.demo.user', partition: 0 }, 0, 1)
    expect(records[0]).toMatchObject({ partition: 0, timestampMs: driver.clock.now() })
  })

  it.each([
    ['s.demo.user', 2],
    ['s.demo.usr', 0],
  ])(
    'names topic and partition of a record that has no place (%s, %d)',
    async (topic, partition) => {
      const driver = await openDriver()
      const input = driver.pipeInput([{ topic, partition, key: null, value: 'x' }])
      await expect(input).rejects.toMatchObject({
        message:
          `there is no partition ${partition} of "${topic}": the driver was opened with topics ` +
          '{ s.demo.user: 2 }',
        context: { topic, partition },
      })
    },
  )
})

describe('a route', () => {
  it('wires keys, types and partitions of its rules by itself', async () => {
    const types = { id: { kind: 'string' } } as const
    const driver = await openDriver({ key: ['id'], columns: { types }, partitionBy: 'name' })
    await driver.pipeInput(lines)
    await driver.drain()
    expect((await driver.rows('user'))?.map(row => row.id)).toEqual(['1', '2', '4', '5', '6'])
    const partitions = await driver.fileSystem.list('/warehouse/user/data')
    expect(partitions).toContain('name=changed')
  })
})

describe('a map', () => {
  it('that gives a wrong value stops with node, table, column and place', async () => {
    const builder = new StreamsBuilder()
    builder
      .stream('s.demo.user', { name: 'users', format: debeziumJson() })
      .map(event => ({ ...event, after: event.after && { ...event.after, id: 'x' } }), {
        name: 'm',
      })
      .repartition({ name: 'rows' })
      .compact({ name: 'window', store: inMemory() })
      .to(embedded({ path: '/warehouse' }), { name: 'tables' })
    const topics = { 's.demo.user': 1 }
    const driver = await TopologyTestDriver.open(builder.build(), { topics })
    await expect(driver.pipeInput(lines)).rejects.toMatchObject({
      code: 'value-invalid',
      message: '"m" gave a row in which the value "x" is not a int',
      context: { node: 'm', table: 'demo.user', column: 'id', topic: 's.demo.user', offset: 0 },
    })
  })
})
