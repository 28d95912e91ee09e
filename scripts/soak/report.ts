/** What a soak came to, in lines for people: the verdicts as a table of Markdown, the counts, and what is wrong. */
import type { Verdict } from './flatness.ts'
import type { Recording } from './samples.ts'
import { verdictsOf } from './samples.ts'

export interface Report {
  readonly lines: readonly string[]
  /** All tables are equal, and all series flat. */
  readonly isWell: boolean
}

export function reportOf(recording: Recording): Report {
  const { faults, counts, differences } = recording
  const verdicts = verdictsOf(recording)
  const kinds = Map.groupBy(faults, ({ kind }) => kind)
  const isEqual = differences.length === 0
  const isFlat = verdicts.every(verdict => verdict.isFlat)
  return {
    lines: [
      ...tableOf(verdicts),
      ...[...kinds].map(([kind, all]) => `${kind}: ${all.length}`),
      ...Object.entries(counts).map(([name, count]) => `${name}: ${count}`),
      ...differences.map(difference => `DIFFERENT: ${difference}`),
      `tables ${isEqual ? 'equal' : 'NOT EQUAL'}, ${isFlat ? 'flat' : 'NOT FLAT'}`,
    ],
    isWell: isEqual && isFlat,
  }
}

function tableOf(verdicts: readonly (Verdict & { readonly of: string })[]): readonly string[] {
  if (verdicts.length === 0) return ['Too short to tell what grows.']
  const rows = verdicts.map(verdict => {
    const { of, name, unit, median, max, perHour, maxPerHour, isFlat } = verdict
    const [from, until] = [verdict.fromSeconds, verdict.untilSeconds].map(Math.round)
    const cells = [
      of,
      unit === '' ? name : `${name}, ${unit}`,
      `${from} to ${until} s`,
      median.toFixed(1),
      max.toFixed(1),
      perHour.toFixed(1),
      String(maxPerHour),
      isFlat ? 'flat' : 'GROWS',
    ]
    return `| ${cells.join(' | ')} |`
  })
  const head = '| of | what | judged | middle | most | grows by, an hour | may | |'
  return [head, '|---|---|---|---|---|---|---|---|', ...rows]
}
