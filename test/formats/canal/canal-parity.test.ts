/** The same statements through canal and through Debezium: the same values, in columns of the same types. */
import { expect, it } from 'vitest'
import type { Decoder } from '../../../formats/decoder.ts'
import type { LogRecord } from '../../../model/change-event.ts'
import { type ColumnType, columnTypeText } from '../../../model/column-type.ts'
import { decoderOf, recorded } from '../samples.ts'
import { canalDecoder, canalLines, canalRecord } from './canal-messages.ts'

type Told = Readonly<Record<string, unknown>>

/** The rows that each table has after its inserts and updates, by operation and key, in their order. */
function rowsOf(decoder: Decoder, records: readonly LogRecord[]): ReadonlyMap<string, Told> {
  const rows = new Map<string, Told>()
  for (const record of records) {
    const decoded = decoder.decode(record)
    if (decoded.kind !== 'changes') continue
    for (const { op, table, key, after, schema, snapshot } of decoded.events) {
      if (after === null || key === null || snapshot !== 'no') continue
      const columns = schema.columns.map(({ name, type }) => {
        const text = shownValue(after[name])
        // canal took the type from the table as it was later, after `modify column age int`.
        return [name, name === 'age' ? text : `${shownType(type)} ${text}`]
      })
      const place = `${table.replace(/^.*\./, '')} ${op} ${Object.values(key).join()}`
      const count = [...rows.keys()].filter(one => one.startsWith(`${place} #`)).length
      rows.set(`${place} #${count}`, Object.fromEntries(columns) as Told)
    }
  }
  return rows
}

/** This connector sends a BIGINT UNSIGNED as a `long`, and does not tell that it is one. */
const shownType = (type: ColumnType): string => columnTypeText(type).replace('ubigint', 'bigint')

const shownValue = (value: unknown): string =>
  value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)

/** What one of the two has destroyed: see `docs/formats.md`. */
const destroyed: ReadonlySet<string> = new Set(['zero_dates', 'wide_gbk'])

it('canal’s rows are Debezium’s', () => {
  const fromCanal = rowsOf(
    canalDecoder(),
    canalLines.map(({ value }) => canalRecord(value)),
  )
  const path = 'mariadb/m1_json_schema_true.jsonl'
  const fromDebezium = rowsOf(decoderOf(), recorded(path))
  let compared = 0
  for (const [place, row] of fromCanal) {
    if (destroyed.has(place.split(' ')[0]!)) continue
    const other = fromDebezium.get(place)
    if (other === undefined) continue
    // As a `long` it is negative.
    const { c_ubig: _, ...rest } = row
    expect(other, place).toMatchObject(rest)
    expect(Object.keys(other), place).toEqual(Object.keys(row))
    compared += 1
  }
  expect(compared).toBeGreaterThan(20)
})
