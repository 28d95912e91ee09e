import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from '../../model/bytes.ts'
import { InvariantError } from '../../model/errors.ts'
import { toInteger } from '../../model/value.ts'
import { anyText } from './samples.ts'

function written(write: (writer: ByteWriter) => void): Buffer {
  // One byte at first: every write has to make room.
  const writer = new ByteWriter(1)
  write(writer)
  return writer.take()
}

function readInteger(bytes: Uint8Array): number | bigint {
  const reader = new ByteReader(bytes)
  const value = reader.integer()
  expect(reader.isAtEnd).toBe(true)
  return value
}

/** Beside every power of two, both signs. */
function edges(bits: number): bigint[] {
  return Array.from({ length: bits + 1 }, (_, bit) => 2n ** BigInt(bit)).flatMap(power => [
    power - 1n,
    power,
    power + 1n,
    -power - 1n,
    -power,
    1n - power,
  ])
}

describe('integers', () => {
  it('every power of two up to 2^127 and its neighbours are read back in their one form', () => {
    for (const edge of edges(127)) {
      const bytes = written(writer => writer.integer(edge))
      expect(readInteger(bytes)).toBe(toInteger(edge))
    }
  })

  it('a number and a bigint of one value have the same bytes', () => {
    for (const edge of edges(53)) {
      const asNumber = Number(edge)
      if (!Number.isSafeInteger(asNumber)) continue
      expect(written(writer => writer.integer(asNumber))).toEqual(
        written(writer => writer.integer(edge)),
      )
    }
  })

  it('take as few bytes as seven bits each allow', () => {
    for (const [value, size] of [
      [0, 1],
      [-0, 1],
      [63, 1],
      [-64, 1],
      [64, 2],
      [-65, 2],
      [2 ** 30 - 1, 5],
      [2n ** 62n - 1n, 9],
      [2n ** 62n, 10],
      [2n ** 127n, 19],
      [-(2n ** 127n), 19],
    ] as const) {
      expect(written(writer => writer.integer(value))).toHaveLength(size)
    }
  })

  it('of any size, beyond what a decimal can hold, keep all their digits', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 300n), 2n ** 300n), value => {
        expect(readInteger(written(writer => writer.integer(value)))).toBe(toInteger(value))
      }),
    )
    expect(readInteger(written(writer => writer.integer(-(2n ** 1000n))))).toBe(-(2n ** 1000n))
  })

  it('are copied from other bytes when they are in this form and exact as numbers', () => {
    for (const edge of edges(60)) {
      const given = Buffer.concat([Buffer.from([9]), written(writer => writer.integer(edge))])
      let end = 0
      const copied = written(writer => {
        end = writer.integerOf(given, 1, 8)
      })
      // −2^53 has the bytes of a number that is exact, and is the only one that is not.
      const isExact = Number.isSafeInteger(Number(edge)) || edge === -(2n ** 53n)
      expect(end).toBe(isExact ? given.length : -1)
      expect(copied).toEqual(isExact ? given.subarray(1) : Buffer.alloc(0))
    }
  })

  it.each([
    ['is cut off', [0x80, 0x80], 8],
    ['is empty', [], 8],
    ['is longer than it had to be', [0x81, 0x00], 8],
    ['has more bytes than it may', [0x81, 0x81, 0x01], 2],
  ])('one that %s is not copied', (_, bytes, maxBytes) => {
    const copied = written(writer => {
      expect(writer.integerOf(Uint8Array.from(bytes), 0, maxBytes)).toBe(-1)
    })
    expect(copied).toHaveLength(0)
  })

  it('counts up to 2^31 − 1 are read back', () => {
    for (const count of [0, 1, 127, 128, 16_383, 16_384, 2 ** 28 - 1, 2 ** 28, 2 ** 31 - 1]) {
      const reader = new ByteReader(written(writer => writer.count(count)))
      expect(reader.count()).toBe(count)
      expect(reader.isAtEnd).toBe(true)
    }
  })
})

type Part =
  | readonly ['byte' | 'count' | 'double', number]
  | readonly ['integer', number | bigint]
  | readonly ['text' | 'binary', string]
  | readonly ['blob', Buffer]

