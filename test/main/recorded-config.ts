/**
 * What the configuration has to say of a recording: nothing where the messages tell it. Of PostgreSQL
 * without schemas it is the type of each column, and of the connector what its messages do not tell.
 */
import { connectorSettings } from '../../formats/connector-settings.ts'
import type { ConnectorSettings, DeclaredColumn } from '../fold/column-types.ts'
import { postgresColumns } from '../fold/postgres-columns.ts'

/** The tables that no event tells the columns of, for the recording's fold. */
export function declaredColumns(name: string) {
  return ['p2', 'p4'].includes(name) ? { declared: postgresColumns } : {}
}

/** Keys of the configuration; Debezium's own defaults are stated, as they count where it says nothing. */
export function recordedConfig(name: string, settings: ConnectorSettings): Record<string, unknown> {
  if (declaredColumns(name).declared === undefined) return {}
  const defaults = { 'time.precision.mode': 'adaptive', 'decimal.handling.mode': 'precise' }
  const stated = Object.entries({ ...defaults, ...settings }).filter(([key]) => {
    return Object.hasOwn(connectorSettings, key)
  })
  const rules = Object.entries(postgresColumns).map(([table, columns]) => {
    // A table without a key is passed over where a pattern names it.
    const from = table.includes('op_log') ? `${table}*` : table
    const types = columns.map(column => [column.name, statedType(column)] as const)
    return { from, to: '{schema}.{table}', columns: { types: Object.fromEntries(types) } }
  })
  return {
    tables: [...rules, { from: '*.*', to: '{schema}.{table}' }],
    source: { connector: Object.fromEntries(stated) },
  }
}

/** PostgreSQL's types in the words of `columns.types`. */
const words: Readonly<Record<string, string>> = {
  numeric: 'string',
  boolean: 'boolean',
  real: 'float',
  'double precision': 'double',
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp(6)',
  'timestamp without time zone[]': 'array<timestamp>',
  'time without time zone': 'time(6)',
  'time with time zone': 'time',
  'integer[]': 'array<int>',
  'text[]': 'array<string>',
  bytea: 'binary',
  smallint: 'smallint',
  integer: 'int',
  bigint: 'bigint',
  date: 'date',
  interval: 'interval',
}

function statedType({ typeName, length, scale }: DeclaredColumn): string {
  switch (typeName) {
    case 'numeric':
      return scale === undefined ? 'string' : `decimal(${length},${scale})`
    case 'numeric[]':
      return `array<decimal(${length},${scale})>`
    case 'bit':
    case 'bit varying':
      return `bit(${length})`
    case 'timestamp without time zone':
      return `timestamp(${length ?? 6})`
    default:
      return words[typeName] ?? 'string'
  }
}
