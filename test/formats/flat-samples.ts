/** Flattened records by hand, and a decoder for them. */
import { expect } from 'vitest'
import { debeziumFlat } from '../../formats/debezium/debezium-flat.ts'
import type { Decoder, DecoderOptions, TableHints } from '../../formats/decoder.ts'
import type { LogRecord } from '../../model/change-event.ts'
import type { ColumnType } from '../../model/column-type.ts'
import { parseColumnType } from '../../model/column-type.ts'
import { eventsOf, idAndName, recordOf } from './samples.ts'

export const types: Readonly<Record<string, ColumnType>> = {
  id: parseColumnType('int'),
  name: parseColumnType('string'),
}

export function flatDecoder({
  hints = { types },
  ...options
}: Partial<DecoderOptions> & { readonly hints?: TableHints | null } = {}): Decoder {
  return debeziumFlat().createDecoder({
    hintsOf: () => hints,
    incarnation: '',
    connectorSettings: {},
    ...options,
  })
}

export const row = { id: 1, name: 'a' }
export const tombstone = (key: unknown, parts: Parameters<typeof recordOf>[2] = {}): LogRecord =>
  recordOf(key, null, parts)

export const only = (decoder: Decoder, record: LogRecord) => {
  const [event, ...others] = eventsOf(decoder, record)
  expect(others).toEqual([])
  return event!
}

/** Wrapped with the schema of a flattened row, and of its key. */
export function wrapped(value: Readonly<Record<string, unknown>>, names = Object.keys(value)) {
  const fields = names.map(
    field =>
      idAndName.find(one => one.field === field) ?? { type: 'string', optional: true, field },
  )
  return { schema: { type: 'struct', fields, optional: false, name: 'Value' }, payload: value }
}
