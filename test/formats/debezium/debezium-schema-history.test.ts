import { describe, expect, it } from 'vitest'
import { positionOf } from '../../../formats/debezium/debezium-position.ts'
import { SchemaHistory } from '../../../formats/debezium/debezium-schema-history.ts'
import { parseTableStatement } from '../../../formats/mysql/alter-table.ts'
import type { Position } from '../../../model/position.ts'
import { seededRandom } from '../../../runtime/random.ts'
import { Dice } from '../random-columns.ts'
import { mariadb } from '../samples.ts'

const at = (pos: number, source: object = {}) => positionOf({ ...mariadb, pos, ...source }, '')

const columnsAt = (
  history: SchemaHistory,
  table: string,
  position: Position | null,
  ms: number | null = null,
) => history.versionAt(table, position, ms)?.columns ?? null

describe('the history of a table', () => {
  const columns = (name: string) => [{ name, typeName: 'INT' }]

  it('gives the columns as of a position: the last change that is not after it', () => {
    const history = new SchemaHistory()
    history.add('demo.user', at(100), columns('a'))
    history.add('demo.user', at(200), columns('b'))
    history.add('demo.other', at(150), columns('x'))
    for (const [pos, name] of [
      [100, 'a'],
      [199, 'a'],
      [200, 'b'],
      [9999, 'b'],
    ] as const) {
      expect(columnsAt(history, 'demo.user', at(pos))).toEqual(columns(name))
    }
    expect(columnsAt(history, 'demo.user', at(99))).toBeNull()
    expect(columnsAt(history, 'demo.none', at(500))).toBeNull()
  })

  it('a table that was dropped has none, and has them again when it was made anew', () => {
    const history = new SchemaHistory()
    history.add('demo.user', at(100), columns('a'))
    history.add('demo.user', at(200), null)
    history.add('demo.user', at(300), columns('c'))
    expect(columnsAt(history, 'demo.user', at(150))).toEqual(columns('a'))
    expect(columnsAt(history, 'demo.user', at(250))).toBeNull()
    expect(columnsAt(history, 'demo.user', at(300))).toEqual(columns('c'))
  })

  it('changes that were sent again do not hide those between', () => {
    const history = new SchemaHistory()
    for (const [pos, name] of [
      [100, 'a'],
      [200, 'b'],
      [100, 'a'],
      [200, 'b'],
      [300, 'c'],
    ] as const) {
      history.add('demo.user', at(pos), columns(name))
    }
    expect(columnsAt(history, 'demo.user', at(150))).toEqual(columns('a'))
    expect(columnsAt(history, 'demo.user', at(250))).toEqual(columns('b'))
    expect(columnsAt(history, 'demo.user', at(350))).toEqual(columns('c'))
  })

  it('a row from before a fail-over has the columns from before it', () => {
    const history = new SchemaHistory()
    const other = { server_id: 9 }
    history.add('demo.user', at(100), columns('a'), 1000)
    history.add('demo.user', at(50, other), columns('b'), 2000)
    for (const [position, ms, name] of [
      [at(200), 1500, 'a'],
      [at(200), null, 'a'],
      [at(60, other), 2500, 'b'],
      [at(40, other), 1500, 'a'],
      // Back on the first server, which has made the change by now, too.
      [at(300), 2500, 'b'],
      [at(1, { server_id: 7 }), 1500, 'a'],
      [at(1, { server_id: 7 }), null, 'b'],
    ] as const) {
      expect(columnsAt(history, 'demo.user', position, ms)).toEqual(columns(name))
    }
  })

  it('where positions do not compare, the last one holds', () => {
    const history = new SchemaHistory()
    history.add('demo.user', at(100), columns('a'))
    history.add('demo.user', at(50, { server_id: 9 }), columns('b'))
    expect(columnsAt(history, 'demo.user', at(60, { server_id: 9 }))).toEqual(columns('b'))
    expect(columnsAt(history, 'demo.user', null)).toEqual(columns('b'))
    history.add('demo.user', null, columns('c'))
    expect(columnsAt(history, 'demo.user', at(1))).toEqual(columns('c'))
  })
})

