/** Avro's binary encoding, held against the library for it (avsc), and against damage. */
import avsc from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { passFields, passPlanOf } from '../../../formats/avro/avro-pass.ts'
import { AvroCursor, readAvro, skipAvro } from '../../../formats/avro/avro-reader.ts'
import { parseAvroSchema } from '../../../formats/avro/avro-schema.ts'
import { DecodeError } from '../../../model/errors.ts'

interface Sample {
  readonly schema: unknown
  readonly value: fc.Arbitrary<unknown>
}

const primitives: readonly Sample[] = [
  { schema: 'null', value: fc.constant(null) },
  { schema: 'boolean', value: fc.boolean() },
  { schema: 'int', value: fc.integer() },
  // avsc loses the lowest bit beyond.
  { schema: 'long', value: fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }) },
  { schema: 'float', value: fc.float({ noNaN: true }) },
  { schema: 'double', value: fc.double({ noNaN: true }) },
  { schema: 'string', value: fc.string({ unit: 'binary' }).filter(text => text.isWellFormed()) },
  { schema: 'bytes', value: fc.uint8Array().map(bytes => Buffer.from(bytes)) },
]

let names = 0
const named = (prefix: string): string => {
  names += 1
  return `${prefix}${names}`
}

/** Schemas with values of theirs, one in the other. */
const { sample } = fc.letrec<{ sample: Sample; inner: Sample }>(tie => ({
  inner: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...primitives),
    tie('sample'),
  ),
  sample: fc.oneof(
    tie('inner')
      .filter(({ schema }) => schema !== 'null')
      .map(({ schema, value }) => {
        return {
          schema: { type: 'array', items: schema },
          value: fc.array(value, { maxLength: 5 }),
        }
      }),
    tie('inner').map(({ schema, value }) => {
      const key = fc.string().filter(text => text !== '__proto__')
      const map = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true })
      return { schema: { type: 'map', values: schema }, value: map }
    }),
    fc
      .array(tie('inner'), { maxLength: 5 })
      .map(others => [primitives[2]!, ...others])
      .map(fields => ({
        schema: {
          type: 'record',
          name: named('R'),
          fields: fields.map(({ schema }, index) => ({ name: `f${index}`, type: schema })),
        },
        value: fc.record(
          Object.fromEntries(fields.map(({ value }, index) => [`f${index}`, value])),
          {
            noNullPrototype: true,
          },
        ),
      })),
    fc.constantFrom(...primitives.slice(1)).map(({ schema, value }) => {
      return { schema: ['null', schema], value: fc.option(value) }
    }),
    fc
      .constant({
        schema: { type: 'fixed', name: 'F', size: 3 },
        value: fc.uint8Array({ minLength: 3, maxLength: 3 }).map(bytes => Buffer.from(bytes)),
      })
      .map(({ schema, value }) => ({ schema: { ...schema, name: named('F') }, value })),
    fc.constant(['A', 'B', 'C']).map(symbols => ({
      schema: { type: 'enum', name: named('E'), symbols },
      value: fc.constantFrom(...symbols),
    })),
  ),
})) as unknown as { sample: fc.Arbitrary<Sample> }

const written = sample.chain(({ schema, value }) => value.map(one => ({ schema, value: one })))

function bytesOf(schema: unknown, value: unknown): Buffer {
  return avsc.Type.forSchema(schema as never).toBuffer(value)
}

/** avsc wraps nothing here; its records have a class, and ours have none. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return { bytes: value.toString('hex') }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : value
  return Object.entries(value).map(([name, one]) => [name, plain(one)])
}

describe('a value that avsc wrote', () => {
  it('is read back, to its last byte', () => {
    fc.assert(
      fc.property(written, ({ schema, value }) => {
        const bytes = bytesOf(schema, value)
        const cursor = new AvroCursor(bytes, 0)
        const found = readAvro(parseAvroSchema(JSON.stringify(schema)), cursor)
        expect(plain(found)).toEqual(plain(value))
        expect(cursor.at).toBe(bytes.length)
      }),
      { numRuns: 2000 },
    )
  })

  it('is passed over as far as it goes, either way', () => {
    fc.assert(
      fc.property(fc.array(written, { maxLength: 4 }), samples => {
        const fields = samples.map(({ schema }, index) => ({ name: `f${index}`, type: schema }))
        const schema = { type: 'record', name: 'Passed', fields }
        const value = Object.fromEntries(samples.map((one, index) => [`f${index}`, one.value]))
        const bytes = bytesOf(schema, value)
        const type = parseAvroSchema(JSON.stringify(schema))
        const cursor = new AvroCursor(bytes, 0)
        skipAvro(type, cursor)
        expect(cursor.at).toBe(bytes.length)
        cursor.at = 0
        if (type.kind === 'record') passFields(passPlanOf(type.fields), cursor)
        expect(cursor.at).toBe(bytes.length)
      }),
      { numRuns: 1000 },
    )
  })

  it('is an error or another value when it is damaged, never anything else', () => {
    let errors = 0
    fc.assert(
      fc.property(written, fc.array(fc.nat(255)), fc.nat(), ({ schema, value }, junk, at) => {
        const bytes = bytesOf(schema, value)
        const place = at % (bytes.length + 1)
        const damaged = Buffer.concat([bytes.subarray(0, place), Buffer.from(junk)])
        const type = parseAvroSchema(JSON.stringify(schema))
        for (const read of [readAvro, skipAvro]) {
          try {
            read(type, new AvroCursor(damaged, 0))
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError)
            errors += 1
          }
        }
      }),
      { numRuns: 3000 },
    )
    expect(errors).toBeGreaterThan(500)
  })
})

describe('an integer', () => {
  const long = parseAvroSchema('"long"')
  const read = (bytes: readonly number[]): unknown =>
    readAvro(long, new AvroCursor(Buffer.from(bytes), 0))
  const zigzag = (value: bigint): number[] => {
    const bytes: number[] = []
    let rest = value >= 0n ? value << 1n : -(value << 1n) - 1n
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
    return [...bytes, Number(rest)]
  }

  it('is exact in all its 64 bits, a number where that is safe', () => {
    const edges = Array.from({ length: 64 }, (_, bits) => 2n ** BigInt(bits))
    for (const edge of edges) {
      for (const value of [edge - 1n, edge, -edge, -edge - 1n]) {
        if (value > 2n ** 63n - 1n || value < -(2n ** 63n)) continue
        const found = read(zigzag(value))
        expect(BigInt(found as number | bigint)).toBe(value)
        const isSafe = Number.isSafeInteger(Number(value))
        expect(typeof found).toBe(isSafe ? 'number' : 'bigint')
      }
    }
  })

  it('of more than 64 bits, or without an end, is refused', () => {
    expect(() => read([...Array<number>(9).fill(0xff), 0x02])).toThrow('more than 64 bits')
    expect(() => read(Array<number>(11).fill(0x80))).toThrow('more than 64 bits')
    expect(() => read([0x80])).toThrow('ends in the middle')
  })
})

it('takes a list in blocks that tell their bytes', () => {
  const type = parseAvroSchema('{"type":"array","items":"int"}')
  const bytes = Buffer.from([3, 4, 2, 4, 2, 6, 0])
  expect(readAvro(type, new AvroCursor(bytes, 0))).toEqual([1, 2, 3])
})

it('refuses a text that is not UTF-8', () => {
  const type = parseAvroSchema('"string"')
  expect(() => readAvro(type, new AvroCursor(Buffer.from([4, 0xc3, 0x28]), 0))).toThrow('not UTF-8')
})
