/**
 * Rows of random types through the decoder, and what tables must show of them: with embedded schemas, by
 * schema-change events, and by types that are stated; under random settings of the connector.
 */
import { expect } from 'vitest'
import type { Decoder, DecoderOptions, TableHints } from '../../formats/decoder.ts'
import type { ChangeEvent, LogRecord } from '../../model/change-event.ts'
import { parseStatedType } from '../../model/stated-type.ts'
import { jsonText } from '../../model/value-text.ts'
import { seededRandom } from '../../runtime/random.ts'
import type { Cell, Profile, RandomColumn } from './random-columns.ts'
import { Dice, plainColumns } from './random-columns.ts'
import { timeColumns } from './random-times.ts'
import type { Field } from './samples.ts'
import {
  changeOf,
  decoderOf,
  eventsOf,
  mariadb,
  postgres,
  recordOf,
  schemaChangeOf,
  withSchema,
} from './samples.ts'

const rowsPerTable = 25
/** `restated`: with an embedded schema, and the type that the database has is stated beside it. */
const ways = ['embedded', 'database', 'stated', 'restated'] as const
type Way = (typeof ways)[number]

interface Table {
  readonly way: Way
  readonly profile: Profile
  readonly columns: readonly RandomColumn[]
}

/** A change of one row, to be written. */
export interface RandomChange {
  readonly op: string
  readonly id: number
  /** The row, as JSON. */
  readonly row: string
  readonly source: object
  /** Of the embedded schema; null: there is none. */
  readonly fields: readonly Field[] | null
}

/** How a connector writes changes of one table. */
export interface Form {
  readonly decoder: (options: {
    readonly hints: TableHints
    readonly connectorSettings: DecoderOptions['connectorSettings']
  }) => Decoder
  readonly write: (change: RandomChange) => LogRecord
}

/** As Debezium writes them. */
const wholeForm: Form = {
  decoder: decoderOf,
  write: ({ op, id, row, source, fields }) => {
    const sides = op === 'd' ? { before: '@' } : { after: '@' }
    const change = changeOf({ op, ...sides, source })
    const message = fields === null ? change : withSchema(change, fields)
    return recordOf(
      { id },
      JSON.stringify(message).replace('"@"', () => row),
    )
  },
}

/** Throws at the first value that is shown as something else. */
export function checkRandomRows(
  seed: number,
  count: number,
  formOf: (dice: Dice) => Form = () => wholeForm,
): void {
  const dice = new Dice(seededRandom(seed))
  for (let done = 0; done < count; done += rowsPerTable) {
    checkTable(dice, randomTable(dice), formOf(dice))
  }
}

function randomTable(dice: Dice): Table {
  const way = dice.of(ways)
  const time = ['connect', 'microseconds', 'nanoseconds', 'isostring', 'structured']
  const ofDefault = way === 'database' ? 'adaptive_time_microseconds' : 'adaptive'
  const profile: Profile = {
    time: dice.of([...time, ofDefault]),
    decimal: dice.of(['precise', 'string']),
    binary: dice.of(['bytes', 'base64', 'base64-url-safe', 'hex']),
    unsigned: dice.of(['long', 'precise']),
    interval: dice.of(['numeric', 'string']),
    hstore: dice.of(['json', 'map']),
  }
  const known = [...plainColumns(profile), ...timeColumns(profile)].filter(
    ({ field, column, stated }) => {
      // Bytes as text need the setting, and a schema has none.
      if (way === 'restated')
        return stated !== undefined && (stated !== 'binary' || field.type === 'bytes')
      return way === 'embedded' || (way === 'database' ? column : stated) !== undefined
    },
  )
  const columns = Array.from({ length: 1 + dice.below(10) }, () => dice.of(known))
  return { way, profile, columns }
}

function settingsOf({ way, profile }: Table): Record<string, string> {
  if (way === 'embedded' || way === 'restated') return {}
  return {
    'time.precision.mode': profile.time,
    'decimal.handling.mode': profile.decimal,
    'binary.handling.mode': profile.binary,
    'bigint.unsigned.handling.mode': profile.unsigned,
  }
}

function decoderFor(table: Table, form: Form): Decoder {
  const { way, columns } = table
  const types = {
    id: parseStatedType('int'),
    ...Object.fromEntries(
      columns.map(({ stated }, at) => [`c${at}`, parseStatedType(stated ?? 'string')]),
    ),
  }
  const hints = way === 'stated' || way === 'restated' ? { types } : {}
  const decoder = form.decoder({ hints, connectorSettings: settingsOf(table) })
  if (way !== 'database') return decoder
  const declared = columns.map(({ column }, at) => ({ ...column!, name: `c${at}` }))
  const change = schemaChangeOf([{ name: 'id', typeName: 'INT' }, ...declared], {
    ...mariadb,
    pos: 4,
  })
  decoder.learn(recordOf(null, change, { topic: 'm1' }))
  return decoder
}

function checkTable(dice: Dice, table: Table, form: Form): void {
  const { way, columns } = table
  const decoder = decoderFor(table, form)
  const fields: Field[] = columns.map(({ field }, at) => {
    return { ...field, field: `c${at}`, optional: true }
  })
  const isEmbedded = way === 'embedded' || way === 'restated'
  for (let id = 0; id < rowsPerTable; id += 1) {
    const cells = columns.map((column): Cell => {
      return dice.isOnce(10) ? { json: 'null', shown: 'null' } : column.cell(dice)
    })
    const op = dice.of(['c', 'u', 'r', 'd'])
    const record = form.write({
      op,
      id,
      row: `{"id":${id}${cells.map(({ json }, at) => `,"c${at}":${json}`).join('')}}`,
      source: way === 'stated' ? postgres : mariadb,
      fields: isEmbedded ? [{ type: 'int32', field: 'id' }, ...fields] : null,
    })
    const [event] = eventsOf(decoder, record)
    expect(event!.key).toEqual({ id })
    if (record.value !== null) checkRow(table, op, event!, cells)
  }
}

function checkRow(
  { way, columns, profile }: Table,
  op: string,
  event: ChangeEvent,
  cells: readonly Cell[],
): void {
  const { schema } = event
  const found = (op === 'd' ? event.before : event.after)!
  expect(schema.columns.map(({ name }) => name)).toEqual(['id', ...cells.map((_, at) => `c${at}`)])
  columns.forEach((column, at) => {
    const { type } = schema.columns.find(({ name }) => name === `c${at}`)!
    const cell = cells[at]!
    const isLess = way === 'embedded' && column.embeddedShown !== undefined && cell.json !== 'null'
    const shown = isLess ? column.embeddedShown!(cell) : cell.shown
    const what = `${way} ${JSON.stringify(profile)} ${JSON.stringify(column.field)} ${cell.json}`
    expect(jsonText(type, found[`c${at}`]), what).toBe(shown)
  })
}
