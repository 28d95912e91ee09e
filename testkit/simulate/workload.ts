/**
 * What a user tells the simulator of a database: its tables, how they are changed, and what the tables
 * of the warehouse should then be. All else is made up from the seed.
 */
import type { ColumnType } from '../../model/column-type.ts'
import { parseColumnType } from '../../model/column-type.ts'
import { ConfigError, DecodeError } from '../../model/errors.ts'
import type { Row, Value } from '../../model/value.ts'
import { toInteger } from '../../model/value.ts'
import { checkValue } from '../../processors/check-values.ts'

export interface Workload {
  /** Tables of the source, by `database.table`. */
  readonly tables: Readonly<Record<string, WorkloadTable>>
  /**
   * The tables of the warehouse when the source is so: a pure function of whole tables. It is called
   * after every statement. Default: the same tables, by the same names.
   */
  readonly expected?: (source: TableRows) => TableRows
  /** How many statements a seed makes; default 60. */
  readonly statements?: number
  readonly weights?: Partial<StatementWeights>
}

export interface WorkloadTable {
  /** In their order. */
  readonly columns: Readonly<Record<string, WorkloadColumn>>
  /** Columns of the primary key, which are integers or strings. */
  readonly key: readonly string[]
  /** Default `sim.<database>.<table>`. */
  readonly topic?: string
  /** Of the topic; default 1 to 3, by the seed. */
  readonly partitions?: number
}

export interface WorkloadColumn {
  /** boolean, smallint, int, bigint, double, string, date, timestamp or decimal(p,s). */
  readonly type: string
  /** A fifth of the values is null. */
  readonly nullable?: boolean
  /** Large: an update that does not change it may leave it out, as PostgreSQL's connector does. */
  readonly isLarge?: boolean
  /**
   * What values there are, in the forms of `model/column-type.ts`: a date is days, a timestamp microseconds,
   * a decimal its unscaled integer. Default: of a key a few, so that rows come and go often; else new ones.
   */
  readonly values?: readonly Value[]
}

/** How often each is made of a row that is there, in relation to the others. */
export interface StatementWeights {
  /** Default 60. */
  readonly update: number
  /** Default 20. */
  readonly delete: number
  /** An update of the primary key; default 15. */
  readonly changeKey: number
  /** Of the whole table; default 1. */
  readonly truncate: number
}

/** Rows by table. */
export type TableRows = Readonly<Record<string, readonly Row[]>>

/** For people. */
export function rowText(row: Row | Value): string {
  return JSON.stringify(row, (_name, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  )
}

export interface CheckedColumn extends WorkloadColumn {
  readonly name: string
  readonly parsed: ColumnType
  readonly isKey: boolean
}

export interface CheckedTable {
  readonly name: string
  readonly columns: readonly CheckedColumn[]
  readonly topic: string
  readonly partitions: number | null
}

export interface CheckedWorkload {
  readonly tables: readonly CheckedTable[]
  readonly expected: (source: TableRows) => TableRows
  readonly statements: number
  readonly weights: StatementWeights
}

const defaultWeights: StatementWeights = { update: 60, delete: 20, changeKey: 15, truncate: 1 }
const defaultStatements = 60
const knownKinds = ['boolean', 'smallint', 'int', 'bigint', 'double', 'string', 'date']
const keyKinds = ['smallint', 'int', 'bigint', 'string']

/** Throws ConfigError `config-invalid` that lists every problem. */
export function checkWorkload(workload: Workload): CheckedWorkload {
  const problems: string[] = []
  const tables = Object.entries(workload.tables).map(([name, table]) => {
    return checkTable(name, table, problem => problems.push(`${name} ${problem}`))
  })
  const { statements = defaultStatements, expected = same => same } = workload
  const weights = { ...defaultWeights, ...workload.weights }
  if (tables.length === 0) problems.push('it has no tables')
  if (!isCount(statements)) problems.push(`it has ${statements} statements: give a whole number`)
  for (const [what, weight] of Object.entries(weights)) {
    if (!(weight >= 0)) problems.push(`the weight of ${what} is ${weight}: give a number from 0`)
  }
  if (weights.update + weights.delete + weights.changeKey + weights.truncate === 0) {
    problems.push('all weights are 0')
  }
  const topics = tables.map(({ topic }) => topic)
  const shared = topics.find((topic, index) => topics.indexOf(topic) < index)
  if (shared !== undefined) problems.push(`two tables have the topic ${shared}`)
  if (problems.length > 0) {
    throw new ConfigError('config-invalid', `the workload cannot run: ${problems.join('; ')}`)
  }
  return { tables, expected, statements, weights }
}

type Report = (problem: string) => void

function checkTable(name: string, table: WorkloadTable, report: Report): CheckedTable {
  if (!/^[^.]+\.[^.]+$/.test(name)) report('is no name of a table: write it as database.table')
  const { columns, key, topic = `sim.${name}`, partitions = null } = table
  for (const column of key) {
    if (!(column in columns)) report(`has no column ${column}, which its key names`)
  }
  if (key.length === 0) report('has no key')
  if (partitions !== null && !isCount(partitions)) {
    report(`has ${partitions} partitions: give a whole number from 1`)
  }
  const checked = Object.entries(columns).map(([column, given]) => {
    return checkColumn({ ...given, name: column, isKey: key.includes(column) }, report)
  })
  return { name, columns: checked, topic, partitions }
}

function checkColumn(
  column: WorkloadColumn & { readonly name: string; readonly isKey: boolean },
  report: Report,
): CheckedColumn {
  const { name, type, isKey, values, nullable } = column
  const parsed = typeOf(type)
  const kinds = isKey ? keyKinds : [...knownKinds, 'timestamp', 'decimal']
  if (parsed === null || !kinds.includes(parsed.kind)) {
    const known = kinds.map(kind => (kind === 'decimal' ? 'decimal(p,s)' : kind)).join(', ')
    const what = isKey ? 'key column' : 'column'
    report(`has a ${what} ${name} of type ${type}: the simulator knows ${known}`)
  }
  for (const value of values ?? []) {
    if (parsed === null || isOf(parsed, value)) continue
    report(`has a column ${name} with a value that is no ${type}: ${rowText(value)}`)
  }
  if (values?.length === 0) report(`has a column ${name} without values`)
  if (isKey && (nullable === true || values?.includes(null) === true)) {
    report(`has a key column ${name} that may be null`)
  }
  const checked = { ...column, parsed: parsed ?? { kind: 'string' as const } }
  // In the one form that events have.
  const inForm = values?.map(value => (typeof value === 'bigint' ? toInteger(value) : value))
  return inForm === undefined ? checked : { ...checked, values: inForm }
}

function isOf(type: ColumnType, value: Value): boolean {
  // JSON has no bigints; of a decimal the bytes are sent.
  if (typeof value === 'bigint' && type.kind !== 'decimal') return false
  try {
    if (value !== null) checkValue(type, value)
    return true
  } catch (error) {
    if (error instanceof DecodeError) return false
    throw error
  }
}

function typeOf(text: string): ColumnType | null {
  try {
    return parseColumnType(text)
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1
}
