import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Difference, KeyedRow } from '../../../cli/verify/compare-rows.ts'
import { compareRows, mergeKeyed, OutOfOrder } from '../../../cli/verify/compare-rows.ts'

const row = (key: string, ...cells: readonly string[]): KeyedRow => ({ key, cells })

async function* parts(
  rows: readonly KeyedRow[],
  size = 2,
): AsyncGenerator<readonly KeyedRow[], void, void> {
  await Promise.resolve()
  for (let start = 0; start < rows.length; start += size) yield rows.slice(start, start + size)
}

async function compare(source: readonly KeyedRow[], target: readonly KeyedRow[], size = 2) {
  const found: string[] = []
  const counts = await compareRows(
    parts(source, size),
    parts(target, size),
    (_, a, b) => a === b,
    difference => void found.push(textOf(difference)),
  )
  return { found, counts }
}

function textOf(difference: Difference): string {
  const { key } = 'source' in difference ? difference.source : difference.target
  const columns = difference.kind === 'different' ? ` ${difference.columns.join()}` : ''
  return `${difference.kind} ${key}${columns}`
}

describe('compareRows', () => {
  it('finds what is missing, extra, twice and different, in the order of keys', async () => {
    const source = [row('a', '1'), row('b', '1', '2'), row('d', '1'), row('e', '1')]
    const target = [row('b', '1', '3'), row('c', '1'), row('e', '1'), row('e', '2'), row('f', '1')]
    const { found, counts } = await compare(source, target)
    expect(found).toEqual([
      'missing a',
      'different b 1',
      'extra c',
      'missing d',
      'twice e',
      'extra f',
    ])
    expect(counts).toEqual({ sourceRows: 4, targetRows: 5 })
  })

  it('tells of a key that the source has twice, and of an extra row that is there twice', async () => {
    const source = [row('a', '1'), row('a', '2'), row('b', '1')]
    const target = [row('a', '1'), row('b', '1'), row('c', '1'), row('c', '1')]
    const { found } = await compare(source, target)
    expect(found).toEqual(['twice-in-source a', 'extra c', 'twice c'])
  })

  it('says the same as two sets of keys, however the rows are cut into parts', async () => {
    const keys = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 2 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(keys, keys, fc.integer({ min: 1, max: 5 }), async (left, right, size) => {
        const rows = (from: readonly string[]) => from.toSorted(byCode).map(key => row(key, 'x'))
        const { found } = await compare(rows(left), rows(right), size)
        const missing = left.filter(key => !right.includes(key)).map(key => `missing ${key}`)
        const extra = right.filter(key => !left.includes(key)).map(key => `extra ${key}`)
        expect(found.toSorted(byCode)).toEqual([...missing, ...extra].toSorted(byCode))
      }),
    )
  })

  it.each([
    ['source', [row('b'), row('a')], [row('a')]],
    ['target', [row('a')], [row('a'), row('c'), row('b')]],
  ] as const)(
    'refuses rows of the %s that are not in the order of keys',
    async (side, from, to) => {
      await expect(compare(from, to)).rejects.toThrow(new OutOfOrder(side))
    },
  )

  it('ends both streams when it fails', async () => {
    const ended: string[] = []
    async function* stream(name: string): AsyncGenerator<readonly KeyedRow[]> {
      try {
        yield await Promise.resolve([row('b')])
        yield [row('a')]
      } finally {
        ended.push(name)
      }
    }
    const compared = compareRows(
      stream('source'),
      stream('target'),
      () => true,
      () => undefined,
    )
    await expect(compared).rejects.toThrow(OutOfOrder)
    expect(ended.toSorted()).toEqual(['source', 'target'])
  })
})

function byCode(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

describe('mergeKeyed', () => {
  it('gives the rows of several streams in the order of keys', async () => {
    const streams = [['a', 'd', 'e'], [], ['b', 'c', 'f'], ['d']].map(keys => {
      return parts(keys.map(key => row(key)))
    })
    const keys: string[] = []
    for await (const part of mergeKeyed(streams)) keys.push(...part.map(({ key }) => key))
    expect(keys).toEqual(['a', 'b', 'c', 'd', 'd', 'e', 'f'])
  })
})
