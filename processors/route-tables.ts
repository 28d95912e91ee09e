/**
 * Which source tables go where: the first rule whose pattern matches, the target's name, and which
 * columns it takes. A table without a key is refused: named exactly it is an error, matched by a
 * pattern it is passed over, counted and listed. Two source tables go to one target only where their
 * rules say so.
 */
import type { TableHints } from '../formats/decoder.ts'
import type { ChangeEvent } from '../model/change-event.ts'
import type { ColumnType } from '../model/column-type.ts'
import { ConfigError, ProcessingError } from '../model/errors.ts'
import type { PartitionBy } from '../model/partition-by.ts'
import { parsePartitionBy } from '../model/partition-by.ts'
import type { TableSchema } from '../model/table-schema.ts'
import { internSchema } from '../model/table-schema.ts'
import type { Row, Value } from '../model/value.ts'

/** A rule of the configuration: `tables[]`. */
export interface TableRule {
  /** `database.table` or `schema.table`; `*` stands for any characters but a point. */
  readonly from: string
  /** With `{database}`, `{schema}` and `{table}` of the source. */
  readonly to: string
  /** The target may get several source tables: parts of one table whose keys do not overlap. */
  readonly merge?: boolean
  readonly key?: readonly string[]
  /** Text: `column` or `year_month(column)`. */
  readonly partitionBy?: PartitionBy | string
  readonly columns?: {
    readonly include?: readonly string[]
    readonly exclude?: readonly string[]
    readonly types?: Readonly<Record<string, ColumnType>>
  }
  readonly beforeImage?: 'full' | 'key'
}

export interface TargetTable {
  readonly name: string
  readonly rule: TableRule
}

/** A source table that was asked for. */
export interface SeenTable {
  /** Null when no rule names it. */
  readonly target: TargetTable | null
  readonly isRefused: boolean
  /** The columns that its events had; empty when none was routed. */
  readonly columns: ReadonlySet<string>
}

export class TableRouter {
  readonly #rules: readonly { readonly rule: TableRule; readonly pattern: RegExp }[]
  readonly #targets = new Map<string, TargetTable | null>()
  readonly #hints = new Map<string, TableHints | null>()
  readonly #refused = new Set<string>()
  /** Tables of which a row came with a key. */
  readonly #keyed = new Set<string>()
  readonly #partitions = new Map<string, PartitionBy | null>()
  /** The source table that a target got first. */
  readonly #sources = new Map<string, { readonly table: string; readonly rule: TableRule }>()
  /** Schemas of the events of a target. */
  readonly #routed = new Map<TargetTable, Set<TableSchema>>()
  /** Schemas as a rule takes them. Tables of equal columns share a schema, but not always a rule. */
  readonly #schemas = new Map<TableRule, WeakMap<TableSchema, TableSchema>>()

  constructor(rules: readonly TableRule[]) {
    this.#rules = rules.map(rule => ({ rule, pattern: patternOf(rule.from) }))
    for (const { partitionBy } of rules) {
      if (typeof partitionBy === 'string') parsePartitionBy(partitionBy)
    }
  }