const part: fc.Arbitrary<Part> = fc.oneof(
  fc.tuple(fc.constant('byte' as const), fc.nat(255)),
  fc.tuple(fc.constant('count' as const), fc.nat()),
  fc.tuple(fc.constant('double' as const), fc.double()),
  fc.tuple(fc.constant('integer' as const), fc.bigInt(-(2n ** 127n), 2n ** 127n).map(toInteger)),
  fc.tuple(fc.constant('text' as const), anyText),
  // Around the length at which a text no longer has a length of one byte.
  fc.tuple(
    fc.constant('text' as const),
    fc.integer({ min: 40, max: 45 }).map(n => '語'.repeat(n)),
  ),
  fc.tuple(
    fc.constant('binary' as const),
    fc.uint8Array().map(bytes => Buffer.from(bytes).toString('latin1')),
  ),
  fc.tuple(
    fc.constant('blob' as const),
    fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
  ),
)

describe('a writer and a reader', () => {
  it('any sequence of parts is read back, and nothing is left', () => {
    fc.assert(
      fc.property(fc.array(part), parts => {
        const reader = new ByteReader(
          written(writer => {
            for (const [kind, value] of parts) (writer[kind] as (value: unknown) => void)(value)
          }),
        )
        for (const [kind, value] of parts) expect(reader[kind]()).toEqual(value)
        expect(reader.isAtEnd).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('bytes that were taken do not change when the writer goes on', () => {
    const writer = new ByteWriter(4)
    writer.text('first')
    const first = writer.take()
    expect(writer.length).toBe(0)
    writer.text('other')
    expect(new ByteReader(first).text()).toBe('first')
    expect(writer.takeBinary()).toBe('\x05other')
    expect(writer.length).toBe(0)
  })

  it('what was begun and not taken can be thrown away', () => {
    const writer = new ByteWriter()
    writer.text('half a row')
    writer.reset()
    writer.byte(7)
    expect([...writer.take()]).toEqual([7])
  })

  it('a reader begins where it is told, and sees a view of a larger buffer', () => {
    const whole = Uint8Array.from([9, 9, 2, 104, 105, 9])
    expect(new ByteReader(whole.subarray(2, 5)).text()).toBe('hi')
    expect(new ByteReader(whole, 2).text()).toBe('hi')
  })

  it.each([
    ['a', true],
    ['語'.repeat(42), true],
    ['a'.repeat(128), true],
    ['a'.repeat(129), true],
    ['語'.repeat(200), true],
    ['a\xff', false],
    [`${'a'.repeat(200)}\xff`, false],
  ])('%s, which lies in other bytes, is copied as text when it is UTF-8', (text, isText) => {
    const bytes = Buffer.from(`-${text}-`, isText ? 'utf8' : 'latin1')
    const copied = written(writer => {
      expect(writer.textOf(bytes, 1, bytes.length - 1)).toBe(isText)
    })
    if (isText) expect(new ByteReader(copied).text()).toBe(text)
  })

  it('half of a surrogate pair becomes the replacement character and no bad length', () => {
    const reader = new ByteReader(
      written(writer => {
        writer.text('a\ud83d')
        writer.text('next')
      }),
    )
    expect(reader.text()).toBe('a\ufffd')
    expect(reader.text()).toBe('next')
  })

  it('reading past the end breaks an invariant, whatever is read', () => {
    const reads: readonly ((reader: ByteReader) => unknown)[] = [
      reader => reader.byte(),
      reader => reader.count(),
      reader => reader.integer(),
      reader => reader.double(),
      reader => reader.text(),
      reader => reader.binary(),
      reader => reader.blob(),
      reader => reader.raw(1),
    ]
    for (const read of reads) {
      expect(() => read(new ByteReader(Buffer.alloc(0)))).toThrow(InvariantError)
    }
    // A length that goes further than the bytes do, and a varint without an end.
    expect(() => new ByteReader(Buffer.from([5, 97])).text()).toThrow(InvariantError)
    expect(() => new ByteReader(Buffer.from([0xff, 0xff])).integer()).toThrow(InvariantError)
    expect(() => new ByteReader(Buffer.alloc(7)).double()).toThrow(InvariantError)
  })
})
