/** A source that changes its columns, through the whole main job into the embedded warehouse. */
import { describe, expect, it } from 'vitest'
import type { GivenPolicy } from '../../model/schema-change.ts'
import { schemaChangeModes } from '../../model/schema-change.ts'
import type { TopologyTestDriver } from '../../testkit/topology-test-driver.ts'
import type { MessageOptions } from './messages.ts'
import { change } from './messages.ts'
import { openRouted } from './routed-driver.ts'

type Row = Readonly<Record<string, unknown>>

let pos = 0

const write = (after: Row, options: MessageOptions = {}) => {
  pos += 100
  return change('c', { after }, { pos, ms: pos, ...options })
}

async function openSite(schemaChanges: GivenPolicy, partitions = 1): Promise<TopologyTestDriver> {
  const rules = [{ from: 'shop.orders', to: 'orders', schemaChanges }]
  return await openRouted({ rules, topics: { 'db.shop.orders': partitions }, hop: 3 })
}

/** Each list in windows of its own. */
async function pipe(driver: TopologyTestDriver, ...windows: readonly (readonly Row[])[]) {
  for (const rows of windows) {
    await driver.pipeInput(rows.map(row => write(row)))
    await driver.drain()
  }
}

const one = { id: 1, n: 1 }

describe('a column that is added, with a default', () => {
  it.each(schemaChangeModes)('%s', async mode => {
    const driver = await openSite({ add: mode })
    await pipe(driver, [one])
    const after = pipe(driver, [{ id: 2, n: 2, phone: '555' }])
    if (mode === 'exception') {
      await expect(after).rejects.toMatchObject({
        code: 'schema-change-refused',
        context: { table: 'orders', column: 'phone' },
      })
      return
    }
    await after
    const isLeftOut = mode === 'ignore'
    expect(await driver.rows('orders')).toEqual([
      { id: 1, n: 1, ...(isLeftOut ? {} : { phone: 'none' }) },
      { id: 2, n: 2, ...(isLeftOut ? {} : { phone: '555' }) },
    ])
    // A later row without it: the source has it no more.
    await pipe(driver, [{ id: 3, n: 3 }])
    expect((await driver.rows('orders'))![2]!.phone).toBe(isLeftOut ? undefined : null)
  })

  it('shows it in a row of before that comes late', async () => {
    const driver = await openSite({}, 2)
    await driver.pipeInput([write(one, { partition: 0 })])
    await driver.drain()
    const late = write({ id: 3, n: 3 }, { partition: 1 })
    await driver.pipeInput([write({ id: 2, n: 2, phone: '555' }, { partition: 0 })])
    await driver.drain()
    await driver.pipeInput([late])
    await driver.drain()
    expect((await driver.rows('orders'))!.map(({ phone }) => phone)).toEqual([
      'none',
      '555',
      'none',
    ])
  })
})

describe('a column that is dropped', () => {
  const before = [one, { id: 2, n: 2, name: 'b' }]

  it.each(schemaChangeModes)('%s', async mode => {
    const driver = await openSite({ drop: mode })
    await pipe(
      driver,
      before.map(row => ({ name: 'a', ...row })),
    )
    const after = pipe(driver, [{ id: 1, n: 5 }])
    if (mode === 'exception') {
      await expect(after).rejects.toMatchObject({ code: 'schema-change-refused' })
      return
    }
    await after
    const isGone = mode === 'evolve' || mode === 'try_evolve'
    expect(await driver.rows('orders')).toEqual([
      isGone ? { id: 1, n: 5 } : { name: null, id: 1, n: 5 },
      isGone ? { id: 2, n: 2 } : { name: 'b', id: 2, n: 2 },
    ])
  })

  it('does not come back with a batch of before, and is another one when it is made again', async () => {
    const driver = await openSite('evolve', 2)
    const wide = { id: 1, n: 1, name: 'a' }
    await driver.pipeInput([write(wide, { partition: 0 })])
    await driver.drain()
    const late = write({ id: 3, n: 3, name: 'late' }, { partition: 1 })
    await driver.pipeInput([write({ id: 2, n: 2 }, { partition: 0 })])
    await driver.drain()
    await driver.pipeInput([late])
    await driver.drain()
    expect((await driver.rows('orders'))!.map(row => Object.keys(row).join())).toEqual(
      Array.from({ length: 3 }, () => 'id,n'),
    )
    await pipe(driver, [{ id: 4, n: 4, name: 'new' }])
    expect((await driver.rows('orders'))!.map(({ name }) => name)).toEqual([
      null,
      null,
      null,
      'new',
    ])
  })
})

describe('a column that is widened', () => {
  const wide = { n: { type: 'int64', optional: true }, id: { type: 'int64', optional: false } }
  const writeWide = (n: number) => write({ id: 2, n }, { types: wide })

  it.each(schemaChangeModes)('%s', async mode => {
    const driver = await openSite({ widen: mode })
    await pipe(driver, [one])
    const follow = async (): Promise<void> => {
      await driver.pipeInput([writeWide(7)])
      await driver.drain()
    }
    if (mode === 'exception') {
      await expect(follow()).rejects.toMatchObject({ code: 'schema-change-refused' })
      return
    }
    await follow()
    expect(await driver.rows('orders')).toEqual([one, { id: 2, n: 7 }])
    await driver.pipeInput([writeWide(2 ** 40)])
    const drained = driver.drain()
    if (mode === 'ignore') {
      await expect(drained).rejects.toMatchObject({
        code: 'value-too-wide',
        context: { column: 'n' },
        message: expect.stringContaining('1099511627776 is not a int'),
      })
      return
    }
    await drained
    expect(await driver.rows('orders')).toEqual([one, { id: 2, n: 2 ** 40 }])
  })
})

describe('parts of one table', () => {
  it('may not drop columns one after the other', async () => {
    const rules = [{ from: 'shop*.orders', to: 'orders', merge: true, schemaChanges: 'evolve' }]
    await expect(openRouted({ rules: rules as never })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('schemaChanges.drop'),
    })
  })
})
