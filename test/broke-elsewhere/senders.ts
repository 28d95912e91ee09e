/** One change of a row of `shop.orders` as each tool writes it, all of them at one instant of the source. */
import { canalJson } from '../../formats/canal/canal-json.ts'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { Format } from '../../formats/decoder.ts'
import { maxwellJson } from '../../formats/maxwell/maxwell-json.ts'
import type { DriverRecord } from '../../testkit/topology-test-driver.ts'
import { flat } from '../formats/canal/canal-messages.ts'
import { change, changedKey, tombstone } from '../main/messages.ts'

export interface Row {
  readonly id: number
  readonly n: number
}

export interface Change {
  readonly before: Row | null
  readonly after: Row | null
  /** Its place in the source's log. */
  readonly pos: number
}

export interface Sender {
  readonly name: string
  readonly format: () => Format
  readonly topic: string
  /** Its messages have positions: `ordering: position` can be asked for. */
  readonly hasPositions: boolean
  /** By key over so many partitions; or all through the one that is named. */
  readonly send: (change: Change, partitions?: number, partition?: number) => DriverRecord[]
}

function debezium({ before, after, pos }: Change, partitions = 1, partition?: number) {
  const options = { pos, ms: 0, partitions, ...(partition === undefined ? {} : { partition }) }
  if (before !== null && after !== null && before.id !== after.id) {
    return changedKey({ ...before }, { ...after }, options)
  }
  const op = before === null ? 'c' : after === null ? 'd' : 'u'
  const record = change(
    op,
    { before: before && { ...before }, after: after && { ...after } },
    options,
  )
  return after === null ? [record, tombstone(before!.id, options)] : [record]
}

const texts = ({ id, n }: Row) => ({ id: String(id), n: String(n) })

/** What an update changed, as it was. */
function oldOf(before: Row, after: Row): Partial<Row> {
  return {
    ...(before.id === after.id ? {} : { id: before.id }),
    ...(before.n === after.n ? {} : { n: before.n }),
  }
}

function canal({ before, after }: Change, _partitions?: number, partition = 0): DriverRecord[] {
  const message = () => {
    if (before === null) return flat('INSERT', [texts(after!)])
    if (after === null) return flat('DELETE', [texts(before)])
    const old = Object.entries(oldOf(before, after)).map(([name, value]) => [name, String(value)])
    return flat('UPDATE', [[texts(after), Object.fromEntries(old) as Record<string, string>]])
  }
  return [{ topic: 'canal', partition, key: null, value: JSON.stringify(message()) }]
}

function maxwell(
  { before, after, pos }: Change,
  _partitions?: number,
  partition = 0,
): DriverRecord[] {
  const message = {
    database: 'shop',
    table: 'orders',
    type: before === null ? 'insert' : after === null ? 'delete' : 'update',
    ts: 1_700_000_000,
    xid: 7,
    position: `mysql-bin.000001:${pos}`,
    xoffset: 0,
    server_id: 1,
    primary_key_columns: ['id'],
    data: after ?? before,
    ...(before !== null && after !== null ? { old: oldOf(before, after) } : {}),
  }
  return [{ topic: 'maxwell', partition, key: null, value: JSON.stringify(message) }]
}

export const senders: readonly Sender[] = [
  {
    name: 'Debezium',
    format: debeziumJson,
    topic: 'db.shop.orders',
    hasPositions: true,
    send: debezium,
  },
  { name: 'canal', format: canalJson, topic: 'canal', hasPositions: false, send: canal },
  { name: 'Maxwell', format: maxwellJson, topic: 'maxwell', hasPositions: true, send: maxwell },
]
