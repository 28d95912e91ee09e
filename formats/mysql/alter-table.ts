/**
 * What a DDL statement of MySQL's or MariaDB's does to the names of tables and columns: which are renamed,
 * dropped and added. Types and everything else is passed over. It is a tokenizer and as much of a grammar as
 * that takes; what it does not understand is null, and whoever asks checks the answer against the columns that
 * the table had and has.
 *
 * MySQL 8.4, "ALTER TABLE Statement", "RENAME TABLE Statement", "Comments"; MariaDB 11, the same.
 */

/** `database` is null where the statement leaves it to the one that was in use. */
export interface TableName {
  readonly database: string | null
  readonly table: string
}

export type ColumnChange =
  /** `isConditional`: nothing happened if there was no such column. */
  | {
      readonly type: 'rename'
      readonly from: string
      readonly to: string
      readonly isConditional: boolean
    }
  | { readonly type: 'add' | 'drop'; readonly name: string }

export type TableStatement =
  | {
      readonly type: 'alter'
      readonly table: TableName
      readonly renamedTo: TableName | null
      readonly columns: readonly ColumnChange[]
    }
  | {
      readonly type: 'rename'
      /** In their order: one may make room for the next. */
      readonly tables: readonly (readonly [from: TableName, to: TableName])[]
    }
  | { readonly type: 'drop'; readonly tables: readonly TableName[] }

/** A name in letters that do not differ: of columns and tables alike. */
export function foldName(name: string): string {
  return name.toLowerCase()
}

/** Null: it is another statement, or not understood. Never throws. */
export function parseTableStatement(sql: string): TableStatement | null {
  const tokens = tokensOf(sql)
  if (tokens === null) return null
  const reader = new TokenReader(tokens)
  if (reader.take('SET', 'STATEMENT') && !reader.passTo('FOR')) return null
  if (reader.take('RENAME')) return renameTables(reader)
  if (reader.take('DROP')) return dropTables(reader)
  return reader.take('ALTER') ? alterTable(reader) : null
}

interface Token {
  /** `quoted`: in backquotes, or in double quotes, which are a name's or a text's. */
  readonly kind: 'word' | 'quoted' | 'text' | 'mark'
  readonly text: string
}

/** White space, comments, and what frames a comment of `!` or `M!`, whose text is executed. */
const passed = /[\s\0]+|--(?=[\s\0]|$)[^\n]*|#[^\n]*|\/\*M?!\d*|\*\/|\/\*(?!M?!)[\s\S]*?\*\//y
const word = /[\w$\u0080-\uffff]+/y

/** Null when a quote or a comment is left open. */
function tokensOf(sql: string): readonly Token[] | null {
  const tokens: Token[] = []
  let at = 0
  while (at < sql.length) {
    const char = sql[at]!
    const found = matchAt(passed, sql, at)
    if (found !== null) {
      at += found.length
      continue
    }
    if (char === '`' || char === '"' || char === "'") {
      const end = quoteEnd(sql, at)
      if (end < 0) return null
      const text = sql.slice(at + 1, end - 1).replaceAll(char + char, char)
      tokens.push({ kind: char === "'" ? 'text' : 'quoted', text })
      at = end
      continue
    }
    if (sql.startsWith('/*', at)) return null
    const text = matchAt(word, sql, at)
    tokens.push(text === null ? { kind: 'mark', text: char } : { kind: 'word', text })
    at += text?.length ?? 1
  }
  return tokens
}

function matchAt(pattern: RegExp, sql: string, at: number): string | null {
  pattern.lastIndex = at
  return pattern.exec(sql)?.[0] ?? null
}

/** Behind the closing quote; -1 without one. */
function quoteEnd(sql: string, start: number): number {
  const quote = sql[start]!
  for (let at = start + 1; at < sql.length; at += 1) {
    const char = sql[at]
    if (char === '\\' && quote !== '`') at += 1
    else if (char === quote && sql[at + 1] === quote) at += 1
    else if (char === quote) return at + 1
  }
  return -1
}

class TokenReader {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  /** Only semicolons are left. */
  get isAtEnd(): boolean {
    for (let at = this.#at; at < this.#tokens.length; at += 1) {
      const { kind, text } = this.#tokens[at]!
      if (kind !== 'mark' || text !== ';') return false
    }
    return true
  }

