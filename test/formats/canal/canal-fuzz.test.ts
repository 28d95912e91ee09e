/**
 * Messages that somebody damaged, in their bytes and in their parts: each is an error of ours or a value
 * that can go on its way to the hop, never a crash. Fixed seeds.
 */
import { describe, expect, it } from 'vitest'
import { canalJson } from '../../../formats/canal/canal-json.ts'
import { canalRows } from '../../../formats/canal/canal-rows.ts'
import type { Decoder } from '../../../formats/decoder.ts'
import { ForagerError } from '../../../model/errors.ts'
import { keyEvent } from '../../../processors/key-events.ts'
import { type Random, seededRandom } from '../../../runtime/random.ts'
import { intBelow, oneOf } from '../mysql-values.ts'
import { canalDecoder, canalLines, canalRecord, flat, statement } from './canal-messages.ts'

const messageCount = 6000

const flatMessages: readonly object[] = [
  ...canalLines.map(({ value }) => JSON.parse(value!) as object).filter(hasRows),
  statement('TRUNCATE'),
  flat('UPDATE', [[{ id: '2', n: '1' }, { id: '1' }]]),
]

function hasRows(message: object): boolean {
  return 'data' in message && message.data !== null
}

const rowMessages: readonly object[] = flatMessages.flatMap(message => {
  const { data, mysqlType, type, table } = message as {
    readonly data: readonly Record<string, string>[] | null
    readonly mysqlType: Record<string, string>
    readonly type: string
    readonly table: string
  }
  return (data ?? []).map(row => ({
    table: `shop.${table}`,
    binlog_id: 1,
    event_type: type,
    exe_time: 1,
    cols: Object.entries(row).map(([col, val]) => {
      return { col, val, type: mysqlType[col], update: false }
    }),
  }))
})

const oddities: readonly unknown[] = [
  null,
  true,
  '',
  '0',
  'x',
  -1,
  1.5,
  1e300,
  2 ** 53,
  [],
  {},
  [null],
  [[]],
  { constructor: 1 },
  { toString: 'x' },
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'x'.repeat(5000),
  '9'.repeat(5000),
  '\uD800',
  '0000-00-00',
  '9999-99-99 99:99:99',
  'decimal(65,30)',
  'decimal(0)',
  'decimal(38,38)',
  'bit(64)',
  'binary(255)',
  "enum('a','b",
  'set()',
  'json',
  'point',
  'geometry',
  'timestamp(6)',
  'year',
  'varchar(10) unsigned',
  '(((((',
  `enum(${"'\\".repeat(2000)}`,
]

/** With one part replaced, taken out or renamed. */
function damagedParts(random: Random, message: object): Buffer {
  const copy = JSON.parse(JSON.stringify(message)) as object
  for (let left = 1 + intBelow(random, 3); left > 0; left -= 1) {
    const holders = partsOf(copy)
    const holder = oneOf(random, holders) as Record<string, unknown>
    const names = Object.keys(holder)
    if (names.length === 0) continue
    const name = oneOf(random, names)
    const choice = random.next()
    if (choice < 0.6) holder[name] = oneOf(random, oddities)
    else if (choice < 0.75) delete holder[name]
    else if (choice < 0.9) {
      const renamed = oneOf(random, ['__proto__', 'constructor', 'id', '', names[0]!])
      const value = holder[name]
      delete holder[name]
      Object.defineProperty(holder, renamed, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      })
    } else holder[name] = holder[oneOf(random, names)]
  }
  return Buffer.from(JSON.stringify(copy))
}

function partsOf(json: unknown): readonly object[] {
  if (typeof json !== 'object' || json === null) return []
  return [json, ...Object.values(json).flatMap(partsOf)]
}

/** With some bytes changed, taken out or doubled. */
function damagedBytes(random: Random, message: object): Buffer {
  let bytes = Buffer.from(JSON.stringify(message))
  for (let left = 1 + intBelow(random, 4); left > 0; left -= 1) {
    const at = intBelow(random, bytes.length)
    const end = Math.min(bytes.length, at + 1 + intBelow(random, 8))
    const choice = random.next()
    if (choice < 0.5) bytes[at] = intBelow(random, 256)
    else if (choice < 0.7) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)])
    else if (choice < 0.9) bytes = Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)])
    else bytes = bytes.subarray(0, at)
    if (bytes.length === 0) return bytes
  }
  return bytes
}

/** What it was: a kind, or the code of an error. Anything else is thrown. */
function outcomeOf(decoder: Decoder, value: Buffer, key: unknown): string {
  try {
    const decoded = decoder.decode(canalRecord(value, 0, key))
    if (decoded.kind !== 'changes') return decoded.kind
    for (const event of decoded.events) {
      if (event.op !== 't' && event.key !== null) keyEvent(event, null)
    }
    return 'changes'
  } catch (error) {
    if (error instanceof ForagerError && error.code !== 'invariant-violated') return error.code
    throw error
  }
}

describe.each([
  ['canal-json', canalJson, flatMessages],
  ['canal-rows', canalRows, rowMessages],
])('damaged messages of %s', (_name, format, messages) => {
  it.each([
    ['parts', damagedParts],
    ['bytes', damagedBytes],
  ])('in their %s are errors or values', (_what, damage) => {
    const random = seededRandom(7)
    const decoders = [{}, { key: ['id'] }].map(hints => canalDecoder({ hints }, format()))
    const outcomes = new Map<string, number>()
    for (let count = 0; count < messageCount; count += 1) {
      const value = damage(random, oneOf(random, messages))
      const key = oneOf<unknown>(random, [null, { id: 1 }, 'x', { constructor: 1 }])
      const outcome = outcomeOf(oneOf(random, decoders), value, key)
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    // The damage is neither so small that nothing is refused nor so large that all is.
    expect(outcomes.get('changes')).toBeGreaterThan(messageCount / 50)
    expect(outcomes.size).toBeGreaterThan(5)
  })
})
