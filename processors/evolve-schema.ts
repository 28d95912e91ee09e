/**
 * How a target's columns follow those of the batches that are applied to it. Batches come in the order of the
 * staged topic, which is not that of the source: tasks are not in step, so one of an older schema may come
 * after one of a newer. What a batch says of columns therefore counts by the time of its newest whole row, and
 * in doubt a column stays.
 */
import type { ColumnType } from '../model/column-type.ts'
import { commonType, isSameType } from '../model/column-type.ts'
import { WarehouseError } from '../model/errors.ts'
import type {
  DroppedColumn,
  FollowedSchema,
  SchemaChangeKind,
  SchemaPolicy,
} from '../model/schema-change.ts'
import { followedFrom } from '../model/schema-change.ts'
import type { StagedBatch } from '../model/staged-batch.ts'
import type { Column, TableSchema } from '../model/table-schema.ts'
import {
  internSchema,
  isLaterName,
  keyColumns,
  otherKey,
  otherType,
  withType,
} from '../model/table-schema.ts'
import { commonInferredType } from '../model/widening.ts'

/** Of a batch what counts here. */
export type SchemaSight = Pick<StagedBatch, 'schema' | 'newest' | 'sourceMs' | 'creates'>

export interface EvolveOptions {
  readonly policy: SchemaPolicy
  /** Names of columns that a table has and `followed` lacks, in lower case; null: there is no table. */
  readonly others: ReadonlySet<string> | null
  /** Changes of kind and column (`changeKey`) that the warehouse could not make and goes on without. */
  readonly failed: ReadonlySet<string>
}

export function changeKey(kind: SchemaChangeKind, columnId: string): string {
  return `${kind} ${columnId}`
}

/** A column of a batch, and the one of the table that its values go to; null: they are left out. */
type Match = readonly [column: Column, own: Column | null]

/**
 * The table's columns after the batch; null: there is no table, and is to be none yet. Throws WarehouseError
 * `schema-incompatible` where no table holds the rows of both, `schema-change-refused` where the policy says
 * `exception`.
 */
export function evolveSchema(
  followed: FollowedSchema | null,
  batch: SchemaSight,
  { policy, others, failed }: EvolveOptions,
): FollowedSchema | null {
  // A truncate may come before the first row: it knows no columns.
  if (batch.schema.columns.length === 0) return followed
  const isKnown = followed !== null && followed.schema.columns.length > 0
  if (batch.creates === true && (isKnown || (others?.size ?? 0) > 0)) return followed
  const before = isKnown ? followed : found(batch.schema, others)
  if (before === null) {
    const mode = others === null ? policy['create-table'] : 'evolve'
    if (mode === 'exception') {
      throw refused('create-table', 'the table is not there', 'make it by hand')
    }
    return mode === 'ignore' ? null : created(batch, policy)
  }
  const evolving = new Evolving(before, batch, (kind, { id, name }) => {
    const mode = policy[kind]
    if (mode === 'try_evolve' && failed.has(changeKey(kind, id))) return 'failed'
    // What was refused, and made by hand since.
    const isThere = kind === 'add' && others?.has(name.toLowerCase()) === true
    return mode === 'exception' && isThere ? 'evolve' : mode
  })
  return evolving.result()
}

/** Of a table that somebody made: what it has of the batch's columns. Null: not even the key. */
function found(schema: TableSchema, others: ReadonlySet<string> | null): FollowedSchema | null {
  const columns = schema.columns.filter(({ name }) => others?.has(name.toLowerCase()) === true)
  const hasKey = schema.key.every(name => columns.some(column => column.name === name))
  return hasKey && columns.length > 0 ? followedFrom(internSchema({ ...schema, columns })) : null
}

