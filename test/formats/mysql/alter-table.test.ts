import { describe, expect, it } from 'vitest'
import type { TableStatement } from '../../../formats/mysql/alter-table.ts'
import { parseTableStatement } from '../../../formats/mysql/alter-table.ts'
import { seededRandom } from '../../../runtime/random.ts'
import { recorded } from '../samples.ts'
import { randomAlter } from './random-statements.ts'

/** What is said of columns: `a>b` renamed, `a>b?` if it was there, `+a` added, `-a` dropped. */
function columnsOf(sql: string): string {
  const statement = parseTableStatement(sql)
  if (statement?.type !== 'alter') return String(statement?.type ?? null)
  const texts = statement.columns.map(change => {
    if (change.type !== 'rename') return `${change.type === 'add' ? '+' : '-'}${change.name}`
    return `${change.from}>${change.to}${change.isConditional ? '?' : ''}`
  })
  return texts.join(' ')
}

const table = (name: string, database: string | null = null) => ({ database, table: name })

describe('a statement that alters a table', () => {
  it.each([
    ['alter table user change column email mail varchar(200)', 'email>mail'],
    ['ALTER TABLE t CHANGE a b INT, CHANGE COLUMN b a INT NOT NULL DEFAULT 1', 'a>b b>a'],
    ['alter table t rename column a to b, rename column b to c;', 'a>b b>c'],
    ['alter table t change a A int', 'a>A'],
    ['alter table t change a a bigint', ''],
    ['alter table t modify column a bigint after b, alter column c set default 1', ''],
    ['alter table t change `a``b` `c,d` int, change "x ""y""" `z` int', 'a`b>c,d x "y">z'],
    ['alter table t change column `column` `rename` int', 'column>rename'],
    ['alter table t change column if exists a b int', 'a>b?'],
    ['alter table t rename column if exists a to b', 'a>b?'],
    ['alter online ignore table db.t wait 5 rename column a to b', 'a>b'],
    ['alter table if exists `db`.`t` nowait rename column a to b', 'a>b'],
    ['ALTER TABLE t RENAME INDEX a TO b, RENAME KEY c TO d', ''],
    ['alter table t drop a, drop column b, drop column if exists c', '-a -b -c'],
    ['alter table t drop index a, drop key b, drop primary key, drop foreign key c', ''],
    ['alter table t drop constraint a, drop check b, drop partition p1, p2', ''],
    ['alter table t drop period for system_time, drop system versioning, drop period', '-period'],
    ['alter table t add a int, add column if not exists b decimal(10,2) default 1.5', '+a +b'],
    ['alter table t add (a int, b decimal(10,2) check (b > 0), index (a)), add c int', '+a +b +c'],
    ['alter table t add column (`key` int comment "x, y)"), add key (a)', '+key'],
    [
      'alter table t add unique key u (a, b), add constraint c foreign key (a) references x (b)',
      '',
    ],
    ['alter table t add vector index (v), add vector vector(3), add system int', '+vector +system'],
    ["alter table t comment 'change a b', change a b int comment 'it''s, \\', change c d'", 'a>b'],
    ['alter table t -- change x y int\n change a b int # , change c d int', 'a>b'],
    ['alter /* table x */ table t /*!50700 change a b int */, /*M!100100 drop c */', 'a>b -c'],
    ['alter table t/*!, */ add a int--1', '+a'],
    ['set statement max_statement_time=0 for alter table t change a b int', 'a>b'],
    ['alter table t change a b enum("x;y", \'z\'), engine = InnoDB partition by hash (id)', 'a>b'],
    ['alter table t add a int;;', '+a'],
    ['alter table 表 change 名 名字 text', '名>名字'],
  ])('%s', (sql, expected) => {
    expect(columnsOf(sql)).toBe(expected)
  })

  it('names its table, and the one that it becomes', () => {
    for (const [sql, name, renamedTo] of [
      ['alter table a add x int', table('a'), null],
      ['alter table `d`.a rename to b', table('a', 'd'), table('b')],
      ['alter table a rename as c.b, add x int', table('a'), table('b', 'c')],
      ['alter table a rename = b', table('a'), table('b')],
      ['alter table a rename b', table('a'), table('b')],
    ] as const) {
      expect(parseTableStatement(sql)).toMatchObject({ type: 'alter', table: name, renamedTo })
    }
  })

  it.each([
    '',
    'alter',
    'alter table',
    'alter table `t',
    'alter table t change a',
    'alter table t rename column a b',
    'alter table t add (a int',
    'alter table t add a int)',
    "alter table t comment 'x",
    'alter table t /* add a int',
    'alter table t add a int; alter table t drop b',
    'alter table t drop `` ',
    "alter table 't' add a int",
    'alter view v as select 1',
    'create table t (a int)',
    'truncate table t',
    'rename user a to b',
    'drop temporary table t',
    'drop view v',
    'drop table t; drop table u',
    'rename table a b',
    'rename table a to b, c',
    'set statement x = 1',
  ])('is not understood: %s', sql => {
    expect(parseTableStatement(sql)).toBeNull()
  })
})

