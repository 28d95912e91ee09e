/** What a connector's topic of schema changes said of its tables: which columns they had at a row's place in the log. */
import { DecodeError } from '../../model/errors.ts'
import type { Position } from '../../model/position.ts'
import { comparePositions } from '../../model/position.ts'
import { exactJsonText } from '../json/lossless-json.ts'
import type { TableStatement } from '../mysql/alter-table.ts'
import type { ColumnIds } from '../mysql/column-ids.ts'
import { ColumnIdHistory } from '../mysql/column-ids.ts'
import type { DatabaseColumn } from '../mysql/debezium-column-types.ts'

/** A table as one schema-change event left it. */
export interface TableVersion {
  readonly position: Position | null
  /** When the source changed it, by its clock; null when that is not known. */
  readonly sourceMs: number | null
  /** Null: it was dropped. */
  readonly columns: readonly DatabaseColumn[] | null
  /** Of its columns, or of those that it had last. */
  readonly ids: ColumnIds
}

/** A statement, and the database in which it was executed. */
export interface TableChangeText {
  readonly statement: TableStatement | null
  readonly database: string
}

const withoutText: TableChangeText = { statement: null, database: '' }

/** Of one connector, in the order of its topic. */
export class SchemaHistory {
  readonly #tables = new Map<string, TableVersion[]>()
  readonly #ids = new ColumnIdHistory()

