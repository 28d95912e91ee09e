import { describe, expect, it } from 'vitest'
import type { OrcPredicate, OrcSource, OrcType, OrcValue } from '../../orc/index.ts'
import { BufferSource, OrcReader } from '../../orc/index.ts'
import {
  allTypes,
  nullPatterns,
  Random,
  readBack,
  readRows,
  sampleValues,
  scalarTypes,
  structOf,
  styles,
  withNulls,
  writeFile,
} from './samples.ts'

/** Counts what is read of a file. */
class CountingSource implements OrcSource {
  readonly #bytes: Uint8Array
  bytesRead = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get sizeBytes(): number {
    return this.#bytes.length
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.bytesRead += length
    return this.#bytes.subarray(offset, offset + length)
  }
}

type Comparison = 'equals' | 'lessThan' | 'atMost' | 'greaterThan' | 'atLeast'

const comparisons: Readonly<Record<Comparison, (order: number) => boolean>> = {
  equals: order => order === 0,
  lessThan: order => order < 0,
  atMost: order => order <= 0,
  greaterThan: order => order > 0,
  atLeast: order => order >= 0,
}

function compare(a: OrcValue, b: OrcValue): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  const [left, right] = [a as number, b as number]
  return left < right ? -1 : left > right ? 1 : 0
}

/** Whether a row matches, in the plainest way: null where a null decides. */
function matches(predicate: OrcPredicate, value: OrcValue): boolean | null {
  if ('not' in predicate) {
    const inner = matches(predicate.not, value)
    return inner === null ? null : !inner
  }
  if ('and' in predicate) {
    const all = predicate.and.map(one => matches(one, value))
    return all.includes(false) ? false : all.includes(null) ? null : true
  }
  if ('or' in predicate) {
    const all = predicate.or.map(one => matches(one, value))
    return all.includes(true) ? true : all.includes(null) ? null : false
  }
  if ('isNull' in predicate) return (value === null) === predicate.isNull
  if (value === null || Number.isNaN(value)) return null
  if ('in' in predicate) return predicate.in.some(one => compare(value, one) === 0)
  const [, [name, literal]] = Object.entries(predicate) as [unknown, [Comparison, OrcValue]]
  return comparisons[name](compare(value, literal))
}

function randomPredicate(random: Random, literals: readonly OrcValue[], depth = 0): OrcPredicate {
  const one = () => randomPredicate(random, literals, depth + 1)
  const kind = random.below(depth > 2 ? 4 : 7)
  if (kind === 4) return { not: one() }
  if (kind === 5) return { and: [one(), one()] }
  if (kind === 6) return { or: [one(), one()] }
  if (kind === 3) return { column: 'v', isNull: random.below(2) === 0 }
  if (kind === 2) return { column: 'v', in: [random.pick(literals), random.pick(literals)] }
  const comparison = random.pick(Object.keys(comparisons))
  return { column: 'v', [comparison]: random.pick(literals) } as unknown as OrcPredicate
}

