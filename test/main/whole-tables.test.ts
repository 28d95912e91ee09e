/** Tables that the source makes, drops and renames, through the whole main job into the embedded warehouse. */
import { describe, expect, it } from 'vitest'
import type { GivenPolicy } from '../../model/schema-change.ts'
import { schemaChangeModes } from '../../model/schema-change.ts'
import type { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import { change, ddl } from './messages.ts'
import type { RoutedSetup } from './routed-driver.ts'
import { openRouted } from './routed-driver.ts'

const row = (id: number) => ({ id, name: `row ${id}` })

interface Setup extends Partial<RoutedSetup> {
  readonly partitions?: number
}

const open = (schemaChanges: GivenPolicy, { partitions = 1, ...setup }: Setup = {}) =>
  openRouted({
    rules: [{ from: 'shop.orders', to: 'orders', schemaChanges }],
    topics: { 'db.ddl': 1, 'db.shop.orders': partitions },
    hop: 3,
    ...setup,
  })

type Records = Parameters<TopologyTestDriver['pipeInput']>[0]

/** Each list in windows of its own. */
async function pipe(driver: TopologyTestDriver, ...windows: readonly Records[]): Promise<void> {
  for (const records of windows) {
    await driver.pipeInput(records)
    await driver.drain()
  }
}

const columnsOf = async (driver: TopologyTestDriver) => {
  return Object.keys((await driver.rows('orders'))![0]!).join()
}

describe('a table that the source makes', () => {
  it.each(schemaChangeModes)('and that has no row: %s', async mode => {
    const driver = await open({ 'create-table': mode })
    const made = pipe(driver, [ddl('CREATE')])
    if (mode === 'exception') {
      await expect(made).rejects.toMatchObject({
        code: 'schema-change-refused',
        message: expect.stringContaining('schemaChanges.create-table is "exception"'),
      })
      return
    }
    await made
    expect(await driver.rows('orders')).toEqual(mode === 'ignore' ? null : [])
  })

  it.each(['unknown', 'primary-key'] as const)('gets its rows (keyedBy: %s)', async keyedBy => {
    const driver = await open({}, { keyedBy })
    await pipe(driver, [ddl('CREATE', { pos: 100 })])
    expect(await driver.rows('orders')).toEqual([])
    await pipe(driver, [change('c', { after: row(1) }, { pos: 200 })])
    expect(await driver.rows('orders')).toEqual([row(1)])
  })

  it('and that is told again, or late, leaves the columns as they are', async () => {
    const driver = await open('evolve')
    const columns = { id: 'BIGINT', name: 'TEXT', gone: 'TEXT' }
    const told = ddl('CREATE', { pos: 100, columns })
    await pipe(driver, [change('c', { after: row(1) }, { pos: 300 })], [told, told])
    expect(await columnsOf(driver)).toBe('id,name')
    // In one window with a row.
    await pipe(driver, [told, change('c', { after: row(2) }, { pos: 400 })])
    expect(await columnsOf(driver)).toBe('id,name')
  })

  it('has the columns that its rule takes, and grows with its rows', async () => {
    const rules = [{ from: 'shop.*', to: 'orders', columns: { exclude: ['name'] } }]
    const driver = await open({}, { rules })
    await pipe(driver, [ddl('CREATE')], [change('c', { after: { ...row(1), n: 5 } })])
    expect(await driver.rows('orders')).toEqual([{ n: 5, id: 1 }])
  })

  it('waits for its first row where its key or its columns are not certain', async () => {
    const kinds: readonly [Setup, ReturnType<typeof ddl>][] = [
      [{}, ddl('CREATE', { key: [] })],
      [{}, ddl('CREATE', { columns: { id: 'STRANGE' } })],
      [{ transform: stream => stream.map(event => event, { name: 'map' }) }, ddl('CREATE')],
      [{ rules: [{ from: 'shop.customers', to: 'orders' }] }, ddl('CREATE')],
    ]
    for (const [setup, record] of kinds) {
      const driver = await open({}, setup)
      await pipe(driver, [record])
      expect(await driver.rows('orders')).toBeNull()
    }
    const filtered = await open(
      {},
      { transform: stream => stream.filter(() => false, { name: 'none' }) },
    )
    await pipe(filtered, [ddl('CREATE')])
    expect(await filtered.rows('orders')).toEqual([])
  })

  it('and drops in the same window is not made', async () => {
    const driver = await open({})
    await pipe(driver, [ddl('CREATE', { pos: 100 }), ddl('DROP', { pos: 200 })])
    expect(await driver.rows('orders')).toBeNull()
    await pipe(driver, [ddl('DROP', { pos: 300 }), ddl('CREATE', { pos: 400 })])
    expect(await driver.rows('orders')).toEqual([])
  })
})

describe('a table that the source drops', () => {
  const before = [1, 2].map(id => change('c', { after: row(id) }, { pos: id * 100 }))
  const dropped = ddl('DROP', { pos: 300 })
  const after = change('c', { after: row(3) }, { pos: 500 })

  it.each(schemaChangeModes)('%s', async mode => {
    const driver = await open({ 'drop-table': mode })
    await pipe(driver, before)
    const end = pipe(driver, [dropped])
    if (mode === 'exception') {
      await expect(end).rejects.toMatchObject({
        code: 'schema-change-refused',
        message: expect.stringContaining('schemaChanges.drop-table is "exception"'),
        context: { table: 'orders' },
      })
      expect(await driver.rows('orders')).toEqual([row(1), row(2)])
      return
    }
    await end
    const isEmptied = mode === 'evolve' || mode === 'try_evolve'
    expect(await driver.rows('orders')).toEqual(isEmptied ? [] : [row(1), row(2)])
    const labels = { table: 'orders' }
    const ignored = driver.metrics.total('forager_table_drops_ignored_total', labels)
    const kind = { ...labels, kind: 'drop-table' }
    const followed = driver.metrics.total('forager_schema_changes_total', kind)
    expect([ignored, followed]).toEqual(isEmptied ? [0, 1] : [1, 0])
    // Of the same name, made later.
    await pipe(driver, [ddl('CREATE', { pos: 400 })], [after])
    expect(await driver.rows('orders')).toEqual(isEmptied ? [row(3)] : [row(1), row(2), row(3)])
  })

  it('stays by default', async () => {
    const driver = await open({})
    await pipe(driver, before, [dropped])
    expect(await driver.rows('orders')).toEqual([row(1), row(2)])
  })

  it.each([1, 3])(
    'loses the rows of before alone, whatever comes first (%i partitions)',
    async partitions => {
      for (const keyedBy of ['unknown', 'primary-key'] as const) {
        const driver = await open({ 'drop-table': 'evolve' }, { partitions, keyedBy })
        const late = partitions - 1
        await pipe(driver, [before[0]!, after], [dropped])
        expect(await driver.rows('orders')).toEqual([row(3)])
        await pipe(driver, [change('c', { after: row(4) }, { pos: 250, partition: late })])
        expect(await driver.rows('orders')).toEqual([row(3)])
        // The connector sends it again.
        await pipe(driver, [dropped])
        expect(await driver.rows('orders')).toEqual([row(3)])
      }
    },
  )

  it('and that is truncated before or after ends as the source has it', async () => {
    const truncated = change('t', {}, { pos: 400 })
    for (const windows of [
      [[...before, dropped, truncated, after]],
      [before, [truncated], [dropped], [after]],
      [[...before, truncated, after], [dropped]],
    ]) {
      const driver = await open('evolve')
      await pipe(driver, ...windows)
      expect(await driver.rows('orders')).toEqual([row(3)])
    }
  })

  it('and that is truncated goes by the policy of each of the two, also in one window', async () => {
    const truncated = change('t', {}, { pos: 400 })
    const held = await open({ 'drop-table': 'exception' })
    await held.pipeInput([...before, dropped, truncated])
    await expect(held.drain()).rejects.toMatchObject({ code: 'schema-change-refused' })
    const kept = await open({ 'drop-table': 'lenient', truncate: 'evolve' })
    await pipe(kept, [...before, dropped, truncated, after])
    expect(await kept.rows('orders')).toEqual([row(3)])
    const emptied = await open({ 'drop-table': 'evolve', truncate: 'lenient' })
    const between = change('c', { after: row(5) }, { pos: 350 })
    await pipe(emptied, [...before, dropped, between, truncated])
    expect(await emptied.rows('orders')).toEqual([row(5)])
  })

  it('without a word of where in its log is not followed', async () => {
    const unplaced = ddl('DROP')
    const { source, ...rest } = JSON.parse(String(unplaced.value)) as { source: object }
    const value = Buffer.from(JSON.stringify({ ...rest, source: { ...source, file: null } }))
    const driver = await open({ 'drop-table': 'evolve' })
    await pipe(driver, before)
    await driver.pipeInput([{ ...unplaced, value }])
    await expect(driver.drain()).rejects.toMatchObject({
      code: 'schema-change-refused',
      message: expect.stringContaining('does not say where in its log'),
    })
  })

  it('of several that go to one target takes no rows with it', async () => {
    const rules = [{ from: 'shop.orders*', to: 'orders', merge: true }]
    const driver = await open({}, { rules })
    await pipe(driver, before, [dropped])
    expect(await driver.rows('orders')).toEqual([row(1), row(2)])
    const followed = [{ ...rules[0]!, schemaChanges: { 'drop-table': 'evolve' as const } }]
    await expect(open({}, { rules: followed })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('schemaChanges.drop-table is "evolve"'),
    })
  })
})

describe('a table that the source renames', () => {
  const rules = (schemaChanges: GivenPolicy) => [{ from: 'shop.*', to: '{table}', schemaChanges }]
  const renamed = ddl('RENAME', { pos: 300, renamedTo: 'purchases' })

  it('is another one: its rows do not move', async () => {
    const driver = await open({}, { rules: rules({}) })
    await pipe(driver, [change('c', { after: row(1) }, { pos: 100 })], [renamed])
    expect(await driver.rows('orders')).toEqual([row(1)])
    expect(await driver.rows('purchases')).toEqual([])
    const followed = await open({}, { rules: rules({ 'drop-table': 'evolve' }) })
    await pipe(followed, [change('c', { after: row(1) }, { pos: 100 })], [renamed])
    expect(await followed.rows('orders')).toEqual([])
    expect(await followed.rows('purchases')).toEqual([])
  })

  it('holds the table back under exception', async () => {
    const driver = await open({}, { rules: rules({ 'drop-table': 'exception' }) })
    await pipe(driver, [change('c', { after: row(1) }, { pos: 100 })])
    await driver.pipeInput([renamed])
    await expect(driver.drain()).rejects.toMatchObject({ context: { table: 'orders' } })
  })
})
