/** What grows when it is read: archives, numbers, announced counts, names without end. */
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { AvroCursor, readAvro, skipAvro } from '../../formats/avro/avro-reader.ts'
import { parseAvroSchema } from '../../formats/avro/avro-schema.ts'
import { isConnectSchema } from '../../formats/debezium/connect-schema.ts'
import { parseExact, parseLossless } from '../../formats/json/lossless-json.ts'
import { parseTableStatement } from '../../formats/mysql/alter-table.ts'
import { parseMySqlType } from '../../formats/mysql/mysql-type.ts'
import { bitsText, variableScaleText } from '../../formats/values/debezium-values.ts'
import { isoTimestamp, zonedTimestamp } from '../../formats/values/iso-times.ts'
import { checksum } from '../../log/kafka/protocol.ts'
import { decodeBatches, encodeBatch } from '../../log/kafka/record-batches.ts'
import { maxUnpackedBytes, unpack } from '../../log/kafka/unpack.ts'
import { openRecordedSource } from '../../log/recorded-source.ts'
import { DecodeError, type ForagerError, SourceError } from '../../model/errors.ts'
import { parseDecimal } from '../../model/value.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { changeOf, decoderOf, recordOf, withSchema } from '../formats/samples.ts'
import { inTemporaryFolder } from '../log/logs.ts'

const mebi = 1024 * 1024
const zeros = Buffer.alloc(8 * mebi)

function failureOf(action: () => unknown): Error {
  try {
    action()
  } catch (error) {
    return error as Error
  }
  throw new Error('it was taken')
}

describe('a packed record batch', () => {
  const at = { topic: 'shop.orders', partition: 3 }

  /** As a producer sends it; `change` is made before its checksum. */
  function batchOf(
    codec: number,
    body: Uint8Array,
    change: (head: Buffer) => void = () => undefined,
  ) {
    const record = { ...at, key: null, value: Buffer.from('v'), timestampMs: 0 }
    const identity = { producerId: 1n, producerEpoch: 0, sequence: 0 }
    const head = encodeBatch([record], identity, false).subarray(0, 61)
    const batch = Buffer.concat([head, body])
    batch.writeInt32BE(batch.length - 12, 8)
    batch.writeInt16BE(codec, 21)
    change(batch)
    batch.writeUInt32BE(checksum(batch.subarray(21)), 17)
    return batch
  }

  const varint = (size: number): Buffer => {
    const bytes: number[] = []
    for (let rest = size; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) return Buffer.from([...bytes, rest])
      bytes.push((rest % 128) | 128)
    }
  }
  const xerial = (...blocks: readonly Buffer[]): Buffer =>
    Buffer.concat([
      Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
      ...blocks.flatMap(block => {
        const length = Buffer.alloc(4)
        length.writeUInt32BE(block.length)
        return [length, block]
      }),
    ])
  /** Blocks that announce a megabyte each and have four megabytes at most. */
  const lz4 = (blocks: number): Buffer => {
    const block = Buffer.alloc(4 + 20_000)
    block.writeUInt32LE(20_000)
    const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0])
    return Buffer.concat([head, ...Array.from({ length: blocks }, () => block), Buffer.alloc(4)])
  }
  const bombs: readonly (readonly [string, number, Buffer])[] = [
    ['gzip', 1, gzipSync(zeros)],
    ['zstd', 4, zstdCompressSync(zeros)],
    ['snappy', 2, varint(2 ** 32 - 1)],
    ['snappy in a frame', 2, xerial(varint(mebi), varint(mebi))],
    ['lz4', 3, lz4(4)],
  ]

  it.each(bombs)('of %s is not unpacked beyond its limit', (_, codec, bytes) => {
    const error = failureOf(() => unpack(codec, bytes, mebi))
    expect(error).toBeInstanceOf(RangeError)
    expect(error.message).toBe(`it would unpack to more than ${mebi} bytes`)
  })

  it('that is too large stops the run with its place, and is not held', () => {
    const bomb = zstdCompressSync(Buffer.alloc(maxUnpackedBytes + 1))
    expect(bomb.length).toBeLessThan(mebi)
    const error = failureOf(() => decodeBatches(at, batchOf(4, bomb), 0, []))
    expect(error).toBeInstanceOf(SourceError)
    expect(error).toMatchObject({ code: 'source-unreadable', context: { ...at, offset: 0 } })
    expect((error as ForagerError).describe()).toContain(
      'would unpack to more than 268435456 bytes',
    )
  })

  it('within its limit is read, of each codec', () => {
    const plain = encodeBatch(
      [{ ...at, key: null, value: Buffer.alloc(100_000, 'v'), timestampMs: 0 }],
      { producerId: 1n, producerEpoch: 0, sequence: 0 },
      false,
    ).subarray(61)
    for (const [codec, bytes] of [
      [0, plain],
      [1, gzipSync(plain)],
      [4, zstdCompressSync(plain)],
    ] as const) {
      const { records } = decodeBatches(at, batchOf(codec, bytes), 0, [])
      expect(records.map(({ value }) => value?.length)).toEqual([100_000])
    }
  })

  it('has no more records, bytes and headers than it has', () => {
    const record = (...bytes: readonly number[]): Buffer => Buffer.from(bytes)
    const count = (records: number) => (batch: Buffer) => void batch.writeInt32BE(records, 57)
    for (const batch of [
      batchOf(0, record(), count(2 ** 31 - 1)),
      batchOf(0, record(14, 0, 0, 0, 1, 1, 0), count(2)),
      // A record, a key and headers of which there is less than is announced.
      batchOf(0, record(100, 0, 0, 0, 1, 1, 0)),
      batchOf(0, record(14, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f)),
      batchOf(0, record(22, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f)),
      batchOf(0, record(1)),
    ]) {
      const error = failureOf(() => decodeBatches(at, batch, 0, []))
      expect(error).toMatchObject({ code: 'source-unreadable' })
    }
  })
})

