/** Changed keys in a statement of which nobody knows whether it took effect. */
import { expect, it } from 'vitest'
import { change, changedKey } from '../main/messages.ts'
import { RemoteSite } from './remote-site.ts'

const connector = 'postgresql'
const big = '__debezium_unavailable_value'
const insert = (id: number, pos: number) =>
  change('c', { after: { id, n: 1, big: `large ${pos}` } }, { pos, connector })
const moved = (from: number, to: number, pos: number) =>
  changedKey({ id: from, big: null }, { id: to, n: 2, big }, { pos, connector })

async function started(): Promise<RemoteSite> {
  const site = new RemoteSite(['orders'])
  await site.start()
  await site.append(insert(1, 1))
  return site
}

it('are submitted again as they were claimed: by then a row may have gone on to another key', async () => {
  const site = await started()
  await site.answerAll()
  for (const one of moved(1, 2, 10)) site.write(one)
  await site.append(insert(7, 11))
  const [first] = site.server.open
  first!.takeEffect()
  for (const one of moved(2, 3, 20)) site.write(one)
  await site.append(insert(8, 21))
  first!.fail('statement-unknown')
  await site.rounds()
  site.clock.advance(1000)
  await site.until(() => site.server.open.length > 0)
  const [{ request }] = site.server.open as [(typeof site.server.open)[0]]
  expect(request.isInDoubt).toBe(true)
  expect(request.through.offset).toBe(first!.request.through.offset)
  await site.close()
})

it('hold their table back where another row has the old key since, and it is resumed with the loss', async () => {
  const site = await started()
  await site.answerAll()
  for (const one of moved(1, 2, 10)) site.write(one)
  await site.append(insert(1, 11))
  site.server.open[0]!.fail('statement-unknown')
  await site.rounds()
  site.clock.advance(1000)
  await site.rounds()
  expect(site.held).toEqual(['orders'])
  await site.resume('orders')
  await site.rounds()
  await site.answerAll()
  expect(site.server.idsOf('orders')).toEqual([1, 2])
  await site.close()
})