  /** Passes the words when they come next, in any letters and without quotes. */
  take(...words: readonly string[]): boolean {
    const isThere = words.every((one, index) => this.#isWord(this.#at + index, one))
    if (isThere) this.#at += words.length
    return isThere
  }

  takeOne(words: readonly string[]): boolean {
    return words.some(one => this.take(one))
  }

  isNext(...words: readonly string[]): boolean {
    return words.every((one, index) => this.#isWord(this.#at + index, one))
  }

  mark(text: string): boolean {
    const token = this.#tokens[this.#at]
    const isThere = token?.kind === 'mark' && token.text === text
    if (isThere) this.#at += 1
    return isThere
  }

  name(): string | null {
    const token = this.#tokens[this.#at]
    if (token === undefined || token.text === '') return null
    if (token.kind !== 'word' && token.kind !== 'quoted') return null
    this.#at += 1
    return token.text
  }

  tableName(): TableName | null {
    const first = this.name()
    if (first === null || !this.mark('.')) {
      return first === null ? null : { database: null, table: first }
    }
    const table = this.name()
    return table === null ? null : { database: first, table }
  }

  passTo(end: string): boolean {
    while (this.#at < this.#tokens.length) {
      if (this.take(end)) return true
      this.#at += 1
    }
    return false
  }

  /** To the comma that ends the part, which is passed, or to the end. False: the parentheses are not pairs. */
  passPart(): boolean {
    let depth = 0
    for (; this.#at < this.#tokens.length; this.#at += 1) {
      const { kind, text } = this.#tokens[this.#at]!
      if (kind !== 'mark') continue
      if (text === '(') depth += 1
      if (text === ')') depth -= 1
      if (depth < 0) return false
      if (depth > 0) continue
      if (text === ';') return true
      if (text !== ',') continue
      this.#at += 1
      return true
    }
    return depth === 0
  }

  /** Of a list in parentheses, of which the first is passed: where each part begins. False: it has no end. */
  eachInList(begin: () => void): boolean {
    begin()
    let depth = 1
    while (this.#at < this.#tokens.length) {
      const { kind, text } = this.#tokens[this.#at]!
      this.#at += 1
      if (kind !== 'mark') continue
      if (text === '(') depth += 1
      if (text === ')') depth -= 1
      if (depth === 0) return true
      if (text === ',' && depth === 1) begin()
    }
    return false
  }

  #isWord(at: number, expected: string): boolean {
    const token = this.#tokens[at]
    return token?.kind === 'word' && token.text.toUpperCase() === expected
  }
}

/** MariaDB: how long to wait for the table. */
function passWait(reader: TokenReader): void {
  if (reader.take('WAIT')) reader.name()
  else reader.take('NOWAIT')
}

function renameTables(reader: TokenReader): TableStatement | null {
  if (!reader.takeOne(['TABLE', 'TABLES'])) return null
  reader.take('IF', 'EXISTS')
  const tables: [TableName, TableName][] = []
  do {
    const from = reader.tableName()
    passWait(reader)
    const to = reader.take('TO') ? reader.tableName() : null
    if (from === null || to === null) return null
    tables.push([from, to])
  } while (reader.mark(','))
  return reader.isAtEnd ? { type: 'rename', tables } : null
}

function dropTables(reader: TokenReader): TableStatement | null {
  // A temporary table is nobody else’s.
  if (!reader.takeOne(['TABLE', 'TABLES'])) return null
  reader.take('IF', 'EXISTS')
  const tables: TableName[] = []
  do {
    const table = reader.tableName()
    if (table === null) return null
    tables.push(table)
  } while (reader.mark(','))
  passWait(reader)
  reader.takeOne(['RESTRICT', 'CASCADE'])
  return reader.isAtEnd ? { type: 'drop', tables } : null
}

function alterTable(reader: TokenReader): TableStatement | null {
  while (reader.takeOne(['ONLINE', 'OFFLINE', 'IGNORE'])) {
    // They say how it is done.
  }
  if (!reader.take('TABLE')) return null
  reader.take('IF', 'EXISTS')
  const table = reader.tableName()
  if (table === null) return null
  passWait(reader)
  const columns: ColumnChange[] = []
  let renamedTo: TableName | null = null
  while (!reader.isAtEnd) {
    const part = alterPart(reader)
    if (part === null || !reader.passPart()) return null
    if ('table' in part) renamedTo = part
    else columns.push(...part)
    // A second statement would be another one.
    if (reader.mark(';') && !reader.isAtEnd) return null
  }
  return { type: 'alter', table, renamedTo, columns }
}

/** Null: it is about names, and not understood. */
function alterPart(reader: TokenReader): readonly ColumnChange[] | TableName | null {
  if (reader.take('ADD')) return addedColumns(reader)
  if (reader.take('DROP')) return droppedColumn(reader)
  if (reader.take('CHANGE')) {
    reader.take('COLUMN')
    return renamedColumn(reader, () => true)
  }
  if (!reader.take('RENAME')) return []
  if (reader.take('COLUMN')) return renamedColumn(reader, () => reader.take('TO'))
  if (reader.takeOne(['INDEX', 'KEY'])) return []
  if (!reader.takeOne(['TO', 'AS'])) reader.mark('=')
  return reader.tableName()
}

function renamedColumn(
  reader: TokenReader,
  passBetween: () => boolean,
): readonly ColumnChange[] | null {
  const isConditional = reader.take('IF', 'EXISTS')
  const from = reader.name()
  const to = passBetween() ? reader.name() : null
  if (from === null || to === null) return null
  return from === to ? [] : [{ type: 'rename', from, to, isConditional }]
}

/** What a table has beside columns, in words that a name has only in quotes. */
const others = 'INDEX KEY UNIQUE PRIMARY FULLTEXT SPATIAL CONSTRAINT FOREIGN CHECK PARTITION'.split(
  ' ',
)
/** In words that may be names as well, by what follows. */
const otherPairs = [
  ['PERIOD', 'FOR'],
  ['SYSTEM', 'VERSIONING'],
  ['VECTOR', 'INDEX'],
  ['VECTOR', 'KEY'],
] as const

function isOther(reader: TokenReader): boolean {
  return others.some(one => reader.isNext(one)) || otherPairs.some(words => reader.isNext(...words))
}

function addedColumns(reader: TokenReader): readonly ColumnChange[] | null {
  const isColumn = reader.take('COLUMN')
  reader.take('IF', 'NOT', 'EXISTS')
  if (!reader.mark('(')) {
    if (!isColumn && isOther(reader)) return []
    const name = reader.name()
    return name === null ? null : [{ type: 'add', name }]
  }
  const names: (string | null)[] = []
  const isWhole = reader.eachInList(() => {
    if (!isOther(reader)) names.push(reader.name())
  })
  if (!isWhole) return null
  return names.flatMap(name => (name === null ? [] : [{ type: 'add' as const, name }]))
}

function droppedColumn(reader: TokenReader): readonly ColumnChange[] | null {
  const isColumn = reader.take('COLUMN')
  if (!isColumn && isOther(reader)) return []
  reader.take('IF', 'EXISTS')
  const name = reader.name()
  return name === null ? null : [{ type: 'drop', name }]
}
