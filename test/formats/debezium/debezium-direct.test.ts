/** The short way of decoding against the long one: the same events, or none. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { debeziumJson } from '../../../formats/debezium/debezium-json.ts'
import type { Decoded, Decoder, DecoderOptions } from '../../../formats/decoder.ts'
import type { LogRecord } from '../../../model/change-event.ts'
import type { ColumnType } from '../../../model/column-type.ts'
import { EncodedEvent } from '../../../model/encoded-event.ts'
import { decodedBy, textOf } from '../decoded-text.ts'
import { mariadb, postgres, recorded, recordOf } from '../samples.ts'

interface Ways {
  readonly short: Decoder
  readonly long: Decoder
}

function waysOf(options: Partial<DecoderOptions> = {}): Ways {
  const all = {
    hintsOf: () => ({}),
    incarnation: '',
    connectorSettings: {},
    ...options,
  }
  return {
    short: debeziumJson().createDecoder(all),
    long: debeziumJson({ isDirect: false }).createDecoder(all),
  }
}

const friendly = { 'decimal.handling.mode': 'string', 'time.precision.mode': 'connect' }
const decimal: ColumnType = { kind: 'decimal', precision: 12, scale: 2 }
const perf: Readonly<Record<string, ColumnType>> = {
  id: { kind: 'bigint' },
  user_id: { kind: 'int' },
  product_id: { kind: 'int' },
  order_num: { kind: 'string' },
  amount: decimal,
  note: { kind: 'string' },
  create_time: { kind: 'timestamp' },
}

/** `share`: how many of the changes go the short way once their like was seen, at least. */
const fixtures: readonly {
  readonly path: string
  readonly share: number
  readonly settings?: Readonly<Record<string, string>>
  readonly types?: Readonly<Record<string, ColumnType>>
}[] = [
  { path: 'mariadb/m1_json_schema_true.jsonl', share: 0.5 },
  { path: 'mariadb/m2_json_schema_false_friendly_modes.jsonl', share: 0.5, settings: friendly },
  { path: 'mariadb/m4_single_topic_router.jsonl', share: 0.4 },
  { path: 'postgres/p1_json_schema_true.jsonl', share: 0.5 },
  { path: 'crash/crash2.perf.t100k.full_topic.jsonl.gz', share: 0.9, types: perf },
]

describe('recorded events', () => {
  it.each(fixtures)('$path are the same either way', fixture => {
    const { path, share, settings: connectorSettings = {}, types } = fixture
    const hints = types === undefined ? {} : { types }
    const { short, long } = waysOf({ connectorSettings, hintsOf: () => hints })
    const records = recorded(path).filter((_, index) => index < 2000 || index % 100 === 0)
    const prefix = records[0]!.topic.replace(/.*\./, '')
    for (const record of records) {
      if (record.topic !== prefix) continue
      for (const decoder of [short, long]) decoder.learn(record)
    }
    let changes = 0
    let direct = 0
    // Twice: what is seen once goes the short way from then on.
    for (const record of [...records, ...records]) {
      const decoded = decodedBy(short, record)
      expect(textOf(decoded)).toBe(textOf(decodedBy(long, record)))
      if (decoded instanceof Error || decoded.kind !== 'changes') continue
      changes += 1
      if (decoded.events[0] instanceof EncodedEvent) direct += 1
    }
    expect(direct / changes).toBeGreaterThan(share)
  })
})

const types: Readonly<Record<string, ColumnType>> = {
  id: { kind: 'bigint' },
  part: { kind: 'string' },
  tiny: { kind: 'tinyint' },
  big: { kind: 'ubigint' },
  amount: decimal,
  note: { kind: 'string' },
  list: { kind: 'array', element: { kind: 'string' } },
  ratio: { kind: 'double' },
  raw: { kind: 'binary' },
  day: { kind: 'date' },
}
const unsent = '__debezium_unavailable_value'

/** Values as a converter may write them, right and wrong ones, as JSON. No whole number is −0. */
const anyValue = fc.oneof(
  fc.constantFrom(
    'null',
    'true',
    '0',
    '1e3',
    '1.5',
    '007',
    '9007199254740991',
    '9007199254740993',
    '18446744073709551615',
    '-9223372036854775808',
    '"12.34"',
    '"-0.00"',
    '"1234567890123.45"',
    '"12.3"',
    '"1.234"',
    '[]',
    '["a",null,"b"]',
    `["${unsent}"]`,
    JSON.stringify(unsent),
    JSON.stringify(Buffer.from(unsent).toString('base64')),
    '"\\u00e9\\ud83d\\ude00 \\"quoted\\" \\\\"',
    '{"a":[1,"}"]}',
  ),
  fc.maxSafeInteger().map(String),
  fc.string({ unit: 'binary' }).map(text => JSON.stringify(text)),
  fc.stringMatching(/^-?\d{1,12}\.\d\d$/).map(text => JSON.stringify(text)),
)

const anyRow = fc.record({
  id: fc.oneof(fc.nat(5).map(String), anyValue),
  part: fc.oneof(fc.constantFrom('"a"', '"b"', '"\\u0061"', '"é"'), anyValue),
  tiny: fc.oneof(fc.integer({ min: -128, max: 127 }).map(String), anyValue),
  big: anyValue,
  amount: fc.oneof(fc.constantFrom('"0.01"', '"-99.90"'), anyValue),
  note: anyValue,
  list: anyValue,
  ratio: anyValue,
  raw: fc.oneof(fc.constantFrom('""', '"AP8="', '"?"'), anyValue),
  day: anyValue,
})
type JsonTexts = Readonly<Record<string, string>>

