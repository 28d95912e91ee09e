/**
 * Generated tables whose rows are inserted, changed, moved to other keys and deleted: what the decoders
 * make of the messages, folded, is what the model has.
 */
import { expect } from 'vitest'
import { canalJson } from '../../../formats/canal/canal-json.ts'
import { canalRows } from '../../../formats/canal/canal-rows.ts'
import type { Decoder } from '../../../formats/decoder.ts'
import type { ChangeEvent } from '../../../model/change-event.ts'
import type { Row } from '../../../model/value.ts'
import { type Random, seededRandom } from '../../../runtime/random.ts'
import type { RandomColumn } from '../mysql-values.ts'
import { intBelow, integerColumn, oneOf, randomColumn } from '../mysql-values.ts'
import { canalDecoder, canalRecord, eventsOf, type Texts } from './canal-messages.ts'

const rowsOfTable = 250
const connectorSettings = { 'user.timezone': 'Asia/Shanghai' }

/** A row as it is sent, and as it is. */
interface ModelRow {
  readonly sent: Texts
  readonly value: Row
}

/** A change of one row. */
interface ModelChange {
  readonly before: ModelRow | null
  readonly after: ModelRow | null
}

class ModelTable {
  readonly types: Readonly<Record<string, string>>
  readonly key: readonly string[]
  readonly rows = new Map<string, ModelRow>()
  readonly #columns: ReadonlyMap<string, RandomColumn>
  readonly #random: Random

  constructor(random: Random) {
    const columns = Array.from({ length: 1 + intBelow(random, 12) }, (_, index) => {
      return [`c${index}`, randomColumn(random)] as const
    })
    this.#random = random
    this.#columns = new Map([
      ['id', integerColumn(random)],
      ...columns,
      ['k', integerColumn(random)],
    ])
    this.key = oneOf(random, [['id'], ['id', 'k'], ['k', 'id']])
    this.types = Object.fromEntries([...this.#columns].map(([name, { type }]) => [name, type]))
  }

  /** Null when its key is taken. */
  change(): ModelChange | null {
    const before = this.rows.size > 0 && this.#random.next() < 0.6 ? this.#any() : null
    const after = before !== null && this.#random.next() < 0.25 ? null : this.#row(before)
    if (before === null && after === null) return null
    const [from, to] = [before, after].map(row => (row === null ? null : this.keyOf(row.value)))
    if (to !== null && to !== from && this.rows.has(to!)) return null
    if (from !== null) this.rows.delete(from!)
    if (to !== null) this.rows.set(to!, after!)
    return { before, after }
  }

  keyOf(row: Row): string {
    return this.key.map(name => String(row[name])).join(' ')
  }

  #any(): ModelRow {
    return oneOf(this.#random, [...this.rows.values()])
  }

  /** A new row, or one like it with some columns changed. */
  #row(like: ModelRow | null): ModelRow {
    const sent: Record<string, string | null> = {}
    const value: Record<string, Row[string]> = {}
    for (const [name, column] of this.#columns) {
      const isKey = this.key.includes(name)
      if (like !== null && this.#random.next() < (isKey ? 0.9 : 0.5)) {
        sent[name] = like.sent[name]!
        value[name] = like.value[name]!
        continue
      }
      const next = column.next()
      const isNull = !isKey && this.#random.next() < 0.1
      sent[name] = isNull ? null : next.sent
      value[name] = isNull ? null : next.value
    }
    return { sent, value }
  }
}

const typeOf = ({ before, after }: ModelChange): 'INSERT' | 'UPDATE' | 'DELETE' => {
  if (before === null) return 'INSERT'
  return after === null ? 'DELETE' : 'UPDATE'
}

/** canal lists a column of any row of the message that it changed in. */
function flatMessage(table: ModelTable, changes: readonly ModelChange[]): object {
  const type = typeOf(changes[0]!)
  const listed = new Set<string>()
  const old = changes.map(({ before, after }) => {
    for (const name of Object.keys(table.types)) {
      if (before?.sent[name] !== after?.sent[name]) listed.add(name)
    }
    return Object.fromEntries([...listed].map(name => [name, before?.sent[name] ?? null]))
  })
  return {
    data: changes.map(({ before, after }) => (after ?? before)!.sent),
    database: 'shop',
    isDdl: false,
    es: 1_700_000_000_000,
    mysqlType: table.types,
    old: type === 'UPDATE' ? old : null,
    pkNames: table.key,
    table: 'model',
    type,
  }
}

/** A changed key cannot be told: it is a delete and an insert. */
function rowMessages(table: ModelTable, { before, after }: ModelChange): readonly object[] {
  if (before !== null && after !== null && table.keyOf(before.value) !== table.keyOf(after.value)) {
    return [
      { before, after: null },
      { before: null, after },
    ].flatMap(one => rowMessages(table, one))
  }
  const { sent } = (after ?? before)!
  const cols = Object.entries(sent).map(([col, val]) => {
    return { col, val, type: table.types[col], update: before?.sent[col] !== after?.sent[col] }
  })
  return [{ table: 'shop.model', event_type: typeOf({ before, after }), exe_time: 1, cols }]
}

/** What the events say, each held against the row that its key has. */
class Fold {
  readonly rows = new Map<string, Row>()
  readonly #table: ModelTable

  constructor(table: ModelTable) {
    this.#table = table
  }

  add({ op, key, before, after, isBeforeWhole }: ChangeEvent): void {
    const text = this.#table.keyOf(key!)
    const known = this.rows.get(text)
    expect(known === undefined).toBe(op === 'c')
    if (isBeforeWhole) expect(before).toEqual(known)
    if (after === null) this.rows.delete(text)
    else this.rows.set(text, after)
  }
}

function decodeAll(decoder: Decoder, messages: readonly object[], key: Texts, fold: Fold): void {
  for (const message of messages) {
    const decoded = decoder.decode(canalRecord(message, 0, key))
    for (const event of eventsOf(decoded)) fold.add(event)
  }
}

/** Both formats of canal. Throws at the first row that is another than the model's. */
export function checkCanalRows(seed: number, rowCount: number): void {
  const random = seededRandom(seed)
  let count = 0
  const seen = new Set<string>()
  while (count < rowCount) {
    const table = new ModelTable(random)
    for (const type of Object.values(table.types)) seen.add(/^\w+/.exec(type)![0].toLowerCase())
    const [flatFold, rowsFold] = [new Fold(table), new Fold(table)]
    const decoders = [canalJson(), canalRows()].map(format => {
      return canalDecoder({ connectorSettings }, format)
    })
    const recordKey = Object.fromEntries(table.key.map(name => [name, '']))
    let message: ModelChange[] = []
    const send = (): void => {
      if (message.length > 0) decodeAll(decoders[0]!, [flatMessage(table, message)], {}, flatFold)
      const rows = message.flatMap(change => rowMessages(table, change))
      decodeAll(decoders[1]!, rows, recordKey, rowsFold)
      message = []
    }
    for (let row = 0; row < rowsOfTable; row += 1) {
      const change = table.change()
      if (change === null) continue
      if (message.length > 0 && typeOf(message[0]!) !== typeOf(change)) send()
      message.push(change)
      if (random.next() < 0.2) send()
      count += 1
    }
    send()
    const expected = new Map([...table.rows].map(([key, { value }]) => [key, value]))
    for (const { rows } of [flatFold, rowsFold]) {
      expect(rows.size).toBe(expected.size)
      for (const [key, row] of expected) expect(rows.get(key), key).toEqual(row)
    }
  }
  expect(seen.size).toBeGreaterThan(20)
}
