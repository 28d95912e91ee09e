/**
 * A HiveServer2 with its metastore, as `sinks/hive` sees one: it outlives its callers, and is no fairer than
 * Hive. A statement goes on whoever waits for it:
 *
 *     its transaction and its snapshot · its lock · the files of its attempt are read · its commit · the answer
 *
 * Between any two of them others go on. Rows that come are not looked at again when it commits, so two
 * statements may both insert one key; rows that go are: the second one to change a row is aborted.
 * Columns are changed in a step of their own, at once or when the statement has waited for its lock.
 */
import { parseColumnType } from '../../model/column-type.ts'
import type { Value } from '../../model/value.ts'
import { OrcReader } from '../../orc/index.ts'
import { failed, HiveRefusal, unknown, unreachable } from '../../sinks/hive/hive-errors.ts'
import type { HiveRows } from '../../sinks/hive/hive-rows.ts'
import { holds } from '../../sinks/hive/hive-types.ts'
import type { HiveColumn, HiveTable } from '../../sinks/hive/target-table.ts'
import { localStagingFiles } from '../../sinks/local-staging-files.ts'
import type { SimulatedFileSystem } from '../simulated-file-system.ts'
import type { Faults } from './faults.ts'
import type { BatchRow, ColumnTypes, TableRow } from './hive-tables.ts'
import {
  castRow,
  countLacking,
  deltaOf,
  isBackFill,
  parseColumns,
  readRow,
  typesOf,
} from './hive-tables.ts'
import { canBeChanged } from './hive-values.ts'
import { shown } from './judge.ts'
import type { Actor, Scheduler } from './scheduler.ts'

interface Table extends HiveTable {
  readonly columns: HiveColumn[]
  rows: readonly TableRow[]
  /** Of its columns as they are now. */
  types: ColumnTypes
  /** Columns that are narrower than they were, with the type of then. */
  readonly narrowed: Map<string, string>
  /** They were so since the last apply that began and ended with all of them as wide as ever. */
  isCut: boolean
}

/** A transaction of one statement. */
interface Transaction {
  readonly id: number
  /** Null: it has no lock yet. */
  table: string | null
  isCancelled: boolean
}

export interface HiveServerOptions {
  readonly scheduler: Scheduler
  readonly faults: Faults
  readonly files: SimulatedFileSystem
  /** A table has other rows. */
  readonly onCommit: (table: string) => void
}

/** Tables that only one session sees. */
export type TemporaryTables = Map<
  string,
  { readonly location: string; readonly types: ColumnTypes }
>

export interface Submitted {
  readonly tables: TemporaryTables
  /** Its caller does not wait any more. */
  readonly signal: AbortSignal | undefined
}

/** A statement that nobody waits for comes to its end within this. */
const maxLateMs = 240_000
/** Hive's code of a transaction that lost against another one. */
const abortedCode = 10_302
/** A server that refuses for ever would hold a table back. */
const maxRefusals = 3

export class HiveServer {
  readonly #options: HiveServerOptions
  readonly #actor: Actor = { name: 'hive', pausedUntilMs: 0, isGone: false }
  readonly #tables = new Map<string, Table>()
  readonly #open = new Set<Transaction>()
  #nextTransaction = 1
  #nextRow = 1
  /** Changes of columns that have not come to their end. */
  #changes = 0
  #refusals = 0

  constructor(options: HiveServerOptions) {
    this.#options = options
  }

