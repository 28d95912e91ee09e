import { describe, expect, it } from 'vitest'
import { parseStatedType } from '../../model/stated-type.ts'
import { seededRandom } from '../../runtime/random.ts'
import type { DriverRecord } from '../../testkit/topology-test-driver.ts'
import { changeOf, type Field, mariadb, recordOf, withSchema } from '../formats/samples.ts'
import { openDriver, rowsAfter } from './driver.ts'

const id: Field = { type: 'int64', field: 'id', optional: false }

/** Bytes as Java's BigInteger has them, of a number in the scale of its column. */
function base64(unscaled: bigint): string {
  let length = 1
  while (BigInt.asIntN(length * 8, unscaled) !== unscaled) length += 1
  const hex = BigInt.asUintN(length * 8, unscaled)
    .toString(16)
    .padStart(length * 2, '0')
  return Buffer.from(hex, 'hex').toString('base64')
}

const decimal = (field: string, precision: number, scale: number): Field => ({
  type: 'bytes',
  name: 'org.apache.kafka.connect.data.Decimal',
  parameters: { scale: String(scale), 'connect.decimal.precision': String(precision) },
  optional: true,
  field,
})

function record(row: object, fields: readonly Field[], place: number): DriverRecord {
  const source = { ...mariadb, table: 'orders', pos: 100 + place }
  const value = withSchema(changeOf({ op: 'c', after: { id: place, ...row }, source }), [
    id,
    ...fields,
  ])
  return recordOf({ id: place }, value, { topic: 'db.shop.orders' })
}

const columns = Array.from({ length: 38 }, (_, index) => index + 1).flatMap(precision =>
  Array.from({ length: precision + 1 }, (_, scale) => ({
    precision,
    scale,
    name: `d${precision}_${scale}`,
  })),
)

describe('row 17, decimals that lose digits or grow others', () => {
  it('decimal(1..38, 0..38): the largest, the smallest and random ones come through the table as they were', async () => {
    const random = seededRandom(17)
    const digits = (count: number): bigint =>
      BigInt(Array.from({ length: count }, () => Math.floor(random.next() * 10)).join(''))
    const kinds: readonly ((precision: number) => bigint)[] = [
      precision => 10n ** BigInt(precision) - 1n,
      precision => 1n - 10n ** BigInt(precision),
      () => 0n,
      () => -1n,
      precision => digits(precision),
      precision => -digits(precision),
    ]
    const values = kinds.map(kind => columns.map(({ precision }) => kind(precision)))
    const driver = await openDriver({ hop: 1 })
    const fields = columns.map(({ name, precision, scale }) => decimal(name, precision, scale))
    const records = values.map((row, place) => {
      const after = Object.fromEntries(columns.map(({ name }, at) => [name, base64(row[at]!)]))
      return record(after, fields, place)
    })
    const rows = (await rowsAfter(driver, records)) as readonly Record<string, number | bigint>[]
    expect(columns).toHaveLength(779)
    expect(rows.map(row => columns.map(({ name }) => BigInt(row[name]!)))).toEqual(values)
  })

  it('of a scale of their own, wider than 38 digits, or unsigned bigints up to 2^64 − 1 are exact', async () => {
    const free: Field = {
      type: 'struct',
      name: 'io.debezium.data.VariableScaleDecimal',
      field: 'free',
      optional: true,
    }
    const fields = [free, decimal('wide', 65, 30), decimal('big', 20, 0)]
    const wide = 10n ** 65n - 1n
    const driver = await openDriver({ hop: 1 })
    const big = 2n ** 64n - 1n
    const rows = await rowsAfter(driver, [
      record(
        { free: { scale: 38, value: base64(-1n) }, wide: base64(wide), big: base64(big) },
        fields,
        1,
      ),
      record(
        { free: { scale: 0, value: base64(10n ** 40n) }, wide: base64(-wide), big: base64(0n) },
        fields,
        2,
      ),
    ])
    const text = `${'9'.repeat(35)}.${'9'.repeat(30)}`
    expect(rows).toEqual([
      { id: 1, free: `-0.${'0'.repeat(37)}1`, wide: text, big },
      { id: 2, free: `1${'0'.repeat(40)}`, wide: `-${text}`, big: 0 },
    ])
  })

  it('NaN and infinity, which no decimal has, are null, text or a double by the connector’s mode, and a bad message in a column that is stated as a decimal', async () => {
    const text: Field = { type: 'string', field: 'v', optional: true }
    const double: Field = { type: 'double', field: 'v', optional: true }
    const outcomes = [
      [decimal('v', 10, 2), null, null],
      [text, 'NAN', 'NAN'],
      [text, 'POSITIVE_INFINITY', 'POSITIVE_INFINITY'],
      [double, 'NaN', Number.NaN],
    ] as const
    for (const [field, json, v] of outcomes) {
      const driver = await openDriver()
      expect(await rowsAfter(driver, [record({ v: json }, [field], 1)])).toEqual([{ id: 1, v }])
    }
    const stated = await openDriver({
      rule: { columns: { types: { v: parseStatedType('decimal(10,2)') } } },
    })
    await expect(stated.pipeInput([record({ v: 'NAN' }, [text], 1)])).rejects.toMatchObject({
      code: 'value-invalid',
    })
  })
})
