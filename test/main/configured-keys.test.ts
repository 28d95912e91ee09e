/** A configured key that is not the key of the messages: taken only where no row can be lost by it. */
import { describe, expect, it } from 'vitest'
import { openShop, rowsAfter } from './driver.ts'
import type { MessageOptions } from './messages.ts'
import { change } from './messages.ts'

const row = (id: number, name: string) => ({ id, name })
const rule = { key: ['name'] }

describe('over a topic of several partitions', () => {
  // Insert (1, a), delete (1, a), insert (2, a): the last two come through different partitions.
  const records = (partitions: number) => [
    change('c', { after: row(1, 'a') }, { pos: 100, partitions }),
    change('d', { before: row(1, 'a') }, { pos: 200, partitions }),
    change('c', { after: row(2, 'a') }, { pos: 300, partitions }),
  ]

  it('it is refused when it does not contain the key of the messages', async () => {
    const driver = await openShop({ partitions: 2, rule })
    await expect(driver.pipeInput(records(2))).rejects.toMatchObject({
      code: 'changed-key-unordered',
      context: { topic: 'db.shop.orders', table: 'shop.orders' },
    })
  })

  it('so is one for messages without a key', async () => {
    const driver = await openShop({ partitions: 2, rule })
    const keyless = change('c', { after: { n: 1, name: 'a' } })
    await expect(driver.pipeInput([keyless])).rejects.toMatchObject({
      code: 'changed-key-unordered',
    })
  })

  it('it is taken when it contains that key, and truncates with it', async () => {
    const driver = await openShop({ partitions: 2, rule: { key: ['name', 'id'] } })
    expect(await rowsAfter(driver, records(2))).toEqual([row(2, 'a')])
    expect(await rowsAfter(driver, [change('t', {}, { pos: 400 })])).toEqual([])
  })

  it('through one partition it is taken as it is', async () => {
    expect(await rowsAfter(await openShop({ rule }), records(1))).toEqual([row(2, 'a')])
  })
})

describe('where the row before is not known to be whole', () => {
  const options: MessageOptions = { connector: 'postgresql', pos: 200 }
  const inserted = change('c', { after: row(1, 'a') }, { ...options, pos: 100 })
  // DEFAULT identity: a delete has fillers beside the key, an update has nothing.
  const changes = [
    ['a delete', change('d', { before: row(1, '') }, options), []],
    ['an update', change('u', { after: row(1, 'b') }, options), [row(1, 'b')]],
  ] as const

  it.each(changes)('%s is a bad message', async (_title, record) => {
    const driver = await openShop({ rule })
    await expect(driver.pipeInput([inserted, record])).rejects.toMatchObject({
      code: 'row-missing',
      context: { topic: 'db.shop.orders', offset: 1, column: 'name' },
    })
  })

  it.each(changes)('%s under `beforeImage: full` is taken', async (_title, record, expected) => {
    const driver = await openShop({ rule: { ...rule, beforeImage: 'full' } })
    const whole = Buffer.from(
      Buffer.from(record.value!)
        .toString()
        .replace(/"before":(null|\{[^}]*\})/, `"before":${JSON.stringify(row(1, 'a'))}`),
    )
    expect(await rowsAfter(driver, [inserted, { ...record, value: whole }])).toEqual(expected)
  })

  it('columns of the message key tell the row without it', async () => {
    const driver = await openShop({ rule: { key: ['id'] } })
    expect(await rowsAfter(driver, [inserted, changes[0][1]])).toEqual([])
  })
})
