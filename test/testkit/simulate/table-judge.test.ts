import { describe, expect, it } from 'vitest'
import type { Row } from '../../../model/value.ts'
import { seededRandom } from '../../../runtime/random.ts'
import { TableJudge } from '../../../testkit/simulate/table-judge.ts'
import type { TableRows } from '../../../testkit/simulate/workload.ts'
import { SimulatedFileSystem } from '../../../testkit/simulated-file-system.ts'

const table = 'ods.user'

/** The states of row 1 of the table, one after each statement; null: it is not there. */
function judgeOf(...names: (string | null)[]) {
  const states: TableRows[] = names.map(name => ({ [table]: rowsOf(name) }))
  const files = new SimulatedFileSystem({ random: seededRandom(1) })
  const judge = new TableJudge(states, files, '/warehouse')
  return { judge, states, look: (...rows: Row[]) => judge.lookAtRows(table, { key: ['id'], rows }) }
}

function rowsOf(name: string | null): Row[] {
  return name === null ? [] : [{ id: 1, name }]
}

describe('a reader of tables', () => {
  it('may see states late, and not all of them', () => {
    const { judge, states, look } = judgeOf(null, 'a', 'b')
    look()
    look(...rowsOf('b'))
    expect(judge.unfinished()).toBeNull()
    states.push({ [table]: rowsOf('c') })
    expect(judge.unfinished()).toBe(
      'ods.user {"id":1} is {"id":1,"name":"b"}, and should be {"id":1,"name":"c"}',
    )
    look(...rowsOf('c'))
    expect(judge.unfinished()).toBeNull()
  })

  it('may see a row come back that was like this before', () => {
    const { look } = judgeOf('a', 'b', 'a', null, 'a')
    for (const name of ['a', 'b', 'a', null, 'a']) look(...rowsOf(name))
  })

  it('takes a column that the row does not have for null', () => {
    const { judge, look } = judgeOf('a')
    look({ id: 1, name: 'a', later: null })
    expect(judge.unfinished()).toBeNull()
    expect(() => look({ id: 1, name: 'a', later: 0 })).toThrow('it should be {"id":1,"name":"a"}')
  })

  it('compares bytes and large integers by what they are', () => {
    const row = { id: 1, big: 2n ** 70n, bytes: Buffer.from('x') }
    const states = [{ [table]: [row] }]
    const files = new SimulatedFileSystem({ random: seededRandom(1) })
    const judge = new TableJudge(states, files, '/warehouse')
    judge.lookAtRows(table, { key: ['id'], rows: [{ ...row, bytes: new Uint8Array([120]) }] })
    expect(judge.unfinished()).toBeNull()
    const other = { ...row, big: 2n ** 70n + 1n }
    expect(() => judge.lookAtRows(table, { key: ['id'], rows: [other] })).toThrow('it should be')
  })

  it.each([
    ['one-row-a-key', 'two rows', ['a'], [[...rowsOf('a'), ...rowsOf('a')]]],
    ['no-step-back', 'went back to', ['a', 'b'], [rowsOf('b'), rowsOf('a')]],
    ['no-step-back', 'went back to absent', [null, 'a'], [rowsOf('a'), []]],
    ['only-rows-that-were', 'it should be', ['a'], [rowsOf('x')]],
    ['only-rows-that-were', 'never have had one of its key', ['a'], [[{ id: 2, name: 'a' }]]],
  ])('finds %s broken: %s', (promise, message, states, reads) => {
    const { look } = judgeOf(...states)
    const last = reads.pop()!
    for (const rows of reads) look(...rows)
    expect(() => look(...last)).toThrow(
      expect.objectContaining({ promise, message: expect.stringContaining(message) }),
    )
  })

  it('finds at the end what is missing: a row, or the table', async () => {
    const { judge, look } = judgeOf(null, 'a')
    await expect(judge.lookFinally()).rejects.toThrow('there is no table ods.user')
    look()
    await expect(judge.lookFinally()).rejects.toThrow('the warehouse has no table with rows')
  })

  it('names the tables that are expected, when it sees another one', () => {
    const { judge } = judgeOf('a')
    expect(() => judge.lookAtRows('shop.user', { key: ['id'], rows: rowsOf('a') })).toThrow(
      'the workload expects only ods.user; say in `expected` what comes to which table',
    )
  })

  it('finds an `expected` that gives two rows of a key', () => {
    const { states, look } = judgeOf('a')
    states.push({ [table]: [...rowsOf('a'), ...rowsOf('b')] })
    expect(() => look(...rowsOf('a'))).toThrow('`expected` gave ods.user two rows {"id":1}')
  })
})
