import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { murmur2, partitionOfBytes, partitionOfKey } from '../../model/partitioner.ts'

describe('murmur2', () => {
  it('gives what Kafka’s own tests expect', () => {
    for (const [text, hash] of [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
      ['abc', 479470107],
    ] as const) {
      expect([text, murmur2(Buffer.from(text))]).toEqual([text, hash])
    }
  })

  it('is a signed 32-bit number for every length, and reads bytes as unsigned', () => {
    for (let length = 0; length < 20; length += 1) {
      const hash = murmur2(Buffer.alloc(length, 0xff))
      expect(hash | 0).toBe(hash)
      // A view into a larger buffer is hashed as what it shows.
      expect(murmur2(Buffer.alloc(40, 0xff).subarray(7, 7 + length))).toBe(hash)
    }
  })
})

describe('the partition of a key', () => {
  it('is as Kafka’s default partitioner has it: never negative', () => {
    const bytes = fc.uint8Array()
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 100 }), (key, partitions) => {
        const hash = murmur2(key)
        const positive = hash < 0 ? hash + 2 ** 31 : hash
        expect(partitionOfBytes(key, partitions)).toBe(positive % partitions)
      }),
    )
    // -790332482 with its sign cut off, by hand.
    expect(partitionOfBytes(Buffer.from('foobar'), 10)).toBe((2 ** 31 - 790_332_482) % 10)
  })

  it('is of the table and the key: one key lies elsewhere in another table', () => {
    const keys = Array.from({ length: 100 }, (_, index) => `\x21${String.fromCharCode(index)}\0`)
    const partitions = (table: string): number[] => keys.map(key => partitionOfKey(table, key, 16))
    expect(partitions('demo.user')).not.toEqual(partitions('demo.product'))
    expect(partitions('demo.user')).toEqual(partitions('demo.user'))
  })

  it('is the only one when there is only one', () => {
    expect(partitionOfKey('demo.user', 'x', 1)).toBe(0)
  })

  it('spreads keys evenly, those that count up too', () => {
    const counts = Array.from({ length: 8 }, () => 0)
    for (let id = 0; id < 8000; id += 1) {
      const key = `\x22${String.fromCharCode(id >> 8, id & 0xff)}\0`
      const partition = partitionOfKey('demo.user', key, 8)
      counts[partition] = counts[partition]! + 1
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })
})
