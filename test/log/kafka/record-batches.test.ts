import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checksum } from '../../../log/kafka/protocol.ts'
import { decodeBatches, encodeBatch } from '../../../log/kafka/record-batches.ts'
import type { ProducerRecord } from '../../../log/log.ts'

const at = { topic: 't', partition: 0 }
const prefixBytes = 12

function record(value: string | null, rest: Partial<ProducerRecord> = {}): ProducerRecord {
  const bytes = value === null ? null : Buffer.from(value)
  return { ...at, key: null, value: bytes, timestampMs: 0, ...rest }
}

/** As a broker keeps it: at its offset. */
function placed(batch: Buffer, firstOffset: number): Buffer {
  batch.writeBigInt64BE(BigInt(firstOffset), 0)
  return batch
}

function written(values: readonly string[], firstOffset: number, producerId = 1n): Buffer {
  const records = values.map(value => record(value))
  return placed(encodeBatch(records, { producerId, producerEpoch: 0, sequence: 0 }), firstOffset)
}

function marker(firstOffset: number, producerId: bigint, kind: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, kind === 'commit' ? 1 : 0])
  const batch = encodeBatch([record('x', { key })], { producerId, producerEpoch: 0, sequence: -1 })
  batch.writeInt16BE(0b11_0000, 21)
  batch.writeUInt32BE(checksum(batch.subarray(21)), 17)
  return placed(batch, firstOffset)
}

function texts(batches: readonly Buffer[], aborted: [bigint, number][] = [], from = 0) {
  const transactions = aborted.map(([producerId, firstOffset]) => ({ producerId, firstOffset }))
  const { records, nextOffset } = decodeBatches(at, Buffer.concat(batches), from, transactions)
  return {
    values: records.map(({ value }) => Buffer.from(value!).toString()),
    offsets: records.map(({ offset }) => offset),
    nextOffset,
  }
}

describe('a record batch', () => {
  const bytes = fc.option(fc.uint8Array({ maxLength: 300 }))
  const anyRecord = fc.record({
    key: bytes,
    value: bytes,
    timestampMs: fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_000 }),
    headers: fc.array(
      fc.record({ key: fc.string({ unit: 'grapheme' }), value: fc.uint8Array({ maxLength: 9 }) }),
      { maxLength: 3 },
    ),
  })

  it('gives back what was written, also times that go back', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), records => {
        const given = records.map(one => ({ ...at, ...one }))
        const batch = encodeBatch(given, { producerId: 7n, producerEpoch: 3, sequence: 11 })
        const found = decodeBatches(at, batch, 0, [])
        expect(found.nextOffset).toBe(records.length)
        for (const [index, one] of found.records.entries()) {
          const { key, value, timestampMs, headers } = records[index]!
          expect(one.offset).toBe(index)
          expect(one.timestampMs).toBe(timestampMs)
          expect(one.key && Uint8Array.from(one.key)).toEqual(key)
          expect(one.value && Uint8Array.from(one.value)).toEqual(value)
          expect(one.headers.map(each => [each.key, Uint8Array.from(each.value)])).toEqual(
            headers.map(each => [each.key, each.value]),
          )
        }
      }),
    )
  })

  it('that was damaged is refused, with its place', () => {
    const batch = written(['a', 'b'], 40)
    batch[batch.length - 2]! ^= 1
    expect(() => texts([batch])).toThrow(
      expect.objectContaining({ code: 'source-unreadable', context: { ...at, offset: 40 } }),
    )
  })

  it('that was cut off at the end of a fetch is left for the next', () => {
    const whole = written(['a', 'b'], 0)
    const half = written(['c'], 2).subarray(0, prefixBytes + 20)
    expect(texts([whole, half])).toEqual({ values: ['a', 'b'], offsets: [0, 1], nextOffset: 2 })
  })

  it('is sent whole; what lies before the offset is left out', () => {
    expect(texts([written(['a', 'b', 'c'], 5)], [], 6)).toEqual({
      values: ['b', 'c'],
      offsets: [6, 7],
      nextOffset: 8,
    })
  })
})

describe('records of transactions', () => {
  it('that were aborted are left out, up to the marker of their producer', () => {
    const batches = [
      written(['a1'], 0, 1n),
      written(['b1'], 1, 2n),
      marker(2, 1n, 'abort'),
      written(['a2'], 3, 1n),
      marker(4, 1n, 'commit'),
      marker(5, 2n, 'commit'),
    ]
    expect(texts(batches, [[1n, 0]])).toEqual({
      values: ['b1', 'a2'],
      offsets: [1, 3],
      nextOffset: 6,
    })
  })

  it('that were aborted are left out when the marker comes with a later fetch', () => {
    const batches = [written(['a1'], 0, 1n), written(['b1'], 1, 2n)]
    expect(texts(batches, [[1n, 0]])).toEqual({ values: ['b1'], offsets: [1], nextOffset: 2 })
    // The next fetch begins in the middle of the same transaction, and tells of it again.
    const rest = [written(['a2'], 2, 1n), marker(3, 1n, 'abort'), written(['a3'], 4, 1n)]
    expect(texts(rest, [[1n, 0]], 2)).toEqual({ values: ['a3'], offsets: [4], nextOffset: 5 })
  })

  it('that one producer aborted twice are left out both times', () => {
    const batches = [
      written(['a1'], 0, 1n),
      marker(1, 1n, 'abort'),
      written(['a2'], 2, 1n),
      marker(3, 1n, 'commit'),
      written(['a3'], 4, 1n),
      marker(5, 1n, 'abort'),
    ]
    expect(
      texts(batches, [
        [1n, 4],
        [1n, 0],
      ]),
    ).toEqual({ values: ['a2'], offsets: [2], nextOffset: 6 })
  })

  it('are passed when there is nothing but markers', () => {
    expect(texts([marker(9, 1n, 'commit')], [], 9)).toEqual({
      values: [],
      offsets: [],
      nextOffset: 10,
    })
  })
})