function created(batch: SchemaSight, policy: SchemaPolicy): FollowedSchema {
  const { schema, newest, sourceMs } = batch
  const gone = new Set(newest?.without)
  const columns = schema.columns.map(one => (gone.has(one.id) ? asDropped(one) : one))
  const live = new Set(columns.flatMap(one => (one.isDropped === true ? [] : [nameOf(one)])))
  const isKept = (one: Column): boolean => {
    if (one.isDropped !== true) return true
    // One of its name was made again.
    return policy.drop !== 'evolve' && !live.has(nameOf(one))
  }
  const own = internSchema({ ...schema, columns: columns.filter(isKept) })
  const seenMs = Object.fromEntries(
    own.columns.map(one => [one.id, one.isDropped === true ? newest!.atMs : sourceMs.last]),
  )
  const dropped = columns
    .filter(one => !isKept(one))
    .map(({ id, name }) => ({ id, name, atMs: newest!.atMs }))
  return { ...followedFrom(own, newest?.atMs), seenMs, dropped }
}

const nameOf = ({ name }: Column): string => name.toLowerCase()

/** `failed`: to be tried, and the warehouse could not. */
type Mode = SchemaPolicy[SchemaChangeKind] | 'failed'

type ModeOf = (kind: SchemaChangeKind, column: Column) => Mode

class Evolving {
  readonly #before: FollowedSchema
  readonly #batch: SchemaSight
  readonly #modeOf: ModeOf
  readonly #columns: Map<string, Column>
  readonly #aliases: Record<string, readonly string[]>
  readonly #seenMs: Record<string, number>
  #dropped: readonly DroppedColumn[]
  readonly #isInferred: boolean

  constructor(before: FollowedSchema, batch: SchemaSight, modeOf: ModeOf) {
    this.#before = before
    this.#batch = batch
    this.#modeOf = modeOf
    this.#columns = new Map(before.schema.columns.map(column => [column.id, column]))
    this.#aliases = { ...before.aliases }
    this.#seenMs = { ...before.seenMs }
    this.#dropped = before.dropped
    this.#isInferred = before.schema.isInferred === true || batch.schema.isInferred === true
  }