  add(
    table: string,
    position: Position | null,
    columns: readonly DatabaseColumn[] | null,
    sourceMs: number | null = null,
    text: TableChangeText = withoutText,
  ): void {
    const versions = this.versionsOf(table)
    // Sent again: the columns of a table that has changed since would be taken for new ones.
    if (versions.some(version => isSameChange(version, position, columns))) return
    const common = { position, sourceMs }
    if (columns === null) {
      this.#ids.drop(table)
      versions.push({ ...common, columns, ids: this.#ids.idsOf(table) })
      return
    }
    const names = columns.map(({ name }) => name)
    const change = { ...text, table, names, atMs: sourceMs ?? 0 }
    const from = this.#ids.renamedFrom(change)
    const ids = this.#ids.alter(change)
    versions.push({ ...common, columns, ids })
    if (from === null || from === table) return
    this.versionsOf(from).push({ ...common, columns: null, ids: this.#ids.idsOf(from) })
  }

  /** All that is known of the table, in order; what is learned is added to it. */
  versionsOf(table: string): TableVersion[] {
    const known = this.#tables.get(table)
    if (known !== undefined) return known
    const versions: TableVersion[] = []
    this.#tables.set(table, versions)
    return versions
  }

  /**
   * The table as it was at the position: by the last change that is not after it. Changes in
   * the log of another server do not compare; one counts when it was made before the row was, by the
   * clocks of the servers, or when there is no other.
   */
  versionAt(
    table: string,
    position: Position | null,
    sourceMs: number | null = null,
  ): TableVersion | null {
    const versions = this.#tables.get(table) ?? []
    const newest = versions.at(-1)
    if (newest !== undefined && isAtOrBefore(newest, position)) return newest
    const places = versions.map(version => {
      if (version.position === null || position === null) return -1
      return comparePositions(version.position, position)
    })
    const last = versions.findLastIndex((version, index) => {
      const place = places[index]
      if (place !== undefined) return isIn(version, position, place)
      return version.sourceMs !== null && sourceMs !== null && version.sourceMs <= sourceMs
    })
    return versions[last < 0 ? places.lastIndexOf(undefined) : last] ?? null
  }

  /**
   * The table as it was when a row with these columns was changed, of which nothing tells the position:
   * the last version at that time with just these columns, or with these and more. Null where none has
   * them. Throws DecodeError `value-ambiguous` when the time does not tell of which version the row is, and
   * its values could be read in two ways.
   */
  versionWith(
    table: string,
    names: readonly string[],
    sourceMs: number | null,
  ): TableVersion | null {
    const { found, possible } = this.#likely(table, names, sourceMs)
    if (found === null) return null
    const forms = new Set(possible.map(({ columns }) => formsOf(columns!, names)))
    if (forms.size === 1) return found
    throw new DecodeError(
      'value-ambiguous',
      `${table} was changed about when the row was, and nothing tells which came first: have the transform add ` +
        'the place in the log (add.fields: source.ts_ms and file, pos, row or commit_scn, txSeq, scn or …)',
    )
  }

  /** The same where the values are read by something else. */
  likelyVersion(
    table: string,
    names: readonly string[],
    sourceMs: number | null,
  ): TableVersion | null {
    return this.#likely(table, names, sourceMs).found
  }

  #likely(
    table: string,
    names: readonly string[],
    sourceMs: number | null,
  ): { readonly found: TableVersion | null; readonly possible: readonly TableVersion[] } {
    const wide = (this.#tables.get(table) ?? []).filter(version => hasAll(version, names))
    const equal = wide.filter(({ columns }) => columns?.length === names.length)
    const versions = equal.length > 0 ? equal : wide
    // All that the table may have been when the row was changed.
    const [first, at, last] = [-clockMs, 0, clockMs].map(shift => {
      const limit = (sourceMs ?? Number.POSITIVE_INFINITY) + shift
      return Math.max(
        0,
        versions.findLastIndex(version => (version.sourceMs ?? 0) <= limit),
      )
    })
    const possible = versions.slice(sourceMs === null ? 0 : first, last! + 1)
    return { found: versions[at!] ?? null, possible }
  }
}

function isSameChange(
  version: TableVersion,
  position: Position | null,
  columns: readonly DatabaseColumn[] | null,
): boolean {
  if (version.position === null || position === null) return false
  // Several changes have the place of one row.
  if (announcedBehind.includes(position.connector)) return false
  if (comparePositions(version.position, position) !== 0) return false
  return exactJsonText(version.columns) === exactJsonText(columns)
}

/** How much later than a row a change of its table may be stamped, or a row than the change after it. */
const clockMs = 2000

function hasAll({ columns }: TableVersion, names: readonly string[]): boolean {
  const known = new Set(columns?.map(({ name }) => name))
  return columns !== null && names.every(name => known.has(name))
}

/** Types whose values look the same in a message, or have the same meaning. */
const sameForms: readonly (readonly string[])[] = [
  ['TINYINT', 'SMALLINT', 'MEDIUMINT', 'INT', 'INTEGER', 'BIGINT'],
  ['CHAR', 'VARCHAR', 'TINYTEXT', 'TEXT', 'MEDIUMTEXT', 'LONGTEXT', 'ENUM', 'SET', 'JSON'],
]

/** How the values of the columns are read: the same form, the same reading. */
function formsOf(columns: readonly DatabaseColumn[], names: readonly string[]): string {
  return columns
    .filter(({ name }) => names.includes(name))
    .map(({ name, typeName, length, scale }) => {
      const type = typeName.toUpperCase()
      const family = sameForms.findIndex(types => types.includes(type))
      return `${name} ${family < 0 ? `${type} ${length ?? ''} ${scale ?? ''}` : family}`
    })
    .toSorted()
    .join('\0')
}

/** A version without a position is older than everything. */
function isAtOrBefore(version: TableVersion, position: Position | null): boolean {
  if (version.position === null || position === null) return true
  const comparison = comparePositions(version.position, position)
  return comparison !== undefined && isIn(version, position, comparison)
}

/** Whose announcement of a change has the place of the last row before it. */
const announcedBehind: readonly string[] = ['sqlserver', 'db2', 'oracle']

/**
 * Whether the row has the version's columns, by how their places compare. At one place a row came before
 * the change where connectors announce it so: SQL Server's and Db2's with the place of the row that was
 * sent last, Oracle's with an SCN. A snapshot is read at one place, tables first.
 */
function isIn({ position: at }: TableVersion, row: Position | null, comparison: number): boolean {
  if (comparison !== 0 || at === null || row === null) return comparison <= 0
  return at.isSnapshot || row.isSnapshot || !announcedBehind.includes(at.connector)
}
