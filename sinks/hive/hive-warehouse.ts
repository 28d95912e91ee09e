/**
 * Tables of Hive. An apply is one `MERGE`, from a folder of its own attempt:
 *
 *     older attempts' folders go · the batches are folded into this attempt's folder · the claim is
 *     committed · no other statement is under way · the statement · the folder is still whole
 *
 * Whoever else may wake up late finds its folder gone, and cannot claim another one. A statement whose
 * outcome is not known is followed by a new attempt, never sent again.
 */
import type { ReachPoint } from '../../model/crash-points.ts'
import { assert, StateError, WarehouseError } from '../../model/errors.ts'
import type { ApplyReceipt } from '../../model/staged-batch.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { AppliedThrough, ApplyRequest, Warehouse } from '../warehouse.ts'
import type { AttemptFiles, WrittenAttempt } from './attempt-files.ts'
import { describe } from './describe-table.ts'
import { drain } from './drain.ts'
import type { HiveSession } from './hive-session.ts'
import type { HiveSessions } from './hive-sessions.ts'
import type { KeyColumn, MergeInput } from './merge-sql.ts'
import { appendSql, emptySql, mergeSql } from './merge-sql.ts'
import type { TableName } from './sql-text.ts'
import { parseTableName, quoteName, quoteTable, quoteText } from './sql-text.ts'
import type { HiveColumn, HiveTable, HiveVersion } from './target-table.ts'
import {
  addColumnsSql,
  createTableSql,
  differencesOf,
  targetTable,
  targetTypeText,
} from './target-table.ts'

export interface HiveWarehouseOptions {
  readonly sessions: HiveSessions
  readonly attempts: AttemptFiles
  readonly clock: Clock
  readonly reach: ReachPoint
  readonly logger: Logger
  /** For messages: `hive:host:10000`. */
  readonly name: string
  readonly version: HiveVersion
  /** Of targets that are named without one. */
  readonly database: string
  /** Tables that are applied to at once: as many as there are sessions. */
  readonly parallel: number
  /** How long statements of others on a table are waited for. */
  readonly drainTimeoutMs: number
  /** Of new tables, for Hive 2.3. */
  readonly buckets: number
}

const noColumns: HiveTable = { columns: [], partition: null }
const nothing = { rowsInserted: 0, rowsUpdated: 0, rowsDeleted: 0, rowsSearched: 0 }

export class HiveWarehouse implements Warehouse {
  readonly name: string
  readonly isRemote = true
  readonly parallel: number
  readonly #options: HiveWarehouseOptions
  /** Tables as they were found or made; looked at again when a statement fails. */
  readonly #tables = new Map<string, HiveTable>()
  /** Tables that were made here, and that no apply has ended for yet. */
  readonly #made = new Set<string>()
  /** Tables are made one after the other: two sessions that make one database fail. */
  #making: Promise<unknown> = Promise.resolve()

  constructor(options: HiveWarehouseOptions) {
    this.#options = options
    this.name = options.name
    this.parallel = options.parallel
  }

