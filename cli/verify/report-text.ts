/** A table's report as people read it: a line, then what is different. */
import { formatCount, plural } from '../output.ts'
import type { ReportedDifference, TableReport } from './table-report.ts'

export function reportText(report: TableReport, targetName: string): string {
  const { table, sources, status, reason, sourceRows, targetRows, notCompared } = report
  const from = sources.join(' + ')
  const lines = [`${table} (${from}): ${verdictOf(report, targetName)}`]
  const isRead = status === 'equal' || status === 'different'
  if (isRead && reason === null) {
    lines.push(
      `  rows: ${formatCount(sourceRows)} in the source, ${formatCount(targetRows)} in ${targetName}`,
    )
  }
  for (const name of report.missingColumns) lines.push(`  ${targetName} lacks the column ${name}`)
  if (report.unsettled > 0) {
    const rows = plural(report.unsettled, 'row')
    lines.push(`  not judged: ${rows} that changed in the source between the two looks`)
  }
  const columns = Object.entries(report.differentColumns)
  if (columns.length > 0) {
    const counts = columns.map(([name, count]) => `${name} in ${plural(count, 'row')}`)
    lines.push(`  different: ${counts.join(', ')}`)
  }
  lines.push(...report.differences.map(one => `  ${differenceText(one, targetName)}`))
  const left = countOf(report) - report.differences.length
  if (report.differences.length > 0 && left > 0) lines.push(`  and ${formatCount(left)} more`)
  for (const { column, reason: why } of notCompared) {
    lines.push(`  not compared: ${column}: ${why}`)
  }
  if (report.byPolicy.length > 0) lines.push('  by policy, and no fault:')
  for (const { column, reason: why, rows } of report.byPolicy) {
    lines.push(`    ${column}${rows === null ? '' : ` in ${plural(rows, 'row')}`}: ${why}`)
  }
  if (report.otherColumns.length > 0) {
    lines.push(`  no source has: ${report.otherColumns.join(', ')}`)
  }
  return `${lines.join('\n')}\n`
}

function countOf({ missing, extra, twice, twiceInSource, different }: TableReport): number {
  return missing + extra + twice + twiceInSource + different
}

function verdictOf(report: TableReport, targetName: string): string {
  const { status, reason } = report
  if (status === 'missing') return `missing: ${reason}`
  if (status === 'refused' || status === 'not-compared') return `not compared: ${reason}`
  if (status === 'equal') return reason === null ? 'equal' : `equal: ${reason}`
  const { missing, extra, twice, twiceInSource, different, missingColumns } = report
  const counts: readonly (readonly [number, string])[] = [
    [missing, `missing in ${targetName}`],
    [extra, `extra in ${targetName}`],
    [twice, `twice in ${targetName}`],
    [twiceInSource, 'with the key of another one in the source'],
    [different, 'different'],
    [missingColumns.length, missingColumns.length === 1 ? 'column lacking' : 'columns lacking'],
  ]
  const parts = counts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${formatCount(count)} ${what}`)
  return `DIFFERENT: ${parts.join(', ')}`
}

const words: Readonly<Record<ReportedDifference['kind'], string>> = {
  missing: 'missing',
  extra: 'extra',
  twice: 'twice',
  'twice-in-source': 'twice in the source',
  different: 'different',
}

const maxTextChars = 60

function differenceText({ kind, key, row, columns }: ReportedDifference, target: string): string {
  const at = fieldsText(key)
  if (columns === undefined) {
    const rest = Object.entries(row ?? {}).filter(([name]) => !Object.hasOwn(key, name))
    const values = rest.length === 0 ? '' : ` (${fieldsText(Object.fromEntries(rest))})`
    return `${words[kind]}: ${at}${values}`
  }
  const cells = columns.map(({ column, source, target: found }) => {
    return `${column} is ${cut(source)} in the source and ${cut(found)} in ${target}`
  })
  return `${words[kind]}: ${at}: ${cells.join('; ')}`
}

function fieldsText(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, text]) => `${name} ${cut(text)}`)
    .join(', ')
}

function cut(text: string): string {
  return text.length > maxTextChars ? `${text.slice(0, maxTextChars - 1)}…` : text
}
