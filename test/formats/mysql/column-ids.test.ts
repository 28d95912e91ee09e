import { describe, expect, it } from 'vitest'
import { parseTableStatement } from '../../../formats/mysql/alter-table.ts'
import type { ColumnIds } from '../../../formats/mysql/column-ids.ts'
import { ColumnIdHistory, identityIn, idsText } from '../../../formats/mysql/column-ids.ts'
import { seededRandom } from '../../../runtime/random.ts'
import { Dice } from '../random-columns.ts'

/** `name=id` of columns whose id is another one, `*n` for how often they were renamed. */
function shown(ids: ColumnIds): string {
  const texts = [...ids].map(([name, { id, renamed }]) => {
    return `${id === name ? name : `${name}=${id}`}${renamed === undefined ? '' : `*${renamed.times}`}`
  })
  return texts.join(' ')
}

/** Statements over tables of the database `d`. */
class Told {
  readonly history = new ColumnIdHistory()
  #atMs = 0

  /** Columns are separated by spaces; without a statement the table is created. */
  table(table: string, columns: string, sql = ''): string {
    this.#atMs += 1000
    const ids = this.history.alter({
      table: `d.${table}`,
      names: columns.split(' '),
      statement: parseTableStatement(sql),
      database: 'd',
      atMs: this.#atMs,
    })
    return shown(ids)
  }

  drop(table: string): void {
    this.history.drop(`d.${table}`)
  }
}

describe('the ids of columns', () => {
  it('are their names, and stay when a column is renamed', () => {
    const told = new Told()
    expect(told.table('t', 'id email')).toBe('id email')
    expect(told.table('t', 'id mail', 'alter table t change email mail text')).toBe(
      'id mail=email*1',
    )
    expect(told.history.idsOf('d.t').get('mail')).toEqual({
      id: 'email',
      renamed: { times: 1, atMs: 2000 },
    })
    expect(told.table('t', 'id Post', 'alter table d.T rename column MAIL to Post')).toBe(
      'id post=email*2',
    )
    expect(told.table('t', 'id email', 'alter table t change post email text')).toBe('id email*3')
  })

  it('of columns whose names were swapped are swapped', () => {
    const told = new Told()
    told.table('t', 'a b c')
    expect(told.table('t', 'b a c', 'alter table t change a b int, change b a int')).toBe(
      'b=a*1 a=b*1 c',
    )
    const chain =
      'alter table t rename column a to b, rename column b to c, rename column c to a, add d int'
    expect(told.table('t', 'c b a d', chain)).toBe('c=a*2 b*2 a=c*1 d')
  })

  it('of a column that was dropped and made again are others', () => {
    const told = new Told()
    told.table('t', 'id x')
    told.table('t', 'id', 'alter table t drop x')
    expect(told.table('t', 'id x', 'alter table t add x int')).toBe('id x=x~2')
    expect(told.table('t', 'id x', 'alter table t drop x, add column x text')).toBe('id x=x~3')
    expect(told.table('t', 'id y', 'alter table t change x y int')).toBe('id y=x~3*1')
    expect(told.table('t', 'id y x', 'alter table t add x int')).toBe('id y=x~3*1 x=x~4')
    // Under a name that another one has, nobody is called so already.
    expect(told.table('t', 'id y x x~2', 'alter table t add `x~2` int')).toContain('x~2=x~2~2')
  })

  it('of a new column that takes the place of one that was renamed in the same statement', () => {
    const told = new Told()
    told.table('t', 'id a b')
    const sql =
      'alter table t change a c int, add a int, drop column b, change id b int, add id int'
    expect(told.table('t', 'b c a id', sql)).toBe('b=id*1 c=a*1 a=a~2 id=id~2')
  })

  it.each([
    ['another table', 'id b', 'alter table u change a b int'],
    ['another database', 'id b', 'alter table e.t change a b int'],
    ['no statement that is known', 'id b', 'create index i on t (a)'],
    ['a column that was not there', 'id a b', 'alter table t change x b int'],
    ['a column that is still there', 'id a b', 'alter table t change a b int'],
    ['a name that nothing has afterwards', 'id b', 'alter table t change a c int'],
    ['a name that another one had', 'id a', 'alter table t change id a int'],
    ['two names for one column', 'id b c', 'alter table t change a b int, change a c int'],
    ['two columns for one name', 'b', 'alter table t change id b int, change a b int'],
    ['a column that is dropped and there', 'id a', 'alter table t drop a'],
  ])('are the names in doubt: %s', (_doubt, columns, sql) => {
    const told = new Told()
    told.table('t', 'id a')
    expect(told.table('t', columns, sql)).not.toMatch(/[*~]/)
  })

  it('follow a condition where it held', () => {
    const told = new Told()
    told.table('t', 'id a')
    const sql = 'alter table t change if exists x y int, change column if exists a b int'
    expect(told.table('t', 'id b', sql)).toBe('id b=a*1')
  })

  it('of a table whose beginning is not known any more', () => {
    const told = new Told()
    expect(told.table('t', 'id mail', 'alter table t change email mail int')).toBe(
      'id mail=email*1',
    )
    expect(told.table('t', 'id mail email', 'alter table t add email int')).toBe(
      'id mail=email*1 email=email~2',
    )
    expect(told.table('u', 'id b', 'alter table u change column if exists a b int')).toBe('id b')
  })

  it('of a column that no change tells of are free ones', () => {
    const told = new Told()
    told.table('t', 'id email')
    told.table('t', 'id mail', 'alter table t change email mail text')
    const ids = told.history.idsOf('d.t')
    expect(identityIn(ids, 'MAIL').id).toBe('email')
    expect(identityIn(ids, 'email')).toEqual({ id: 'email~2' })
    expect(identityIn(ids, 'other')).toEqual({ id: 'other' })
  })

  it('are told as a text, of what is not as its name says', () => {
    const told = new Told()
    told.table('t', 'id email x')
    expect(idsText(told.history.idsOf('d.t'))).toBe('')
    told.table('t', 'id mail x', 'alter table t change email mail text')
    expect(idsText(told.history.idsOf('d.t'))).toBe('["mail","email",1,2000]')
  })
})

