/**
 * Rows of random types in Avro, encoded by avsc, and what tables must show of them: by the model of
 * `random-columns.ts`, and by both ways that the decoder has.
 */
import { expect } from 'vitest'
import { FileRegistry } from '../../../formats/avro/schema-registry.ts'
import { debeziumAvro } from '../../../formats/debezium/debezium-avro.ts'
import type { LogRecord } from '../../../model/change-event.ts'
import { jsonText } from '../../../model/value-text.ts'
import { seededRandom } from '../../../runtime/random.ts'
import { avroField, avroValue, framed } from '../../conformance/avro-messages.ts'
import type { Cell, Profile, RandomColumn } from '../random-columns.ts'
import { Dice, plainColumns } from '../random-columns.ts'
import { timeColumns } from '../random-times.ts'
import { eventsOf, type Field, mariadb, recordOf } from '../samples.ts'

const rowsPerTable = 50
const keySchema = { type: 'record', name: 'Key', fields: [{ name: 'id', type: 'int' }] }
const source = Object.fromEntries(
  Object.entries(mariadb).map(([name, value]) => [
    name,
    typeof value === 'number' ? BigInt(value) : value,
  ]),
)
const sourceSchema = {
  type: 'record',
  name: 'Source',
  fields: Object.entries(mariadb).map(([name, value]) => {
    return { name, type: typeof value === 'number' ? 'long' : 'string' }
  }),
}

function schemaOf(columns: readonly Field[]) {
  const row = { type: 'record', name: 'Value', fields: columns.map(avroField) }
  return {
    type: 'record',
    name: 'Envelope',
    namespace: 'm1.demo.user',
    fields: [
      { name: 'before', type: ['null', row] },
      { name: 'after', type: ['null', 'Value'] },
      { name: 'source', type: sourceSchema },
      { name: 'op', type: 'string' },
    ],
  }
}

function randomColumns(dice: Dice): readonly RandomColumn[] {
  const profile: Profile = {
    time: dice.of(['adaptive', 'connect', 'microseconds', 'nanoseconds', 'isostring']),
    decimal: dice.of(['precise', 'string']),
    binary: 'bytes',
    unsigned: dice.of(['long', 'precise']),
    interval: dice.of(['numeric', 'string']),
    hstore: 'json',
  }
  const known = [...plainColumns(profile), ...timeColumns(profile)]
  return Array.from({ length: 1 + dice.below(10) }, () => dice.of(known))
}

/** Throws at the first value that is shown as something else. */
export async function checkAvroRows(seed: number, count: number): Promise<void> {
  const dice = new Dice(seededRandom(seed))
  for (let done = 0; done < count; done += rowsPerTable) await checkTable(dice)
}

async function checkTable(dice: Dice): Promise<void> {
  const columns = randomColumns(dice)
  const fields = columns.map(({ field }, at) => ({ ...field, field: `c${at}`, optional: true }))
  const schema = schemaOf([{ type: 'int32', field: 'id' }, ...fields])
  const lines = [schema, keySchema].map((one, at) => {
    return JSON.stringify({ id: at + 1, schema: JSON.stringify(one) })
  })
  const read = (): Promise<string> => Promise.resolve(lines.join('\n'))
  const registry = new FileRegistry({ path: 'schemas', read })
  for (const id of [1, 2]) await registry.fetch(id)
  const options = { hintsOf: () => ({}), incarnation: '', connectorSettings: {} }
  const decoders = [true, false].map(isDirect =>
    debeziumAvro({ registry, isDirect }).createDecoder(options),
  )
  for (let id = 0; id < rowsPerTable; id += 1) {
    const cells = columns.map((column): Cell => {
      return dice.isOnce(10) ? { json: 'null', shown: 'null' } : column.cell(dice)
    })
    const values = cells.map(({ json }, at) => [`c${at}`, avroValue(fields[at]!, json)] as const)
    const row = { id, ...Object.fromEntries(values) }
    const op = dice.of(['c', 'u', 'r', 'd'])
    const sides = op === 'd' ? { before: row, after: null } : { before: null, after: row }
    const record = recordOf(
      framed(2, keySchema, { id }),
      framed(1, schema, { ...sides, source, op }),
    )
    for (const decoder of decoders) checkRow(decoder, record, columns, cells)
  }
}

function checkRow(
  decoder: Parameters<typeof eventsOf>[0],
  record: LogRecord,
  columns: readonly RandomColumn[],
  cells: readonly Cell[],
): void {
  const [event] = eventsOf(decoder, record)
  const found = (event!.op === 'd' ? event!.before : event!.after)!
  for (const [at, column] of columns.entries()) {
    const { type } = event!.schema.columns.find(({ name }) => name === `c${at}`)!
    const cell = cells[at]!
    const isLess = column.embeddedShown !== undefined && cell.json !== 'null'
    const shown = isLess ? column.embeddedShown!(cell) : cell.shown
    const what = `${JSON.stringify(column.field)} ${cell.json}`
    expect(jsonText(type, found[`c${at}`]), what).toBe(shown)
  }
}
