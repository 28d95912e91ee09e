/**
 * Changes the columns of a table of Hive, before the apply that needs them:
 *
 *     older attempts' folders go · no other statement is under way · what the table has is looked up ·
 *     the defaults of new columns are written · renames, types, comments · ADD COLUMNS · old rows get the defaults
 *
 * The claim is committed anew before each statement: a process that was paused between two of them finds out
 * that the table has another owner before it changes it once more. DDL of Hive is not transactional, so what is done
 * is seen at once, and left when all of it is done again.
 */
import { ForagerError, WarehouseError } from '../../model/errors.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import type { ColumnChange } from '../../model/schema-change.ts'
import { changeText } from '../../model/schema-change.ts'
import type { Column } from '../../model/table-schema.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { DescribedChanges, EvolveRequest, FailedChange, PlannedChange } from '../warehouse.ts'
import type { AttemptFiles } from './attempt-files.ts'
import { backFillSql, backFillText, countSql } from './back-fill.ts'
import { describe } from './describe-table.ts'
import { drainTable } from './drain-table.ts'
import type { EvolutionPlan, EvolutionStatement, Impossible } from './evolve-table.ts'
import { changedError, goneError, planEvolution } from './evolve-table.ts'
import { overFolder, takenOver } from './folder-table.ts'
import type { Session } from './hive-session.ts'
import type { Sessions } from './hive-sessions.ts'
import type { TableName } from './sql-text.ts'
import { parseTableName, quoteTable } from './sql-text.ts'
import type { HiveColumn, HiveTable, HiveVersion } from './target-table.ts'
import { differencesOf, monthColumn, targetTable, targetTypeText } from './target-table.ts'

export interface HiveEvolutionOptions {
  readonly sessions: Sessions
  readonly attempts: AttemptFiles
  readonly clock: Clock
  readonly logger: Logger
  readonly version: HiveVersion
  readonly database: string
  readonly drainTimeoutMs: number
}

/** As of `Warehouse.evolve`. */
export async function evolveTable(
  options: HiveEvolutionOptions,
  request: EvolveRequest,
): Promise<readonly FailedChange[]> {
  const { table, token, attempt, signal } = request
  const name = parseTableName(table, options.database)
  // What a late statement of an owner before would read is gone from here on.
  await options.attempts.sweep({ table, token, attempt })
  return await options.sessions.use(
    session => new Evolution(options, request, name, session).run(),
    signal,
  )
}

class Evolution {
  readonly #options: HiveEvolutionOptions
  readonly #request: EvolveRequest
  readonly #name: TableName
  readonly #session: Session

  constructor(
    options: HiveEvolutionOptions,
    request: EvolveRequest,
    name: TableName,
    session: Session,
  ) {
    this.#options = options
    this.#request = request
    this.#name = name
    this.#session = session
  }

