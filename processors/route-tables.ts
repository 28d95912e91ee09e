/**
 * Which source tables go where: the first rule whose pattern matches, the target's name, and which
 * columns it takes. A table without a key is refused: named exactly it is an error, matched by a
 * pattern it is passed over, counted and listed. Two source tables go to one target only where their
 * rules say so.
 */
import type { TableHints } from '../formats/decoder.ts'
import type { ChangeEvent } from '../model/change-event.ts'
import { hasKey, plainEvent, renamedEvent } from '../model/encoded-event.ts'
import { ConfigError, ProcessingError } from '../model/errors.ts'
import type { PartitionBy } from '../model/partition-by.ts'
import { parsePartitionBy } from '../model/partition-by.ts'
import type { GivenPolicy } from '../model/schema-change.ts'
import { isFollowed, policyOf } from '../model/schema-change.ts'
import type { SourceTable } from '../model/source-table.ts'
import type { StatedType } from '../model/stated-type.ts'
import type { TableSchema } from '../model/table-schema.ts'
import { internSchema } from '../model/table-schema.ts'
import type { Row, Value } from '../model/value.ts'
import { wildcardSource } from '../model/wildcard.ts'

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
    readonly types?: Readonly<Record<string, StatedType>>
  }
  readonly beforeImage?: 'full' | 'key'
  /** What becomes of changes of the source's columns; absent: the sink says it. */
  readonly schemaChanges?: GivenPolicy
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

/** Longer than `database.table` is anywhere: no rule is asked about them, whose pattern could take long. */
const maxNameChars = 1000
/** Tables that no rule names. Messages may name any number of them: beyond it they are not told apart. */
const maxUnwanted = 1000

export class TableRouter {
  readonly #rules: readonly { readonly rule: TableRule; readonly pattern: RegExp }[]
  readonly #targets = new Map<string, TargetTable | null>()
  readonly #hints = new Map<string, TableHints>()
  #unwanted = 0
  readonly #refused = new Set<string>()
  /** Tables of which a row came with a key. */
  readonly #keyed = new Set<string>()
  /** The source table that a target got first. */
  readonly #sources = new Map<string, { readonly table: string; readonly rule: TableRule }>()
  /** Schemas of the events of a target. */
  readonly #routed = new Map<TargetTable, Set<TableSchema>>()
  /** Schemas as a rule takes them. Tables of equal columns share a schema, but not always a rule. */
  readonly #schemas = new Map<TableRule, WeakMap<TableSchema, TableSchema>>()

  constructor(rules: readonly TableRule[]) {
    this.#rules = rules.map(rule => ({ rule, pattern: patternOf(rule.from) }))
    for (const rule of rules) {
      partitioningOf(rule)
      refuseDropsOfParts(rule)
    }
  }

  /** Whether several source tables may go to one target. */
  get merges(): boolean {
    return this.#rules.some(({ rule }) => rule.merge === true)
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
    else if (this.#unwanted >= maxUnwanted || table.length > maxNameChars) return null
    else this.#unwanted += 1
    this.#targets.set(table, target)
    return target
  }

  /** What a table that no rule names is counted under. */
  labelOf(table: string): string {
    return this.#targets.has(table) ? table : 'others'
  }

  /** The same for whoever only wants to know: nothing is remembered. */
  lookUp(table: string): TargetTable | null {
    const found = this.#find(table)
    return found === undefined ? null : { name: nameOf(found.rule.to, table), rule: found.rule }
  }

  /** What a decoder should know of a table: the same object each time. Null when no rule names it. */
  hintsOf(table: string): TableHints | null {
    const known = this.#hints.get(table)
    if (known !== undefined) return known
    const target = this.targetOf(table)
    if (target === null) return null
    const hints = hintsOfRule(target.rule)
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
    if (first === undefined) this.#sources.set(name, { table, rule })
  }

  /** The rule of a target. Before the first event that goes to it: the first one that has it. */
  ruleOf(name: string): TableRule | null {
    const known = this.#sources.get(name)?.rule
    return known ?? this.#rules.find(({ rule }) => this.#mayFeed(rule, name))?.rule ?? null
  }

  /** How a target is divided. */
  partitionByOf(name: string): PartitionBy | null {
    const rule = this.ruleOf(name)
    return rule === null ? null : partitioningOf(rule)
  }

  /** Whether a source table may go to the target by the rule. */
  #mayFeed(rule: TableRule, name: string): boolean {
    const parts = partsOf(rule.to, name)
    if (parts === null) return false
    const point = rule.from.indexOf('.')
    const qualifier = parts.qualifier ?? rule.from.slice(0, Math.max(0, point))
    const table = parts.table ?? rule.from.slice(point + 1)
    const source = point < 0 ? table : `${qualifier}.${table}`
    // Another rule may come first.
    return source.includes('*') || this.#find(source)?.rule === rule
  }