  result(): FollowedSchema {
    const { schema, newest } = this.#batch
    const matched = matchColumns(this.#before, this.#batch)
    refuseOtherKey(this.#before.schema, schema, matched)
    const present = new Set<string>()
    for (const [given, own] of matched) {
      const isGone = newest?.without?.includes(given.id) === true
      const id = own === null ? this.#unknown(given, isGone) : this.#known(given, own.id, isGone)
      if (id !== null && !isGone) present.add(id)
    }
    for (const id of present) {
      if (this.#columns.get(id)!.isDropped !== true)
        this.#seenMs[id] = Math.max(this.#seenMs[id] ?? 0, this.#batch.sourceMs.last)
    }
    if (newest !== undefined && !this.#isInferred) this.#dropAbsent(present, newest.atMs)
    return this.#followed()
  }

  #followed(): FollowedSchema {
    const { schema, asOfMs } = this.#before
    const columns = [...this.#columns.values()]
    refuseTwins(columns)
    const key = keyColumns(schema).map(({ id }) => this.#columns.get(id)!.name)
    const isInferred = this.#isInferred ? { isInferred: true as const } : {}
    return {
      schema: internSchema({ columns, key, ...isInferred }),
      asOfMs: Math.max(asOfMs, this.#batch.newest?.atMs ?? 0),
      seenMs: this.#seenMs,
      dropped: this.#dropped,
      aliases: this.#aliases,
    }
  }

  /** A column that the table does not have. Its id there, or null where it stays without. */
  #unknown(given: Column, isGone: boolean): string | null {
    const { newest, sourceMs } = this.#batch
    const past = this.#dropped.filter(one => one.id === given.id || one.name === given.name)
    const atMs = newest?.atMs ?? sourceMs.last
    // An older batch never brings back what was dropped.
    if (past.length > 0 && (isGone || past.some(one => atMs < one.atMs))) return null
    // The window saw it go, and another one has its name by now.
    const isTaken = (own: Column): boolean => nameOf(own) === nameOf(given)
    if (isGone && [...this.#columns.values()].some(isTaken)) return null
    const id = this.#freeId(given.id)
    if (!this.#adds({ ...given, id })) return null
    if (id !== given.id) this.#aliases[id] = [given.id]
    this.#columns.set(id, { ...given, id })
    return id
  }

  /** Whether the table follows a change that is made or left. */
  #follows(kind: SchemaChangeKind, column: Column, what: string): boolean {
    const mode = this.#modeOf(kind, column)
    if (mode === 'exception') throw refusedColumn(kind, column, what)
    return mode !== 'ignore' && mode !== 'failed'
  }

  #adds(column: Column): boolean {
    return this.#follows('add', column, `has a new column ${column.name}`)
  }

  /** Files of a column that was dropped may have its id still. */
  #freeId(wanted: string): string {
    const taken = new Set([...this.#columns.keys(), ...this.#dropped.map(({ id }) => id)])
    let id = wanted
    for (let number = 2; taken.has(id); number += 1) id = `${wanted}~${number}`
    return id
  }

  #known(given: Column, ownId: string, isGone: boolean): string {
    let id = ownId
    const own = this.#columns.get(id)!
    const isAlias = given.id !== id && this.#aliases[id]?.includes(given.id) !== true
    if (isAlias) this.#aliases[id] = [...(this.#aliases[id] ?? []), given.id]
    if (own.isDropped === true && !isGone) this.#revive(own)
    if (given.name !== own.name && isLaterName(given, own)) id = this.#rename(given, own)
    this.#widen(given, id)
    this.#relax(given, id)
    this.#recomment(given, id)
    return id
  }

  /** The source has it again: its rows are where they were before. */
  #revive(own: Column): void {
    if (this.#batch.sourceMs.last <= this.#lastSeenMs(own.id)) return
    const { isDropped: _, ...rest } = own
    this.#columns.set(own.id, rest)
  }

  #lastSeenMs(id: string): number {
    return this.#seenMs[id] ?? this.#before.asOfMs
  }

  #rename(given: Column, own: Column): string {
    const mode = this.#modeOf('rename', own)
    const { name } = given
    if (mode === 'exception') {
      throw refusedColumn('rename', own, `has renamed ${own.name} to ${name}`)
    }
    if (mode === 'ignore') return own.id
    const isFollowed = mode !== 'lenient' && mode !== 'failed'
    // A key is never null: it keeps its name.
    if (!isFollowed && this.#before.schema.key.includes(own.name)) return own.id
    const renamed = given.renamed!
    if (isFollowed) {
      this.#columns.set(own.id, { ...this.#columns.get(own.id)!, name, renamed })
      return own.id
    }
    // A new column beside it: its values from before stay under the old name.
    const id = this.#freeId(name)
    const { initialDefault: _, ...added } = { ...given, id, nullable: true }
    if (!this.#adds(added)) return own.id
    this.#columns.set(own.id, asDropped(own))
    this.#columns.set(id, added)
    this.#aliases[id] = [given.id, ...(this.#aliases[own.id] ?? [])].filter(one => one !== id)
    return id
  }

  #widen(given: Column, id: string): void {
    const own = this.#columns.get(id)!
    if (given.isUntyped === true) return
    if (own.isUntyped === true) {
      this.#typeAtLast(given, own)
      return
    }
    const type = this.#commonType(own, given)
    if (isSameType(type, own.type)) return
    // Where it stays, a value that does not fit holds the table back when it comes.
    const isWider = this.#follows('widen', own, `has another type of ${own.name}`)
    if (isWider) this.#columns.set(id, withType(own, type))
  }

  /** Of which there were only nulls so far: the target has no such column yet. */
  #typeAtLast(given: Column, own: Column): void {
    const typed = { ...given, id: own.id, name: own.name, nullable: true }
    if (this.#adds(typed)) this.#columns.set(own.id, typed)
  }

  #commonType(own: Column, given: Column): ColumnType {
    // The bytes of a key are its type's: as text it would be another key.
    const canBeText = this.#isInferred && !this.#before.schema.key.includes(own.name)
    const type = (canBeText ? commonInferredType : commonType)(own.type, given.type)
    if (type === null) throw otherType(own, given)
    return type
  }

  #relax(given: Column, id: string): void {
    const own = this.#columns.get(id)!
    if (own.nullable || !given.nullable) return
    const isRelaxed = this.#follows('nullable', own, `lets ${own.name} be null`)
    if (isRelaxed) this.#columns.set(id, { ...own, nullable: true })
  }

  #recomment({ comment = '' }: Column, id: string): void {
    const own = this.#columns.get(id)!
    const { newest } = this.#batch
    const isNewest = newest !== undefined && newest.atMs >= this.#before.asOfMs
    if (!isNewest || own.isDropped === true || comment === (own.comment ?? '')) return
    if (!this.#follows('comment', own, `has another comment of ${own.name}`)) return
    const { comment: _, ...rest } = own
    this.#columns.set(id, comment === '' ? rest : { ...rest, comment })
  }

  #dropAbsent(present: ReadonlySet<string>, atMs: number): void {
    for (const column of this.#columns.values()) {
      const { id, name } = column
      // Tasks are not in step: another one may have brought a row that has it and is newer.
      if (present.has(id) || column.isDropped === true || atMs <= this.#lastSeenMs(id)) continue
      const mode = this.#modeOf('drop', column)
      if (mode === 'exception') throw refusedColumn('drop', column, `has dropped ${name}`)
      if (mode === 'evolve' || mode === 'try_evolve') {
        this.#columns.delete(id)
        delete this.#seenMs[id]
        this.#dropped = [...this.#dropped.filter(one => one.id !== id), { id, name, atMs }]
      } else {
        this.#columns.set(id, asDropped(column))
        this.#seenMs[id] = atMs
      }
    }
  }
}

function asDropped(column: Column): Column {
  return { ...column, nullable: true, isDropped: true }
}

/**
 * Which column of the table each of the batch is: by its id, or one that it had; else by its name, because a
 * source that was read anew may not know of a column's past; of columns that the source dropped last of all.
 */
export function matchColumns(
  { schema, aliases, dropped }: FollowedSchema,
  { schema: batch, newest, sourceMs }: SchemaSight,
): readonly Match[] {
  const atMs = newest?.atMs ?? sourceMs.last
  /** Of one that was dropped since: what has its name by now is another one. */
  const isPast = ({ id, name }: Column): boolean => {
    return dropped.some(one => (one.id === id || one.name === name) && atMs < one.atMs)
  }
  const taken = new Set<Column>()
  const found = new Map<Column, Column>()
  const take = (isIt: (own: Column, given: Column) => boolean): void => {
    for (const given of batch.columns) {
      if (found.has(given) || isPast(given)) continue
      const own = schema.columns.find(one => !taken.has(one) && isIt(one, given))
      if (own === undefined) continue
      taken.add(own)
      found.set(given, own)
    }
  }
  const isOfId = (own: Column, { id }: Column): boolean => {
    return own.id === id || aliases[own.id]?.includes(id) === true
  }
  const isLive = ({ isDropped }: Column): boolean => isDropped !== true
  take((own, given) => isLive(own) && isOfId(own, given))
  take((own, given) => isLive(own) && own.name === given.name)
  take((own, given) => isLive(own) && own.name.toLowerCase() === given.name.toLowerCase())
  take(isOfId)
  take((own, given) => own.name.toLowerCase() === given.name.toLowerCase())
  return batch.columns.map(given => [given, found.get(given) ?? null])
}

function refuseOtherKey(table: TableSchema, batch: TableSchema, matched: readonly Match[]): void {
  const own = keyColumns(table).map(({ id }) => id)
  const given = keyColumns(batch).map(key => matched.find(([one]) => one === key)?.[1]?.id)
  if (own.length !== given.length || own.some((id, at) => id !== given[at])) {
    throw otherKey(table, batch)
  }
}

/** A column that stays under its name, though the source dropped it, leaves none of that name. */
function refuseTwins(columns: readonly Column[]): void {
  const names = columns.map(({ name }) => name)
  const twin = names.find((name, at) => names.indexOf(name) !== at)
  if (twin === undefined) return
  throw new WarehouseError(
    'schema-change-unsupported',
    `the source has another column ${twin} by now, and the target keeps the one of that name that it had before: ` +
      'rename the one of the target away by hand, then resume the table',
    { context: { column: twin } },
  )
}

function refusedColumn(kind: SchemaChangeKind, { name }: Column, what: string): WarehouseError {
  return refused(kind, `the source ${what}`, 'change the target by hand').at({ column: name })
}

function refused(kind: SchemaChangeKind, what: string, otherwise: string): WarehouseError {
  return new WarehouseError(
    'schema-change-refused',
    `${what}, and schemaChanges.${kind} is "exception": set another mode, or ${otherwise}, then resume the table, or run again`,
  )
}
