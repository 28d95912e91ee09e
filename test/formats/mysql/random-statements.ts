/** Statements that alter a table, made at random: their text in many spellings, and what they say of names. */
import type { ColumnChange, TableName, TableStatement } from '../../../formats/mysql/alter-table.ts'
import type { Random } from '../../../runtime/random.ts'
import { Dice } from '../random-columns.ts'

const plainNames = ['a', 'b', 'user_id', 'email', 'Mail', 'c$1', '名', 'id2', 'x', 'y']
const quotedNames = [
  'key',
  'column',
  'two words',
  'it`s',
  'a"b',
  "o'clock",
  'x,y',
  '(z)',
  '--q',
  '/*',
  'to',
]
const types = ['int', 'decimal(10,2)', "enum('a,b','it''s')", 'varchar(20) character set utf8mb4']
const options = [
  '',
  'not null',
  "default 'x, change a b int'",
  "comment 'it\\'s; -- no'",
  'default (1 + (2))',
  'after `x,y`',
  'first',
]
const others = [
  'add index i (a, b)',
  'drop key `k,1`',
  'drop primary key',
  'modify column a bigint',
  'alter column b set default 5',
  'engine=InnoDB',
  "comment = 'drop column x, add y int'",
  'add constraint fk foreign key (a) references t2 (b)',
  'rename index `a` to `b`',
  'convert to character set utf8mb4',
  'add partition (partition p3 values less than (10, 20))',
]
const spaces = [' ', '  ', '\n', '\t', ' /* a, b */ ', ' -- x, y\n', " # it's\n", ' /*!*/ ']

class Writer {
  readonly #dice: Dice

  constructor(random: Random) {
    this.#dice = new Dice(random)
  }

  statement(): { readonly sql: string; readonly statement: TableStatement } {
    const dice = this.#dice
    const [tableSql, table] = this.#table()
    const columns: ColumnChange[] = []
    let renamedTo: TableName | null = null
    const parts = Array.from({ length: 1 + dice.below(5) }, () => {
      if (dice.isOnce(6)) return dice.of(others)
      if (dice.isOnce(10)) {
        const [sql, name] = this.#table()
        renamedTo = name
        return this.#words(['rename', dice.of(['to', 'as', '=']), sql])
      }
      const [sql, made] = this.#column()
      columns.push(...made)
      return sql
    })
    const head = ['alter', ...(dice.isOnce(4) ? ['online'] : []), 'table', tableSql]
    const body = parts.join(dice.of([',', ', ', ' ,\n', ' /* , */ , ']))
    const sql = `${this.#words(head)} ${dice.isOnce(5) ? `/*!80000 ${body} */` : body}`
    return {
      sql: sql + dice.of(['', ';', ' ; ', ' -- end']),
      statement: { type: 'alter', table, renamedTo, columns },
    }
  }

  #column(): readonly [sql: string, changes: readonly ColumnChange[]] {
    const dice = this.#dice
    const [sql, name] = this.#name()
    const [newSql, newName] = this.#name()
    const definition = `${dice.of(types)} ${dice.of(options)}`
    const column = dice.isOnce(2) ? ['column'] : []
    const isConditional = dice.isOnce(4)
    const condition = isConditional ? ['if', 'exists'] : []
    const renames: readonly ColumnChange[] =
      name === newName ? [] : [{ type: 'rename', from: name, to: newName, isConditional }]
    switch (dice.below(5)) {
      case 0:
        return [this.#words(['add', ...column, sql, definition]), [{ type: 'add', name }]]
      case 1: {
        const list = `(${sql} ${definition}, ${newSql} ${definition})`
        const added = [name, newName].map(one => ({ type: 'add', name: one }) as const)
        return [this.#words(['add', ...column, list]), added]
      }
      case 2:
        return [this.#words(['drop', ...column, ...condition, sql]), [{ type: 'drop', name }]]
      case 3:
        return [this.#words(['change', ...column, ...condition, sql, newSql, definition]), renames]
      default:
        return [this.#words(['rename', 'column', ...condition, sql, 'to', newSql]), renames]
    }
  }

  #table(): readonly [sql: string, name: TableName] {
    const [sql, table] = this.#name()
    if (!this.#dice.isOnce(3)) return [sql, { database: null, table }]
    const [databaseSql, database] = this.#name()
    return [`${databaseSql}.${sql}`, { database, table }]
  }

  #name(): readonly [sql: string, name: string] {
    const dice = this.#dice
    const isPlain = dice.isOnce(2)
    const name = dice.of(isPlain ? plainNames : quotedNames)
    if (isPlain && dice.isOnce(2)) return [name, name]
    const quote = dice.of(['`', '`', '"'])
    return [quote + name.replaceAll(quote, quote + quote) + quote, name]
  }

  /** In letters and with spaces of all kinds between. */
  #words(words: readonly string[]): string {
    const dice = this.#dice
    const isKeyword = /^[a-z]+$/
    return words
      .map(one => (isKeyword.test(one) && !plainNames.includes(one) ? this.#letters(one) : one))
      .reduce((text, one) => text + dice.of(spaces) + one)
  }

  #letters(keyword: string): string {
    return this.#dice.isOnce(2) ? keyword.toUpperCase() : keyword
  }
}

export function randomAlter(random: Random): ReturnType<Writer['statement']> {
  return new Writer(random).statement()
}