  async open(table: string, logged: AppliedThrough | null): Promise<AppliedThrough | null> {
    const name = parseTableName(table, this.#options.database)
    // A table that was made here, before others had it, may have rows by now.
    this.#made.delete(table)
    const found = await this.#options.sessions.use(session => describe(session, name))
    if (found === null) return null
    this.#tables.set(table, found)
    return logged
  }

  async apply(request: ApplyRequest): Promise<ApplyReceipt> {
    const { attempts, reach } = this.#options
    const { table, token, attempt, truncate, schema, partitionBy, changes } = request
    refusePoint(request)
    const isWhole = truncate === 'all'
    await attempts.sweep({ table, token, attempt })
    const written = await attempts.write(
      { table, token, attempt },
      { schema, partitionBy, changes, isWhole },
    )
    try {
      // Claimed when a session is free: until then another owner may have the table without a wait.
      await this.#options.sessions.use(async session => {
        await request.claim()
        await this.#submit(session, request, written, isWhole)
      }, request.signal)
      if (!(await attempts.isWhole(written))) throw takenOver(table, written)
      reach('apply.checked')
    } catch (error) {
      // What Hive describes next time may be another table.
      this.#tables.delete(table)
      this.#made.delete(table)
      throw error
    }
    await attempts.remove(written)
    const { upserts, patches, deletes, searches } = written.facts
    // Hive does not say which rows were there: what was written counts as updated.
    const counts = { rowsUpdated: upserts + patches, rowsDeleted: deletes, rowsSearched: searches }
    const isNewTable = this.#made.delete(table)
    return { outcome: 'applied', isNewTable, ...nothing, ...counts }
  }

  close(): Promise<void> {
    return this.#options.sessions.close()
  }

  async #submit(
    session: HiveSession,
    request: ApplyRequest,
    written: WrittenAttempt,
    isWhole: boolean,
  ): Promise<void> {
    const { clock, drainTimeoutMs, reach } = this.#options
    const { table, isInDoubt, signal } = request
    const name = parseTableName(table, this.#options.database)
    if (isInDoubt) {
      const asks = { query: (sql: string) => session.query(sql, { signal }) }
      const ended = await drain(asks, name, { clock, timeoutMs: drainTimeoutMs, signal })
      this.#options.logger.info('table.drained', { table, transactions: ended })
    }
    reach('apply.drained')
    const isEmpty = request.schema.columns.length === 0
    // Of a truncate that came before any row of its window no columns are known: none are needed.
    const target = isEmpty ? noColumns : await this.#ensureTable(session, name, request)
    // What was staged may come to nothing.
    if (written.rowCount === 0) return
    await overFolder(session, this.#folderTable(request, written), signal, async source => {
      const input = mergeInput(request, { name, target, written, source, isWhole })
      const sql = isEmpty ? emptySql(quoteTable(name), source) : statementOf(request, input)
      await session.execute(sql, { signal, incarnation: session.incarnation })
    })
    reach('apply.answered')
  }

  /** The target as it is when the rows of the request fit into it. */
  async #ensureTable(
    session: HiveSession,
    name: TableName,
    request: ApplyRequest,
  ): Promise<HiveTable> {
    const { table, schema, partitionBy } = request
    const known = this.#tables.get(table)
    const wanted = targetTable(schema, partitionBy)
    const found =
      known ?? (await this.#inTurn(() => this.#findOrMake(session, name, wanted, request)))
    refuseOtherPartitioning(name, found, wanted)
    const { missing, problems } = differencesOf(found, wanted)
    if (problems.length > 0) throw unsuitable(name, problems)
    if (missing.length > 0) {
      await session.execute(addColumnsSql(name, missing, found.partition), {
        signal: request.signal,
      })
      this.#options.logger.info('table.columns-added', {
        table,
        columns: missing.map(column => column.name).join(', '),
      })
    }
    const target = { ...found, columns: [...found.columns, ...missing] }
    this.#tables.set(table, target)
    return target
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#making.then(action)
    this.#making = turn.catch(() => undefined)
    return turn
  }

  async #findOrMake(
    session: HiveSession,
    name: TableName,
    wanted: HiveTable,
    request: ApplyRequest,
  ): Promise<HiveTable> {
    const { table, schema } = request
    const found = await describe(session, name)
    if (found !== null) return found
    if (request.after !== null) {
      const message = `the table was applied through offset ${request.after.offset}, and it does not exist`
      throw new WarehouseError('warehouse-behind', message, { context: { table: request.table } })
    }
    const { version, buckets } = this.#options
    await session.execute(`CREATE DATABASE IF NOT EXISTS ${quoteName(name.database)}`)
    await session.execute(createTableSql(name, wanted, { keys: schema.key, version, buckets }))
    this.#made.add(table)
    this.#options.logger.info('table.created', { table: `${name.database}.${name.table}` })
    // Another one may have been made meanwhile.
    const made = await describe(session, name)
    assert(made !== null, 'a table that was made is not there', { table: quoteTable(name) })
    return made
  }

  #folderTable({ schema }: ApplyRequest, written: WrittenAttempt): FolderTable {
    const columns = schema.columns.map(({ name, type }) => {
      return { name: name.toLowerCase(), type: targetTypeText(type) }
    })
    const folder = written.folder.slice(written.folder.lastIndexOf('/') + 1)
    return {
      name: quoteName(`forager_changes_${folder.replaceAll('-', '_')}`),
      location: this.#options.attempts.locationOf(written),
      rowCount: written.rowCount,
      columns,
    }
  }
}

