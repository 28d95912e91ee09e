/**
 * Recorded messages, damaged: bytes that are flipped, cut or doubled, and members of the JSON that are
 * replaced with what nobody sends. A decoder may refuse them or read them, and nothing else.
 */
import type { Decoder } from '../../formats/decoder.ts'
import { SchemaPending } from '../../formats/decoder.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { DecodeError } from '../../model/errors.ts'
import { parseStatedType } from '../../model/stated-type.ts'
import { jsonText } from '../../model/value-text.ts'
import { seededRandom } from '../../runtime/random.ts'
import { flatDecoder } from './flat-samples.ts'
import { Dice } from './random-columns.ts'
import { decoderOf, recorded } from './samples.ts'

export interface Outcomes {
  decoded: number
  refused: number
}

const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

/** JSON that stands where something else was expected. */
const strange: readonly string[] = [
  'null',
  'true',
  '0',
  '-1',
  '1.5',
  '1e400',
  '-0',
  '9'.repeat(25),
  `-${'9'.repeat(400)}`,
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036825200000',
  '""',
  '"x"',
  '"AQ=="',
  '"-infinity"',
  '"P1Y"',
  '"+999999999-12-31T23:59:59Z"',
  '"__debezium_unavailable_value"',
  '[]',
  '[null]',
  '{}',
  '{"scale":-9999999,"value":"AQ=="}',
  '{"scale":9999999,"value":"AQ=="}',
  '{"scale":1.5,"value":[]}',
  '{"year":0,"month":0,"day":0}',
  '{"year":1e9,"month":13,"day":null,"hour":-1}',
  '{"__proto__":{"a":1},"constructor":2}',
  deep(300),
  deep(20_000),
]

/** Of a recording. */
export function checkMutations(path: string, seed: number, count: number): Outcomes {
  const records = recorded(path).filter(({ value }) => value !== null && value.length < 20_000)
  const isFlat = path.includes('flat')
  return checkDamaged(records, () => decoderFor(records, isFlat), seed, count)
}

/** Throws whatever is neither a refusal nor a change; the outcomes are counted. Each record has a value. */
export function checkDamaged(
  records: readonly LogRecord[],
  newDecoder: () => Decoder,
  seed: number,
  count: number,
): Outcomes {
  const dice = new Dice(seededRandom(seed))
  const outcomes = { decoded: 0, refused: 0 }
  let decoder = newDecoder()
  for (let done = 0; done < count; done += 1) {
    // What is learned from damaged messages does not stay for all of them.
    if (done % 500 === 499) decoder = newDecoder()
    const record = dice.of(records)
    const value = dice.isOnce(2) ? withBytes(dice, record.value!) : withMember(dice, record.value!)
    const key = record.key !== null && dice.isOnce(6) ? withMember(dice, record.key) : record.key
    // One that is whole goes before, so that the damaged one meets the short way.
    read(decoder, record)
    if (read(decoder, { ...record, key, value })) outcomes.decoded += 1
    else outcomes.refused += 1
  }
  return outcomes
}

/** It knows the types of all columns: by the topic of schema changes, or as they are stated. */
function decoderFor(records: readonly LogRecord[], isFlat: boolean): Decoder {
  const changes = records.filter(isSchemaChange)
  const types = changes.length === 0 ? statedTypes(records) : {}
  const decoder = isFlat ? flatDecoder({ hints: { types } }) : decoderOf({ hints: { types } })
  for (const record of changes) learn(decoder, record)
  return decoder
}

const isSchemaChange = ({ topic }: LogRecord): boolean => !topic.includes('.')

const words: Readonly<Record<string, string>> = {
  id: 'int',
  c_num: 'decimal(38,10)',
  c_ts: 'timestamp',
  c_date: 'date',
  c_time: 'time',
  c_interval: 'interval',
  c_iarr: 'array<int>',
}

/** Text is what any other column is. */
function statedTypes(records: readonly LogRecord[]) {
  const names = records.flatMap(({ value }) => {
    const found = JSON.parse(value!.toString()) as { before?: object; after?: object }
    return Object.keys({ ...found.before, ...found.after })
  })
  return Object.fromEntries(
    names.map(name => [name, parseStatedType(words[name] ?? 'string')] as const),
  )
}

function learn(decoder: Decoder, record: LogRecord): void {
  try {
    decoder.learn(record)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
  }
}

/** Whether it was read; every value of it is looked at. */
function read(decoder: Decoder, record: LogRecord): boolean {
  try {
    if (isSchemaChange(record)) decoder.learn(record)
    const decoded = decoder.decode(record)
    if (decoded.kind !== 'changes') return true
    for (const { schema, key, before, after } of decoded.events) {
      for (const row of [key, before, after]) {
        for (const { name, type } of schema.columns) jsonText(type, row?.[name])
      }
    }
    return true
  } catch (error) {
    if (error instanceof DecodeError || error instanceof SchemaPending) return false
    throw new Error(`${record.topic} ${record.offset}: ${record.value!.toString().slice(-3000)}`, {
      cause: error,
    })
  }
}

function withBytes(dice: Dice, bytes: Uint8Array): Buffer {
  let damaged = Buffer.from(bytes)
  for (let turns = 1 + dice.below(3); turns > 0 && damaged.length > 0; turns -= 1) {
    // Most of a message is its schema; what follows it is the more interesting.
    const start = dice.isOnce(2) ? Math.max(0, damaged.length - 1500) : 0
    const at = start + dice.below(damaged.length - start)
    const end = Math.min(damaged.length, at + 1 + dice.below(8))
    const [head, part, tail] = [
      damaged.subarray(0, at),
      damaged.subarray(at, end),
      damaged.subarray(end),
    ]
    const other = dice.of([
      Buffer.alloc(0),
      Buffer.concat([part, part]),
      Buffer.from([dice.below(256)]),
      Buffer.from(dice.of(['"', '{', '}', '[', ',', ':', '-', '0', 'e', '\\u0000'])),
    ])
    damaged = Buffer.concat([head, other, tail])
  }
  return damaged
}

/** One member, at any depth, is another value. */
function withMember(dice: Dice, bytes: Uint8Array): Buffer {
  const root = { whole: JSON.parse(Buffer.from(bytes).toString()) as unknown }
  let parent: Record<string, unknown> = root
  let name = 'whole'
  for (;;) {
    const found = parent[name]
    const isInner = typeof found === 'object' && found !== null && Object.keys(found).length > 0
    if (!isInner || (name !== 'whole' && name !== 'payload' && dice.isOnce(3))) break
    parent = found as Record<string, unknown>
    const names = Object.keys(parent)
    name = names.includes('payload') && !dice.isOnce(4) ? 'payload' : dice.of(names)
  }
  const mark = '@mutated@'
  parent[name] = mark
  return Buffer.from(JSON.stringify(root.whole).replace(`"${mark}"`, () => dice.of(strange)))
}
