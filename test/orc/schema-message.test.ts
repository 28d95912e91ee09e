import { expect, it } from 'vitest'
import { OrcError } from '../../orc/index.ts'
import { MessageReader, MessageWriter } from '../../orc/protobuf.ts'
import { decodeSchema, encodeSchema } from '../../orc/schema-message.ts'
import { numberColumns, type OrcType } from '../../orc/types.ts'
import { allTypes, structOf } from './samples.ts'

function decode(messages: readonly MessageWriter[]): OrcType {
  const readers = messages.map(message => new MessageReader(message.bytes(), 'test'))
  return decodeSchema(readers, 'test')
}

/** A type by the number of its kind, with the ids of its children. */
function type(
  kind: number,
  children: readonly number[] = [],
  names: readonly string[] = [],
): MessageWriter {
  const message = new MessageWriter().unsigned(1, kind).packed(2, children)
  for (const name of names) message.text(3, name)
  return message
}

const [int, list, map, struct, decimal] = [3, 10, 11, 12, 14]

it('every type is read back', () => {
  const schema = structOf({ ...allTypes, deeper: structOf(allTypes) })
  expect(decode(encodeSchema(numberColumns(schema)))).toEqual(schema)
})

it('columns are numbered in pre-order', () => {
  const root = numberColumns(structOf({ a: structOf({ b: { kind: 'int' } }), c: { kind: 'int' } }))
  expect(root.children.map(child => [child.id, child.path])).toEqual([
    [1, 'a'],
    [3, 'c'],
  ])
  expect(root.children[0]!.children.map(child => [child.id, child.path])).toEqual([[2, 'a.b']])
})

it('a decimal that does not state its precision has that of Hive 0.11', () => {
  expect(decode([type(decimal!)])).toEqual({ kind: 'decimal', precision: 38, scale: 10 })
})

it.each([
  ['nothing', []],
  ['a child with two parents', [type(struct!, [1, 1], ['a', 'b']), type(int!)]],
  ['a type that is its own child', [type(list!, [0])]],
  ['a cycle', [type(list!, [1]), type(list!, [0])]],
  ['a child that is missing', [type(list!, [1])]],
  ['a type without a parent', [type(int!), type(int!)]],
  ['children out of order', [type(struct!, [2, 1], ['a', 'b']), type(int!), type(int!)]],
  ['a field without a name', [type(struct!, [1], []), type(int!)]],
  ['a list of two elements', [type(list!, [1, 2]), type(int!), type(int!)]],
  ['a map without values', [type(map!, [1]), type(int!)]],
  ['an integer with a child', [type(int!, [1]), type(int!)]],
  ['types nested without end', Array.from({ length: 70 }, (_, k) => type(list!, [k + 1]))],
])('%s is corrupt', (_, messages) => {
  expect(() => decode(messages)).toThrow(OrcError)
  expect(() => decode(messages)).toThrow(expect.objectContaining({ code: 'file-corrupt' }))
})

it('a type of the future is refused by its number', () => {
  expect(() => decode([type(99)])).toThrow(/type 99 is not supported/)
})
