/**
 * The statements that take a table of Hive from the columns that it has to those that it is to have. All of
 * it is pure: `table-evolution.ts` asks and executes. Each statement is planned for the table that the one before leaves;
 * what is done already, by hand or by an attempt that did not come to its end, is left out.
 */
import { WarehouseError } from '../../model/errors.ts'
import type { Column } from '../../model/table-schema.ts'
import type { PlannedChange } from '../warehouse.ts'
import { canChange, canChangePlaces, canUpdatePlaces, holds } from './hive-types.ts'
import { renameSteps } from './rename-steps.ts'
import type { TableName } from './sql-text.ts'
import { quoteName, quoteTable } from './sql-text.ts'
import type { HiveColumn, HiveTable, HiveVersion } from './target-table.ts'
import {
  addColumnsSql,
  changeColumnSql,
  commentOf,
  targetTable,
  targetTypeText,
} from './target-table.ts'

export interface EvolutionPlan {
  readonly statements: readonly EvolutionStatement[]
  /** New columns with a default: rows that are there get it. */
  readonly defaults: readonly NewDefault[]
  /** What Hive cannot do. Unless it is empty, the rest is not complete. */
  readonly impossible: readonly Impossible[]
}

export interface EvolutionStatement {
  readonly sql: string
  /** Those that it makes. */
  readonly changes: readonly PlannedChange[]
}

export interface NewDefault {
  readonly column: Column
  /** The column is in the table already: only when no row has a value in it, nobody gave it its values yet. */
  readonly isThere: boolean
}

export interface Impossible {
  readonly planned: PlannedChange
  readonly reason: string
}

export interface EvolutionOptions {
  readonly version: HiveVersion
  /** Names of the key's columns. */
  readonly keys: readonly string[]
}

/**
 * WarehouseError `warehouse-conflict` when the table lacks a column that it had: it is not the one that the
 * changes are of.
 */
export function planEvolution(
  name: TableName,
  found: HiveTable,
  changes: readonly PlannedChange[],
  options: EvolutionOptions,
): EvolutionPlan {
  const planner = new Planner(name, found, options)
  planner.rename(changes)
  // The other steps of a column that keeps its name are of another one.
  if (planner.impossible.length > 0) return planner
  for (const planned of changes) planner.planOrLeave(planned)
  planner.addColumns()
  return planner
}

type Of<K extends PlannedChange['change']['kind']> = PlannedChange & {
  readonly change: { readonly kind: K }
}

function isOf<K extends PlannedChange['change']['kind']>(
  kind: K,
): (planned: PlannedChange) => planned is Of<K> {
  return (planned): planned is Of<K> => planned.change.kind === kind
}

class Planner implements EvolutionPlan {
  readonly statements: EvolutionStatement[] = []
  readonly defaults: NewDefault[] = []
  readonly impossible: Impossible[] = []
  readonly #name: TableName
  readonly #options: EvolutionOptions
  readonly #columns: Map<string, HiveColumn>
  readonly #partition: HiveColumn | null
  #isMended = false
  readonly #added: { column: HiveColumn; planned: PlannedChange }[] = []

  constructor(name: TableName, { columns, partition }: HiveTable, options: EvolutionOptions) {
    this.#name = name
    this.#options = options
    this.#columns = new Map(columns.map(column => [column.name, column]))
    this.#partition = partition
  }

  rename(changes: readonly PlannedChange[]): void {
    const renames = changes.filter(isOf('rename')).map(planned => {
      const { from, to } = planned.change
      return { planned, from: from.name.toLowerCase(), to: to.name.toLowerCase() }
    })
    const others = renames.filter(({ from, to }) => from !== to)
    const names = new Set(this.#columns.keys())
    if (this.#partition !== null) names.add(this.#partition.name)
    const { left, stuck, lost } = renameSteps(others, names)
    if (lost.length > 0) throw this.#gone(lost[0]!.from)
    for (const { planned, to } of stuck) {
      const what = `the table has another column ${to}`
      this.#cannot(
        planned,
        `${what}: rename that one by hand, or set schemaChanges.rename to lenient`,
      )
    }
    for (const { planned, from, to } of left) {
      const problem = this.#whyNoRename(from)
      if (problem !== null) this.#cannot(planned, problem)
      else this.#change(from, { ...this.#columns.get(from)!, name: to }, planned)
    }
  }

  /** A name or a type that Hive has not is an error of its own, where it may not fail. */
  planOrLeave(planned: PlannedChange): void {
    try {
      this.#plan(planned)
    } catch (error) {
      const isName = error instanceof WarehouseError && error.code === 'name-unsupported'
      if (!isName || !planned.mayFail) throw error
      this.#cannot(planned, error.message)
    }
  }

  #plan(planned: PlannedChange): void {
    const { change } = planned
    switch (change.kind) {
      case 'add':
        this.#add(change.column, planned)
        return
      case 'drop':
        this.#drop(change.column, planned)
        return
      case 'widen':
        this.#widen(change.to, planned)
        return
      case 'comment':
        this.#comment(change.to, planned)
        return
      default:
      // Renamed already; and every column of Hive may be null.
    }
  }

