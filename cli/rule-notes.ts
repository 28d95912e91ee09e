/**
 * What a run should tell of its rules: those that matched nothing, columns that no table has, and what
 * earlier runs did with events that are not read again. Each note is a sentence with what to do.
 */
import type { SeenTable, TargetTable } from '../processors/route-tables.ts'
import { TableRouter } from '../processors/route-tables.ts'
import type { LoadedConfig } from './config.ts'
import type { EarlierTable } from './source-tables.ts'
import { nearest } from './suggestion.ts'
import { statePath } from './warehouse.ts'

export interface Note {
  /** Name of the log line. */
  readonly event:
    | 'events.not-read'
    | 'format.changed'
    | 'target.changed'
    | 'rule.unmatched'
    | 'column.unknown'
  readonly text: string
}

type Earlier = ReadonlyMap<string, EarlierTable>

/** Tells whether the warehouse has a table. */
type IsThere = (target: string) => boolean

/** Before a run: rules that came or changed since earlier runs read the events they are for. */
export function notesOnEarlierRuns(
  loaded: LoadedConfig,
  router: TableRouter,
  earlier: Earlier,
  isThere: IsThere,
): Note[] {
  return [...earlier].flatMap(([table, { target, isRefused }]): Note[] => {
    const now = router.lookUp(table)
    if (now === null) return []
    if (target === null) return [notRead(loaded, table, 'passed over, as no rule named it')]
    if (isRefused && now.rule.key !== undefined) {
      return [notRead(loaded, table, 'refused, as it had no key')]
    }
    if (target === now.name || isRefused || !isThere(target)) return []
    const text =
      `${table} goes to ${now.name} now, and went to ${target} before: ${now.name} begins at this ` +
      `point and lacks what was read before. ${startAnew(loaded)}`
    return [{ event: 'target.changed', text }]
  })
}

/** Before a run: what was read in another format may have been taken for messages without rows. */
export function notesOnFormat(loaded: LoadedConfig, earlier: string | null): Note[] {
  const { format } = loaded.config.source
  if (earlier === null || earlier === format || [earlier, format].includes('auto')) return []
  const text =
    `Earlier runs read the source as ${earlier}, and now it is ${format}: what they read is not read again. ` +
    startAnew(loaded)
  return [{ event: 'format.changed', text }]
}

function notRead(loaded: LoadedConfig, table: string, why: string): Note {
  return {
    event: 'events.not-read',
    text: `Earlier runs read events of ${table} that were ${why}: they are not read again. ${startAnew(loaded)}`,
  }
}

function startAnew(loaded: LoadedConfig): string {
  return (
    'To have them, read the source from its beginning: remove the state folder ' +
    `(${statePath(loaded)}) and the tables that it filled, or name a new applicationId and new targets.`
  )
}

/** Tables that were refused and still have no key, sorted. */
export function refusedTables(router: TableRouter, earlier: Earlier): string[] {
  return [...earlier].flatMap(([table, { isRefused }]) => {
    const target = router.lookUp(table)
    return isRefused && target !== null && target.rule.key === undefined ? [table] : []
  })
}

/** After a source was read to its end. */
export function notesAtEnd(
  loaded: LoadedConfig,
  router: TableRouter,
  earlier: Earlier,
  isThere: IsThere,
): Note[] {
  const seen = router.seen()
  const known = [...new Set([...earlier.keys(), ...seen.keys()])]
  const unmatched = loaded.config.tables.flatMap(({ from }): Note[] => {
    // Where nothing is known, nothing can be said: the file is empty, or the list of earlier runs gone.
    const own = new TableRouter([{ from, to: from }])
    if (known.length === 0 || known.some(table => own.lookUp(table) !== null)) return []
    const isPattern = from.includes('*')
    if (!isPattern && isThere(router.lookUp(from)?.name ?? '')) return []
    const near = nearest(from, isPattern ? known.map(patternOver) : known)
    // Of the tables that a pattern is for none may be there yet.
    if (isPattern && near === null) return []
    const hint = near === null ? '' : `; nearest: ${near}`
    const advice =
      near === null
        ? 'Compare the name with those of the source.'
        : 'If that is meant, correct `from`; events that were passed over are not read again. ' +
          startAnew(loaded)
    return [{ event: 'rule.unmatched', text: `No event of ${from} was seen${hint}. ${advice}` }]
  })
  return [...unmatched, ...columnNotes(loaded, [...seen.values()])]
}

/** `demo.user` as `demo.*`. */
function patternOver(table: string): string {
  return table.replace(/\.[^.]*$/, '.*')
}

/** Columns that a rule names and that none of its tables had, as far as their events came. */
function columnNotes({ config }: LoadedConfig, seen: readonly SeenTable[]): Note[] {
  return config.tables.flatMap(({ from, key, columns }) => {
    const tables = seen.filter(({ target }) => (target as TargetTable | null)?.rule.from === from)
    const known = [...new Set(tables.flatMap(table => [...table.columns]))]
    if (known.length === 0) return []
    const named: readonly (readonly [string, readonly string[]])[] = [
      ['key', key ?? []],
      ['columns.include', columns?.include ?? []],
      ['columns.exclude', columns?.exclude ?? []],
      ['columns.types', Object.keys(columns?.types ?? {})],
    ]
    return named.flatMap(([where, names]) =>
      names
        .filter(name => !known.includes(name))
        .map((name): Note => {
          const near = nearest(name, known)
          const hint = near === null ? '' : `; nearest: ${near}`
          const text = `No event of ${from} had a column ${name}, which \`${where}\` names${hint}.`
          return { event: 'column.unknown', text }
        }),
    )
  })
}
