import { describe, expect, it } from 'vitest'
import {
  BufferSink,
  BufferSource,
  OrcError,
  OrcReader,
  type OrcSink,
  type OrcStructType,
  type OrcValue,
  OrcWriter,
  type OrcWriterOptions,
  parseOrcType,
} from '../../orc/index.ts'
import { allTypes, readRows, structOf, writeFile } from './samples.ts'

const schema = parseOrcType('struct<id:bigint,name:string>') as OrcStructType

async function open(file: Uint8Array): Promise<OrcReader> {
  return OrcReader.open(new BufferSource(file))
}

describe('a file', () => {
  it('without rows has no stripes, but a schema and statistics of nothing', async () => {
    const reader = await open(await writeFile(schema, []))
    expect(reader.stripes).toEqual([])
    expect(reader.rowCount).toBe(0)
    expect(reader.schema).toEqual(schema)
    expect(reader.statistics).toMatchObject(Array(3).fill({ valueCount: 0, hasNull: false }))
  })

  it('starts and ends with its magic, and says who wrote it', async () => {
    const file = Buffer.from(
      await writeFile(schema, [[1, 'a']], { softwareVersion: 'forager 1.2.3' }),
    )
    expect(file.subarray(0, 3).toString()).toBe('ORC')
    expect(file.subarray(-4, -1).toString()).toBe('ORC')
    const reader = await open(file)
    expect(reader.writer).toEqual({ id: 101, version: 6, softwareVersion: 'forager 1.2.3' })
    expect(reader.calendar).toBe('proleptic-gregorian')
    expect(reader.formatVersion).toBe('0.12')
  })

  it('has the user metadata of the options and of later calls; the last one counts', async () => {
    const sink = new BufferSink()
    const writer = new OrcWriter(sink, schema, {
      userMetadata: { a: 'one', b: Uint8Array.of(0, 255) },
    })
    writer.writeRow([1, 'x'])
    await writer.flushStripe()
    writer.setUserMetadata('a', 'två')
    await writer.close()
    const { userMetadata } = await open(sink.bytes())
    expect([...userMetadata]).toEqual([
      ['a', new Uint8Array(Buffer.from('två'))],
      ['b', Uint8Array.of(0, 255)],
    ])
  })

  it('tells its rows and its size when it is closed', async () => {
    const sink = new BufferSink()
    const writer = new OrcWriter(sink, schema)
    writer.writeRow([1, 'x'])
    writer.writeRow([2, 'y'])
    expect(await writer.close()).toEqual({ rowCount: 2, sizeBytes: sink.bytes().length })
  })

  it('has a stripe for each flush that had rows', async () => {
    const sink = new BufferSink()
    const writer = new OrcWriter(sink, schema)
    await writer.flushStripe()
    for (const rows of [1, 3, 0, 2]) {
      for (let k = 0; k < rows; k++) writer.writeRow([k, null])
      await writer.flushStripe()
    }
    expect(writer.stripeCount).toBe(3)
    await writer.close()
    const reader = await open(sink.bytes())
    expect(reader.stripes.map(stripe => stripe.rowCount)).toEqual([1, 3, 2])
    expect(reader.stripes.map(stripe => stripe.statistics[2])).toMatchObject(
      [1, 3, 2].map(() => ({ valueCount: 0, hasNull: true })),
    )
  })

  it('lists a value stream for every column, be it empty', async () => {
    const everything = structOf(allTypes)
    const rows = [everything.fields.map(() => null), everything.fields.map(() => null)]
    const reader = await open(await writeFile(everything, rows))
    const { streams } = await reader.readStripeFooter(0)
    for (const column of reader.columns) {
      const kinds = streams
        .filter(stream => stream.columnId === column.id)
        .map(stream => stream.kind)
      const isCollection = ['list', 'map'].includes(column.type.kind)
      if (column.type.kind !== 'struct') expect(kinds).toContain(isCollection ? 'LENGTH' : 'DATA')
    }
  })
})

describe('a stripe', () => {
  it.each([
    ['narrow rows', (k: number): OrcValue[] => [k, 'name']],
    ['long strings', (k: number): OrcValue[] => [k, `${k}`.padEnd(5000, 'x')]],
  ])('is full when its rows take about the bytes that were asked for: %s', async (_, row) => {
    const stripeBytes = 1024 * 1024
    const sink = new BufferSink()
    const writer = new OrcWriter(sink, schema, {
      stripeBytes,
      compression: 'none',
      dictionaryThreshold: 0,
    })
    for (let k = 0; k < 200_000 && writer.stripeCount < 2; k++) {
      writer.writeRow(row(k))
      if (writer.isStripeFull) await writer.flushStripe()
    }
    await writer.close()
    const reader = await open(sink.bytes())
    const first = reader.stripes[0]!
    expect(reader.stripes.length).toBeGreaterThan(1)
    expect(first.dataBytes).toBeLessThan(1.1 * stripeBytes)
    expect(first.dataBytes).toBeGreaterThan(stripeBytes / 3)
  })

  it('may be followed by rows while it is still being written', async () => {
    const waiting: (() => void)[] = []
    const buffer = new BufferSink()
    const slow: OrcSink = {
      write: bytes =>
        new Promise<void>(resolve => waiting.push(resolve)).then(() => buffer.write(bytes)),
    }
    const writer = new OrcWriter(slow, schema)
    writer.writeRow([1, 'a'])
    const first = writer.flushStripe()
    writer.writeRow([2, 'b'])
    const second = writer.flushStripe()
    const closed = writer.close()
    let isClosed = false
    void closed.then(() => {
      isClosed = true
    })
    while (!isClosed) {
      waiting.shift()?.()
      await new Promise(resolve => setImmediate(resolve))
    }
    await Promise.all([first, second])
    expect(await readRows(buffer.bytes())).toEqual([
      [1, 'a'],
      [2, 'b'],
    ])
  })
})

