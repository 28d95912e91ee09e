/**
 * Messages without schemas do not tell the connector's `time.precision.mode`: the default sends
 * microseconds where `connect` sends milliseconds. The operator may state it; else the rows show it,
 * because few values can be both:
 *
 * - DATETIME(4–6): from 2.54e14 on it is the year 10,000 in milliseconds; from 1e11 to 7.3e12 it is
 *   1973 to 2201 in milliseconds, and some weeks of 1970 in microseconds; the year 9999, which stands
 *   for "never", is in microseconds a few hours of one day in 1978;
 * - TIME: below 0 or beyond a day it cannot be milliseconds; with digits beyond the column's it
 *   cannot be microseconds.
 *
 * Until a row shows it, the default is assumed. A row that contradicts what was read before is an
 * error: then only the operator can say.
 */
import { DecodeError } from '../../model/errors.ts'
import type { DatabaseColumn } from '../mysql/debezium-column-types.ts'

/** 9999-01-01 in milliseconds. */
const year9999 = 253_370_764_800_000
const connect = 'connect'
const byDefault = 'adaptive_time_microseconds'

/** What was concluded for a connector, and from what. */
interface Conclusion {
  readonly mode: typeof connect | typeof byDefault
  /** Assumed: a value that could be both was read by the default. */
  readonly by: 'shown' | 'likely' | 'assumed'
}

type Shown = 'micros' | 'millis' | 'likely-millis' | 'either' | null

export class TimePrecision {
  readonly #stated: string | undefined
  readonly #conclusions = new Map<string, Conclusion>()

  constructor(stated: string | undefined) {
    this.#stated = stated
  }

  save(): string {
    return this.#conclusions.size === 0 ? '' : JSON.stringify([...this.#conclusions])
  }

  restore(memory: string): void {
    if (memory === '') return
    for (const [name, conclusion] of JSON.parse(memory) as [string, Conclusion][]) {
      this.#conclusions.set(name, conclusion)
    }
  }

  /** Whether rows of a table may show the mode. */
  isShownBy(columns: readonly DatabaseColumn[]): boolean {
    return this.#stated === undefined && columns.some(column => shows(column))
  }

  /** The mode by which the row is read. Throws DecodeError `value-ambiguous`. */
  modeFor(
    connector: string,
    columns: readonly DatabaseColumn[],
    row: Readonly<Record<string, unknown>>,
  ): string {
    if (this.#stated !== undefined) return this.#stated
    const known = this.#conclusions.get(connector)
    const found = conclude(columns, row)
    if (found === null) return known?.mode ?? byDefault
    if (known === undefined || (known.mode === found.mode && rank(found) > rank(known))) {
      this.#conclusions.set(connector, found)
      return found.mode
    }
    if (known.mode === found.mode || rank(found) < rank(known)) return known.mode
    throw new DecodeError(
      'value-ambiguous',
      `this row shows time.precision.mode=${found.mode}, and rows before were read by ` +
        `${known.mode} (${known.by}): state what "${connector}" has under source.connector`,
    )
  }
}

function rank({ by }: Conclusion): number {
  return ['assumed', 'likely', 'shown'].indexOf(by)
}

function conclude(
  columns: readonly DatabaseColumn[],
  row: Readonly<Record<string, unknown>>,
): Conclusion | null {
  const shown = new Set(columns.map(column => unitShown(column, row[column.name])))
  if (shown.has('micros')) return { mode: byDefault, by: 'shown' }
  if (shown.has('millis')) return { mode: connect, by: 'shown' }
  if (shown.has('likely-millis')) return { mode: connect, by: 'likely' }
  return shown.has('either') ? { mode: byDefault, by: 'assumed' } : null
}

function shows({ typeName, length }: DatabaseColumn): boolean {
  const type = typeName.toUpperCase()
  return type === 'TIME' || (type === 'DATETIME' && (length ?? 0) > 3)
}

function unitShown({ typeName, length }: DatabaseColumn, json: unknown): Shown {
  if ((typeof json !== 'number' && typeof json !== 'bigint') || json === 0) return null
  const value = Number(json)
  const digits = length ?? 0
  const type = typeName.toUpperCase()
  if (type === 'DATETIME' && digits > 3) {
    const magnitude = Math.abs(value)
    if (magnitude >= 2.54e14) return 'micros'
    const isThisAge = magnitude >= 1e11 && magnitude < 7.3e12
    return isThisAge || magnitude >= year9999 ? 'likely-millis' : 'either'
  }
  if (type === 'TIME') {
    if (value < 0 || value >= 86_400_000) return 'micros'
    return value % 10 ** (6 - digits) === 0 ? 'either' : 'millis'
  }
  return null
}
