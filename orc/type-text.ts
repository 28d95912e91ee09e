/**
 * Types as text, in Hive's words: `struct<id:bigint,price:decimal(10,2),tags:array<string>>`. A
 * field name with other characters than letters, digits and underscores stands in back-quotes,
 * doubled where it contains one.
 */
import { OrcError } from './errors.ts'
import { maxSchemaDepth, numberColumns, type OrcField, type OrcType } from './types.ts'

const simpleWords = {
  boolean: 'boolean',
  tinyint: 'byte',
  smallint: 'short',
  int: 'int',
  bigint: 'long',
  float: 'float',
  double: 'double',
  string: 'string',
  binary: 'binary',
  date: 'date',
  timestamp: 'timestamp',
  'timestamp with local time zone': 'timestamp_instant',
} as const

type SimpleKind = (typeof simpleWords)[keyof typeof simpleWords]

const wordOfKind = Object.fromEntries(
  Object.entries(simpleWords).map(([word, kind]) => [kind, word]),
) as Record<SimpleKind, string>

export function orcTypeText(type: OrcType): string {
  switch (type.kind) {
    case 'varchar':
    case 'char':
      return `${type.kind}(${type.length})`
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'list':
      return `array<${orcTypeText(type.element)}>`
    case 'map':
      return `map<${orcTypeText(type.key)},${orcTypeText(type.value)}>`
    case 'union':
      return `uniontype<${type.variants.map(orcTypeText).join(',')}>`
    case 'struct': {
      const fields = type.fields.map(({ name, type }) => `${quoteName(name)}:${orcTypeText(type)}`)
      return `struct<${fields.join(',')}>`
    }
    default:
      return wordOfKind[type.kind]
  }
}

function quoteName(name: string): string {
  return /^\w+$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``
}

/** Throws `schema-invalid`, with the place in the text. */
export function parseOrcType(text: string): OrcType {
  const parser = new TypeParser(text)
  const type = parser.readType(0)
  parser.requireEnd()
  numberColumns(type)
  return type
}

class TypeParser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  readType(depth: number): OrcType {
    if (depth > maxSchemaDepth) this.#fail('fewer nested types')
    const word = this.#take(/[a-z]+( with local time zone)?/iy, 'a type').toLowerCase()
    switch (word) {
      case 'varchar':
      case 'char': {
        const [length = 0] = this.#readNumbers(1)
        return { kind: word, length }
      }
      case 'decimal': {
        const [precision = 0, scale = 0] = this.#readNumbers(2)
        return { kind: word, precision, scale }
      }
      case 'array': {
        this.#expect('<')
        const element = this.readType(depth + 1)
        this.#expect('>')
        return { kind: 'list', element }
      }
      case 'map': {
        this.#expect('<')
        const key = this.readType(depth + 1)
        this.#expect(',')
        const value = this.readType(depth + 1)
        this.#expect('>')
        return { kind: 'map', key, value }
      }
      case 'uniontype':
        return { kind: 'union', variants: this.#readVariants(depth) }
      case 'struct':
        return { kind: 'struct', fields: this.#readFields(depth) }
      default:
        return { kind: this.#simpleKind(word) }
    }
  }

  requireEnd(): void {
    if (this.#at < this.#text.length) this.#fail('the end')
  }

  #simpleKind(word: string): SimpleKind {
    if (Object.hasOwn(simpleWords, word)) return simpleWords[word as keyof typeof simpleWords]
    this.#at -= word.length
    return this.#fail('a type')
  }

  #readFields(depth: number): OrcField[] {
    const fields: OrcField[] = []
    this.#expect('<')
    if (this.#skip('>')) return fields
    do {
      const quoted = this.#take(/`(?:[^`]|``)+`|\w+/y, 'a field name')
      const name = quoted.startsWith('`') ? quoted.slice(1, -1).replaceAll('``', '`') : quoted
      this.#expect(':')
      fields.push({ name, type: this.readType(depth + 1) })
    } while (this.#skip(','))
    this.#expect('>')
    return fields
  }

  #readVariants(depth: number): OrcType[] {
    const variants: OrcType[] = []
    this.#expect('<')
    do variants.push(this.readType(depth + 1))
    while (this.#skip(','))
    this.#expect('>')
    return variants
  }

  #readNumbers(count: number): number[] {
    const numbers: number[] = []
    this.#expect('(')
    while (numbers.length < count) {
      if (numbers.length > 0) this.#expect(',')
      numbers.push(Number(this.#take(/\d{1,9}/y, 'a number')))
    }
    this.#expect(')')
    return numbers
  }

  #take(pattern: RegExp, expected: string): string {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) return this.#fail(expected)
    this.#at += match[0].length
    return match[0]
  }

  #skip(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false
    this.#at += token.length
    return true
  }

  #expect(token: string): void {
    if (!this.#skip(token)) this.#fail(`"${token}"`)
  }

  #fail(expected: string): never {
    throw new OrcError(
      'schema-invalid',
      `expected ${expected} in ${this.#text}`,
      `character ${this.#at}`,
    )
  }
}