describe('the ids that a history gives', () => {
  const columns = (names: Iterable<string>) => [...names].map(name => ({ name, typeName: 'INT' }))
  const textOf = (sql: string) => ({ statement: parseTableStatement(sql), database: 'demo' })

  it('are those of the place in the log, whatever comes later', () => {
    const history = new SchemaHistory()
    history.add('demo.user', at(100), columns(['id', 'email']), 1000)
    const sql = 'alter table user change email mail int'
    history.add('demo.user', at(200), columns(['id', 'mail']), 2000, textOf(sql))
    history.add('demo.user', at(300), null, 3000)
    expect(history.versionAt('demo.user', at(150))?.ids.get('email')).toEqual({ id: 'email' })
    for (const pos of [200, 250, 300, 350]) {
      const found = history.versionAt('demo.user', at(pos))
      expect(found?.ids.get('mail')).toEqual({ id: 'email', renamed: { times: 1, atMs: 2000 } })
      expect(found?.columns === null).toBe(pos >= 300)
    }
  })

  it('a table that was renamed is gone, and the other one has its ids', () => {
    const history = new SchemaHistory()
    history.add('demo.a', at(100), columns(['id', 'x']))
    history.add('demo.a', at(200), columns(['id', 'y']), 0, textOf('alter table a change x y int'))
    history.add('demo.b', at(300), columns(['id', 'y']), 0, textOf('rename table a to demo.b'))
    expect(history.versionAt('demo.a', at(250))?.columns).toEqual(columns(['id', 'y']))
    expect(history.versionAt('demo.a', at(300))?.columns).toBeNull()
    expect(history.versionAt('demo.b', at(299))).toBeNull()
    expect(history.versionAt('demo.b', at(300))?.ids.get('y')?.id).toBe('x')
  })

  it.each([1, 2, 3, 4])('are a model’s, with blocks that are sent again, seed %i', seed => {
    const dice = new Dice(seededRandom(seed))
    for (let round = 0; round < 100; round += 1) {
      const history = new SchemaHistory()
      const made: { readonly names: Map<string, object>; readonly sql: string }[] = []
      for (let step = 0; step < 12; step += 1) made.push(nextVersion(dice, made.at(-1)?.names))
      for (let next = 0; next < made.length; next += 1) {
        const { names, sql } = made[next]!
        history.add('demo.t', at(100 + next), columns(names.keys()), next, textOf(sql))
        if (dice.isOnce(4)) next = Math.max(-1, next - 1 - dice.below(4))
        if (dice.isOnce(30)) break
      }
      const idOf = new Map<object, string>()
      for (const [index, { names }] of made.entries()) {
        const version = history.versionAt('demo.t', at(100 + index))
        const isKnown = version?.position?.order[1] === 100 + index
        for (const [name, column] of isKnown ? names : []) {
          const { id } = version!.ids.get(name)!
          expect(idOf.get(column) ?? id, made.map(one => one.sql).join('; ')).toBe(id)
          idOf.set(column, id)
        }
      }
      expect(new Set(idOf.values()).size).toBe(idOf.size)
      expect(idOf.size).toBeGreaterThan(0)
    }
  })
})

/** One column more, less, or under another name. */
function nextVersion(dice: Dice, before: ReadonlyMap<string, object> = new Map()) {
  const names = new Map(before)
  const free = ['a', 'b', 'c', 'd', 'e'].filter(name => !names.has(name))
  if (names.size === 0) return { names: new Map([['a', {}]]), sql: 'create table t (a int)' }
  const [name, column] = dice.of([...names])
  const to = dice.of(free.length === 0 ? [name] : free)
  if (names.size === 1 || (free.length > 0 && dice.isOnce(3))) {
    names.set(to, {})
    return { names, sql: `alter table t add ${to} int` }
  }
  names.delete(name)
  if (to === name || dice.isOnce(2)) return { names, sql: `alter table demo.t drop column ${name}` }
  names.set(to, column)
  return { names, sql: `alter table t rename column ${name} to ${to}` }
}
