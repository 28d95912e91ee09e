import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BooleanRunLengthReader } from '../../orc/boolean-run-length.ts'
import { ByteInput } from '../../orc/byte-input.ts'
import { createCodec } from '../../orc/compression.ts'
import { BufferSource, OrcReader, type OrcType, type OrcValue } from '../../orc/index.ts'
import { mergeStatistics } from '../../orc/statistics.ts'
import {
  allTypes,
  nullPatterns,
  Random,
  sampleValues,
  scalarTypes,
  structOf,
  withNulls,
  writeFile,
} from './samples.ts'

const codecs = ['none', 'zlib'] as const

/** What each row group of the columns `v` and below says, for rows of one column. */
async function writeColumn(
  type: OrcType,
  values: readonly OrcValue[],
  options: Parameters<typeof writeFile>[2],
): Promise<{ file: Uint8Array; reader: OrcReader }> {
  const file = await writeFile(
    structOf({ v: type }),
    values.map(value => [value]),
    options,
  )
  return { file, reader: await OrcReader.open(new BufferSource(file)) }
}

it('every column has a row group for each stride of rows, and none without a stride', async () => {
  for (const [rowIndexStride, expected] of [
    [1, 25],
    [10, 3],
    [24, 2],
    [25, 1],
    [26, 1],
    [0, 0],
  ] as const) {
    const values = Array.from({ length: 25 }, (_, k) => [k])
    const { reader } = await writeColumn(allTypes.list!, values, { rowIndexStride })
    expect(reader.rowIndexStride).toBe(rowIndexStride)
    const indexes = await reader.readRowIndexes(0)
    expect(indexes.map(groups => groups.length)).toEqual([expected, expected, expected])
  }
})

it('the statistics of a stripe are those of its row groups together', async () => {
  for (const [name, type] of Object.entries(allTypes)) {
    const random = new Random(name.length)
    const values = withNulls(sampleValues(type, 'random', 95, random), 'some', random)
    const { reader } = await writeColumn(type, values, { rowIndexStride: 10 })
    const indexes = await reader.readRowIndexes(0)
    reader.columns.forEach(({ id }) => {
      const { bytesOnDisk, ...stripe } = reader.stripes[0]!.statistics[id]!
      const { bytesOnDisk: _, ...merged } = indexes[id]!.map(group => group.statistics).reduce(
        mergeStatistics,
      )
      expect(merged).toEqual(stripe)
      expect(reader.statistics[id]).toEqual({ ...stripe, bytesOnDisk })
    })
  }
})

it('the first row group starts at zero, and a struct without nulls has no positions', async () => {
  const { reader } = await writeColumn(scalarTypes.long, [1, 2, null], { compression: 'zlib' })
  const [root, column] = await reader.readRowIndexes(0)
  expect(root![0]!.positions).toEqual([])
  // PRESENT: chunk, byte in it, byte in the run, bit in the byte. DATA: chunk, byte in it, value in
  // the run.
  expect(column![0]!.positions).toEqual([0, 0, 0, 0, 0, 0, 0])
})

it('positions have the length that the type, nulls and compression ask for', async () => {
  const lengths = { boolean: 3, byte: 2, int: 2, double: 1, decimal: 3, binary: 3, timestamp: 4 }
  for (const [name, plain] of Object.entries(lengths)) {
    const type = scalarTypes[name as keyof typeof lengths]
    const streams = plain === 1 || name === 'boolean' || name === 'byte' || name === 'int' ? 1 : 2
    for (const compression of codecs) {
      for (const isNullable of [false, true]) {
        const values = sampleValues(type, 'random', 20, new Random(1))
        if (isNullable) values[3] = null
        const { reader } = await writeColumn(type, values, { compression })
        const [, column] = await reader.readRowIndexes(0)
        const perStream = compression === 'none' ? 0 : 1
        const expected = plain + streams * perStream + (isNullable ? 3 + perStream : 0)
        expect(column![0]!.positions.length).toBe(expected)
      }
    }
  }
})

