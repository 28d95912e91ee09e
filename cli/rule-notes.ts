/**
 * What a run should tell of its rules: those that matched nothing, columns that no table has, and what
 * earlier runs did with events that are not read again. Each note is a sentence with what to do.
 */
import type { SeenTable, TableRouter, TargetTable } from '../processors/route-tables.ts'
import type { LoadedConfig } from './config.ts'
import type { EarlierTable } from './source-tables.ts'
import { nearest } from './suggestion.ts'
import { statePath } from './warehouse.ts'

export interface Note {
  /** Name of the log line. */
  readonly event: 'events.not-read' | 'target.changed' | 'rule.unmatched' | 'column.unknown'
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
    if (known.length === 0 || from.includes('*') || known.includes(from)) return []
    if (isThere(router.lookUp(from)?.name ?? '')) return []
    const near = nearest(from, known)
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
