/**
 * The schema as the footer holds it: a flat list of types in the order of their column ids, each
 * naming its children by id.
 *
 * Source: `orc_proto.proto`, message Type.
 */
import { corrupt, OrcError } from './errors.ts'
import { type MessageReader, MessageWriter } from './protobuf.ts'
import {
  listColumns,
  maxSchemaDepth,
  type OrcColumn,
  type OrcType,
  type OrcTypeKind,
} from './types.ts'

/** Indexed by the number of the kind. */
const kindNames: readonly OrcTypeKind[] = [
  'boolean',
  'byte',
  'short',
  'int',
  'long',
  'float',
  'double',
  'string',
  'binary',
  'timestamp',
  'list',
  'map',
  'struct',
  'union',
  'decimal',
  'date',
  'varchar',
  'char',
  'timestamp_instant',
]

/** Files of Hive 0.11 do not state the precision and scale of decimals. */
const unstatedPrecision = 38
const unstatedScale = 10

interface TypeMessage {
  readonly kind: OrcTypeKind
  readonly children: readonly number[]
  readonly fieldNames: readonly string[]
  readonly length: number | undefined
  readonly precision: number | undefined
  readonly scale: number | undefined
}

export function encodeSchema(root: OrcColumn): MessageWriter[] {
  return listColumns(root).map(({ type, children }) => {
    const message = new MessageWriter().unsigned(1, kindNames.indexOf(type.kind)).packed(
      2,
      children.map(child => child.id),
    )
    if (type.kind === 'struct') for (const field of type.fields) message.text(3, field.name)
    if (type.kind === 'varchar' || type.kind === 'char') message.unsigned(4, type.length)
    if (type.kind === 'decimal') message.unsigned(5, type.precision).unsigned(6, type.scale)
    return message
  })
}

/** Throws `file-corrupt` when the types are not one tree in pre-order. */
export function decodeSchema(messages: readonly MessageReader[], where: string): OrcType {
  const types = messages.map(decodeType)
  let nextId = 0
  const build = (id: number, depth: number): OrcType => {
    // Pre-order, checked here, also rules out cycles and types with two parents.
    if (id !== nextId) throw corrupt(`type ${id} stands where type ${nextId} should`, where)
    if (depth > maxSchemaDepth) throw corrupt('types are nested too deep', where)
    const type = types[nextId++]
    if (type === undefined) throw corrupt(`type ${id} is missing`, where)
    return toOrcType(
      type,
      type.children.map(child => build(child, depth + 1)),
      where,
    )
  }
  const schema = build(0, 0)
  if (nextId !== types.length) throw corrupt('the types are more than one tree', where)
  return schema
}

function decodeType(message: MessageReader): TypeMessage {
  const children: number[] = []
  const fieldNames: string[] = []
  const numbers: Record<number, number> = {}
  while (message.next()) {
    if (message.field === 2) message.unsignedInto(children)
    else if (message.field === 3) fieldNames.push(message.text())
    else if (message.field <= 6) numbers[message.field] = message.unsigned()
  }
  const number = numbers[1] ?? 0
  const kind = kindNames[number]
  if (kind === undefined) {
    throw new OrcError('feature-unsupported', `the type ${number} is not supported`, message.where)
  }
  return {
    kind,
    children,
    fieldNames,
    length: numbers[4],
    precision: numbers[5],
    scale: numbers[6],
  }
}

function toOrcType(message: TypeMessage, children: readonly OrcType[], where: string): OrcType {
  const { kind } = message
  const requireChildren = (count: number): void => {
    if (children.length !== count) throw corrupt(`a ${kind} has ${children.length} subtypes`, where)
  }
  switch (kind) {
    case 'struct':
      requireChildren(message.fieldNames.length)
      return {
        kind,
        fields: children.map((type, index) => ({ name: message.fieldNames[index]!, type })),
      }
    case 'list':
      requireChildren(1)
      return { kind, element: children[0]! }
    case 'map':
      requireChildren(2)
      return { kind, key: children[0]!, value: children[1]! }
    case 'union':
      return { kind, variants: children }
  }
  requireChildren(0)
  switch (kind) {
    case 'varchar':
    case 'char':
      return { kind, length: message.length ?? 0 }
    case 'decimal':
      return {
        kind,
        precision: message.precision ?? unstatedPrecision,
        scale: message.scale ?? (message.precision === undefined ? unstatedScale : 0),
      }
    default:
      return { kind }
  }
}