it('from the positions of each row group the rest of a double column is read', async () => {
  const settings = fc.record({
    seed: fc.nat(),
    nulls: fc.constantFrom(...nullPatterns),
    compression: fc.constantFrom(...codecs),
    rowIndexStride: fc.integer({ min: 1, max: 70 }),
    compressionBlockBytes: fc.constantFrom(16, 100, 4096),
  })
  await fc.assert(
    fc.asyncProperty(settings, async ({ seed, nulls, ...options }) => {
      const random = new Random(seed)
      const values = withNulls(
        sampleValues(scalarTypes.double, 'random', 300, random),
        nulls,
        random,
      )
      const { file, reader } = await writeColumn(scalarTypes.double, values, options)
      const streams = await streamsOf(file, reader)
      const dechunking = {
        codec: createCodec(options.compression),
        blockBytes: options.compressionBlockBytes,
      }
      const open = (kind: string, positions: number[]): ByteInput => {
        const chunk = positions.shift()!
        const within = dechunking.codec === null ? 0 : positions.shift()!
        const input = new ByteInput(streams.get(kind)!.subarray(chunk), dechunking, kind)
        input.readBytes(within)
        return input
      }
      const groups = (await reader.readRowIndexes(0))[1]!
      groups.forEach((group, index) => {
        const rest = values.slice(index * options.rowIndexStride)
        const positions = [...group.positions]
        let present = rest.map(() => 1)
        if (values.includes(null)) {
          const input = open('PRESENT', positions)
          const [bytes, bits] = positions.splice(0, 2)
          expect(bytes).toBe(0)
          const target = new Uint8Array(bits! + rest.length)
          new BooleanRunLengthReader(input).read(target, target.length)
          present = [...target.subarray(bits)]
        }
        const data = open('DATA', positions)
        expect(positions).toEqual([])
        const read = present.map(bit =>
          bit === 1 ? Buffer.from(data.readBytes(8)).readDoubleLE() : null,
        )
        expect(read).toEqual(rest)
      })
    }),
    { numRuns: 60 },
  )
})

/** The data streams of the column of a file of one stripe. */
async function streamsOf(file: Uint8Array, reader: OrcReader): Promise<Map<string, Uint8Array>> {
  const footer = await reader.readStripeFooter(0)
  const streams = new Map<string, Uint8Array>()
  let offset = reader.stripes[0]!.offset
  for (const { kind, columnId, sizeBytes } of footer.streams) {
    if (columnId === 1) streams.set(kind, file.subarray(offset, offset + sizeBytes))
    offset += sizeBytes
  }
  return streams
}

it('row groups of strings point into the streams of the encoding that was chosen', async () => {
  for (const dictionaryThreshold of [0, 1]) {
    const values = Array.from({ length: 400 }, (_, k) => `value ${k % 50}`)
    const { reader } = await writeColumn(scalarTypes.string, values, {
      compression: 'none',
      dictionaryThreshold,
      rowIndexStride: 100,
    })
    const groups = (await reader.readRowIndexes(0))[1]!
    const offsets = groups.map(group => group.positions[0]!)
    expect(groups.map(group => group.positions.length)).toEqual(
      Array(4).fill(dictionaryThreshold === 0 ? 3 : 2),
    )
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
    expect(new Set(offsets).size).toBe(4)
  }
})

it('a stripe that gave up its dictionary is as if it had never had one', async () => {
  const distinct = Array.from({ length: 400 }, (_, k) => `value ${k}`)
  // Given up after the first row group, or only at the end of the stripe.
  for (const values of [distinct, [...Array<string>(100).fill('same'), ...distinct]]) {
    for (const compression of codecs) {
      const options = { compression, rowIndexStride: 100 }
      const tried = await writeColumn(scalarTypes.string, values, options)
      const direct = await writeColumn(scalarTypes.string, values, {
        ...options,
        dictionaryThreshold: 0,
      })
      expect(Buffer.from(tried.file).equals(direct.file)).toBe(true)
    }
  }
})