function objectOf(members: JsonTexts): string {
  const texts = Object.entries(members).map(([name, text]) => `${JSON.stringify(name)}:${text}`)
  return `{${texts.join(',')}}`
}

const plainRow: JsonTexts = {
  id: '1',
  part: '"a"',
  tiny: '1',
  big: '1',
  amount: '"1.00"',
  note: '"x"',
  list: '["x"]',
  ratio: '0.5',
  raw: '"AA=="',
  day: '19000',
}

function recordFor(
  op: string,
  rows: { readonly before: JsonTexts | null; readonly after: JsonTexts | null },
  offset: number,
  source: unknown = mariadb,
): LogRecord {
  const row = rows.after ?? rows.before!
  const side = (one: JsonTexts | null): string => (one === null ? 'null' : objectOf(one))
  const value = objectOf({
    before: side(rows.before),
    after: side(rows.after),
    source: JSON.stringify(source),
    transaction: 'null',
    op: JSON.stringify(op),
    ts_ms: '1700000002000',
  })
  return recordOf(objectOf({ id: row.id!, part: row.part! }), value, { offset })
}

describe('messages that look like one before', () => {
  const operations = [
    { op: 'c', hasBefore: false, hasAfter: true },
    { op: 'r', hasBefore: false, hasAfter: true },
    { op: 'u', hasBefore: true, hasAfter: true },
    { op: 'u', hasBefore: false, hasAfter: true },
    { op: 'd', hasBefore: true, hasAfter: false },
  ] as const

  it.each([
    ['mariadb', mariadb],
    ['postgresql', postgres],
  ])('whatever their values are, of %s', (_, source) => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ how: fc.constantFrom(...operations), a: anyRow, b: anyRow }), {
          maxLength: 6,
        }),
        fc.boolean(),
        (messages, isSameKey) => {
          const hints = { types }
          const { short, long } = waysOf({ hintsOf: () => hints })
          const example = recordFor('c', { before: null, after: plainRow }, 0, source)
          expect(textOf(decodedBy(short, example))).toBe(textOf(decodedBy(long, example)))
          for (const [index, { how, a, b }] of messages.entries()) {
            const before = how.hasBefore ? (isSameKey ? { ...a, id: b.id, part: b.part } : a) : null
            const rows = { before, after: how.hasAfter ? b : null }
            const record = recordFor(how.op, rows, index + 1, { ...source, pos: 500 + index })
            const [found, wanted] = [decodedBy(short, record), decodedBy(long, record)]
            // What is before a row is looked at by whoever asks for it.
            if (isUnreadable(found) || wanted instanceof Error) {
              if (how.hasBefore) continue
            }
            expect(textOf(found)).toBe(textOf(wanted))
          }
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('an ordinary message goes the short way', () => {
    const { short } = waysOf({ hintsOf: () => ({ types }) })
    const isDirect = operations.map(({ op, hasBefore, hasAfter }, index) => {
      const sides = {
        before: hasBefore ? plainRow : null,
        after: hasAfter ? { ...plainRow, note: '"\\u00e9"', raw: 'null' } : null,
      }
      const decoded = decodedBy(short, recordFor(op, sides, index))
      return !(decoded instanceof Error) && decoded.kind === 'changes'
        ? decoded.events[0] instanceof EncodedEvent
        : null
    })
    expect(isDirect).toEqual([false, true, true, true, true])
  })

  it('a byte that is not as before never gives another row', () => {
    const wanted = recordFor('u', { before: plainRow, after: plainRow }, 1)
    const value = Buffer.from(wanted.value!)
    const start = value.indexOf('"after"')
    const end = value.indexOf(',"transaction"')
    fc.assert(
      fc.property(fc.integer({ min: start, max: end }), fc.nat(255), (place, byte) => {
        const changed = Buffer.from(value)
        changed[place] = byte
        const { short, long } = waysOf({ hintsOf: () => ({ types }) })
        short.decode(wanted)
        const record = { ...wanted, value: changed }
        const [found, expected] = [decodedBy(short, record), decodedBy(long, record)]
        if (expected instanceof Error && !(found instanceof Error)) {
          // Nobody reads the rest of the source block.
          expect(place).toBeGreaterThan(value.indexOf('"source"'))
        } else expect(textOf(found)).toBe(textOf(expected))
      }),
      { numRuns: 2000 },
    )
  })
})

/** Whether the row before cannot be read. */
function isUnreadable(decoded: Decoded | Error): boolean {
  if (decoded instanceof Error || decoded.kind !== 'changes') return false
  try {
    return decoded.events.some(({ before }) => before === undefined)
  } catch {
    return true
  }
}

describe('a key of floating numbers', () => {
  it.each([
    ['float', 0.1],
    ['double', -0],
  ])('is the same both ways (%s): repeats are known by it', (type, id) => {
    const { short, long } = waysOf()
    const fields = [{ field: 'after', type: 'struct', fields: [{ field: 'id', type }] }]
    const source = { connector: 'mysql', name: 's', db: 'd', table: 't', file: 'b.1', pos: 4 }
    const row = `{"id":${Object.is(id, -0) ? '-0.0' : String(id)}}`
    const value =
      `{"schema":${JSON.stringify({ type: 'struct', fields })},"payload":` +
      `{"before":null,"after":${row},"source":${JSON.stringify(source)},"op":"c"}}`
    const place = { topic: 't', partition: 0, offset: 0, timestampMs: 0, headers: [] }
    const record = { ...place, key: Buffer.from(row), value: Buffer.from(value) }
    short.decode(record)
    expect(textOf(decodedBy(short, record))).toBe(textOf(decodedBy(long, record)))
  })
})
