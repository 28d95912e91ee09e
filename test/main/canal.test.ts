/** canal's messages to tables. */
import { describe, expect, it } from 'vitest'
import { readDeadLetters } from '../../runtime/dead-letters.ts'
import { flat, statement } from '../formats/canal/canal-messages.ts'
import { openCanal, send, tableAfter } from './canal-driver.ts'

const row = (id: number, n: number) => ({ id: String(id), n: String(n) })
const applied = (id: number, n: number) => ({ id, n })

describe('the rows of one message', () => {
  it('are all applied in their order, whatever their keys', async () => {
    const driver = await openCanal()
    const rows = await tableAfter(driver, [
      flat('INSERT', [row(1, 1), row(2, 2), row(3, 3)]),
      // The key 3 moves to 4, then 2 to 3, then 1 to 2, which is changed once more.
      flat('UPDATE', [
        [row(4, 3), { id: '3' }],
        [row(3, 2), { id: '2' }],
        [row(2, 1), { id: '1' }],
        [row(2, 5), { n: '1' }],
      ]),
    ])
    expect(rows).toEqual([applied(2, 5), applied(3, 2), applied(4, 3)])
    expect(await tableAfter(driver, [flat('DELETE', [row(4, 3), row(2, 5)])])).toEqual([
      applied(3, 2),
    ])
  })

  it('are more than travel at once', async () => {
    const driver = await openCanal()
    const many = Array.from({ length: 3000 }, (_, index) => row(index % 1500, index))
    const rows = await tableAfter(driver, [
      flat('INSERT', many.slice(0, 1500)),
      flat(
        'UPDATE',
        many.slice(1500).map((after, index) => [after, { n: String(index) }] as const),
      ),
    ])
    expect(rows).toEqual(Array.from({ length: 1500 }, (_, id) => applied(id, id + 1500)))
  })

  it('that are sent again end as they were', async () => {
    const driver = await openCanal()
    const block = [
      flat('INSERT', [row(1, 1), row(2, 2)]),
      flat('UPDATE', [[row(3, 1), { id: '1' }]]),
      flat('DELETE', [row(2, 2)]),
    ]
    expect(await tableAfter(driver, [...block, ...block.slice(1), ...block])).toEqual([
      applied(3, 1),
    ])
  })
})

describe('a table with partitions', () => {
  it('has a row once, wherever it moves', async () => {
    const driver = await openCanal({ rule: { partitionBy: 'n' } })
    const rows = await tableAfter(driver, [
      flat('INSERT', [row(1, 1), row(2, 1)]),
      flat('UPDATE', [[row(1, 2), { n: '1' }]]),
    ])
    expect(rows).toEqual([applied(1, 2), applied(2, 1)])
    // The window before is applied: now the old partition is found by key.
    const moved = [flat('UPDATE', [[row(3, 5), { id: '1', n: '2' }]])]
    expect(await tableAfter(driver, moved)).toEqual([applied(2, 1), applied(3, 5)])
  })
})

describe('a bad row among good ones', () => {
  const bad = flat('INSERT', [row(2, 2), { id: '3', n: 'x' }, row(4, 4)])
  const messages = [
    flat('INSERT', [row(1, 1)]),
    bad,
    flat('UPDATE', [[row(1, 9), { n: '1' }]]),
    flat('UPDATE', [[row(4, 5), { n: '4' }]]),
  ]

  it('stops the run before its message', async () => {
    const driver = await openCanal()
    await expect(send(driver, messages)).rejects.toMatchObject({
      code: 'value-invalid',
      context: { topic: 'canal', offset: 1, table: 'shop.orders', column: 'n' },
    })
  })

  it('is passed with all of its message, and what follows is applied', async () => {
    const driver = await openCanal({ onError: 'skip' })
    expect(await tableAfter(driver, messages)).toEqual([applied(1, 9), applied(4, 5)])
    expect(driver.metrics.total('forager_messages_skipped_total')).toBe(1)
  })

  it('leaves one letter, with the whole message', async () => {
    const driver = await openCanal({ onError: 'dead-letter' })
    expect(await tableAfter(driver, messages)).toEqual([applied(1, 9), applied(4, 5)])
    const letters = []
    for await (const letter of readDeadLetters(driver.log, 'test')) letters.push(letter)
    expect(letters).toMatchObject([{ code: 'value-invalid', table: 'shop.orders' }])
    expect(JSON.parse(Buffer.from(letters[0]!.record.value!).toString())).toEqual(bad)
  })

  it('that is found only behind the decoder is passed alone', async () => {
    const rule = { partitionBy: 'year_month(name)' }
    const driver = await openCanal({ onError: 'dead-letter', rule })
    const named = (id: number, name: string) => ({ id: String(id), name })
    const good = ['2024-01-01', '2024-02-01']
    const message = flat('INSERT', [named(1, good[0]!), named(2, 'never'), named(3, good[1]!)])
    expect(await tableAfter(driver, [message])).toEqual([
      { id: 1, name: good[0] },
      { id: 3, name: good[1] },
    ])
    expect(driver.metrics.total('forager_dead_letters_total')).toBe(1)
  })
})

