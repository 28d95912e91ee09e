/**
 * What the topics of schema changes say of the table of a row, as of the row's place in the log: the types of
 * its columns where the message does not tell them, and the ids of its columns, which stay when they are
 * renamed. Without types a row cannot be read; without ids its columns are known by their names.
 */
import { DecodeError } from '../../model/errors.ts'
import type { Position } from '../../model/position.ts'
import type { DecoderOptions, TableHints } from '../decoder.ts'
import { SchemaPending } from '../decoder.ts'
import { foldName } from '../mysql/alter-table.ts'
import type { ColumnIds } from '../mysql/column-ids.ts'
import { idsTextOf, noIds } from '../mysql/column-ids.ts'
import { statedType } from '../values/row-reader.ts'
import type { SourceBlock } from './debezium-position.ts'
import { msOf, schemaPositionOf, wordOf } from './debezium-position.ts'
import { schemaChangesOf } from './debezium-schema-changes.ts'
import type { TableVersion } from './debezium-schema-history.ts'
import { SchemaHistory } from './debezium-schema-history.ts'

/** A row of a table, as far as it matters here. */
export interface PlacedRow {
  /** That it came by. */
  readonly topic: string
  readonly table: string
  readonly names: readonly string[]
  readonly source: SourceBlock
  readonly position: Position | null
}

/** Whether what was found for a row holds for another of the same columns as well. */
export type Currency = (position: Position | null, sourceMs: number | null) => boolean

/** Connectors whose schema-change events tell of names. Of a flattened row it may not be known. */
const namingConnectors: readonly unknown[] = ['mysql', 'mariadb', undefined]

/** What is missing may be no column of the source's: then it never comes. */
const maxWaitMs = 5000

const untold = { ids: noIds, isCurrent: (): boolean => true }

type IdsFound = ReturnType<KnownTables['idsOf']>

export class KnownTables {
  /** That were asked for. */
  readonly topics = new Set<string>()
  /** Those of them that types come from. */
  readonly #typeTopics = new Set<string>()
  /** Those that have been read up to the rows that came first. */
  readonly #readTopics = new Set<string>()
  readonly #options: DecoderOptions
  readonly #histories = new Map<string, SchemaHistory>()
  /** By their names, as their schema changes say. */
  readonly #connectors = new Map<string, unknown>()
  /** Columns that were waited for in vain, by connector: something else adds them to rows. */
  readonly #unexplained = new Map<string, Set<string>>()

  /** By the names of columns that are asked for again: what holds until another change is learned. */
  readonly #last = new WeakMap<
    readonly string[],
    { readonly versions: readonly TableVersion[]; readonly count: number; readonly found: IdsFound }
  >()

  constructor(options: DecoderOptions) {
    this.#options = options
  }