describe('a value that does not fit its column', () => {
  const types = structOf({
    ...allTypes,
    deep: {
      kind: 'map',
      key: { kind: 'string' },
      value: { kind: 'list', element: { kind: 'byte' } },
    },
  })
  const good: Record<string, OrcValue> = {
    boolean: true,
    byte: 1,
    short: 1,
    int: 1,
    long: 1,
    float: 1,
    double: 1,
    string: 'a',
    varchar: 'a',
    char: 'a',
    binary: Uint8Array.of(1),
    date: 1,
    timestamp: 1,
    timestamp_instant: 1,
    decimal: 1,
    wideDecimal: 1,
    struct: [1, 'a'],
    list: [1, 2],
    map: new Map([['a', 1]]),
    union: { tag: 1, value: 'a' },
    nested: [[['x', 'y'], 1]],
    deep: new Map([['a', [1]]]),
  }
  const bad: [string, unknown][] = [
    ['boolean', 1],
    ['boolean', undefined],
    ['byte', 128],
    ['byte', -129],
    ['byte', 1n],
    ['short', 32_768],
    ['int', 2 ** 31],
    ['int', 1.5],
    ['int', '1'],
    ['int', Number.NaN],
    ['long', 2 ** 53],
    ['long', 2n ** 63n],
    ['long', -(2n ** 63n) - 1n],
    ['float', '1'],
    ['double', 1n],
    ['string', 1],
    ['string', undefined],
    ['binary', 'a'],
    ['binary', [1]],
    ['date', 2 ** 31],
    ['timestamp', 0.5],
    ['timestamp', new Date(0)],
    ['timestamp', 2n ** 63n],
    ['decimal', 10 ** 10],
    ['decimal', -(10 ** 10)],
    ['decimal', 10n ** 10n],
    ['decimal', -(10n ** 10n)],
    ['decimal', 0.5],
    ['wideDecimal', 10n ** 38n],
    ['struct', [1]],
    ['struct', [1, 'a', 2]],
    ['struct', [1, 2]],
    ['struct', {}],
    ['list', 1],
    ['list', [1, 'a']],
    ['map', [1]],
    ['map', new Map([['a', 'b']])],
    [
      'map',
      new Map<OrcValue, OrcValue>([
        ['a', 1],
        [1, 1],
      ]),
    ],
    ['union', { tag: 3, value: 1 }],
    ['union', { tag: 0, value: 'a' }],
    ['union', { tag: 2, value: [1, 'a'] }],
    ['union', 1],
    ['nested', [[['x', 1], 1]]],
    [
      'nested',
      [
        [['x'], 1],
        [['y'], 'z'],
      ],
    ],
    [
      'deep',
      new Map([
        ['a', [1, 2]],
        ['b', [3, 300]],
      ]),
    ],
  ]

  it.each(bad)('%s: %s is refused, and leaves no trace', async (name, value) => {
    const row = types.fields.map(field => good[field.name]!)
    const broken = types.fields.map(field =>
      field.name === name ? (value as OrcValue) : good[field.name]!,
    )
    const nulls = types.fields.map(() => null)
    const other = row.map(item => (typeof item === 'boolean' ? !item : item))
    const brokenOther = broken.map(item => (item === true ? false : item))
    // Every place of the refused row is tried: first, within a row group, first after one, last.
    const expected = [row, nulls, other, row, nulls, other]
    const sink = new BufferSink()
    for (const dictionaryThreshold of [0, 1]) {
      const writer = new OrcWriter(dictionaryThreshold === 0 ? sink : new BufferSink(), types, {
        rowIndexStride: 2,
        dictionaryThreshold,
      })
      for (const written of expected) {
        expect(() => writer.writeRow(broken)).toThrow(OrcError)
        expect(() => writer.writeRow(brokenOther)).toThrow(OrcError)
        writer.writeRow(written)
      }
      expect(() => writer.writeRow(broken)).toThrow(
        expect.objectContaining({ code: 'value-invalid' }),
      )
      expect(writer.rowCount).toBe(6)
      await writer.close()
    }
    expect(await readRows(sink.bytes())).toEqual(expected)
    const untroubled = await writeFile(types, expected, {
      rowIndexStride: 2,
      dictionaryThreshold: 0,
    })
    expect(Buffer.from(sink.bytes()).equals(untroubled)).toBe(true)
  })

  it('is named with its column', () => {
    const writer = new OrcWriter(
      new BufferSink(),
      parseOrcType('struct<a:struct<b:array<int>>>') as OrcStructType,
    )
    expect(() => writer.writeRow([[[1, 'x']]])).toThrow(
      /"x" is not an integer.*column a\.b\.element/,
    )
  })

  it('is a row of another length than the schema', () => {
    const writer = new OrcWriter(new BufferSink(), schema)
    expect(() => writer.writeRow([1])).toThrow(OrcError)
    expect(() => writer.writeRow([1, 'a', 2])).toThrow(OrcError)
  })
})

