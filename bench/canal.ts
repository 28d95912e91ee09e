/**
 * What decoding canal's flat messages costs: CPU microseconds a row, for messages of one row and of many,
 * beside `JSON.parse` of the same bytes.
 *
 *     node bench/canal.ts
 */
import { canalJson } from '../formats/canal/canal-json.ts'

const rowCount = 300_000
const rounds = 3

const types = {
  id: 'bigint(20) unsigned',
  user_id: 'int(10) unsigned',
  product_id: 'bigint(20)',
  order_num: 'int(11)',
  amount: 'decimal(10,2)',
  note: 'varchar(64)',
  create_time: 'datetime(3)',
}

function messageOf(count: number, type: 'INSERT' | 'UPDATE'): Buffer {
  const data = Array.from({ length: count }, (_, index) => ({
    id: String(index + 1),
    user_id: String(index % 1000),
    product_id: String(index % 77),
    order_num: '3',
    amount: `${index % 1000}.50`,
    note: `订单 note ${index}`,
    create_time: '2024-05-01 00:00:00.002',
  }))
  const message = {
    data,
    database: 'shop',
    es: 1_700_000_000_000,
    gtid: '',
    id: 2,
    isDdl: false,
    mysqlType: types,
    old: type === 'UPDATE' ? data.map(() => ({ amount: '1.00' })) : null,
    pkNames: ['id'],
    sql: '',
    sqlType: Object.fromEntries(Object.keys(types).map(name => [name, 12])),
    table: 'user_order',
    ts: 1_700_000_000_500,
    type,
  }
  return Buffer.from(JSON.stringify(message))
}

/** The least of some rounds, in microseconds of CPU a row. */
function cpuOf(count: number, work: () => void): string {
  const times = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage()
    for (let done = 0; done < rowCount; done += count) work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / rowCount
  })
  return Math.min(...times).toFixed(2)
}

const decoder = canalJson().createDecoder({
  hintsOf: () => ({}),
  incarnation: '',
  connectorSettings: {},
})

for (const type of ['INSERT', 'UPDATE'] as const) {
  for (const count of [1, 20, 1000]) {
    const value = messageOf(count, type)
    const place = { topic: 'canal', partition: 0, offset: 0, timestampMs: 0 }
    const record = { ...place, key: null, value, headers: [] }
    const decoded = cpuOf(count, () => decoder.decode(record))
    const parsed = cpuOf(count, () => JSON.parse(value.toString('utf8')))
    console.log(
      `${type} of ${count} rows: ${Math.round(value.length / count)} bytes a row, ` +
        `${decoded} µs a row (JSON.parse alone ${parsed})`,
    )
  }
}
