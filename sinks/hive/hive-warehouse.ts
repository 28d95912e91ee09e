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
import { assert, WarehouseError } from '../../model/errors.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import type { ColumnChange } from '../../model/schema-change.ts'
import type { ApplyReceipt } from '../../model/staged-batch.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import { keyColumns } from '../../model/table-schema.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Clock } from '../../runtime/clock.ts'
import type {
  ApplyRequest,
  DescribedChanges,
  EvolveRequest,
  FailedChange,
  KeepLimits,
  LoggedTable,
  OpenedTable,
  Warehouse,
} from '../warehouse.ts'
import type { AttemptFiles, WrittenAttempt } from './attempt-files.ts'
import { describe } from './describe-table.ts'
import { drainTable } from './drain-table.ts'
import { changedError, goneError } from './evolve-table.ts'
import { overFolder, takenOver } from './folder-table.ts'
import { describedChanges, evolveTable } from './hive-evolution.ts'
import type { Session } from './hive-session.ts'
import type { Sessions } from './hive-sessions.ts'
import { mayBeNarrowed } from './hive-types.ts'
import type { KeyColumn, MergeInput } from './merge-sql.ts'
import { appendSql, emptySql, mergeSql, missingSql, oldKeyColumn } from './merge-sql.ts'
import { ownColumns } from './own-columns.ts'
import type { TableName } from './sql-text.ts'
import { parseTableName, quoteTable } from './sql-text.ts'
import type { HiveColumn, HiveTable, HiveVersion } from './target-table.ts'
import { createSql, differencesOf, targetTable, targetTypeText } from './target-table.ts'

export interface HiveWarehouseOptions {
  readonly sessions: Sessions
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
  /** Of staged files, for truncates that are known by their position. */
  readonly keeps?: KeepLimits | undefined
  /** How long statements of others on a table are waited for. */
  readonly drainTimeoutMs: number
  /** Of new tables, for Hive 2.3. */
  readonly buckets: number
}

const defaultKeeps: KeepLimits = { maxAgeMs: 15 * 60_000, maxBytes: 64 * 1024 * 1024 }
const noColumns: HiveTable = { columns: [], partition: null }
const nothing = { rowsInserted: 0, rowsUpdated: 0, rowsDeleted: 0, rowsSearched: 0 }