describe('the ids of columns of tables', () => {
  it('that are created again go on', () => {
    const told = new Told()
    told.table('t', 'id email old')
    told.table('t', 'id mail old', 'alter table t change email mail text')
    told.drop('t')
    expect(told.table('t', 'id mail email')).toBe('id mail=email*1 email=email~2')
  })

  it('that are renamed go along', () => {
    for (const sql of ['rename table a to b', 'alter table A rename to d.b, add x int']) {
      const told = new Told()
      told.table('a', 'id email')
      told.table('a', 'id mail', 'alter table a change email mail text')
      expect(told.table('b', 'id mail x', sql)).toBe('id mail=email*1 x')
      expect(told.table('b', 'id post x', 'alter table b change mail post text')).toBe(
        'id post=email*2 x',
      )
      // Back again.
      expect(told.table('a', 'id post x', 'rename table b to a')).toBe('id post=email*2 x')
    }
  })

  it('whose place a changed copy takes go on in it', () => {
    const told = new Told()
    told.table('user', 'id email name')
    told.table('user', 'id mail name', 'alter table user change email mail text')
    told.table('_user_gho', 'id mail name')
    told.table('_user_gho', 'id post name', 'alter table _user_gho change mail post text')
    told.table('_user_gho', 'id post', 'alter table _user_gho drop name')
    told.table('_user_gho', 'id post name', 'alter table _user_gho add name text')
    const sql = 'rename table user to _user_del, _user_gho to user'
    expect(told.table('_user_del', 'id mail name', sql)).toBe('id mail=email*1 name')
    expect(told.table('user', 'id post name', sql)).toBe('id post=email*2 name=name~2')
    // And back: what the copy was made of.
    const back = 'rename table user to _user_gho, _user_del to user'
    told.table('_user_gho', 'id post name', back)
    expect(told.table('user', 'id mail name', back)).toBe('id mail=email*1 name')
  })

  it('that are swapped through a third name keep their own names', () => {
    const told = new Told()
    told.table('a', 'id x')
    told.table('b', 'id y')
    const sql = 'rename table a to tmp, b to a, tmp to b'
    expect(told.table('tmp', 'id x', sql)).toBe('id x')
    expect(told.table('a', 'id y', sql)).toBe('id y')
    expect(told.table('b', 'id x', sql)).toBe('id x')
    told.table('b', 'id z', 'alter table b change x z int')
    expect(told.table('c', 'id z', 'rename table b to c')).toBe('id z=x*1')
  })
})

/** What a database does, told by columns that are objects. */
class Model {
  readonly columns = new Map<string, object>()
  readonly #dice: Dice

  constructor(dice: Dice) {
    this.#dice = dice
  }

  /** The statement, by which the columns have been changed. */
  alter(names: readonly string[]): string {
    const dice = this.#dice
    const before = new Map(this.columns)
    const parts: string[] = []
    const free = () => dice.of(names.filter(name => !this.columns.has(name)))
    const chosen = [...before.keys()].filter(() => dice.isOnce(3))
    for (const name of chosen) this.columns.delete(name)
    const leaving = dice.isOnce(2) ? chosen : chosen.slice(0, 1)
    for (const name of chosen.filter(one => !leaving.includes(one))) parts.push(`drop \`${name}\``)
    for (const name of leaving) {
      const to = free()
      if (to === name) {
        this.columns.set(to, before.get(name)!)
        continue
      }
      this.columns.set(to, before.get(name)!)
      parts.push(
        dice.isOnce(2) ? `change ${name} ${to} int` : `rename column \`${name}\` to \`${to}\``,
      )
    }
    while (this.columns.size === 0 || dice.isOnce(3)) {
      if (this.columns.size === names.length) break
      const name = free()
      this.columns.set(name, {})
      parts.push(`add column ${name} int`)
    }
    return `alter table t ${parts.join(', ')}`
  }

  /** A table of the name was dropped: columns of the same names go on. */
  create(names: readonly string[]): void {
    const before = new Map(this.columns)
    this.columns.clear()
    const chosen = names.filter(() => this.#dice.isOnce(2))
    for (const name of chosen.length === 0 ? names : chosen) {
      this.columns.set(name, before.get(name) ?? {})
    }
  }
}

describe('over statements that were made at random', () => {
  it.each([1, 2, 3, 4, 5, 6])('a column has one id, and an id one column, seed %i', seed => {
    const dice = new Dice(seededRandom(seed))
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    for (let round = 0; round < 50; round += 1) {
      const model = new Model(dice)
      const told = new Told()
      const idOf = new Map<object, string>()
      model.create(names)
      told.table('t', [...model.columns.keys()].join(' '))
      for (let step = 0; step < 30; step += 1) {
        const isNew = dice.isOnce(10)
        const sql = isNew ? '' : model.alter(names)
        if (isNew) {
          told.drop('t')
          model.create(names)
        }
        told.table('t', [...model.columns.keys()].join(' '), sql)
        const ids = told.history.idsOf('d.t')
        for (const [name, column] of model.columns) {
          const id = ids.get(name)!.id
          expect(idOf.get(column) ?? id, `${sql}: ${name}`).toBe(id)
          idOf.set(column, id)
        }
        expect(new Set(idOf.values()).size).toBe(idOf.size)
      }
    }
  })
})
