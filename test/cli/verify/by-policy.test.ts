import { describe, expect, it } from 'vitest'
import { reportText } from '../../../cli/verify/report-text.ts'
import type { FollowedSchema } from '../../../model/schema-change.ts'
import { followedFrom } from '../../../model/schema-change.ts'
import type { Column } from '../../../model/table-schema.ts'
import type { Value } from '../../../model/value.ts'
import type { TableRule } from '../../../processors/route-tables.ts'
import type { SourceRows, TargetRows } from './tables.ts'
import { all, inTarget, table, verify } from './tables.ts'

describe('where the target follows by a policy', () => {
  const column = (name: string, more: Partial<Column> = {}): Column => {
    const kind = name === 'id' ? 'int' : 'string'
    return { id: name, name, type: { kind }, nullable: name !== 'id', ...more }
  }
  const followed = (...columns: readonly Column[]): FollowedSchema =>
    followedFrom({ columns, key: ['id'] })
  const reasons = async (
    source: SourceRows,
    target: TargetRows,
    schemaChanges?: TableRule['schemaChanges'],
  ) => {
    const rule = schemaChanges === undefined ? all : { ...all, schemaChanges }
    const { tables, isEqual } = await verify({ 'shop.a': source }, { 'ods.a': target }, [rule])
    const notes = tables[0]!.byPolicy.map(({ column: name, rows, reason }) => [name, rows, reason])
    return { isEqual, notes, report: tables[0]! }
  }

  it('names a column that the source dropped, and not one that somebody made', async () => {
    const found = await reasons(table(['1', 'x']), {
      columns: { ...inTarget, old: 'string', own: 'string' },
      rows: [[1, 'x', 'y', 'z']],
      followed: followed(column('id'), column('name'), column('old', { isDropped: true })),
    })
    expect(found).toMatchObject({
      isEqual: true,
      notes: [
        ['old', null, 'only the target has it: the source dropped or renamed it, and it stays'],
      ],
      report: { otherColumns: ['own'] },
    })
  })

  it('names a column that is left out; one that is only missing stays a difference', async () => {
    const target = {
      columns: { id: 'int' },
      rows: [[1]],
      followed: followed(column('id')),
    }
    expect(await reasons(table(['1', 'x']), target, { add: 'ignore' })).toMatchObject({
      isEqual: true,
      notes: [['name', null, 'only the source has it, and schemaChanges.add is "ignore"']],
    })
    const missing = { isEqual: false, notes: [], report: { missingColumns: ['name'] } }
    expect(await reasons(table(['1', 'x']), target)).toMatchObject(missing)
    const had = { ...target, followed: followed(column('id'), column('name')) }
    expect(await reasons(table(['1', 'x']), had, { add: 'ignore' })).toMatchObject(missing)
  })

  it('compares a column that keeps its old name under it', async () => {
    const target = (name: string): TargetRows => ({
      columns: { id: 'int', alias: 'string' },
      rows: [[1, name]],
      followed: followed(column('id'), column('alias')),
    })
    expect(await reasons(table(['1', 'x']), target('x'), { rename: 'ignore' })).toMatchObject({
      isEqual: true,
      notes: [['alias', null, 'the source calls it name, and schemaChanges.rename is "ignore"']],
    })
    const wrong = await reasons(table(['1', 'x']), target('y'), { rename: 'ignore' })
    expect(wrong).toMatchObject({ isEqual: false, report: { differentColumns: { alias: 1 } } })
  })

  it('counts rows whose values are under the name from before, and no others', async () => {
    const target = (old: string): TargetRows => ({
      columns: { ...inTarget, old: 'string' },
      rows: [
        [1, null, old],
        [2, 'y', null],
      ],
      followed: followed(column('id'), column('old', { isDropped: true }), column('name')),
    })
    const source = table(['1', 'x'], ['2', 'y'])
    const found = await reasons(source, target('x'))
    expect(found).toMatchObject({ isEqual: true, report: { different: 0, status: 'equal' } })
    expect(found.notes.at(-1)).toEqual([
      'name',
      1,
      'null in rows from before the source renamed old to it without a word: old has their values',
    ])
    const lost = await reasons(source, target('z'))
    expect(lost).toMatchObject({ isEqual: false, report: { different: 1 } })
    expect(lost.notes).toHaveLength(1)
  })

  it('counts rows that lack a default which no message told', async () => {
    const source = { ...table(['1', 'new'], ['2', 'new']), defaults: { name: 'new' } }
    const target = (name: Column, second: Value): TargetRows => ({
      columns: inTarget,
      rows: [
        [1, null],
        [2, second],
      ],
      followed: followed(column('id'), name),
    })
    const untold = await reasons(source, target(column('name'), 'new'))
    expect(untold).toMatchObject({ isEqual: true, report: { different: 0 } })
    expect(untold.notes).toEqual([
      ['name', 1, 'null in rows that are older than the column: no message told its default'],
    ])
    // It was told, so that old rows have it; another value is another value.
    const told = column('name', { initialDefault: 'new' })
    expect(await reasons(source, target(told, 'new'))).toMatchObject({
      isEqual: false,
      notes: [],
    })
    const other = await reasons(source, target(column('name'), 'other'))
    expect(other).toMatchObject({ isEqual: false, report: { different: 1 } })
    const noDefault = await reasons(
      table(['1', 'new'], ['2', 'new']),
      target(column('name'), 'new'),
    )
    expect(noDefault).toMatchObject({ isEqual: false, notes: [] })
  })

  it('names a column that was not widened', async () => {
    const source = { columns: { id: 'int', n: 'bigint' }, key: ['id'], rows: [['1', '7']] }
    const target = {
      columns: { id: 'int', n: 'int' },
      rows: [[1, 7]],
      followed: followed(column('id'), column('n', { type: { kind: 'int' } })),
    }
    const left = await reasons(source, target, { widen: 'ignore' })
    expect(left).toMatchObject({
      isEqual: true,
      notes: [
        [
          'n',
          null,
          'it is narrower than in the source (bigint), and schemaChanges.widen is "ignore"',
        ],
      ],
    })
    expect((await reasons(source, target)).notes).toEqual([])
  })

  it('prints them in a part of their own', async () => {
    const { report } = await reasons(table(['1', 'x']), {
      columns: { ...inTarget, old: 'string' },
      rows: [[1, null, 'x']],
      followed: followed(column('id'), column('old', { isDropped: true }), column('name')),
    })
    expect(reportText(report, 'Hive').split('\n').slice(2)).toEqual([
      '  by policy, and no fault:',
      '    old: only the target has it: the source dropped or renamed it, and it stays',
      '    name in 1 row: null in rows from before the source renamed old to it without a word: old has their values',
      '',
    ])
  })
})
