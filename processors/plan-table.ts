/** What would become of one table's columns, step by step, by the rules that its merger goes by. */
import { columnTypeText } from '../model/column-type.ts'
import { ForagerError, WarehouseError } from '../model/errors.ts'
import type { PartitionBy } from '../model/partition-by.ts'
import type {
  FollowedSchema,
  SchemaChangeKind,
  SchemaChangeMode,
  SchemaPolicy,
} from '../model/schema-change.ts'
import { changesBetween, changeText } from '../model/schema-change.ts'
import type { TruncateMarker } from '../model/staged-batch.ts'
import type { TableSchema } from '../model/table-schema.ts'
import type { OpenedTable, Warehouse } from '../sinks/warehouse.ts'
import type { SchemaSight } from './evolve-schema.ts'
import { changeKey, evolveSchema } from './evolve-schema.ts'
import { leftBehind } from './left-behind.ts'
import { keepsRows, refuse } from './merge.ts'

/** What one apply would cover. */
export interface PlanStep {
  readonly batches: readonly SchemaSight[]
  readonly partitionBy: PartitionBy | null
  /** Of the batches: the source emptied the table, or dropped it. */
  readonly markers: readonly TruncateMarker[]
}

export interface PlannedLine {
  readonly kind: SchemaChangeKind
  readonly mode: SchemaChangeMode
  /** `column age int is added`. */
  readonly text: string
}

export interface Refusal {
  readonly code: string
  /** The text that the table would be held back with. */
  readonly reason: string
}

export interface TableChanges {
  readonly changes: readonly PlannedLine[]
  /** That the warehouse would execute; empty where the columns are part of what an apply commits. */
  readonly statements: readonly string[]
  /** What the policy leaves as it is. */
  readonly left: readonly PlannedLine[]
  /** Where it ends: what comes after waits. Null: all of it can be followed. */
  readonly refused: Refusal | null
}

export interface PlanTableOptions {
  readonly table: string
  /** Null: there is none. */
  readonly opened: OpenedTable | null
  readonly policy: SchemaPolicy
  readonly warehouse: Pick<Warehouse, 'describeChanges' | 'describeTable'>
}

export function planTable(options: PlanTableOptions, steps: readonly PlanStep[]): TableChanges {
  const planner = new TablePlanner(options)
  const refused = planner.follow(steps)
  return { ...planner.lines, refused }
}

const noColumns: TableSchema = { columns: [], key: [] }

class TablePlanner {
  readonly #options: PlanTableOptions
  readonly #changes: PlannedLine[] = []
  readonly #statements: string[] = []
  readonly #failed = new Set<string>()
  readonly #left = new Map<string, PlannedLine>()
  #followed: FollowedSchema | null
  /** Names of other columns, in lower case; null: there is no table. */
  #others: ReadonlySet<string> | null

  constructor(options: PlanTableOptions) {
    this.#options = options
    this.#followed = options.opened?.followed ?? null
    this.#others = options.opened?.others ?? null
  }

  get lines(): Omit<TableChanges, 'refused'> {
    return {
      changes: this.#changes,
      statements: this.#statements,
      left: [...this.#left.values()],
    }
  }

  /** Null when nothing is refused. */
  follow(steps: readonly PlanStep[]): Refusal | null {
    for (const step of steps) {
      try {
        this.#follow(step)
      } catch (error) {
        if (!(error instanceof ForagerError)) throw error
        return { code: error.code, reason: error.message }
      }
    }
    return null
  }

  /** As a merger: what the warehouse cannot make, and goes on without, is not asked of it again. */
  #follow(step: PlanStep): void {
    const { policy } = this.#options
    const isMade = step.batches.some(({ schema }) => schema.columns.length > 0)
    const isOfTable = this.#others !== null || isMade
    for (const marker of isOfTable ? step.markers : []) refuse(policy, marker)
    let to = this.#columnsAfter(step)
    while (to !== null && this.#others !== null && !this.#change(to.schema, step.partitionBy)) {
      to = this.#columnsAfter(step)
    }
    const { batches, partitionBy, markers } = step
    if (to === null) {
      const hasRows = batches.some(({ schema }) => schema.columns.length > 0)
      if (hasRows && this.#others === null) {
        this.#leave('create-table', 'the table is not made: its rows are passed over')
      }
      return
    }
    for (const { isDrop } of this.#others === null ? [] : markers) this.#empty(isDrop === true)
    if (this.#others === null) this.#create(to.schema, partitionBy)
    for (const batch of batches.filter(({ creates }) => creates !== true)) {
      for (const { kind, text } of leftBehind(this.#followed, to, batch)) this.#leave(kind, text)
    }
    this.#followed = to
    this.#others ??= new Set()
  }

  #empty(isDrop: boolean): void {
    const kind = isDrop ? 'drop-table' : 'truncate'
    const what = isDrop ? 'the source dropped it' : 'the source emptied it'
    if (keepsRows(this.#options.policy[kind])) this.#leave(kind, `${what}: its rows stay`)
    else this.#add(kind, isDrop ? `${what}: it is emptied` : what)
  }

  #columnsAfter({ batches }: PlanStep): FollowedSchema | null {
    const options = {
      policy: this.#options.policy,
      others: this.#others,
      failed: this.#failed,
    }
    return batches.reduce<FollowedSchema | null>(
      (followed, batch) => evolveSchema(followed, batch, options),
      this.#followed,
    )
  }

  #create(schema: TableSchema, partitionBy: PartitionBy | null): void {
    const { table, warehouse } = this.#options
    this.#statements.push(...warehouse.describeTable(table, schema, partitionBy))
    const typed = schema.columns.filter(({ isUntyped }) => isUntyped !== true)
    const columns = typed.map(({ name, type }) => `${name} ${columnTypeText(type)}`)
    this.#add('create-table', `the table is made: ${columns.join(', ')}`)
  }

  /** False: the table goes on without something. WarehouseError `schema-change-unsupported`. */
  #change(schema: TableSchema, partitionBy: PartitionBy | null): boolean {
    const { table, warehouse, policy } = this.#options
    const all = changesBetween(this.#followed?.schema ?? noColumns, schema)
    // What was made by hand, or is of a table whose columns nobody noted, is there already.
    const changes = all.filter(change => {
      return change.kind !== 'add' || !this.#others!.has(change.column.name.toLowerCase())
    })
    const { statements, impossible } = warehouse.describeChanges(table, changes, partitionBy)
    const must = impossible.find(({ change }) => policy[change.kind] !== 'try_evolve')
    if (must !== undefined) {
      const message = `${changeText(must.change)}, and ${must.reason}`
      throw new WarehouseError('schema-change-unsupported', message, { context: { table } })
    }
    for (const { change, reason } of impossible) {
      const { id } = 'column' in change ? change.column : change.from
      this.#failed.add(changeKey(change.kind, id))
      this.#leave(change.kind, `${changeText(change)}, and ${reason}: it goes on without`)
    }
    if (impossible.length > 0) return false
    this.#statements.push(...statements)
    for (const change of changes) this.#add(change.kind, changeText(change))
    return true
  }

  #add(kind: SchemaChangeKind, text: string): void {
    this.#changes.push({ kind, mode: this.#options.policy[kind], text })
  }

  /** Each batch may say it again. */
  #leave(kind: SchemaChangeKind, text: string): void {
    this.#left.set(text, { kind, mode: this.#options.policy[kind], text })
  }
}
