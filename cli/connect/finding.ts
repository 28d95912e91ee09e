/** What a look at a server, a table or its source found: a line for whoever asked. */
import type { SourceProblem } from './source-problems.ts'
import { sourceProblems } from './source-problems.ts'

export interface Finding {
  /** `HiveServer2 host:10000`, `ods.user`. */
  readonly what: string
  /** What is not well ends the check with exit code 1. */
  readonly isWell: boolean
  /** Absent: `ok` or `WRONG`. */
  readonly level?: 'warning' | 'note'
  readonly text: string
}

export function well(what: string, text: string): Finding {
  return { what, isWell: true, text }
}

export function ill(what: string, text: string): Finding {
  return { what, isWell: false, text }
}

/** `fact` is what was seen; what follows from it, and what to do, is the same each time. */
export function problem(code: SourceProblem, what: string, fact: string): Finding {
  const { level, lost, advice } = sourceProblems[code]
  const text = `${fact}: ${lost}. ${advice} [${code}]`
  return level === 'error' ? ill(what, text) : { what, isWell: true, level, text }
}

/** One line, with its end. */
export function findingText({ what, isWell, level, text }: Finding): string {
  const word = isWell ? words[level ?? 'ok'] : 'WRONG'
  return `${word.padEnd(5)} ${what}: ${text.replace(/\.$/, '')}.\n`
}

const words = { ok: 'ok', warning: 'warn', note: 'note' } as const