describe('a predicate', () => {
  it.each(Object.entries(scalarTypes).filter(([name]) => name !== 'binary'))(
    'on %s leaves out no row that matches, and gives each of the others at most once',
    async (name, type: OrcType) => {
      let left = 0
      for (let seed = 0; seed < 60; seed++) {
        const random = new Random(seed)
        const style = styles[seed % styles.length]!
        const nulls = nullPatterns[seed % 3]!
        const count = 1 + random.below(700)
        const values = withNulls(sampleValues(type, style, count, random), nulls, random)
        const rows = values.map((value, k): OrcValue[] => [value, k])
        const file = await writeFile(
          structOf({ v: type, row: { kind: 'int' } }),
          rows,
          {
            rowIndexStride: random.pick([1, 7, 100]),
            compression: random.pick(['none', 'zlib', 'lz4']),
            compressionBlockBytes: random.pick([64, 1000]),
            bloomFilterColumns: name === 'boolean' || seed % 2 === 0 ? [] : ['v'],
          },
          [random.below(count)],
        )
        const expected = values.map(value => readBack(type, value))
        const literals = [...expected, ...sampleValues(type, style, 5, random)].filter(
          value => value !== null && !Number.isNaN(value),
        )
        if (literals.length === 0) continue
        const where = randomPredicate(random, literals)
        const read = await readRows(file, { where })
        for (const [value, row] of read) {
          expect(value).toEqual(expected[row as number])
        }
        const found = read.map(([, row]) => row as number)
        expect(found).toEqual([...new Set(found)].sort((a, b) => a - b))
        const missing = expected.findIndex(
          (value, row) => matches(where, value) === true && !found.includes(row),
        )
        expect({ seed, where, missing }).toEqual({ seed, where, missing: -1 })
        left += rows.length - read.length
      }
      // Else the test would pass for a reader that ignores predicates.
      expect(left).toBeGreaterThan(0)
    },
  )

  it('reads of the file little more than the row group that it is about', async () => {
    const rows = Array.from({ length: 50_000 }, (_, k): OrcValue[] => [k, `text ${k}`])
    const schema = structOf({ id: { kind: 'int' }, text: { kind: 'string' } })
    const options = { rowIndexStride: 1000, compression: 'none' } as const
    const file = await writeFile(schema, rows, options, [25_000])
    const source = new CountingSource(file)
    const reader = await OrcReader.open(source)
    const read: OrcValue[][] = []
    const where = { column: 'id', equals: 31_234 }
    for await (const batch of reader.rows({ where })) read.push(...batch)
    expect(read).toEqual(rows.slice(31_000, 32_000))
    expect(source.bytesRead).toBeLessThan(file.length / 5)
  })

  it('is answered by a bloom filter where the least and the greatest value say nothing', async () => {
    const random = new Random(5)
    const rows = Array.from({ length: 20_000 }, () => [`id-${random.below(2 ** 30)}`])
    const schema = structOf({ v: { kind: 'string' } })
    const options = { rowIndexStride: 1000, bloomFilterColumns: ['v'], bloomFilterFpp: 0.001 }
    const [plain, filtered] = [
      await writeFile(schema, rows, { rowIndexStride: 1000 }),
      await writeFile(schema, rows, options),
    ]
    const where = { column: 'v', equals: rows[12_345]![0]! }
    expect((await readRows(plain, { where })).length).toBe(20_000)
    expect(await readRows(filtered, { where })).toEqual(rows.slice(12_000, 13_000))
    const absent = { column: 'v', equals: 'id-absent' }
    expect(await readRows(filtered, { where: absent })).toEqual([])
  })

  it('asks for fields of structs by their path, and not for what a row has several of', async () => {
    const inner = structOf({ n: { kind: 'int' } })
    const schema = structOf({ s: inner, l: allTypes.list! })
    const rows = Array.from({ length: 300 }, (_, k): OrcValue[] => [k < 200 ? [k] : null, [k]])
    const file = await writeFile(schema, rows, { rowIndexStride: 100 })
    expect(await readRows(file, { where: { column: 's.n', atLeast: 150 } })).toEqual(
      rows.slice(100, 200),
    )
    expect(await readRows(file, { where: { column: 's.n', isNull: true } })).toEqual(rows)
    for (const column of ['l.element', 'absent', '']) {
      await expect(readRows(file, { where: { column, equals: 1 } })).rejects.toMatchObject({
        code: 'column-unknown',
      })
    }
    await expect(readRows(file, { where: { column: 's.n', equals: 'x' } })).rejects.toMatchObject({
      code: 'option-invalid',
    })
  })
})

describe('a bloom filter', () => {
  it.each([
    [{ bloomFilterColumns: ['x'] }, 'column-unknown'],
    [{ bloomFilterColumns: ['b'] }, 'option-invalid'],
    [{ bloomFilterColumns: ['a'], bloomFilterFpp: 1 }, 'option-invalid'],
    [{ bloomFilterColumns: ['a'], rowIndexStride: 0 }, 'option-invalid'],
  ])('that cannot be made is refused: %o', async (options, code) => {
    const schema = structOf({ a: { kind: 'int' }, b: { kind: 'boolean' } })
    await expect(writeFile(schema, [], options)).rejects.toMatchObject({ code })
  })

  it('is not made of a column that does not ask for it', async () => {
    const schema = structOf({ a: { kind: 'int' }, b: { kind: 'int' } })
    const file = await writeFile(schema, [[1, 2]], { bloomFilterColumns: ['b'] })
    const reader = await OrcReader.open(new BufferSource(file))
    const { streams, encodings } = await reader.readStripeFooter(0)
    const filters = streams.filter(({ kind }) => kind === 'BLOOM_FILTER_UTF8')
    expect(filters.map(({ columnId }) => columnId)).toEqual([2])
    expect(encodings.length).toBe(3)
  })
})

describe('a large stripe', () => {
  it('is read in parts, of which no two are in memory, and gives the same rows', async () => {
    const random = new Random(11)
    const rows = Array.from({ length: 40_000 }, (_, k): OrcValue[] => [
      k % 7 === 0 ? null : k,
      random.bits(3200).toString(36),
      [`${k % 50}`, null],
    ])
    const schema = structOf({
      id: { kind: 'int' },
      text: { kind: 'string' },
      list: { kind: 'list', element: { kind: 'string' } },
    })
    const options = { rowIndexStride: 1000, compression: 'lz4', stripeBytes: 2 ** 30 } as const
    const file = await writeFile(schema, rows, options)
    let mostAtOnce = 0
    const source: OrcSource = {
      sizeBytes: file.length,
      read: async (offset, length) => {
        mostAtOnce = Math.max(mostAtOnce, length)
        return file.subarray(offset, offset + length)
      },
    }
    const reader = await OrcReader.open(source)
    expect(reader.stripes.length).toBe(1)
    expect(file.length).toBeGreaterThan(20 * 1024 * 1024)
    let done = 0
    for await (const batch of reader.rows()) {
      expect(batch).toEqual(rows.slice(done, done + batch.length))
      done += batch.length
    }
    expect(done).toBe(rows.length)
    expect(mostAtOnce).toBeLessThan(12 * 1024 * 1024)
    // Of the columns that are asked for, all fits.
    const ids = await readRows(file, { columns: ['id'] })
    expect(ids).toEqual(rows.map(([id]) => [id]))
  })
})