  /** One statement for all of them. */
  addColumns(): void {
    if (this.#added.length === 0) return
    const columns = this.#added.map(({ column }) => column)
    this.statements.push({
      sql: addColumnsSql(this.#name, columns, this.#partition),
      changes: this.#added.map(({ planned }) => planned),
    })
  }

  #whyNoRename(name: string): string | null {
    const { version } = this.#options
    if (name === this.#partition?.name) {
      return 'Hive cannot rename the column that a table is partitioned by: make the table anew'
    }
    // Only Hive 4.0 finds columns of ORC by place unless it is told otherwise (`orc.force.positional.evolution`).
    if (version === '4.0') return null
    return (
      `Hive ${version} finds columns of ORC files by name, so that old rows would lose their values: set ` +
      'schemaChanges.rename to lenient, which makes a new column beside the old one'
    )
  }

  #add(column: Column, planned: PlannedChange): void {
    const [wanted] = targetTable({ columns: [column], key: [] }, null).columns
    quoteName(wanted!.name)
    const own = this.#find(wanted!.name)
    if (own === undefined) this.#added.push({ column: wanted!, planned })
    else if (!holds(own.type, wanted!.type)) this.#retype(own, wanted!.type, planned)
    const { initialDefault = null } = column
    // Every row has a key and a partition.
    const isPlaced = this.#isKey(wanted!.name) || wanted!.name === this.#partition?.name
    if (initialDefault === null || isPlaced) return
    this.#mendPlaces(planned)
    this.defaults.push({ column, isThere: own !== undefined })
  }

  /** So that old rows can be changed. The names of folders stay as they are. */
  #mendPlaces(planned: PlannedChange): void {
    const by = this.#partition
    if (by === null || this.#isMended || canUpdatePlaces(by.type)) return
    this.#isMended = true
    if (canChangePlaces(by.type, 'string')) {
      this.#changePlaces(by, 'string', planned)
    } else {
      const problem = `Hive spoils rows that change in a table that is partitioned by a ${by.type}`
      this.#cannot(
        planned,
        `${problem}, so that old rows cannot get the default: make the table anew`,
      )
    }
  }

  #changePlaces({ name }: HiveColumn, type: string, planned: PlannedChange): void {
    const sql = `ALTER TABLE ${quoteTable(this.#name)} PARTITION COLUMN (${quoteName(name)} ${type})`
    this.statements.push({ sql, changes: [planned] })
  }

  #drop({ name }: Column, planned: PlannedChange): void {
    if (this.#find(name.toLowerCase()) === undefined) return
    this.#cannot(
      planned,
      'Hive cannot drop a column of a table of ORC: set schemaChanges.drop to lenient (the column stays, and ' +
        'is null in rows that change from then on), or make the table anew without it',
    )
  }

  #widen({ name, type }: Column, planned: PlannedChange): void {
    const own = this.#own(name)
    const wanted = targetTypeText(type)
    if (!holds(own.type, wanted)) this.#retype(own, wanted, planned)
  }

  #retype(own: HiveColumn, type: string, planned: PlannedChange): void {
    const isPlace = own.name === this.#partition?.name
    const can = isPlace ? canChangePlaces : canChange
    if (this.#options.version === '2.3' && this.#isKey(own.name)) {
      this.#cannot(planned, `its buckets are by the key, so ${own.name} stays ${own.type}`)
    } else if (!can(own.type, type)) {
      const what = isPlace ? ' of the column that the table is partitioned by' : ''
      this.#cannot(
        planned,
        `column ${own.name} is ${own.type}, and the source needs ${type}: Hive cannot make the one into the ` +
          `other${what} without harm to the values; make the table anew`,
      )
    } else if (isPlace) this.#changePlaces(own, type, planned)
    else this.#change(own.name, { ...own, type }, planned)
  }

  #comment({ name, comment = '' }: Column, planned: PlannedChange): void {
    // Hive has no statement for the comment of the column that a table is partitioned by.
    if (name.toLowerCase() === this.#partition?.name) return
    const own = this.#own(name)
    const wanted = commentOf(comment)
    if ((own.comment ?? '') !== wanted) this.#change(own.name, { ...own, comment: wanted }, planned)
  }

  #change(name: string, to: HiveColumn, planned: PlannedChange): void {
    const sql = changeColumnSql(this.#name, this.#columns.get(name)!, to, this.#partition)
    this.statements.push({ sql, changes: [planned] })
    this.#columns.delete(name)
    this.#columns.set(to.name, to)
  }

  #isKey(name: string): boolean {
    return this.#options.keys.some(key => key.toLowerCase() === name)
  }

  #find(name: string): HiveColumn | undefined {
    return name === this.#partition?.name ? this.#partition : this.#columns.get(name)
  }

  #own(name: string): HiveColumn {
    const own = this.#find(name.toLowerCase())
    if (own === undefined) throw this.#gone(name)
    return own
  }

  #gone(column: string): WarehouseError {
    return goneError(this.#name, [column])
  }

  #cannot(planned: PlannedChange, reason: string): void {
    this.impossible.push({ planned, reason })
  }
}

/** The merger looks at the table anew then. */
export function goneError(name: TableName, columns: readonly string[]): WarehouseError {
  const what = columns.length === 0 ? 'is not there' : `has no column ${columns.join(', ')}`
  return new WarehouseError('warehouse-conflict', `${quoteTable(name)} ${what} any more`)
}

/** It has other columns than when it was opened: the same. */
export function changedError(name: TableName, problems: readonly string[]): WarehouseError {
  const what = `was changed meanwhile: ${problems.join('; ')}`
  return new WarehouseError('warehouse-conflict', `${quoteTable(name)} ${what}`)
}