  /** Remembers that the table has no key. True for the first time. */
  refuse(table: string): boolean {
    if (this.#refused.has(table)) return false
    this.#refused.add(table)
    return true
  }

  /** Null when no rule names the table. Throws ConfigError `target-shared`. */
  targetOf(table: string): TargetTable | null {
    const known = this.#targets.get(table)
    if (known !== undefined) return known
    const target = this.lookUp(table)
    if (target !== null) this.#claim(table, target)
    this.#targets.set(table, target)
    return target
  }

  /** The same for whoever only wants to know: nothing is remembered. */
  lookUp(table: string): TargetTable | null {
    const found = this.#rules.find(({ pattern }) => pattern.test(table))
    return found === undefined ? null : { name: nameOf(found.rule.to, table), rule: found.rule }
  }

  /** What a decoder should know of a table: the same object each time. Null when no rule names it. */
  hintsOf(table: string): TableHints | null {
    const known = this.#hints.get(table)
    if (known !== undefined) return known
    const target = this.targetOf(table)
    const hints = target === null ? null : hintsOfRule(target.rule)
    this.#hints.set(table, hints)
    return hints
  }

  /** Every source table that was asked for so far, by its name. */
  seen(): ReadonlyMap<string, SeenTable> {
    const entries = [...this.#targets].map(([table, target]) => {
      const schemas = target === null ? [] : [...(this.#routed.get(target) ?? [])]
      const columns = new Set(schemas.flatMap(schema => schema.columns.map(({ name }) => name)))
      return [table, { target, isRefused: this.#refused.has(table), columns }] as const
    })
    return new Map(entries)
  }

  #claim(table: string, { name, rule }: TargetTable): void {
    const first = this.#sources.get(name)
    if (first !== undefined && !(first.rule.merge === true && rule.merge === true)) {
      throw new ConfigError(
        'target-shared',
        `${first.table} and ${table} would both go to ${name}, by the rules ${first.rule.from} and ` +
          rule.from,
        { context: { table } },
      )
    }
    if (first !== undefined) return
    this.#sources.set(name, { table, rule })
    const { partitionBy = null } = rule
    const parsed = typeof partitionBy === 'string' ? parsePartitionBy(partitionBy) : partitionBy
    this.#partitions.set(name, parsed)
  }

  /** How a target is divided. Known from the first event that goes to it. */
  partitionByOf(name: string): PartitionBy | null {
    return this.#partitions.get(name) ?? null
  }

  /**
   * The event under its target's name and with the target's columns. Null when its table has no key:
   * it is refused. Throws ConfigError `no-primary-key` when the rule names the table exactly, and
   * ProcessingError `key-missing` when other rows of the table came with a key.
   */
  route(event: ChangeEvent, target: TargetTable): ChangeEvent | null {
    if (event.op === 't') {
      return this.#refused.has(event.table) ? null : { ...event, table: target.name }
    }
    if (event.key === null) {
      if (this.#keyed.has(event.table)) {
        throw new ProcessingError('key-missing', `a change of ${event.table} came without a key`, {
          context: { ...event.origin, table: event.table },
        })
      }
      if (target.rule.from.includes('*')) return null
      throw new ConfigError('no-primary-key', `the table ${event.table} has no primary key`, {
        context: { ...event.origin, table: event.table },
      })
    }
    if (!this.#keyed.has(event.table)) {
      this.#keyed.add(event.table)
      this.#refused.delete(event.table)
    }
    this.#note(target, event.schema)
    const schema = this.#schemaOf(event.schema, target.rule)
    if (schema === event.schema) return { ...event, table: target.name }
    const before = project(event.before, schema)
    return { ...event, table: target.name, schema, before, after: project(event.after, schema) }
  }

  #note(target: TargetTable, schema: TableSchema): void {
    const schemas = this.#routed.get(target) ?? new Set<TableSchema>()
    if (schemas.size === 0) this.#routed.set(target, schemas)
    schemas.add(schema)
  }

  #schemaOf(schema: TableSchema, rule: TableRule): TableSchema {
    const { columns } = rule
    if (columns?.include === undefined && columns?.exclude === undefined) return schema
    const projections = this.#schemas.get(rule) ?? new WeakMap<TableSchema, TableSchema>()
    this.#schemas.set(rule, projections)
    const known = projections.get(schema)
    if (known !== undefined) return known
    const taken = schema.columns.filter(({ name }) => {
      const isIncluded = columns.include?.includes(name) ?? true
      return isIncluded && !(columns.exclude?.includes(name) ?? false)
    })
    for (const name of schema.key) {
      if (taken.some(column => column.name === name)) continue
      throw new ConfigError('key-column-missing', `the key column ${name} is not taken over`, {
        context: { column: name },
      })
    }
    const projected = internSchema({ columns: taken, key: schema.key })
    projections.set(schema, projected)
    return projected
  }
}

function hintsOfRule({ key, columns, beforeImage }: TableRule): TableHints {
  return {
    ...(key === undefined ? {} : { key }),
    ...(columns?.types === undefined ? {} : { types: columns.types }),
    ...(beforeImage === undefined ? {} : { beforeImage }),
  }
}

function project(row: Row | null, schema: TableSchema): Row | null {
  if (row === null) return null
  const taken: Record<string, Value> = {}
  for (const { name } of schema.columns) {
    const value = row[name]
    if (value !== undefined) taken[name] = value
  }
  return taken
}

function patternOf(from: string): RegExp {
  const parts = from.split('*').map(part => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^.]*')}$`)
}

function nameOf(to: string, table: string): string {
  const point = table.indexOf('.')
  const qualifier = point < 0 ? '' : table.slice(0, point)
  return to.replaceAll(/\{(?:database|schema|(table))\}/g, (_, isTable: string | undefined) =>
    isTable === undefined ? qualifier : table.slice(point + 1),
  )
}