describe('a writer', () => {
  it('does not keep the arrays and bytes that it is given', async () => {
    const sink = new BufferSink()
    const writer = new OrcWriter(sink, structOf({ b: allTypes.binary!, l: allTypes.list! }))
    const bytes = Uint8Array.of(1, 2)
    const list = [1, 2]
    writer.writeRow([bytes, list])
    bytes.fill(9)
    list.fill(9)
    await writer.close()
    expect(await readRows(sink.bytes())).toEqual([[Uint8Array.of(1, 2), [1, 2]]])
  })

  it('gives its sink pieces that are neither empty nor tiny', async () => {
    const sizes: number[] = []
    const sink: OrcSink = {
      write: async bytes => {
        sizes.push(bytes.length)
      },
    }
    const writer = new OrcWriter(sink, structOf(allTypes), {
      compression: 'none',
      rowIndexStride: 100,
    })
    const nulls: OrcValue[] = Object.keys(allTypes).map(() => null)
    for (let k = 0; k < 20_000; k++) writer.writeRow(nulls.with(0, k % 3 === 0).with(6, k))
    const { sizeBytes } = await writer.close()
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(sizeBytes)
    expect(Math.min(...sizes)).toBeGreaterThan(0)
    expect(sizes.length).toBeLessThan(3 + sizeBytes / 30_000)
  })

  it('refuses timestamps whose microseconds are no int64', () => {
    const schema = structOf({ t: allTypes.timestamp! })
    const writer = new OrcWriter(new BufferSink(), schema, { timestampUnit: 'nanos' })
    writer.writeRow([(2n ** 63n - 1n) * 1000n])
    for (const value of [2n ** 63n * 1000n, -(2n ** 63n + 1n) * 1000n]) {
      expect(() => writer.writeRow([value])).toThrow(
        expect.objectContaining({ code: 'value-invalid' }),
      )
    }
  })

  it('cannot be used once it is closed', async () => {
    const writer = new OrcWriter(new BufferSink(), schema)
    await writer.close()
    const closed = expect.objectContaining({ code: 'writer-closed' })
    expect(() => writer.writeRow([1, 'a'])).toThrow(closed)
    expect(() => writer.flushStripe()).toThrow(closed)
    await expect(writer.close()).rejects.toEqual(closed)
  })

  it('passes on what its sink throws, and does not write on', async () => {
    let writes = 0
    const failing: OrcSink = {
      write: async () => {
        writes++
        throw new Error('disk full')
      },
    }
    const writer = new OrcWriter(failing, schema)
    writer.writeRow([1, 'a'])
    await expect(writer.flushStripe()).rejects.toThrow('disk full')
    writer.writeRow([2, 'b'])
    await expect(writer.close()).rejects.toThrow('disk full')
    expect(writes).toBe(1)
  })

  it.each<[string, OrcWriterOptions]>([
    ['a block size', { compressionBlockBytes: 0 }],
    ['a block size', { compressionBlockBytes: 2 ** 23 }],
    ['a stripe size', { stripeBytes: 0 }],
    ['a stride', { rowIndexStride: -1 }],
    ['a level', { compression: 'zlib', compressionLevel: 10 }],
    ['a threshold', { dictionaryThreshold: 1.1 }],
  ])('refuses %s out of range', (_, options) => {
    expect(() => new OrcWriter(new BufferSink(), schema, options)).toThrow(
      expect.objectContaining({ code: 'option-invalid' }),
    )
  })

  it.each([
    ['a root that is no struct', { kind: 'int' }],
    [
      'two fields of one name',
      structOf({ a: { kind: 'int' } }).fields.concat({ name: 'a', type: { kind: 'int' } }),
    ],
    ['a field without a name', [{ name: '', type: { kind: 'int' } }]],
    ['a decimal of 39 digits', [{ name: 'a', type: { kind: 'decimal', precision: 39, scale: 0 } }]],
  ])('refuses a schema with %s', (_, given) => {
    const broken = (
      Array.isArray(given) ? { kind: 'struct', fields: given } : given
    ) as OrcStructType
    expect(() => new OrcWriter(new BufferSink(), broken)).toThrow(
      expect.objectContaining({ code: 'schema-invalid' }),
    )
  })
})
