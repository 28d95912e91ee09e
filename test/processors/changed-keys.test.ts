import { describe, expect, it } from 'vitest'
import type { ChangedKey } from '../../model/changed-key.ts'
import type { NetChange } from '../../model/net-change.ts'
import { netChangeValues } from '../../model/net-change.ts'
import { untornCount, withOldRows } from '../../processors/changed-keys.ts'
import { schemaOf } from '../model/samples.ts'
import { netOf, users } from './samples.ts'

const old = (oldKey: string, newKey: string): ChangedKey => ({ half: 'old', oldKey, newKey })
const whole = (oldKey: string, newKey: string): ChangedKey => ({ half: 'new', oldKey, newKey })
const partial = (oldKey: string, newKey: string): ChangedKey => {
  return { half: 'new', oldKey, newKey, isPartial: true }
}

const batchOf = (...changedKeys: readonly ChangedKey[]) => ({
  batch: changedKeys.length === 0 ? {} : { changedKeys },
})
const always = (): boolean => true
const never = (): boolean => false

describe('an apply', () => {
  it('takes more than it would, where the other half of a changed key is behind it', () => {
    const batches = [batchOf(old('1', '2')), batchOf(), batchOf(whole('1', '2')), batchOf()]
    expect(untornCount(batches, 1, always)).toBe(3)
    expect(untornCount(batches.toReversed(), 2, always)).toBe(4)
    expect(untornCount([batchOf(), batchOf()], 1, always)).toBe(1)
  })

  it('goes to what is before a half whose other one has yet to come', () => {
    const batches = [batchOf(), batchOf(partial('1', '2')), batchOf()]
    expect(untornCount(batches, 3, always)).toBe(1)
    expect(untornCount([batchOf(old('1', '2'))], 1, always)).toBe(0)
  })

  it('does not take the one half when the batch with the other one has to wait', () => {
    const batches = [
      batchOf(old('1', '2')),
      batchOf(old('3', '4')),
      batchOf(whole('1', '2')),
      batchOf(),
    ]
    expect(untornCount(batches, 4, always)).toBe(0)
  })

  it('waits no longer where it was waited for long enough', () => {
    const batches = [batchOf(old('1', '2')), batchOf(partial('5', '6'))]
    expect(untornCount(batches, 2, never)).toBe(2)
  })

  it('pairs a key that goes the same way twice in turn', () => {
    const [out, back] = [batchOf(old('1', '2'), whole('2', '1')), batchOf(old('2', '1'))]
    const again = batchOf(whole('1', '2'))
    expect(untornCount([out, again, back, out], 1, always)).toBe(3)
    expect(untornCount([out, again, back, out, again], 5, always)).toBe(3)
  })
})

const patch = (key: string, row: NetChange['row'] = [2, 'new', undefined]): NetChange => {
  return netOf({ kind: 'patch', key, row })
}
const gone = (key: string): NetChange => netOf({ kind: 'delete', key })

interface Source {
  readonly batch: { readonly changedKeys?: readonly ChangedKey[] }
  readonly changes: readonly NetChange[]
}

const sourceOf = (changes: readonly NetChange[], ...keys: readonly ChangedKey[]): Source => ({
  ...batchOf(...keys),
  changes,
})

async function completed(
  sources: readonly Source[],
  given: { isInDoubt?: boolean; isLossAccepted?: boolean; schema?: typeof users } = {},
): Promise<readonly (readonly unknown[])[]> {
  const options = { schema: users, isInDoubt: false, isLossAccepted: false, ...given }
  const read = async function* ({ changes }: Source): AsyncGenerator<readonly NetChange[]> {
    await Promise.resolve()
    yield changes
  }
  const streams = await withOldRows(sources, { ...options, read })
  const found: unknown[][] = []
  for (const stream of streams) {
    for await (const part of stream) {
      for (const change of part) {
        found.push([change.key, change.kind, netChangeValues(change), change.movedFrom])
      }
    }
  }
  return found
}