  #find(table: string) {
    if (table.length > maxNameChars) return undefined
    return this.#rules.find(({ pattern }) => pattern.test(table))
  }

  /**
   * The event under its target's name and with the target's columns. Null when its table has no key:
   * it is refused. Throws ConfigError `no-primary-key` when the rule names the table exactly, and
   * ProcessingError `key-missing` when other rows of the table came with a key.
   */
  route(event: ChangeEvent, target: TargetTable): ChangeEvent | null {
    if (event.op === 't') return this.#routeTruncate(event, target)
    if (!hasKey(event)) {
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
    if (schema === event.schema) return renamedEvent(event, target.name)
    const whole = plainEvent(event)
    const before = project(whole.before, schema)
    return { ...whole, table: target.name, schema, before, after: project(whole.after, schema) }
  }

  /** A whole table under its target's name and with the target's columns. Null when no rule names it. */
  routeTable({ name, schema }: SourceTable): SourceTable | null {
    const target = this.targetOf(name)
    if (target === null) return null
    const { rule } = target
    return {
      name: target.name,
      schema: schema === null || schema.key.length === 0 ? null : this.#schemaOf(schema, rule),
      isShared: rule.merge === true,
    }
  }

  #note(target: TargetTable, schema: TableSchema): void {
    const schemas = this.#routed.get(target) ?? new Set<TableSchema>()
    if (schemas.size === 0) this.#routed.set(target, schemas)
    schemas.add(schema)
  }

  /** It empties the whole target: rows of other source tables would go with it. */
  #routeTruncate(event: ChangeEvent, target: TargetTable): ChangeEvent | null {
    if (this.#refused.has(event.table)) return null
    if (target.rule.merge !== true) return { ...event, table: target.name }
    throw new ProcessingError(
      'truncate-shared-target',
      `${event.table} was truncated, and other source tables may go to ${target.name} as well`,
      { context: { ...event.origin, table: event.table } },
    )
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
    const projected = internSchema({ ...schema, columns: taken })
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
  return new RegExp(`^${wildcardSource(from, '[^.]*')}$`)
}

/** What the placeholders of `to` stand for in a target's name; null when it is no name of the rule. */
function partsOf(to: string, name: string): { qualifier?: string; table?: string } | null {
  const groups = { qualifier: '(?<qualifier>[^.]*)', table: '(?<table>.*)' }
  const seen = new Set<string>()
  const pattern = to
    .split(/(\{(?:database|schema|table)\})/)
    .map(part => {
      if (!/^\{(?:database|schema|table)\}$/.test(part)) return RegExp.escape(part)
      const group = part === '{table}' ? 'table' : 'qualifier'
      if (seen.has(group)) return `\\k<${group}>`
      seen.add(group)
      return groups[group]
    })
    .join('')
  const match = new RegExp(`^${pattern}$`).exec(name)
  return match === null ? null : (match.groups ?? {})
}

function nameOf(to: string, table: string): string {
  const point = table.indexOf('.')
  const qualifier = point < 0 ? '' : table.slice(0, point)
  return to.replaceAll(/\{(?:database|schema|(table))\}/g, (_, isTable: string | undefined) =>
    isTable === undefined ? qualifier : table.slice(point + 1),
  )
}

const whys = {
  drop: 'a column that is dropped in one of them would be dropped for all',
  'drop-table': 'with one of them the rows of all would go',
}

/** Parts are altered one after the other: what one part lacks, others have still. */
function refuseDropsOfParts({ from, merge, schemaChanges }: TableRule): void {
  if (merge !== true) return
  const policy = policyOf(schemaChanges)
  for (const kind of ['drop', 'drop-table'] as const) {
    if (!isFollowed(policy[kind])) continue
    throw new ConfigError(
      'config-invalid',
      `the rule for ${from} merges several tables into one, and schemaChanges.${kind} is "${policy[kind]}": ` +
        whys[kind],
    )
  }
}

function partitioningOf({ partitionBy }: TableRule): PartitionBy | null {
  if (partitionBy === undefined) return null
  return typeof partitionBy === 'string' ? parsePartitionBy(partitionBy) : partitionBy
}