  async run(): Promise<readonly FailedChange[]> {
    if (this.#request.isInDoubt) {
      await this.#request.claim()
      await drainTable(this.#session, this.#name, this.#options, this.#request)
    }
    const plan = await this.#plan()
    if (plan.impossible.length > 0) return this.#left(plan.impossible)
    const columns = await this.#withoutValues(plan)
    for (const statement of plan.statements) {
      const failed = await this.#change(statement)
      if (failed.length > 0) return failed
    }
    if (columns.length > 0) await this.#backFill(columns)
    return []
  }

  async #plan(): Promise<EvolutionPlan> {
    const { changes, to } = this.#request
    const found = await describe(this.#session, this.#name)
    if (found === null) throw goneError(this.#name, [])
    const { version } = this.#options
    const plan = planEvolution(this.#name, found, changes, { version, keys: to.schema.key })
    if (plan.defaults.length > 0) this.#refuseNarrower(found)
    return plan
  }

  /** All rows are written anew for a default: of a column that was made narrower meanwhile their values would be cut. */
  #refuseNarrower(found: HiveTable): void {
    const { changes, to } = this.#request
    const changed = new Set(
      changes.map(({ change }) => ('column' in change ? change.column : change.from).id),
    )
    const columns = to.schema.columns.filter(({ id }) => !changed.has(id))
    const { problems } = differencesOf(found, targetTable({ columns, key: [] }, null))
    if (problems.length > 0) throw changedError(this.#name, problems)
  }

  /** All of them are left when each may be: what is to be made then is another thing. */
  #left(impossible: readonly Impossible[]): readonly FailedChange[] {
    const must = impossible.find(({ planned }) => !planned.mayFail)
    if (must !== undefined) {
      const { change } = must.planned
      throw new WarehouseError(
        'schema-change-unsupported',
        `${changeText(change)}, and ${must.reason}`,
        { context: { table: this.#request.table } },
      )
    }
    return impossible.map(({ planned: { change }, reason }) => ({ change, reason }))
  }

  /**
   * Columns whose defaults old rows are to get. One that is there already is of an attempt that did not come to
   * its end: some rows may have the default, and others come of a batch that was applied since. Or it was made by
   * hand: unless a row has a value in it, its rows wait for the default still.
   */
  async #withoutValues({ defaults }: EvolutionPlan): Promise<readonly Column[]> {
    const begun = new Set(this.#request.begun?.schema.columns.map(({ id }) => id))
    const there = defaults
      .filter(({ isThere, column }) => isThere && !begun.has(column.id))
      .map(({ column }) => column)
    if (there.length === 0) return defaults.map(({ column }) => column)
    const sql = countSql(quoteTable(this.#name), there)
    const { rows } = await this.#session.query(sql, { signal: this.#request.signal })
    const filled = there.filter((_, place) => Number(rows[0]![place]) > 0)
    return defaults.map(({ column }) => column).filter(column => !filled.includes(column))
  }

  async #change({ sql, changes }: EvolutionStatement): Promise<readonly FailedChange[]> {
    const { claim, signal } = this.#request
    await claim()
    try {
      await this.#session.execute(sql, { signal })
      return []
    } catch (error) {
      if (!isRefusal(error) || !changes.every(({ mayFail }) => mayFail)) throw error
      return changes.map(({ change }) => ({ change, reason: error.message }))
    }
  }

  async #backFill(columns: readonly Column[]): Promise<void> {
    const { attempts, logger } = this.#options
    const { table, token, attempt, claim, signal } = this.#request
    const written = await attempts.writeDefaults({ table, token, attempt }, columns)
    const own = columns.map(({ name, type }): HiveColumn => {
      return { name: name.toLowerCase(), type: targetTypeText(type) }
    })
    await claim()
    await overFolder(this.#session, { attempts, written, columns: own, signal }, async source => {
      const sql = backFillSql(quoteTable(this.#name), source, columns)
      await this.#session.execute(sql, { signal, incarnation: this.#session.incarnation })
    })
    if (!(await attempts.isWhole(written))) throw takenOver(table, written.folder)
    await attempts.remove(written)
    logger.info('table.back-filled', { table, columns: own.map(({ name }) => name).join(', ') })
  }
}

/** Hive surely did not do it, and will not another time. */
function isRefusal(error: unknown): error is ForagerError {
  return (
    error instanceof ForagerError && error.code === 'statement-failed' && error.retry === 'never'
  )
}

/** The statements for the changes, for people: of a table that is as the changes say. */
export function describedChanges(
  name: TableName,
  changes: readonly ColumnChange[],
  { partitionBy, version }: { partitionBy: PartitionBy | null; version: HiveVersion },
): DescribedChanges {
  const planned = changes.map((change): PlannedChange => ({ change, mayFail: true }))
  const table = tableBefore(changes, partitionBy)
  const plan = planEvolution(name, table, planned, { version, keys: [] })
  const { statements, defaults, impossible } = plan
  const columns = defaults.map(({ column }) => column)
  return {
    statements: [
      ...statements.map(({ sql }) => sql),
      ...(columns.length === 0 ? [] : [backFillText(quoteTable(name), columns)]),
    ],
    impossible: impossible.map(({ planned: { change }, reason }) => ({ change, reason })),
  }
}

/** Of its columns those that change. */
function tableBefore(changes: readonly ColumnChange[], partitionBy: PartitionBy | null): HiveTable {
  const before = new Map<string, HiveColumn>()
  for (const change of changes) {
    if (change.kind === 'add') continue
    const { id, name, type, comment } = 'column' in change ? change.column : change.from
    // The first change of a column is from what it is now.
    if (before.has(id)) continue
    const known = { name: name.toLowerCase(), type: targetTypeText(type) }
    before.set(id, comment === undefined ? known : { ...known, comment })
  }
  const columns = [...before.values()]
  if (partitionBy === null) return { columns, partition: null }
  const by = partitionBy.unit === 'year_month' ? monthColumn : partitionBy.column.toLowerCase()
  const partition = columns.find(({ name }) => name === by) ?? { name: by, type: 'string' }
  return { columns: columns.filter(({ name }) => name !== by), partition }
}
