import { describe, expect, it } from 'vitest'
import type { OrcBatch, OrcStructType, OrcVector } from '../../orc/index.ts'
import { BufferSink, BufferSource, OrcReader, OrcWriter, parseOrcType } from '../../orc/index.ts'
import { readRows } from './samples.ts'

function bytesOf(...texts: readonly string[]): OrcVector {
  const pieces = texts.map(text => Buffer.from(text))
  const lengths = Int32Array.from(pieces, piece => piece.length)
  const starts = new Int32Array(texts.length)
  for (let k = 1; k < texts.length; k++) starts[k] = starts[k - 1]! + lengths[k - 1]!
  return { kind: 'bytes', present: null, bytes: Buffer.concat(pieces), starts, lengths }
}

async function written(schema: string, ...batches: readonly OrcBatch[]): Promise<Uint8Array> {
  const sink = new BufferSink()
  const writer = new OrcWriter(sink, parseOrcType(schema) as OrcStructType, { rowIndexStride: 3 })
  for (const batch of batches) writer.writeBatch(batch)
  await writer.close()
  return sink.bytes()
}

describe('a batch of vectors', () => {
  it('is written as rows are, across the borders of row groups', async () => {
    const batch = (rowCount: number, present: Uint8Array | null): OrcBatch => ({
      rowCount,
      columns: [
        { kind: 'long', present, values: BigInt64Array.of(1n, 2n ** 60n, -3n, 4n, 5n) },
        bytesOf('a', '', 'cc', 'é', 'e'),
        { kind: 'decimal', present, values: Float64Array.of(1, 2, 3, 4, 5) },
        {
          kind: 'list',
          present: null,
          offsets: Int32Array.of(0, 2, 2, 3, 3, 4),
          elements: { kind: 'integer', present: null, values: Int32Array.of(7, 8, 9, 10) },
        },
      ],
    })
    const schema = 'struct<a:bigint,b:string,c:decimal(38,0),d:array<int>>'
    const present = Uint8Array.of(1, 0, 1, 1, 0)
    const file = await written(schema, batch(5, null), batch(5, present), batch(0, null))
    const lists = [[7, 8], [], [9], [], [10]]
    const texts = ['a', '', 'cc', 'é', 'e']
    const whole = [1, 2n ** 60n, -3, 4, 5].map((a, k) => [a, texts[k], k + 1, lists[k]])
    const some = whole.map(([a, b, c, d], k) =>
      present[k] === 1 ? [a, b, c, d] : [null, b, null, d],
    )
    expect(await readRows(file)).toEqual([...whole, ...some])
  })

  it('stays as it is when the next one is read, unless that may have its memory', async () => {
    const values = Float64Array.from({ length: 4000 }, (_, k) => k)
    const column = { kind: 'long', present: null, values } as const
    const file = await written('struct<a:bigint>', { rowCount: 4000, columns: [column] })
    const reader = await OrcReader.open(new BufferSource(file))
    for (const reuseMemory of [false, true]) {
      const first: number[] = []
      const kept: ArrayLike<number | bigint>[] = []
      const buffers = new Set<ArrayBufferLike>()
      for await (const { columns } of reader.batches({ maxBatchRows: 100, reuseMemory })) {
        const [vector] = columns
        if (vector?.kind !== 'long') throw new Error(vector?.kind)
        first.push(Number(vector.values[0]))
        kept.push(vector.values)
        buffers.add(vector.values.buffer)
      }
      const starts = Array.from({ length: 40 }, (_, k) => 100 * k)
      expect(first).toEqual(starts)
      if (reuseMemory) expect(buffers.size).toBe(1)
      else expect(kept.map(values => values[0])).toEqual(starts)
    }
  })

  it('shares the bytes of a dictionary, whose entries are decoded once', async () => {
    const values = Array.from({ length: 50 }, (_, k) => ['x', 'yy'][k % 2]!)
    const file = await written('struct<a:string>', { rowCount: 50, columns: [bytesOf(...values)] })
    const reader = await OrcReader.open(new BufferSource(file))
    const [vector] = (await reader.batches().next()).value.columns as [OrcVector]
    if (vector.kind !== 'bytes') throw new Error(vector.kind)
    expect(vector.bytes.length).toBe(3)
    expect(vector.dictionary?.entries.texts()).toEqual(['x', 'yy'])
    expect([...vector.dictionary!.ids.subarray(0, 4)]).toEqual([0, 1, 0, 1])
  })

  const whole = { kind: 'integer', present: null, values: Int32Array.of(1, 2, 3) } as const
  it.each<[string, string, OrcVector | undefined]>([
    ['bigint', 'a vector of integer is not one of long', whole],
    ['int', 'a vector of undefined is not one of integer', undefined],
    ['int', '2 values for 3 slots', { ...whole, values: Int32Array.of(1, 2) }],
    ['int', '`present` has fewer than 3 slots', { ...whole, present: Uint8Array.of(1) }],
    ['int', 'other than 0 and 1', { ...whole, present: Uint8Array.of(1, 2, 0) }],
    [
      'tinyint',
      'slot 2: 300 is not an integer in range',
      { ...whole, values: Int32Array.of(1, 2, 300) },
    ],
    ['bigint', 'slot 1: 0.5', { kind: 'long', present: null, values: Float64Array.of(1, 0.5, 2) }],
    ['boolean', 'slot 0: 2', { kind: 'boolean', present: null, values: Uint8Array.of(2, 0, 1) }],
    ['decimal(2,0)', 'slot 2: 100', { kind: 'decimal', present: null, values: [1n, 2n, 100n] }],
    [
      'timestamp',
      'slot 1: 1000000000 is not nanoseconds',
      {
        kind: 'timestamp',
        present: null,
        seconds: new Float64Array(3),
        nanos: Int32Array.of(0, 1e9, 0),
      },
    ],
    [
      'string',
      'slot 1: 5 bytes from 0 on of 2',
      {
        kind: 'bytes',
        present: null,
        bytes: new Uint8Array(2),
        starts: new Int32Array(3),
        lengths: Int32Array.of(1, 5, 0),
      },
    ],
    [
      'array<int>',
      'slot 1: its elements end before they begin',
      { kind: 'list', present: null, offsets: Int32Array.of(0, 3, 2, 3), elements: whole },
    ],
    [
      'array<int>',
      'slot 0: a null has elements',
      {
        kind: 'list',
        present: Uint8Array.of(0, 1, 1),
        offsets: Int32Array.of(0, 1, 2, 3),
        elements: whole,
      },
    ],
    [
      'uniontype<int,int>',
      'slot 2: 2 is not a variant',
      { kind: 'union', present: null, tags: Uint8Array.of(0, 1, 2), variants: [whole, whole] },
    ],
    ['struct<a:int>', 'there are not 1 fields', { kind: 'struct', present: null, fields: [] }],
  ])('%s: %s is said before any row is taken', async (type, message, vector) => {
    const sink = new BufferSink()
    const schema = parseOrcType(`struct<first:int,v:${type}>`) as OrcStructType
    const writer = new OrcWriter(sink, schema)
    expect(() => writer.writeBatch({ rowCount: 3, columns: [whole, vector as OrcVector] })).toThrow(
      expect.objectContaining({ code: 'value-invalid', message: expect.stringContaining(message) }),
    )
    await writer.close()
    expect(await readRows(sink.bytes())).toEqual([])
  })
})