export class HiveWarehouse implements Warehouse {
  readonly name: string
  readonly isRemote = true
  readonly keeps: KeepLimits
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
    this.keeps = options.keeps ?? defaultKeeps
  }

  async open(table: string, logged: LoggedTable): Promise<OpenedTable | null> {
    const name = parseTableName(table, this.#options.database)
    // A table that was made here, before others had it, may have rows by now.
    this.#made.delete(table)
    const found = await this.#options.sessions.use(session => describe(session, name))
    if (found === null) return null
    this.#tables.set(table, found)
    return { through: logged.through, ...ownColumns(name, found, logged) }
  }

  async evolve(request: EvolveRequest): Promise<readonly FailedChange[]> {
    try {
      return await evolveTable(this.#options, request)
    } finally {
      this.#tables.delete(request.table)
    }
  }

  describeChanges(
    table: string,
    changes: readonly ColumnChange[],
    partitionBy: PartitionBy | null,
  ): DescribedChanges {
    const { database, version } = this.#options
    return describedChanges(parseTableName(table, database), changes, { partitionBy, version })
  }

  /** To open a table asks Hive, and changes nothing there. */
  async look(table: string, logged: LoggedTable): Promise<OpenedTable | null> {
    return await this.open(table, logged)
  }

  describeTable(table: string, schema: TableSchema, by: PartitionBy | null): readonly string[] {
    const wanted = targetTable(schema, by)
    const name = parseTableName(table, this.#options.database)
    return createSql(name, wanted, { ...this.#options, keys: schema.key })
  }

  async apply(request: ApplyRequest): Promise<ApplyReceipt> {
    const { attempts, reach } = this.#options
    const { table, token, attempt, truncate, followed, partitionBy, changes, oldRows } = request
    const { schema } = followed
    assert(typeof truncate === 'string', 'rows of Hive keep no positions', { table })
    const isWhole = truncate === 'all'
    await attempts.sweep({ table, token, attempt })
    const written = await attempts.write(
      { table, token, attempt },
      { schema, partitionBy, changes, isWhole, oldRows },
    )
    try {
      // Claimed when a session is free: until then another owner may have the table without a wait.
      await this.#options.sessions.use(async session => {
        await request.claim()
        await this.#submit(session, request, written, isWhole)
        await this.#checkColumns(session, request)
      }, request.signal)
      if (!(await attempts.isWhole(written))) throw takenOver(table, written.folder)
      reach('apply.checked')
    } catch (error) {
      // What Hive describes next time may be another table.
      this.#tables.delete(table)
      this.#made.delete(table)
      throw error
    }
    await attempts.remove(written)
    const { upserts, patches, moves, deletes, searches } = written.facts
    // Hive does not say which rows were there: what was written counts as updated.
    const rowsUpdated = upserts + patches + moves
    const counts = { rowsUpdated, rowsDeleted: deletes, rowsSearched: searches }
    const isNewTable = this.#made.delete(table)
    return { outcome: 'applied', isNewTable, ...nothing, ...counts }
  }

  close(): Promise<void> {
    return this.#options.sessions.close()
  }

  async #submit(
    session: Session,
    request: ApplyRequest,
    written: WrittenAttempt,
    isWhole: boolean,
  ): Promise<void> {
    const { reach } = this.#options
    const { table, isInDoubt, signal } = request
    const name = parseTableName(table, this.#options.database)
    if (isInDoubt) await drainTable(session, name, this.#options, request)
    reach('apply.drained')
    const isEmpty = request.followed.schema.columns.length === 0
    // Of a truncate that came before any row of its window no columns are known: none are needed.
    const target = isEmpty ? noColumns : await this.#ensureTable(session, name, request)
    // What was staged may come to nothing.
    if (written.rowCount === 0) return
    const { attempts } = this.#options
    const columns = batchColumns(request)
    await overFolder(session, { attempts, written, columns, signal }, async source => {
      const input = mergeInput(request, { name, target, written, source, isWhole })
      if (written.facts.moves > 0 && request.oldRows === 'all') {
        await checkOldRows(session, input, request)
      }
      const sql = isEmpty ? emptySql(quoteTable(name), source) : statementOf(request, input)
      await session.execute(sql, { signal, incarnation: session.incarnation })
    })
    reach('apply.answered')
  }

  /** The target as it is when the rows of the request fit into it. */
  async #ensureTable(session: Session, name: TableName, request: ApplyRequest): Promise<HiveTable> {
    const { table, followed, partitionBy } = request
    const { schema } = followed
    const known = this.#tables.get(table)
    const wanted = targetTable(schema, partitionBy)
    const found =
      known ?? (await this.#inTurn(() => this.#findOrMake(session, name, wanted, request)))
    refuseOtherPartitioning(name, found, wanted)
    const { missing, problems } = differencesOf(found, wanted)
    // When it was opened it was not there, or fitted: the merger opens it anew.
    if (problems.length > 0 && known === undefined) throw changedError(name, problems)
    if (problems.length > 0) throw unsuitable(name, problems)
    // It had them when it was opened, or evolved: the merger opens it anew then.
    if (missing.length > 0)
      throw goneError(
        name,
        missing.map(column => column.name),
      )
    this.#tables.set(table, found)
    return found
  }

  /** Whether a statement of an owner before made columns narrower meanwhile: then what was written is cut. */
  async #checkColumns(session: Session, { table, followed, partitionBy }: ApplyRequest) {
    const { schema } = followed
    if (!schema.columns.some(({ type }) => mayBeNarrowed(targetTypeText(type)))) return
    const name = parseTableName(table, this.#options.database)
    const found = await describe(session, name)
    const problems =
      found === null ? [] : differencesOf(found, targetTable(schema, partitionBy)).problems
    if (problems.length > 0) throw changedError(name, problems)
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#making.then(action)
    this.#making = turn.catch(() => undefined)
    return turn
  }

  async #findOrMake(
    session: Session,
    name: TableName,
    wanted: HiveTable,
    request: ApplyRequest,
  ): Promise<HiveTable> {
    const { table, followed } = request
    const { schema } = followed
    const found = await describe(session, name)
    if (found !== null) return found
    if (request.after !== null) {
      const message = `the table was applied through offset ${request.after.offset}, and it does not exist`
      throw new WarehouseError('warehouse-behind', message, { context: { table: request.table } })
    }
    const options = { ...this.#options, keys: schema.key }
    for (const sql of createSql(name, wanted, options)) await session.execute(sql)
    this.#made.add(table)
    this.#options.logger.info('table.created', { table: `${name.database}.${name.table}` })
    // Another one may have been made meanwhile.
    const made = await describe(session, name)
    assert(made !== null, 'a table that was made is not there', { table: quoteTable(name) })
    return made
  }
}

/** Nothing else changes the table between this and the statement. */
async function checkOldRows(
  session: Session,
  input: MergeInput,
  { table, signal }: ApplyRequest,
): Promise<void> {
  const { rows } = await session.query(missingSql(input), { signal })
  const count = Number(rows[0]?.[0] ?? 0)
  if (count === 0) return
  throw new WarehouseError(
    'old-row-missing',
    `${count} rows changed their keys, not all of their values were sent, and the table has no rows under the old ones`,
    { context: { table } },
  )
}

/** New rows are appended; what is in doubt may be there already, whatever its keys are. */
function statementOf({ areNew, isInDoubt }: ApplyRequest, input: MergeInput): string {
  return areNew && !isInDoubt && !input.isWhole ? appendSql(input) : mergeSql(input)
}

/** The batch as `merge-sql.ts` reads it. */
function batchColumns({ followed: { schema }, oldRows }: ApplyRequest): readonly HiveColumn[] {
  const oldKeys = oldRows === undefined ? [] : keyColumns(schema)
  return [
    { name: '__forager_op', type: 'tinyint' },
    { name: '__forager_sent', type: 'string' },
    { name: '__forager_search', type: 'boolean' },
    { name: '__forager_place', type: 'string' },
    ...schema.columns.map(({ name, type }) => {
      return { name: name.toLowerCase(), type: targetTypeText(type) }
    }),
    ...oldKeys.map(({ type }, place) => ({
      name: oldKeyColumn(place),
      type: targetTypeText(type),
    })),
  ]
}

function mergeInput(
  { followed: { schema }, partitionBy }: ApplyRequest,
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
