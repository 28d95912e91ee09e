/**
 * Avro schemas as types that are read by (`avro-reader.ts`): names resolved, Connect's attributes kept
 * (Avro 1.12, "Schema Declaration"; Confluent's AvroData for the attributes). A registry is not trusted:
 * what would make a reader run without end or fill the memory is refused here, once, not in each message.
 */
import { DecodeError } from '../../model/errors.ts'

/** What Connect's converter says of a type beyond Avro's own words. */
export interface AvroAttributes {
  readonly 'connect.name'?: unknown
  readonly 'connect.type'?: unknown
  readonly 'connect.parameters'?: unknown
  readonly 'connect.default'?: unknown
  readonly logicalType?: unknown
  readonly precision?: unknown
  readonly scale?: unknown
}

interface Sized {
  /** The least that a value of it takes, in bytes. */
  readonly minBytes: number
  /** How many types a value of it goes through at most, lists and maps counted once. */
  readonly weight: number
  readonly attributes: AvroAttributes
}

export interface AvroField {
  readonly name: string
  readonly type: AvroType
  readonly doc?: string
  /** In the form of Avro's JSON, as it stands in the schema. */
  readonly default?: unknown
}

export type AvroType = Sized &
  (
    | { readonly kind: AvroPrimitive }
    | { readonly kind: 'record'; readonly name: string; readonly fields: readonly AvroField[] }
    | { readonly kind: 'enum'; readonly symbols: readonly string[] }
    | { readonly kind: 'fixed'; readonly size: number }
    | { readonly kind: 'array' | 'map'; readonly items: AvroType }
    | { readonly kind: 'union'; readonly branches: readonly AvroType[] }
  )

export type AvroPrimitive = keyof typeof primitiveBytes

const primitiveBytes = {
  null: 0,
  boolean: 1,
  int: 1,
  long: 1,
  float: 4,
  double: 8,
  bytes: 1,
  string: 1,
} as const

const maxDepth = 64
/** A schema of a few lines can unfold to billions of fields. */
const maxWeight = 65_536
const maxFixedBytes = 1024 * 1024

type Json = Readonly<Record<string, unknown>>

/**
 * The type that the text declares; `references` are schemas whose names it uses, in the order in which
 * they need each other. Throws DecodeError `schema-invalid`.
 */
export function parseAvroSchema(text: string, references: readonly string[] = []): AvroType {
  const parser = new Parser()
  for (const reference of references) parser.parse(jsonOf(reference), '', 0)
  return parser.parse(jsonOf(text), '', 0)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new DecodeError('schema-invalid', 'the Avro schema is not JSON', { cause })
  }
}

class Parser {
  /** Null while the type is being read. */
  readonly #names = new Map<string, AvroType | null>()

  parse(json: unknown, namespace: string, depth: number): AvroType {
    if (depth > maxDepth) throw invalid(`types lie deeper than ${maxDepth} in each other`)
    const type = this.#parse(json, namespace, depth)
    if (type.weight > maxWeight) throw invalid(`a value of it has more than ${maxWeight} parts`)
    return type
  }

