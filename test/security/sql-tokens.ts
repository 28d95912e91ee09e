/**
 * SQL as servers read it, as far as quotes go: written from their grammars, and not from what writes the SQL.
 * A name or text that left its quotes would be more tokens than one, or leave a quote open.
 */

export interface SqlToken {
  readonly kind: 'name' | 'text' | 'word' | 'mark'
  /** Of names and texts what stands for: without quotes and escapes. */
  readonly text: string
}

export interface Quotes {
  /** What opens and closes a name. */
  readonly name: string
  /** Whether a doubled quote of a name is one within it. */
  readonly doubles: boolean
  /** Whether a backslash takes the next letter of a text as it is. */
  readonly escapes: boolean
}

/** HiveLexer: QuotedIdentifier is '`' ( '``' | ~'`' )* '`', StringLiteral has backslashes. */
export const hiveQuotes: Quotes = { name: '`', doubles: true, escapes: true }
/** sql_mode without ANSI_QUOTES and NO_BACKSLASH_ESCAPES. */
export const mysqlQuotes: Quotes = { name: '`', doubles: true, escapes: true }
/** standard_conforming_strings is on. */
export const postgresQuotes: Quotes = { name: '"', doubles: true, escapes: false }

/** Throws for an open quote, a comment, or a semicolon outside of quotes: none of our statements has one. */
export function tokensOf(sql: string, quotes: Quotes): readonly SqlToken[] {
  const tokens: SqlToken[] = []
  for (let at = 0; at < sql.length; ) {
    const char = sql[at]!
    if (char === ' ' || char === '\n') {
      at += 1
    } else if (char === quotes.name || char === "'") {
      const isName = char === quotes.name
      const { text, end } = quoted(sql, at, isName ? !quotes.doubles : quotes.escapes)
      tokens.push({ kind: isName ? 'name' : 'text', text })
      at = end
    } else {
      const word = /^\w+/.exec(sql.slice(at, at + 200))?.[0]
      if (word === undefined && /^(;|--|\/\*|#|\\|"|`)/.test(sql.slice(at, at + 2))) {
        throw new Error(`${JSON.stringify(sql.slice(at, at + 40))} stands outside of quotes`)
      }
      tokens.push({ kind: word === undefined ? 'mark' : 'word', text: word ?? char })
      at += word?.length ?? 1
    }
  }
  return tokens
}

function quoted(sql: string, start: number, hasEscapes: boolean): { text: string; end: number } {
  const quote = sql[start]
  let text = ''
  for (let at = start + 1; at < sql.length; at += 1) {
    const char = sql[at]!
    if (hasEscapes && char === '\\') {
      const escaped = sql[at + 1]
      const zero = sql.startsWith('\\000', at)
      const known: Record<string, string> = { n: '\n', r: '\r' }
      text += zero ? '\0' : (known[escaped ?? ''] ?? escaped ?? '')
      at += zero ? 3 : 1
    } else if (char !== quote) {
      text += char
    } else if (sql[at + 1] === quote) {
      text += quote
      at += 1
    } else return { text, end: at + 1 }
  }
  throw new Error('a quote is left open')
}

/** Everything but the names and texts: two statements of one shape differ in nothing else. */
export function shapeOf(tokens: readonly SqlToken[]): string {
  return tokens
    .map(({ kind, text }) => (kind === 'word' || kind === 'mark' ? text : kind))
    .join(' ')
}
