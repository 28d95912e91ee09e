/** Messages in Avro by hand: in Confluent's wire format, with the registry that has their schemas. */
import avsc from 'avsc'
import { FileRegistry } from '../../../formats/avro/schema-registry.ts'

/** Numbers as they are; `avro-messages.ts` has longs of all 64 bits. */
export function framed(id: number, schema: unknown, value: unknown): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(id, 1)
  return Buffer.concat([head, avsc.Type.forSchema(schema as never).toBuffer(value)])
}

/** Lines of a registry's file: the ids count from 1. */
export function registryLines(schemas: readonly unknown[]): string {
  return schemas
    .map((schema, index) => JSON.stringify({ id: index + 1, schema: JSON.stringify(schema) }))
    .join('\n')
}

/** A registry whose schemas are all there. */
export async function registryOf(text: string): Promise<FileRegistry> {
  const registry = new FileRegistry({ path: 'schemas', read: () => Promise.resolve(text) })
  const lines = text.split('\n').filter(Boolean)
  for (const line of lines) await registry.fetch((JSON.parse(line) as { id: number }).id)
  return registry
}

/** The envelope of a table's changes; a source block has numbers and texts. */
export function envelopeOf(source: object, row: readonly object[], namespace?: string): object {
  return {
    type: 'record',
    name: 'Envelope',
    ...(namespace !== undefined && { namespace }),
    fields: [
      { name: 'before', type: ['null', { type: 'record', name: 'Value', fields: row }] },
      { name: 'after', type: ['null', 'Value'] },
      {
        name: 'source',
        type: {
          type: 'record',
          name: 'Source',
          fields: Object.entries(source).map(([name, value]) => ({
            name,
            type: typeof value === 'number' ? 'long' : 'string',
          })),
        },
      },
      { name: 'op', type: 'string' },
    ],
  }
}