  /**
   * Takes in the payload of a schema-change event. What cannot be read, or is none, matters only where types
   * come from its topic.
   */
  learn(topic: string, read: () => unknown): void {
    try {
      this.#learn(read())
    } catch (error) {
      if (!(error instanceof DecodeError) || this.#typeTopics.has(topic)) throw error
    }
  }

  #learn(payload: unknown): void {
    const found = schemaChangesOf(payload)
    if (found === null) return
    const { source, tables, text } = found
    this.#connectors.set(wordOf(source.name), source.connector)
    const position = schemaPositionOf(source, this.#options.incarnation)
    const history = this.#historyOf(source)
    for (const { table, columns } of tables) {
      history.add(table, position, columns, msOf(source), text)
    }
  }

  /** A flattened row does not say it. */
  connectorOf({ connector, name }: SourceBlock): unknown {
    return connector ?? this.#connectors.get(wordOf(name))
  }

  /** With the types of the row. Throws SchemaPending while its columns are not known. */
  typesOf({ table, names, source, position }: PlacedRow, hints: TableHints): TableVersion {
    const topic = wordOf(source.name)
    this.topics.add(topic)
    this.#typeTopics.add(topic)
    const history = this.#historyOf(source)
    const version =
      position === null
        ? history.versionWith(table, names, msOf(source))
        : history.versionAt(table, position, msOf(source))
    const columns = version?.columns ?? null
    const known = new Set(columns?.map(column => column.name))
    const missing = names.filter(name => !known.has(name))
    if (version !== null && columns !== null && missing.length === 0) return version
    const untyped = missing.filter(name => statedType(hints, name) === undefined)
    const what = columns === null ? 'no schema of the table is known, and ' : ''
    const asked = (untyped.length > 0 ? untyped : missing).join(', ')
    throw new SchemaPending(table, topic, `${what}no type for ${asked}`)
  }

  /**
   * For the ids alone. Throws SchemaPending, with a way to go on, where the topic was not read yet, or does not
   * know a column.
   */
  idsOf(row: PlacedRow): { readonly ids: ColumnIds; readonly isCurrent: Currency } {
    const { table, names, source } = row
    const topic = wordOf(source.name)
    // A topic that has rows as well may have a great many.
    if (!this.#tellsNames(source) || topic === row.topic) return untold
    if (this.#options.followsRenames === true && !this.#readTopics.has(topic)) {
      this.topics.add(topic)
      const goOn = (): unknown => this.#readTopics.add(topic)
      throw new SchemaPending(table, topic, 'its topic was not read', { goOn, maxWaitMs: 0 })
    }
    const history = this.#historyOf(source)
    const versions = history.versionsOf(table)
    const last = this.#last.get(names)
    if (last?.versions === versions && last.count === versions.length) return last.found
    const version = versionOf(history, row)
    if (version !== null && this.#readTopics.has(topic)) this.#checkNames(row, version, topic)
    const ids = version?.ids ?? noIds
    const count = versions.length
    if (hasOneId(versions, ids, names)) {
      // It costs next to nothing where the columns have always had the same ids.
      const found = { ids, isCurrent: () => versions.length === count }
      this.#last.set(names, { versions, count, found })
      return found
    }
    return {
      ids,
      isCurrent: (position, sourceMs) =>
        position !== null && history.versionAt(table, position, sourceMs) === version,
    }
  }

  /** Of a version that `typesOf` gave. */
  currencyOf(version: TableVersion, { table, source }: PlacedRow): Currency {
    const history = this.#historyOf(source)
    return (position, sourceMs) => history.versionAt(table, position, sourceMs) === version
  }

  #checkNames({ table, names }: PlacedRow, { ids }: TableVersion, topic: string): void {
    const unexplained = this.#unexplained.get(topic)
    const missing = names.filter(name => !ids.has(foldName(name)) && !unexplained?.has(name))
    if (missing.length === 0) return
    const goOn = (): void => {
      this.#unexplained.set(topic, new Set([...(unexplained ?? []), ...missing]))
    }
    throw new SchemaPending(table, topic, `no column ${missing.join(', ')}`, { goOn, maxWaitMs })
  }

  #tellsNames({ connector, name }: SourceBlock): boolean {
    const { connectorSettings } = this.#options
    return (
      namingConnectors.includes(connector) &&
      wordOf(name) !== '' &&
      connectorSettings['include.schema.changes'] !== 'false'
    )
  }

  #historyOf({ name }: SourceBlock): SchemaHistory {
    const key = wordOf(name)
    const known = this.#histories.get(key)
    if (known !== undefined) return known
    const history = new SchemaHistory()
    this.#histories.set(key, history)
    return history
  }
}

/** Null: the table had not been heard of. */
function versionOf(
  history: SchemaHistory,
  { table, names, source, position }: PlacedRow,
): TableVersion | null {
  const sourceMs = msOf(source)
  if (position !== null) return history.versionAt(table, position, sourceMs)
  const likely = history.likelyVersion(table, names, sourceMs)
  return likely ?? history.versionsOf(table).at(-1) ?? null
}

/** Whether every version that has the columns gives them these ids. */
function hasOneId(
  versions: readonly TableVersion[],
  ids: ColumnIds,
  names: readonly string[],
): boolean {
  const known = names.filter(name => versions.some(one => one.ids.has(foldName(name))))
  const text = idsTextOf(ids, known)
  return versions.every(one => {
    const isOther = !known.every(name => one.ids.has(foldName(name)))
    return isOther || idsTextOf(one.ids, known) === text
  })
}
