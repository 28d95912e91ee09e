/**
 * The columns of one target and how they follow: what a plan's batches need, and the change of a server's
 * table before them. Of a server that is three steps, each of which may be the last one before a crash:
 *
 *     what it leads to is committed · the server changes the table · what it has now is committed
 *
 * Until the last one no batch that needs the new columns is applied, so that all of it may be done again. What
 * commits data and progress in one step (the embedded warehouse) has its columns changed by the apply itself.
 */
import { WarehouseError } from '../model/errors.ts'
import type { FollowedSchema } from '../model/schema-change.ts'
import { changesBetween, changeText, followedFrom } from '../model/schema-change.ts'
import type { Column, TableSchema } from '../model/table-schema.ts'
import { internSchema } from '../model/table-schema.ts'
import { changeKey, evolveSchema } from '../processors/evolve-schema.ts'
import type { ApplyPlan } from '../processors/merge.ts'
import type { FailedChange, OpenedTable, PlannedChange, Warehouse } from '../sinks/warehouse.ts'
import type { Pipeline } from '../topology/topology.ts'
import type { TableProgress } from './applied.ts'
import type { TaskContext } from './task.ts'

export interface EvolutionOptions {
  readonly context: TaskContext
  readonly pipeline: Pipeline
  readonly warehouse: Warehouse
  readonly signal: AbortSignal
}

/** What the table's merger has for it. */
export interface EvolutionHost {
  readonly token: number
  /** What was begun before; null: nothing, or it is complete. */
  begun(): FollowedSchema | null
  /** A statement of an attempt before may be under way. */
  isInDoubt(): boolean
  nextAttempt(): number
  /** In the task's fenced transaction. */
  commit(change: Pick<TableProgress, 'evolving'> & Partial<TableProgress>): Promise<void>
}

/** What is begun with the change to `to`: of an owner before, columns that come with a later batch as well. */
function withBegun(to: FollowedSchema, begun: FollowedSchema | null): FollowedSchema {
  const others = begun?.schema.columns.filter(({ id }) => !hasColumn(to, id)) ?? []
  if (others.length === 0) return to
  return {
    ...to,
    schema: internSchema({ ...to.schema, columns: [...to.schema.columns, ...others] }),
  }
}

/** Of what was begun what is not complete with `made`; null: it is. */
function leftBegun(begun: FollowedSchema | null, made: FollowedSchema): FollowedSchema | null {
  return begun?.schema.columns.some(({ id }) => !hasColumn(made, id)) === true ? begun : null
}

function hasColumn({ schema }: FollowedSchema, id: string): boolean {
  return schema.columns.some(column => column.id === id)
}

const noColumns: TableSchema = { columns: [], key: [] }

export class TableEvolution {
  readonly #table: string
  readonly #options: EvolutionOptions
  /** Changes that the warehouse could not make, and that the policy goes on without (`try_evolve`). */
  readonly #failed = new Set<string>()
  #followed: FollowedSchema | null = null
  /** Null: there is no table. */
  #others: ReadonlySet<string> | null = null

  constructor(table: string, options: EvolutionOptions) {
    this.#table = table
    this.#options = options
  }

  get isThere(): boolean {
    return this.#others !== null
  }

  /** As the warehouse has it. */
  begin(opened: OpenedTable | null): void {
    this.#followed = opened?.followed ?? null
    this.#others = opened?.others ?? null
  }

