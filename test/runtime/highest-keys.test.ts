import { describe, expect, it } from 'vitest'
import type { StagedBatch } from '../../model/staged-batch.ts'
import type { WaitingBatch } from '../../processors/merge.ts'
import { noProgress } from '../../runtime/applied.ts'
import { areNew, withKeys } from '../../runtime/highest-keys.ts'
import { users } from '../processors/samples.ts'

/** The key of `users`. */
const form = 'id number'
const none = { of: form, byTask: {} }

function batch(
  task: string,
  first: string,
  last: string,
  { isUpserts = true, keys = true } = {},
): WaitingBatch {
  const file = { path: `${task}/${first}`, sizeBytes: 1, rowCount: 2, isUpserts }
  const staged: StagedBatch = {
    table: 'ods.user',
    partitionBy: null,
    task,
    range: { from: 0, to: 1 },
    schema: users,
    files: [keys ? { ...file, keys: { first, last } } : file],
    rowCount: 2,
    eventCount: 2,
    truncate: null,
    sourceMs: { first: 0, last: 0 },
  }
  return { offset: 0, batch: staged }
}

const plan = (...covered: WaitingBatch[]) => ({
  truncate: 'none' as const,
  sources: covered,
  covered,
})

describe('rows that cannot be in the table yet', () => {
  it('are those above the highest key that their task ever brought', () => {
    const highest = { of: form, byTask: { '1_0': 'm' } }
    expect(areNew(plan(batch('1_0', 'n', 'p')), highest)).toBe(true)
    expect(areNew(plan(batch('1_0', 'm', 'p')), highest)).toBe(false)
    expect(areNew(plan(batch('1_1', 'a', 'b')), highest)).toBe(true)
  })

  it('are none where one batch of several is not above the one before', () => {
    expect(areNew(plan(batch('1_0', 'a', 'c'), batch('1_0', 'd', 'e')), none)).toBe(true)
    expect(areNew(plan(batch('1_0', 'a', 'c'), batch('1_0', 'c', 'e')), none)).toBe(false)
  })

  it('are none when rows are deleted or patched, a table is emptied, or nothing is known', () => {
    expect(areNew(plan(batch('1_0', 'a', 'b', { isUpserts: false })), none)).toBe(false)
    expect(areNew({ ...plan(batch('1_0', 'a', 'b')), truncate: 'all' }, none)).toBe(false)
    expect(areNew(plan(batch('1_0', 'a', 'b', { keys: false })), none)).toBe(false)
    expect(areNew(plan(batch('1_0', 'a', 'b')), null)).toBe(false)
  })

  it('are none of a task that reads a source: added partitions would spread its keys anew', () => {
    expect(areNew(plan(batch('0_orders-0', 'a', 'b')), none)).toBe(false)
  })

  it('are none of a task of another number: pipelines stand in another order, and it is unknown who brought what', () => {
    const highest = { of: form, byTask: { '1_0': 'm' } }
    expect(areNew(plan(batch('4_0', 'n', 'p')), highest)).toBe(false)
    expect(areNew(plan(batch('1_1', 'a', 'b'), batch('4_1', 'c', 'd')), none)).toBe(false)
    const known = { ...noProgress, highest }
    expect(withKeys(known, [batch('4_0', 'n', 'p')], { isNew: false }).highest).toBeNull()
  })
})

describe('a table that was made before it had a row', () => {
  const { batch: first } = batch('1_0', 'a', 'b')
  const made = { offset: 0, batch: { ...first, rowCount: 0, files: [], creates: true as const } }

  it('has none yet: those that come are new', () => {
    const known = withKeys(noProgress, [made], { isNew: false, isNewTable: true })
    expect(known).toMatchObject({ highest: none, newRows: 0 })
    expect(areNew(plan(batch('1_0', 'a', 'b')), known.highest ?? null)).toBe(true)
  })

  it('and is told again, changes nothing of that', () => {
    const highest = { of: form, byTask: { '1_0': 'm' } }
    expect(areNew(plan(made, batch('1_0', 'n', 'p')), highest)).toBe(true)
    expect(areNew(plan(made, batch('1_0', 'b', 'p')), highest)).toBe(false)
    expect(withKeys({ ...noProgress, highest }, [made], { isNew: true }).highest).toEqual(highest)
  })
})

describe('another key', () => {
  it('has another order: nothing is known of its rows any more', () => {
    const highest = { of: 'id number, tenant number', byTask: { '1_0': 'm' } }
    expect(areNew(plan(batch('1_0', 'n', 'p')), highest)).toBe(false)
    const known = { ...noProgress, highest }
    expect(withKeys(known, [batch('1_0', 'n', 'p')], { isNew: false }).highest).toBeNull()
  })
})

describe('what is known of a table', () => {
  it('begins with a table that was made for the apply, and rises', () => {
    const made = withKeys(noProgress, [batch('1_0', 'a', 'c')], { isNew: false, isNewTable: true })
    expect(made).toMatchObject({ highest: { of: form, byTask: { '1_0': 'c' } }, newRows: 2 })
    const more = withKeys(made, [batch('1_0', 'd', 'e'), batch('1_1', 'b', 'b')], { isNew: true })
    expect(more).toMatchObject({
      highest: { of: form, byTask: { '1_0': 'e', '1_1': 'b' } },
      newRows: 6,
    })
  })

  it('stays when older rows change, and the first snapshot is over then', () => {
    const made = withKeys(noProgress, [batch('1_0', 'a', 'm')], { isNew: false, isNewTable: true })
    const changed = withKeys(made, [batch('1_0', 'b', 'c', { isUpserts: false })], { isNew: false })
    expect(changed.highest).toEqual({ of: form, byTask: { '1_0': 'm' } })
    expect(changed.newRows).toBeUndefined()
  })

  it('is nothing where rows came whose keys are not known, and of a table that was there before', () => {
    const made = withKeys(noProgress, [batch('1_0', 'a', 'm')], { isNew: false, isNewTable: true })
    expect(
      withKeys(made, [batch('1_0', 'x', 'y', { keys: false })], { isNew: false }).highest,
    ).toBeNull()
    expect(withKeys(noProgress, [batch('1_0', 'a', 'm')], { isNew: false }).highest).toBeNull()
  })
})