describe('a file of recorded events', () => {
  it.each(['whole', 'cut off'])(
    'that is packed, %s, is not unpacked beyond its limit',
    async how => {
      await inTemporaryFolder(async folder => {
        const path = `${folder}/events.jsonl.gz`
        const packed = gzipSync(zeros)
        const bytes = how === 'whole' ? packed : packed.subarray(0, packed.length - 20)
        const file = await nodeFileSystem.open(path, 'write')
        await file.write(bytes, 0)
        await file.close()
        const error = await openRecordedSource({ path, maxBytes: mebi }).catch(
          (one: unknown) => one,
        )
        expect(error).toMatchObject({ code: 'source-unreadable' })
        expect((error as Error).message).toContain(`more than ${mebi} bytes`)
      })
    },
  )
})

describe('a value', () => {
  it('of a few bytes is no text of megabytes', () => {
    const one = Buffer.from([1]).toString('base64')
    for (const scale of [-131_072, -1001, 1002, 16_383]) {
      expect(failureOf(() => variableScaleText({ scale, value: one }))).toBeInstanceOf(DecodeError)
    }
    expect(variableScaleText({ scale: -1000, value: one })).toHaveLength(1001)
    expect(variableScaleText({ scale: 1001, value: one })).toHaveLength(1003)
    // All digits of the longest number that PostgreSQL has, sent one by one.
    const long = BigInt(`0x7f${'ff'.repeat(30_000)}`)
    const digits = long.toString().length
    const sent = Buffer.from(`7f${'ff'.repeat(30_000)}`, 'hex').toString('base64')
    expect(variableScaleText({ scale: 16_383, value: sent })).toHaveLength(digits + 1)
  })

  it('of bits has as many as were sent, and a thousand more', () => {
    const byte = Buffer.from([1]).toString('base64')
    expect(bitsText(byte, 1008)).toHaveLength(1008)
    expect(failureOf(() => bitsText(byte, 83_886_080))).toBeInstanceOf(DecodeError)
  })

  it('that is nested without end is refused, wherever it stands', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    const objects = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    const whole = JSON.stringify(withSchema(changeOf({ op: 'c', after: { id: 1, name: '@@' } })))
    const places = [
      '"@@"',
      '"c"',
      '"m1"',
      '"struct"',
      '"m1.demo.user.Envelope"',
      '"mysql-bin.000001"',
    ]
    for (const place of places) {
      expect(whole).toContain(place)
      for (const inner of [deep, objects]) {
        const value = whole.replace(place, () => inner)
        let error: unknown = null
        try {
          decoderOf().decode(recordOf({ id: 1 }, value))
          decoderOf().decode(recordOf(inner, whole))
        } catch (cause) {
          error = cause
        }
        // Where nobody looks at it, it is passed over.
        if (error !== null) expect([place, error]).toEqual([place, expect.any(DecodeError)])
        if (place === '"@@"') expect(error).toBeInstanceOf(DecodeError)
      }
    }
  })
})

describe('a schema in a message', () => {
  it('is one of 64 levels at most', () => {
    const nested = (levels: number): object =>
      levels === 0 ? { type: 'int32' } : { type: 'array', items: nested(levels - 1) }
    expect(isConnectSchema(nested(64))).toBe(true)
    expect(isConnectSchema(nested(65))).toBe(false)
  })

  it('in Avro has fixed values of a mebibyte at most', () => {
    const fixed = (size: number) => JSON.stringify({ type: 'fixed', name: 'f', size })
    expect(parseAvroSchema(fixed(mebi))).toBeDefined()
    expect(failureOf(() => parseAvroSchema(fixed(mebi + 1)))).toMatchObject({
      code: 'schema-invalid',
    })
  })
})

