/**
 * Logging: four methods and nothing behind them unless it is asked for. The first argument is an event
 * name that stays (`window.closed`, `batch.staged`, `batch.applied`), the second its fields.
 */
import { shownText } from '../model/shown-text.ts'
export type LogFields = Readonly<Record<string, unknown>>

export interface Logger {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

const nothing = (): void => undefined

export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

const levels = ['debug', 'info', 'warn', 'error'] as const

export type LogLevel = (typeof levels)[number]

/** A line of JSON an event, for machines; `always` is in each. */
export function jsonLogger(
  write: (line: string) => void,
  now: () => number,
  least: LogLevel = 'info',
  always: LogFields = {},
): Logger {
  return leveled(least, (level, event, fields) => {
    const line = { time: new Date(now()).toISOString(), level, event, ...always, ...fields }
    write(shownText(JSON.stringify(line, (_key, value: unknown) => plain(value))))
  })
}

/** `WARN table.refused table=demo.op_log reason="…"`, for people. */
export function textLogger(write: (line: string) => void, least: LogLevel = 'warn'): Logger {
  return leveled(least, (level, event, fields) => {
    const shown = Object.entries(fields).map(([name, value]) => {
      const text = String(plain(value))
      return `${name}=${/[\s"]/.test(text) ? JSON.stringify(text) : text}`
    })
    write(shownText([level.toUpperCase().padEnd(5), event, ...shown].join(' ')))
  })
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Error ? value.message : value
}

function leveled(
  least: LogLevel,
  emit: (level: LogLevel, event: string, fields: LogFields) => void,
): Logger {
  const method = (level: LogLevel) =>
    levels.indexOf(level) < levels.indexOf(least)
      ? nothing
      : (event: string, fields: LogFields = {}): void => emit(level, event, fields)
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
  }
}