describe('a partial half', () => {
  it('takes what it lacks from the table, where nothing else changed the row', async () => {
    const sources = [sourceOf([gone('1'), patch('2')], old('1', '2'), partial('1', '2'))]
    expect(await completed(sources)).toEqual([
      ['1', 'delete', null, undefined],
      ['2', 'patch', [2, 'new', undefined], '1'],
    ])
  })

  it('takes it from what changed the row before its delete, staged after it or not', async () => {
    const written = sourceOf([netOf({ key: '1', row: [1, 'a', 'F'] })])
    const deleted = sourceOf([gone('1')], old('1', '2'))
    const moved = sourceOf([patch('2')], partial('1', '2'))
    const whole = ['2', 'upsert', [2, 'new', 'F'], undefined]
    expect(await completed([written, deleted, moved])).toContainEqual(whole)
    expect(await completed([moved, written, deleted])).toContainEqual(whole)
  })

  it('takes nothing of a row that came under the old key since', async () => {
    const deleted = sourceOf([netOf({ key: '1', row: [1, 'other', 'M'] })], old('1', '2'))
    const moved = sourceOf([patch('2')], partial('1', '2'))
    const later = sourceOf([netOf({ key: '1', row: [1, 'another', 'M'] })])
    expect((await completed([deleted, moved, later]))[1]).toEqual([
      '2',
      'patch',
      [2, 'new', undefined],
      '1',
    ])
  })

  it('is completed through several keys, from the first of them', async () => {
    const sources = [
      sourceOf([gone('1')], old('1', '2')),
      sourceOf([patch('2')], partial('1', '2')),
      sourceOf([gone('2')], old('2', '3')),
      sourceOf([patch('3', [3, undefined, undefined])], partial('2', '3')),
    ]
    expect((await completed(sources)).at(-1)).toEqual(['3', 'patch', [3, 'new', undefined], '1'])
  })

  it('whose delete is not there finds its own row, or none', async () => {
    const alone = [sourceOf([patch('2')], partial('1', '2'))]
    expect(await completed(alone)).toEqual([['2', 'patch', [2, 'new', undefined], '2']])
    expect(await completed(alone, { isLossAccepted: true })).toEqual([
      ['2', 'patch', [2, 'new', undefined], undefined],
    ])
  })

  it('that is sent again with its delete finds its own row', async () => {
    const once = sourceOf([gone('1'), patch('2')], old('1', '2'), partial('1', '2'))
    expect((await completed([once, once]))[3]).toEqual([
      '2',
      'patch',
      [2, 'new', undefined],
      undefined,
    ])
  })

  it('has nothing to keep of columns that its source does not have', async () => {
    const schema = schemaOf({ id: 'int', name: 'string', sex: 'string', dropped: 'string' })
    const sources = [sourceOf([gone('1'), patch('2')], old('1', '2'), partial('1', '2'))]
    expect((await completed(sources, { schema }))[1]).toEqual([
      '2',
      'patch',
      [2, 'new', undefined, null],
      '1',
    ])
  })

  it('is refused where a statement may have put another row under the old key', async () => {
    const sources = [
      sourceOf([gone('1'), patch('2')], old('1', '2'), partial('1', '2')),
      sourceOf([netOf({ key: '1' })]),
    ]
    const refused = completed(sources, { isInDoubt: true })
    await expect(refused).rejects.toMatchObject({ code: 'old-row-missing' })
    const accepted = await completed(sources, { isInDoubt: true, isLossAccepted: true })
    expect(accepted[1]).toEqual(['2', 'patch', [2, 'new', undefined], undefined])
    expect(await completed(sources.slice(0, 1), { isInDoubt: true })).toHaveLength(2)
  })

  it('is not taken for the one of a move before, whose insert did not come', async () => {
    const at = (half: ChangedKey, place: string): ChangedKey => ({ ...half, at: place })
    const sources = [
      sourceOf([netOf({ key: '1', row: [1, 'a', 'A'] })]),
      sourceOf([gone('1')], at(old('1', '2'), '5')),
      sourceOf([netOf({ key: '1', row: [1, 'b', 'B'] })]),
      sourceOf([gone('1')], at(old('1', '2'), '8')),
      sourceOf([patch('2')], at(partial('1', '2'), '8')),
    ]
    expect((await completed(sources)).at(-1)).toEqual(['2', 'upsert', [2, 'new', 'B'], undefined])
  })
})