describe('a statement of whole tables', () => {
  it('renames them in its order', () => {
    const expected: TableStatement = {
      type: 'rename',
      tables: [
        [table('user'), table('_user_del')],
        [table('_user_gho', 'demo'), table('user')],
      ],
    }
    for (const sql of [
      'rename table user to _user_del, demo._user_gho to user',
      '/* gh-ost */ RENAME /*! TABLES */ `user` WAIT 3 TO `_user_del`, `demo`.`_user_gho` TO `user`;',
      'rename table if exists user to _user_del, demo . _user_gho nowait to user',
    ]) {
      expect(parseTableStatement(sql)).toEqual(expected)
    }
  })

  it('drops them', () => {
    expect(parseTableStatement('DROP TABLE `demo`.`a`, b /* generated by server */')).toEqual({
      type: 'drop',
      tables: [table('a', 'demo'), table('b')],
    })
    expect(parseTableStatement('drop table if exists a cascade')).toEqual({
      type: 'drop',
      tables: [table('a')],
    })
  })
})

describe('recorded statements', () => {
  it('are what was executed', () => {
    const found = recorded('mariadb/m1_json_schema_true.jsonl')
      .filter(({ topic, value }) => topic === 'm1' && value !== null)
      .map(({ value }) => JSON.parse(String(value)) as { payload: { ddl: string } })
      .flatMap(({ payload: { ddl } }) => {
        const statement = parseTableStatement(ddl)
        return statement === null ? [] : [[statement.type, columnsOf(ddl)]]
      })
    expect(found.filter(([type]) => type !== 'drop')).toEqual([
      ['alter', '+phone +vip'],
      ['alter', ''],
      ['alter', 'email>mail'],
      ['alter', '-descr'],
      ['rename', 'rename'],
    ])
    expect(found.filter(([type]) => type === 'drop')).toHaveLength(11)
  })
})

describe('statements that were made at random', () => {
  it.each([1, 2, 3, 4])('say what was put into them, seed %i', seed => {
    const random = seededRandom(seed)
    for (let count = 0; count < 2000; count += 1) {
      const { sql, statement } = randomAlter(random)
      expect(parseTableStatement(sql), sql).toEqual(statement)
    }
  })

  it.each([1, 2, 3, 4])('that are damaged are read or refused, seed %i', seed => {
    const random = seededRandom(seed)
    const noise = [
      '`',
      '"',
      "'",
      '/*',
      '*/',
      '/*!',
      '--',
      '#',
      '\n',
      ',',
      '(',
      ')',
      ';',
      '\\',
      '\0',
    ]
    let read = 0
    for (let count = 0; count < 2000; count += 1) {
      let { sql } = randomAlter(random)
      for (let times = 0; times < 3; times += 1) {
        const at = Math.floor(random.next() * (sql.length + 1))
        const length = Math.floor(random.next() * 6)
        const added = noise[Math.floor(random.next() * noise.length)]!
        sql = sql.slice(0, at) + added + sql.slice(at + length)
      }
      const found = parseTableStatement(sql)
      if (found !== null) read += 1
      expect(found === null || ['alter', 'rename', 'drop'].includes(found.type), sql).toBe(true)
    }
    expect(read).toBeGreaterThan(100)
  })

  it('of any length take a time that grows with it', () => {
    const many = Array.from({ length: 100_000 }, (_, index) => `add c${index} int`).join(', ')
    expect(columnsOf(`alter table t ${many}`).split(' ')).toHaveLength(100_000)
    for (const part of ["'", '/*', '`a', '(', '\\', '"\\"', '--\n']) {
      expect(() => parseTableStatement(`alter table t ${part.repeat(200_000)}`)).not.toThrow()
    }
  })
})