/** New rows are appended; what is in doubt may be there already, whatever its keys are. */
function statementOf({ areNew, isInDoubt }: ApplyRequest, input: MergeInput): string {
  return areNew && !isInDoubt && !input.isWhole ? appendSql(input) : mergeSql(input)
}

interface FolderTable {
  /** Quoted. No other table has it: a temporary one hides others of its name, until it ends. */
  readonly name: string
  readonly location: string
  readonly rowCount: number
  readonly columns: readonly HiveColumn[]
}

/**
 * A table over the folder, in this session alone and for as long as the action runs: no attempt can meet
 * another one's. What is left of it ends with the session.
 */
async function overFolder(
  session: HiveSession,
  { name: table, location, rowCount, columns }: FolderTable,
  signal: AbortSignal,
  action: (source: string) => Promise<void>,
): Promise<void> {
  const own = [
    '`__forager_op` tinyint',
    '`__forager_sent` string',
    '`__forager_search` boolean',
    '`__forager_place` string',
  ]
  const all = [...own, ...columns.map(({ name, type }) => `${quoteName(name)} ${type}`)]
  await session.execute(
    `CREATE TEMPORARY EXTERNAL TABLE ${table} (${all.join(', ')})\n` +
      `STORED AS ORC LOCATION ${quoteText(location)}`,
    { signal },
  )
  // Hive takes it for empty otherwise, and plans the joins with it so.
  const rows = `ALTER TABLE ${table} UPDATE STATISTICS SET ('numRows'='${rowCount}')`
  await session.execute(rows, { signal, incarnation: session.incarnation })
  await action(table)
  const { incarnation } = session
  // The statement is answered: what is left of its table cannot change that.
  await session
    .execute(`DROP TABLE IF EXISTS ${table}`, { incarnation, signal })
    .catch(() => undefined)
}

function mergeInput(
  { schema, partitionBy }: ApplyRequest,
  parts: {
    readonly name: TableName
    readonly target: HiveTable
    readonly written: WrittenAttempt
    readonly source: string
    readonly isWhole: boolean
  },
): MergeInput {
  const { name, target, written, source, isWhole } = parts
  return {
    target: quoteTable(name),
    source,
    table: target,
    keys: keysOf(schema, written, isWhole),
    sourceColumns: schema.columns.map(column => column.name.toLowerCase()),
    partitionSource: partitionBy === null ? null : partitionBy.column.toLowerCase(),
    facts: written.facts,
    isWhole,
  }
}

/** Null-safe only where it has to be: rows of the batch have such a key, or rows of the table that go may. */
function keysOf(
  schema: TableSchema,
  { nullKeys }: WrittenAttempt,
  isWhole: boolean,
): readonly KeyColumn[] {
  const mayBeNull = (key: string): boolean => {
    return schema.columns.find(({ name }) => name === key)?.nullable === true
  }
  return schema.key.map(key => {
    const name = key.toLowerCase()
    return { name, nullable: nullKeys.has(name) || (isWhole && mayBeNull(key)) }
  })
}

/** Rows of Hive do not keep their place in the source's log. */
function refusePoint({ table, truncate }: ApplyRequest): void {
  if (typeof truncate === 'string') return
  throw new WarehouseError(
    'truncate-by-position',
    'a truncate came through a topic of several partitions, so its order among other changes is not known',
    { context: { table } },
  )
}

/** What the configuration says by now may fit: the merger tries that. */
function refuseOtherPartitioning(name: TableName, found: HiveTable, wanted: HiveTable): void {
  if (found.partition?.name === wanted.partition?.name) return
  const [was, is] = [found, wanted].map(({ partition }) => partition?.name ?? 'nothing')
  throw new WarehouseError(
    'partitioning-changed',
    `the table is partitioned by ${was}, and the configuration says ${is}`,
    { context: { table: `${name.database}.${name.table}` } },
  )
}

function unsuitable(name: TableName, problems: readonly string[]): WarehouseError {
  const table = `${name.database}.${name.table}`
  return new WarehouseError('target-unsuitable', problems.join('; '), { context: { table } })
}

function takenOver(table: string, { folder }: WrittenAttempt): StateError {
  return new StateError('task-fenced', `the folder ${folder} was taken away by a later owner`, {
    context: { table },
  })
}