  /** Names, without their database. */
  get tables(): readonly string[] {
    return [...this.#tables.keys()]
  }

  /** Tables whose values may be cut: a change came late, which made a column narrower than it was. */
  get cut(): readonly string[] {
    return this.tables.filter(name => this.#tables.get(name)!.isCut)
  }

  get hasLateChanges(): boolean {
    return this.#changes > 0
  }

  /** As readers see them, decimals as texts. Null: there is no such table. */
  rowsOf(table: string): readonly TableRow[] | null {
    const found = this.#tables.get(table)
    if (found === undefined) return null
    const kinds = new Map(found.columns.map(({ name, type }) => [name, parseColumnType(type)]))
    return readRows(found).map(row => {
      const values = Object.entries(row.values).map(([name, value]) => {
        const type = kinds.get(name)
        return [name, type === undefined ? value : shown(type, value)]
      })
      return { ...row, values: Object.fromEntries(values) as TableRow['values'] }
    })
  }

  /** What only looks. Throws WarehouseError `statement-failed`. */
  async query(sql: string, tables: TemporaryTables): Promise<HiveRows> {
    if (sql === 'SHOW TRANSACTIONS') {
      const rows = [...this.#open].map(({ id }) => [id, 'OPEN', 'forager', 'here'])
      return result(['Transaction ID', 'Transaction State', 'User', 'Hostname'], rows)
    }
    if (sql === 'SHOW LOCKS') {
      const locked = [...this.#open].filter(({ table }) => table !== null)
      const rows = locked.map(({ id, table }) => ['default', table!, id])
      return result(['Database', 'Table', 'Transaction ID'], rows)
    }
    const table = this.#find(sql)
    if (sql.startsWith('DESCRIBE ')) return described(table)
    if (sql.startsWith('SELECT count(*)')) {
      const batch = await this.#readBatch(sql, tables, typesOf(table.columns))
      return result(['count'], [[countLacking(sql, readRows(table), batch)]])
    }
    const names = sql.matchAll(/count\(`(\w+)`\)/g).map(([, name]) => name!)
    const rows = readRows(table)
    const counts = names
      .map(name => rows.filter(({ values }) => (values[name] ?? null) !== null).length)
      .toArray()
    return result(counts.map(String), [counts])
  }

  /** Resolves when the statement is answered. Throws as `HiveSession.execute`. */
  async execute(sql: string, submitted: Submitted): Promise<void> {
    const { signal, tables } = submitted
    if (this.#isOfSession(sql, tables)) return
    const { faults, scheduler } = this.#options
    const hint = (): string => sql.split('\n')[0]!.slice(0, 100)
    if (this.#refusals < maxRefusals && faults.strikes('statement-aborted', hint)) {
      this.#refusals += 1
      throw failed(sql, new HiveRefusal('the transaction was aborted', null, abortedCode))
    }
    this.#refusals = 0
    const [delayed, late] = isTableChange(sql)
      ? (['ddl-delayed', 'ddl-late'] as const)
      : (['statement-delayed', 'statement-late'] as const)
    if (faults.strikes(delayed, hint)) {
      const afterMs = faults.amount(delayed, maxLateMs)
      if (isTableChange(sql)) this.#changes += 1
      scheduler.at(scheduler.nowMs + afterMs, () => {
        if (isTableChange(sql)) this.#changes -= 1
        this.#run(sql, this.#begun(), submitted, 0).catch(() => undefined)
      })
      await scheduler.turn(this.#actor, 'has not heard of it')
      throw unknown(sql, 'there was no answer in time')
    }
    const isLost = faults.strikes('statement-lost', hint)
    const lateMs = faults.strikes(late, hint) ? faults.amount(late, maxLateMs) : 0
    const transaction = this.#begun()
    const running = this.#run(sql, transaction, submitted, lateMs)
    if (lateMs > 0) {
      running.catch(() => undefined)
      await scheduler.turn(this.#actor, 'gives up waiting')
      throw unknown(sql, 'there was no answer in time')
    }
    await Promise.race([running, this.#cancelled(sql, transaction, signal)])
    if (isLost) throw unknown(sql, 'the connection was lost')
  }

  #begun(): Transaction {
    const id = this.#nextTransaction
    this.#nextTransaction += 1
    return { id, table: null, isCancelled: false }
  }

  /** What is about tables of one session alone. */
  #isOfSession(sql: string, tables: TemporaryTables): boolean {
    const made = /^CREATE TEMPORARY EXTERNAL TABLE `(\w+)` \((.*)\)\n.*LOCATION '([^']*)'/.exec(sql)
    if (made !== null) {
      const [, name, columns, location] = made
      const types = typesOf(parseColumns(columns!))
      tables.set(name!, { location: location!.replace('file://', ''), types })
    }
    const dropped = /^DROP TABLE IF EXISTS `(\w+)`/.exec(sql)
    if (dropped !== null) tables.delete(dropped[1]!)
    const isNothing = / UPDATE STATISTICS |^CREATE DATABASE /.test(sql)
    return made !== null || dropped !== null || isNothing
  }

  /** Whether a statement that is cancelled comes to its end nobody knows. */
  async #cancelled(
    sql: string,
    transaction: Transaction,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await new Promise<void>(resolve => {
      if (signal?.aborted === true) resolve()
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
    transaction.isCancelled = this.#options.faults.choose('statement-late', 2) === 0
    throw unknown(sql, 'it was cancelled')
  }

  async #run(
    sql: string,
    transaction: Transaction,
    { tables }: Submitted,
    lateMs: number,
  ): Promise<void> {
    const { scheduler, faults } = this.#options
    const step = (what: string): Promise<void> => {
      return scheduler.turn(this.#actor, `transaction ${transaction.id} ${what}`)
    }
    this.#open.add(transaction)
    const isChange = isTableChange(sql)
    if (isChange) this.#changes += 1
    try {
      if (isChange) {
        // It waits for its lock.
        if (lateMs > 0) await scheduler.sleep(this.#actor, lateMs)
        await step(`changes a table: ${sql.split('\n')[0]!.slice(0, 120)}`)
        this.#changeTable(sql)
        this.#options.onCommit(nameOf(sql))
        return
      }
      // Any part of it may be what takes long.
      const waits = lateMs > 0 ? faults.choose('statement-late', 3) : -1
      const table = this.#find(sql)
      // It is compiled here: what it writes has these types, whatever becomes of the columns.
      const { types } = table
      const isExact = table.narrowed.size === 0 && !isBackFill(sql)
      const snapshot = readRows(table)
      if (waits === 0) await scheduler.sleep(this.#actor, lateMs)
      await step('takes its lock')
      transaction.table = nameOf(sql)
      if (waits === 1) await scheduler.sleep(this.#actor, lateMs)
      await step('reads its files')
      const batch = await this.#readBatch(sql, tables, types)
      const isPartitioned = table.partition !== null
      const { gone, come } = deltaOf({ sql, snapshot, batch, isPartitioned })
      if (waits === 2) await scheduler.sleep(this.#actor, lateMs)
      await step(`commits ${gone.length} rows that go and ${come.length} that come`)
      const left = new Set(gone.map(({ id }) => id))
      const kept = table.rows.filter(({ id }) => !left.has(id))
      const isConflict = table.rows.length - kept.length < left.size
      if (transaction.isCancelled || isConflict) {
        throw failed(sql, new HiveRefusal('the transaction was aborted', null, abortedCode))
      }
      if (gone.length + come.length === 0) return
      table.rows = [...kept, ...come.map(row => ({ ...row, id: this.#nextRow++, types }))]
      if (isExact && table.narrowed.size === 0) table.isCut = false
      this.#options.onCommit(nameOf(sql))
    } finally {
      this.#open.delete(transaction)
      if (isChange) this.#changes -= 1
    }
  }

  #changeTable(sql: string): void {
    if (sql.startsWith('CREATE TABLE')) {
      this.#createTable(sql)
      return
    }
    const table = this.#find(sql)
    const added = / ADD COLUMNS \((.*)\)/.exec(sql)
    if (added !== null) {
      const columns = parseColumns(added[1]!)
      const twin = columns.find(one => table.columns.some(({ name }) => name === one.name))
      if (twin !== undefined)
        throw failed(sql, new HiveRefusal(`duplicate column ${twin.name}`, '42000', 10_036))
      table.columns.push(...columns)
      table.types = typesOf(table.columns)
      return
    }
    const [, from, ...to] = / CHANGE COLUMN `(\w+)` `(\w+)` ([a-z]+(?:\([\d,]+\))?)/.exec(sql)!
    const place = table.columns.findIndex(({ name }) => name === from)
    if (place < 0) throw failed(sql, new HiveRefusal(`invalid column ${from}`, '42000', 10_002))
    const [name, type] = to as [string, string]
    const before = table.columns[place]!.type
    if (!canBeChanged(before, type)) {
      const what = `the types are incompatible: ${before} and ${type}`
      throw failed(sql, new HiveRefusal(what, '42000', 40_013))
    }
    table.columns[place] = { name, type }
    const widest = table.narrowed.get(name) ?? before
    if (holds(type, widest)) table.narrowed.delete(name)
    else table.narrowed.set(name, widest)
    table.isCut ||= table.narrowed.size > 0
    table.types = typesOf(table.columns)
    table.rows = table.rows.map(({ id, place: of, values, types }) => {
      return { id, place: of, values: moved(values, from!, name), types: moved(types, from!, name) }
    })
  }

  #createTable(sql: string): void {
    if (this.#tables.has(nameOf(sql))) return
    const [, columns, by] = /\(\n([\s\S]*?)\n\)(?:\nPARTITIONED BY \((.*)\))?/.exec(sql)!
    const [partition = null] = by === undefined ? [] : parseColumns(by)
    const own = parseColumns(columns!)
    this.#tables.set(nameOf(sql), {
      columns: own,
      partition,
      rows: [],
      types: typesOf(own),
      narrowed: new Map(),
      isCut: false,
    })
  }

  /** None, when the files are gone: the location of an external table is an empty folder then. */
  async #readBatch(
    sql: string,
    tables: TemporaryTables,
    types: ColumnTypes,
  ): Promise<readonly BatchRow[]> {
    const source = /`(forager_changes_\w+)`/.exec(sql)![1]!
    const files = localStagingFiles(this.#options.files)
    const { location, types: own } = tables.get(source)!
    const rows: BatchRow[] = []
    for (const name of await files.list(location)) {
      const file = await files.open(`${location}/${name}`)
      const reader = await OrcReader.open(file)
      const names = fieldsOf(reader)
      for await (const part of reader.rows()) {
        for (const row of part) {
          const values = names.map((field, index) => [field, row[index] as Value])
          rows.push(castRow(Object.fromEntries(values) as BatchRow, own, types))
        }
      }
      await file.close()
    }
    return rows
  }

  #find(sql: string): Table {
    const table = this.#tables.get(nameOf(sql))
    if (table !== undefined) return table
    throw failed(sql, new HiveRefusal(`Table not found ${nameOf(sql)}`, '42S02', 10_001))
  }
}

/** With the types that the columns have now. */
function readRows({ rows, types }: Table): readonly TableRow[] {
  return rows.map(row => readRow(row, types))
}

/** Files are read by place: a column that is renamed keeps what it has. */
function moved<T>(of: Readonly<Record<string, T>>, from: string, to: string): Record<string, T> {
  const { [from]: value, ...others } = of
  return value === undefined ? others : { ...others, [to]: value }
}

function fieldsOf({ schema }: OrcReader): readonly string[] {
  return schema.kind === 'struct' ? schema.fields.map(({ name }) => name) : []
}

/** The table of a statement, without its database. */
function nameOf(sql: string): string {
  return /`\w+`\.`(\w+)`/.exec(sql)![1]!
}

function isTableChange(sql: string): boolean {
  return /^(CREATE|ALTER) TABLE /.test(sql)
}

function described({ columns, partition }: Table): HiveRows {
  const rowOf = ({ name, type }: HiveColumn) => [name, type, '']
  const rows = columns.map(rowOf)
  if (partition !== null)
    rows.push(rowOf(partition), ['# Partition Information', '', ''], rowOf(partition))
  return result(['col_name', 'data_type', 'comment'], rows)
}

function result(
  names: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): HiveRows {
  return { columns: names.map(name => ({ name, type: 'string' })), rows }
}

/** The session was gone before the statement was submitted. */
export function sessionGone(): Error {
  return unreachable('the session ended, and its temporary tables with it')
}