describe('a message', () => {
  it('has 10,000 columns at most', () => {
    const fields = (count: number) =>
      Array.from({ length: count }, (_, index) => {
        return { type: 'int32', optional: index > 0, field: index === 0 ? 'id' : `c${index}` }
      })
    const decode = (count: number) =>
      decoderOf().decode(
        recordOf({ id: 1 }, withSchema(changeOf({ op: 'c', after: { id: 1 } }), fields(count))),
      )
    expect(decode(10_000).kind).toBe('changes')
    const error = failureOf(() => decode(10_001))
    expect(error).toMatchObject({ code: 'type-unsupported' })
    expect(error.message).toContain('at most 10000 columns, and the message has 10001')
  })

  it('has no more to say in an error than a page', () => {
    const error = new DecodeError('message-unknown', 'x'.repeat(mebi), {
      context: { table: 'y'.repeat(mebi) },
    })
    expect(error.message).toHaveLength(8000)
    expect(error.describe().length).toBeLessThan(9000)
  })

  it('in Avro has no more items than bytes, and no type in itself', () => {
    const list = parseAvroSchema('{"type": "array", "items": "int"}')
    const count = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f])
    for (const read of [readAvro, skipAvro]) {
      expect(failureOf(() => read(list, new AvroCursor(count, 0)))).toMatchObject({
        code: 'message-not-avro',
      })
    }
    const itself = '{"type":"record","name":"a","fields":[{"name":"b","type":["null","a"]}]}'
    const nulls = '{"type": "array", "items": "null"}'
    const deep = `${'{"type":"array","items":'.repeat(100)}"int"${'}'.repeat(100)}`
    let wide = '{"type":"record","name":"r0","fields":[{"name":"a","type":"int"}]}'
    for (let level = 1; level < 20; level += 1) {
      const twice = `{"name":"a","type":${wide}},{"name":"b","type":"r${level - 1}"}`
      wide = `{"type":"record","name":"r${level}","fields":[${twice}]}`
    }
    const endless = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    for (const schema of [itself, nulls, deep, wide, endless]) {
      expect(failureOf(() => parseAvroSchema(schema))).toMatchObject({ code: 'schema-invalid' })
    }
  })
})

describe('names without end', () => {
  it('fill neither the memory nor the labels of metrics', () => {
    const router = new TableRouter([{ from: 'demo.*', to: 'ods.{table}' }])
    for (let index = 0; index < 5000; index += 1) router.hintsOf(`other.t${index}`)
    expect(router.seen().size).toBe(1000)
    expect([router.labelOf('other.t1'), router.labelOf('other.t4999')]).toEqual([
      'other.t1',
      'others',
    ])
    // Those that are asked for are known all the same.
    expect(router.targetOf('demo.user')?.name).toBe('ods.user')
  })

  it('are no tables of a rule', () => {
    const router = new TableRouter([{ from: 'demo.*_a_*_b_*', to: 'ods.{table}' }])
    expect(router.targetOf(`demo.${'_a__b_'.repeat(20)}`)).not.toBeNull()
    expect(router.targetOf(`demo.${'_a__b_'.repeat(200_000)}.`)).toBeNull()
    expect(router.labelOf(`demo.${'_a__b_'.repeat(200_000)}.`)).toBe('others')
  })
})

/** Some would take minutes if what a text may be were tried anew from each of its letters. */
describe('a text of 256 KiB that is made to be read slowly', () => {
  const length = mebi / 4
  const texts = [
    'a'.repeat(length),
    ' '.repeat(length),
    `a${' '.repeat(length)}(`,
    `${'a'.repeat(length)}(`,
    '('.repeat(length),
    "'".repeat(length),
    `enum(${"'',".repeat(length / 3)}`,
    '0'.repeat(length),
    `1.${'0'.repeat(length)}x`,
    `${'1'.repeat(length)}e`,
    '.'.repeat(length),
    '-'.repeat(length),
    ':'.repeat(length),
    '/*'.repeat(length / 2),
    `ALTER TABLE t ${'('.repeat(length)}`,
    `ALTER TABLE t ${';'.repeat(length)}x`,
    `RENAME TABLE ${'a.b TO c.d, '.repeat(length / 12)}`,
    '\\'.repeat(length),
    `2024-01-01T00:00:00.${'0'.repeat(length)}`,
  ]
  const readers: readonly (readonly [string, (text: string) => unknown])[] = [
    ['a type of MySQL', parseMySqlType],
    ['a statement', parseTableStatement],
    ['a decimal', text => parseDecimal(text, { precision: 38, scale: 10 })],
    ['a time', isoTimestamp],
    ['a moment', zonedTimestamp],
    ['JSON', text => parseLossless(`{"a":${text}}`)],
    ['exact JSON', text => parseExact(`{"a":${text}}`)],
    ['a text of JSON', text => parseExact(JSON.stringify({ a: text, b: 1.5 }))],
  ]

  it.each(readers)('is %s or none soon', (_, read) => {
    for (const text of texts) {
      try {
        read(text)
      } catch (error) {
        expect(error instanceof DecodeError || error instanceof SyntaxError).toBe(true)
      }
    }
  })
})