  /**
   * The columns that the table has for the plan; a server's table has them by then. Null: there is nothing to
   * apply.
   */
  async follow(plan: ApplyPlan, host: EvolutionHost): Promise<FollowedSchema | null> {
    const { reach } = this.#options.context
    let before = host.begun()
    for (;;) {
      const to = this.#planned(plan)
      if (to === null) return this.#withoutColumns(plan)
      if (!this.#isNeeded(to)) {
        // What failed was not done, or it would be needed still.
        if (host.begun() !== before) await host.commit({ evolving: before })
        return to
      }
      const step = this.#firstStep(to)
      if (!(await this.#evolve(step, plan, host))) continue
      reach('evolve.changed')
      this.report(step)
      this.set(step)
      before = leftBegun(before, step)
      await host.commit({ followed: step, evolving: before })
      reach('evolve.committed')
    }
  }

  /**
   * A name that a renamed column leaves to a new one: once both are made nobody can tell which was which. So
   * the new one waits until the log has the rename.
   */
  #firstStep(to: FollowedSchema): FollowedSchema {
    const changes = this.#changesTo(to).map(({ change }) => change)
    const left = new Set(
      changes.flatMap(one => (one.kind === 'rename' ? [one.from.name.toLowerCase()] : [])),
    )
    const waiting = new Set(
      changes.flatMap(one => {
        return one.kind === 'add' && left.has(one.column.name.toLowerCase()) ? [one.column.id] : []
      }),
    )
    if (waiting.size === 0) return to
    const columns = to.schema.columns.filter(({ id }) => !waiting.has(id))
    return { ...to, schema: internSchema({ ...to.schema, columns }) }
  }

  #planned({ covered }: ApplyPlan): FollowedSchema | null {
    const { sink } = this.#options.pipeline.warehouse
    const options = {
      policy: sink.policyOf(this.#table),
      others: this.#others,
      failed: this.#failed,
    }
    return covered.reduce<FollowedSchema | null>(
      (followed, { batch }) => evolveSchema(followed, batch, options),
      this.#followed,
    )
  }

  /** Of a plan without rows, or of a table that is not to be made. */
  #withoutColumns({ covered, truncate }: ApplyPlan): FollowedSchema | null {
    if (covered.some(({ batch }) => batch.schema.columns.length > 0)) return null
    // A truncate of a table that is not there leaves nothing to empty; but its point holds for later rows.
    const isNothing = this.#others === null && typeof truncate === 'string'
    return isNothing ? null : followedFrom(noColumns)
  }

  /** A table that is made for an apply, or whose columns are part of it, is not changed before. */
  #isNeeded(to: FollowedSchema): boolean {
    const isServers = this.#others !== null && this.#options.warehouse.isRemote
    return isServers && this.#changesTo(to).length > 0
  }

  /** False: something could not be made, and the plan is another one without it. */
  async #evolve(to: FollowedSchema, plan: ApplyPlan, host: EvolutionHost): Promise<boolean> {
    const { warehouse, context, signal } = this.#options
    const { logger, metrics, reach } = context
    const table = this.#table
    const begun = host.begun()
    const failed = await warehouse.evolve({
      table,
      to,
      changes: this.#changesTo(to),
      partitionBy: plan.covered.at(-1)!.batch.partitionBy,
      token: host.token,
      attempt: host.nextAttempt(),
      isInDoubt: host.isInDoubt(),
      begun,
      claim: async () => {
        await host.commit({ evolving: withBegun(to, begun) })
        reach('evolve.claimed')
      },
      signal,
    })
    const known = this.#failed.size
    for (const { change, reason } of failed) {
      const { id } = 'column' in change ? change.column : change.from
      this.#failed.add(changeKey(change.kind, id))
      logger.warn('table.not-changed', { table, change: changeText(change), reason })
      metrics.count('forager_schema_changes_failed_total', 1, { table, kind: change.kind })
    }
    if (failed.length > 0 && this.#failed.size === known) {
      const [{ change, reason }] = failed as [FailedChange]
      throw new WarehouseError('schema-change-unsupported', `${changeText(change)}: ${reason}`)
    }
    return failed.length === 0
  }

  /** The table has these columns. */
  set(followed: FollowedSchema): void {
    this.#followed = followed
    this.#others ??= new Set()
  }

  /** What became of the columns, once it is so. */
  report(to: FollowedSchema): void {
    const { logger, metrics } = this.#options.context
    const table = this.#table
    for (const { change } of this.#followed === null ? [] : this.#changesTo(to)) {
      logger.info('table.changed', { table, change: changeText(change) })
      metrics.count('forager_schema_changes_total', 1, { table, kind: change.kind })
    }
  }

  /** Of a table that somebody made and filled, what it has of them is as it is to be: no default is filled in. */
  #from({ schema }: FollowedSchema): TableSchema {
    if (this.#followed !== null) return this.#followed.schema
    const isThere = ({ name }: Column): boolean => this.#others?.has(name.toLowerCase()) === true
    return { columns: schema.columns.filter(isThere), key: [] }
  }

  #changesTo(to: FollowedSchema): readonly PlannedChange[] {
    const policy = this.#options.pipeline.warehouse.sink.policyOf(this.#table)
    return changesBetween(this.#from(to), to.schema).map(change => {
      return { change, mayFail: policy[change.kind] === 'try_evolve' }
    })
  }
}