  #parse(json: unknown, namespace: string, depth: number): AvroType {
    if (typeof json === 'string') return this.#named(json, namespace, {})
    if (Array.isArray(json)) return this.#union(json, namespace, depth)
    if (typeof json !== 'object' || json === null)
      throw invalid('a type is neither text nor object')
    const { type } = json as Json
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(json as Json, namespace, depth)
      case 'enum':
        return this.#enum(json as Json, namespace)
      case 'fixed':
        return this.#fixed(json as Json, namespace)
      case 'array':
      case 'map':
        return this.#list(type, json as Json, namespace, depth)
      default:
        if (typeof type === 'string') return this.#named(type, namespace, json as AvroAttributes)
        return this.parse(type, namespace, depth + 1)
    }
  }

  #named(name: string, namespace: string, attributes: AvroAttributes): AvroType {
    if (Object.hasOwn(primitiveBytes, name)) {
      const kind = name as AvroPrimitive
      return { kind, minBytes: primitiveBytes[kind], weight: 1, attributes }
    }
    const full = fullName(name, namespace)
    const known = this.#names.get(full) ?? this.#names.get(name)
    if (known !== undefined && known !== null) return known
    if (this.#names.get(full) === null) {
      throw invalid(`${full} contains itself, and Hive has no type for that`)
    }
    throw invalid(`it uses the type ${full}, which nothing declares`)
  }

  #record(json: Json, namespace: string, depth: number): AvroType {
    const { name, space } = this.#open(json, namespace)
    if (!Array.isArray(json.fields)) throw invalid(`the record ${name} has no list of fields`)
    const seen = new Set<string>()
    let minBytes = 0
    let weight = 1
    const fields = json.fields.map((field: unknown): AvroField => {
      const { name: fieldName, type: given, doc, default: initial } = (field ?? {}) as Json
      if (typeof fieldName !== 'string' || seen.has(fieldName)) {
        throw invalid(`the record ${name} has a field without a name, or two of one name`)
      }
      seen.add(fieldName)
      const type = this.parse(given, space, depth + 1)
      minBytes += type.minBytes
      weight += type.weight
      return {
        name: fieldName,
        type,
        ...(typeof doc === 'string' && { doc }),
        ...(initial !== undefined && { default: initial }),
      }
    })
    return this.#close(name, { kind: 'record', name, fields, minBytes, weight, attributes: json })
  }

  #enum(json: Json, namespace: string): AvroType {
    const { name } = this.#open(json, namespace)
    const { symbols } = json
    if (!Array.isArray(symbols) || symbols.some(symbol => typeof symbol !== 'string')) {
      throw invalid(`the enumeration ${name} has no list of symbols`)
    }
    return this.#close(name, { kind: 'enum', symbols, minBytes: 1, weight: 1, attributes: json })
  }

  #fixed(json: Json, namespace: string): AvroType {
    const { name } = this.#open(json, namespace)
    const size = Number(json.size)
    if (!Number.isInteger(size) || size < 0 || size > maxFixedBytes) {
      throw invalid(`the fixed type ${name} has the size ${String(json.size)}`)
    }
    return this.#close(name, { kind: 'fixed', size, minBytes: size, weight: 1, attributes: json })
  }

  #list(kind: 'array' | 'map', json: Json, namespace: string, depth: number): AvroType {
    const items = this.parse(kind === 'array' ? json.items : json.values, namespace, depth + 1)
    // A message of ten bytes could declare a list of a billion of them.
    if (kind === 'array' && items.minBytes === 0) {
      throw invalid('the items of a list take no bytes, so that nothing bounds their number')
    }
    return { kind, items, minBytes: 1, weight: 1 + items.weight, attributes: json }
  }

  #union(json: readonly unknown[], namespace: string, depth: number): AvroType {
    if (json.length === 0) throw invalid('a union has no branches')
    const branches = json.map(branch => this.parse(branch, namespace, depth + 1))
    const minBytes = 1 + Math.min(...branches.map(branch => branch.minBytes))
    const weight = 1 + branches.reduce((sum, branch) => sum + branch.weight, 0)
    return { kind: 'union', branches, minBytes, weight, attributes: {} }
  }

  #open(json: Json, namespace: string): { readonly name: string; readonly space: string } {
    if (typeof json.name !== 'string')
      throw invalid('a record, enumeration or fixed type has no name')
    const own = typeof json.namespace === 'string' ? json.namespace : namespace
    const name = fullName(json.name, own)
    if (this.#names.has(name)) throw invalid(`it declares the type ${name} twice`)
    this.#names.set(name, null)
    return { name, space: name.slice(0, Math.max(0, name.lastIndexOf('.'))) }
  }

  #close(name: string, type: AvroType): AvroType {
    this.#names.set(name, type)
    return type
  }
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
}

function invalid(why: string): DecodeError {
  return new DecodeError('schema-invalid', `the Avro schema cannot be used: ${why}`)
}
