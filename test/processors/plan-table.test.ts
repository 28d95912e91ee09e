import { describe, expect, it } from 'vitest'
import type { GivenPolicy } from '../../model/schema-change.ts'
import { changeText, followedFrom, policyOf } from '../../model/schema-change.ts'
import type { Column } from '../../model/table-schema.ts'
import { internSchema } from '../../model/table-schema.ts'
import type { PlanStep, PlanTableOptions } from '../../processors/plan-table.ts'
import { planTable } from '../../processors/plan-table.ts'
import { binlogAt } from './samples.ts'

const column = (name: string): Column => {
  return { id: name, name, type: { kind: 'int' }, nullable: name !== 'id' }
}
const schemaOf = (...names: readonly string[]) =>
  internSchema({ columns: names.map(column), key: ['id'] })

const step = (atMs: number, ...names: readonly string[]): PlanStep => ({
  batches: [
    { schema: schemaOf(...names), sourceMs: { first: atMs, last: atMs }, newest: { atMs } },
  ],
  partitionBy: null,
  markers: [],
})

/** Cannot drop columns; and has one that was made by hand. */
const warehouse: PlanTableOptions['warehouse'] = {
  describeTable: table => [`make ${table}`],
  describeChanges: (_table, changes) => ({
    statements: changes.map(changeText),
    impossible: changes
      .filter(({ kind }) => kind === 'drop')
      .map(change => ({ change, reason: 'it cannot drop' })),
  }),
}

function planned(schemaChanges: GivenPolicy, ...steps: readonly PlanStep[]) {
  const followed = followedFrom(schemaOf('id', 'a'), 1)
  const opened = { through: null, followed, others: new Set(['made']) }
  const policy = policyOf(schemaChanges)
  const plan = planTable({ table: 'dw.t', opened, policy, warehouse }, steps)
  const texts = (lines: typeof plan.left) => lines.map(({ text, mode }) => `${text} (${mode})`)
  return { ...plan, changes: texts(plan.changes), left: texts(plan.left) }
}

describe('planTable', () => {
  it('shows each step with its statements, and what was made by hand as made', () => {
    expect(planned({}, step(2, 'id', 'a', 'b', 'made'), step(3, 'id', 'a', 'b', 'c'))).toEqual({
      changes: ['column b int is added (evolve)', 'column c int is added (evolve)'],
      statements: ['column b int is added', 'column c int is added'],
      left: ['column made stays, and is null in rows that come without it (lenient)'],
      refused: null,
    })
  })

  it('refuses what the warehouse cannot make, and shows nothing of what comes behind', () => {
    expect(planned({ drop: 'evolve' }, step(2, 'id', 'b'), step(3, 'id', 'b', 'c'))).toEqual({
      changes: [],
      statements: [],
      left: [],
      refused: {
        code: 'schema-change-unsupported',
        reason: 'column a is dropped, and it cannot drop',
      },
    })
  })

  it('shows a table that the source has dropped by its mode, apart from one that it truncated', () => {
    const marker = { topic: 't', partition: 0, offset: 1, partitions: 1, isOrdered: false }
    const point = { position: binlogAt(100), sourceMs: 1 }
    const drop = { ...marker, point, isDrop: true as const }
    const markers = [drop, { ...marker, point }]
    const dropped = { ...step(2, 'id', 'a'), markers }
    const kept = 'the source dropped it: its rows stay'
    expect(planned({}, dropped)).toMatchObject({
      changes: ['the source emptied it (evolve)'],
      left: [`${kept} (lenient)`],
      refused: null,
    })
    expect(planned('evolve', dropped)).toMatchObject({
      changes: ['the source dropped it: it is emptied (evolve)', 'the source emptied it (evolve)'],
      left: [],
    })
    for (const kind of ['drop-table', 'truncate'] as const) {
      expect(planned({ [kind]: 'exception' }, dropped).refused).toMatchObject({
        code: 'schema-change-refused',
        reason: expect.stringContaining(`schemaChanges.${kind} is "exception"`),
      })
    }
    const unplaced = { ...dropped, markers: [{ ...drop, point: null }] }
    expect(planned({ 'drop-table': 'try_evolve' }, unplaced).refused).not.toBeNull()
    expect(planned({}, unplaced)).toMatchObject({ left: [`${kept} (lenient)`], refused: null })
  })

  it('knows that a table which is there is not made, whatever is told of it', () => {
    const { batches } = step(2, 'id', 'z')
    const created = {
      ...step(2),
      batches: batches.map(one => ({ ...one, creates: true as const })),
    }
    expect(planned('exception', created)).toEqual({
      changes: [],
      statements: [],
      left: [],
      refused: null,
    })
    const options = { table: 'dw.t', opened: null, policy: policyOf({}), warehouse }
    expect(planTable(options, [created]).changes).toMatchObject([
      { kind: 'create-table', text: 'the table is made: id int, z int' },
    ])
  })

  it('goes on without it where it is only to be tried', () => {
    const { changes, left, refused } = planned({ drop: 'try_evolve' }, step(2, 'id', 'b'))
    expect([changes, refused]).toEqual([['column b int is added (evolve)'], null])
    expect(left).toEqual([
      'column a is dropped, and it cannot drop: it goes on without (try_evolve)',
      'column a stays, and is null in rows that come without it (try_evolve)',
    ])
  })

  it('knows a table whose columns nobody noted by what it has', () => {
    const opened = { through: null, followed: null, others: new Set(['id', 'a']) }
    const options = { table: 'dw.t', opened, policy: policyOf({}), warehouse }
    expect(planTable(options, [step(2, 'id', 'A', 'b')])).toMatchObject({
      changes: [{ kind: 'add', text: 'column b int is added' }],
      statements: ['column b int is added'],
      refused: null,
    })
  })
})