it.each(['skip', 'dead-letter'] as const)(
  'a changed key whose new row is found bad behind the decoder keeps its old one (%s)',
  async onError => {
    const driver = await openCanal({ onError, rule: { partitionBy: 'year_month(name)' } })
    const named = (id: number, name: string) => ({ id: String(id), name })
    const [may, june] = ['2024-05-01', '2024-06-01']
    const rows = await tableAfter(driver, [
      flat('INSERT', [named(1, may), named(2, may)]),
      flat('UPDATE', [
        [named(11, 'never'), named(1, may)],
        [named(12, june), named(2, may)],
      ]),
    ])
    expect(rows).toEqual([
      { id: 1, name: may },
      { id: 12, name: june },
    ])
  },
)

describe('through several partitions', () => {
  it('a changed key is refused with advice, and other updates are taken', async () => {
    const driver = await openCanal({ partitions: 2 })
    await send(driver, [flat('INSERT', [row(1, 1)]), flat('UPDATE', [[row(1, 2), { n: '1' }]])], 1)
    const moved = flat('UPDATE', [
      [row(5, 1), { n: '0' }],
      [row(3, 2), { id: '1' }],
    ])
    await expect(send(driver, [moved], 1)).rejects.toMatchObject({
      code: 'changed-key-unordered',
      message: expect.stringContaining('changed its key') as string,
      context: { topic: 'canal', partition: 1, table: 'shop.orders' },
    })
  })

  it('so is a truncate, which is taken through one', async () => {
    const truncate = statement('TRUNCATE')
    const insert = flat('INSERT', [row(1, 1)])
    const one = await openCanal()
    expect(await tableAfter(one, [insert, truncate, flat('INSERT', [row(2, 2)])])).toEqual([
      applied(2, 2),
    ])
    const two = await openCanal({ partitions: 2 })
    await expect(send(two, [insert, truncate])).rejects.toMatchObject({
      code: 'truncate-unordered',
    })
  })
})

describe('a topology', () => {
  it('keeps the hop: a message may move a row to another key', async () => {
    await expect(openCanal({ keyedBy: 'primary-key' })).rejects.toMatchObject({
      code: 'topology-invalid',
      message: expect.stringContaining('canal-json') as string,
    })
  })
})

describe('a column that MySQL did not log', () => {
  const types = { id: 'int', n: 'int', doc: 'text' }

  it('keeps what the table has', async () => {
    const driver = await openCanal()
    const rows = await tableAfter(driver, [
      flat('INSERT', [{ id: '1', n: '1', doc: 'long' }], { types }),
      flat('UPDATE', [[{ id: '1', n: '2' }, { n: '1' }]], { types }),
    ])
    expect(rows).toEqual([{ id: 1, n: 2, doc: 'long' }])
    const later = flat('UPDATE', [[{ id: '1', n: '3' }, { n: '2' }]], { types })
    expect(await tableAfter(driver, [later])).toEqual([{ id: 1, n: 3, doc: 'long' }])
  })

  it('goes with its row where the key changed', async () => {
    const driver = await openCanal()
    const rows = await tableAfter(driver, [
      flat('INSERT', [{ id: '1', n: '1', doc: 'long' }], { types }),
      flat('UPDATE', [[{ id: '2', n: '1' }, { id: '1' }]], { types }),
    ])
    expect(rows).toEqual([{ id: 2, n: 1, doc: 'long' }])
    const again = flat(
      'UPDATE',
      [
        [
          { id: '3', n: '4' },
          { id: '2', n: '1' },
        ],
      ],
      { types },
    )
    expect(await tableAfter(driver, [again])).toEqual([{ id: 3, n: 4, doc: 'long' }])
  })
})
