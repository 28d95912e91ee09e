/**
 * Rows of `random-rows.ts` as the transform ExtractNewRecordState leaves them: with fields that it was told
 * to add, in the row or in headers, under a prefix or without; and deletes in each way that it has.
 */

import { flatDecoder } from './flat-samples.ts'
import type { Dice } from './random-columns.ts'
import type { Form } from './random-rows.ts'
import { recordOf } from './samples.ts'

/** What to add, of the source block beside the operation. */
const additions: readonly (readonly string[])[] = [
  [],
  ['ts_ms'],
  ['db', 'schema', 'table', 'ts_ms'],
  ['connector', 'name', 'snapshot', 'db', 'schema', 'table', 'file', 'pos', 'row', 'lsn', 'txId'],
]

interface Added {
  readonly name: string
  readonly value: unknown
}

/** As one connector was told to. */
export function flatForm(dice: Dice): Form {
  const names = dice.of(additions)
  const hasOp = dice.isOnce(2)
  const isInHeaders = dice.isOnce(4)
  // Without a word of the operator's every usual name counts.
  const isStated = dice.isOnce(2)
  const prefix = isStated && !isInHeaders ? dice.of(['__', 'cdc_', '']) : '__'
  const hasTombstones = dice.isOnce(2)
  const fieldsOf = (op: string, source: object): readonly Added[] => [
    ...(hasOp ? [{ name: `${prefix}op`, value: op }] : []),
    ...names
      .filter(name => name in source)
      .map(name => {
        const value = (source as Readonly<Record<string, unknown>>)[name]
        return { name: `${prefix}source_${name}`, value }
      }),
  ]
  const settings: Record<string, string> = isStated
    ? {
        'add.fields': [...(hasOp ? ['op'] : []), ...names.map(name => `source.${name}`)].join(),
        'add.fields.prefix': prefix,
      }
    : {}
  return {
    decoder: ({ hints, connectorSettings }) => {
      return flatDecoder({ hints, connectorSettings: { ...connectorSettings, ...settings } })
    },
    write: ({ op, id, row, source, fields }) => {
      const added = fieldsOf(op, source)
      const headers = isInHeaders ? added.map(({ name, value }) => [name, value] as const) : []
      const parts = {
        topic: 'schema' in source ? 'p1.shop.user' : 'm1.demo.user',
        headers: Object.fromEntries(headers),
      }
      const key = fields === null ? { id } : keyWithSchema(id)
      if (op === 'd' && hasTombstones) return recordOf(key, null, parts)
      const inRow = [
        { name: '__deleted', value: op === 'd' ? 'true' : 'false' },
        ...(isInHeaders ? [] : added),
      ]
      const members = inRow.map(({ name, value }) => `"${name}":${JSON.stringify(value)}`)
      const payload = `${row.slice(0, -1)},${members.join()}}`
      return recordOf(key, fields === null ? payload : withSchema(payload, fields, inRow), parts)
    },
  }
}

const keyWithSchema = (id: number) => ({
  schema: { type: 'struct', fields: [{ type: 'int32', field: 'id', optional: false }] },
  payload: { id },
})

function withSchema(payload: string, fields: readonly object[], added: readonly Added[]): string {
  const all = [
    ...fields,
    ...added.map(({ name, value }) => {
      return { field: name, type: typeof value === 'number' ? 'int64' : 'string', optional: true }
    }),
  ]
  const schema = { type: 'struct', fields: all, optional: false, name: 'Value' }
  return `{"schema":${JSON.stringify(schema)},"payload":${payload}}`
}
