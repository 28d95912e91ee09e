/** Whether a table of Hive is such that a run can keep it in step, and what the run would do to it. */
import type { PartitionBy } from '../../model/partition-by.ts'
import type { HiveTable } from '../../sinks/hive/target-table.ts'
import { differencesOf, monthColumn } from '../../sinks/hive/target-table.ts'
import type { Finding } from './finding.ts'
import { ill, well } from './finding.ts'

export interface TableFacts {
  readonly name: string
  readonly found: HiveTable
  /** `TBLPROPERTIES`. */
  readonly properties: ReadonlyMap<string, string>
  readonly partitionBy: PartitionBy | null
  /** What the source needs; null when that is not known. */
  readonly wanted: HiveTable | null
}

/** Problems if there are any, else what a run would change. */
export function findingsOf(facts: TableFacts): readonly Finding[] {
  const { name, found, wanted } = facts
  const problems = [...kindProblems(facts), ...partitionProblems(facts)]
  if (wanted === null) {
    if (problems.length > 0) return problems.map(problem => ill(name, problem))
    return [
      well(name, 'it is transactional; its columns were not compared without source.database'),
    ]
  }
  const { missing, problems: unfit, others } = differencesOf(found, wanted)
  // Of the partitions it was said above.
  const all = [...problems, ...unfit.filter(problem => !problem.startsWith('it is partitioned'))]
  if (all.length > 0) return all.map(problem => ill(name, problem))
  const notes: string[] = []
  if (missing.length > 0) {
    const columns = missing.map(column => `${column.name} ${column.type}`).join(', ')
    notes.push(`a run adds the columns ${columns}`)
  }
  if (others.length > 0) notes.push(`no source has ${others.join(', ')}: new rows have null there`)
  return [well(name, notes.length === 0 ? 'it fits' : `it fits; ${notes.join('; ')}`)]
}

function kindProblems({ properties }: TableFacts): string[] {
  if (properties.get('transactional') !== 'true') {
    return [
      'it is not transactional, so no MERGE can change it: ' +
        'have Forager make it anew, or alter its property `transactional`',
    ]
  }
  if (properties.get('transactional_properties') === 'insert_only') {
    return ['it takes inserts only (transactional_properties=insert_only): it must be made anew']
  }
  return []
}

function partitionProblems({ found, partitionBy }: TableFacts): string[] {
  const wanted =
    partitionBy === null
      ? null
      : partitionBy.unit === 'year_month'
        ? monthColumn
        : partitionBy.column.toLowerCase()
  const own = found.partition?.name ?? null
  if (own === wanted) return []
  const text = (column: string | null): string => column ?? 'nothing'
  return [`it is partitioned by ${text(own)}, and \`partitionBy\` says ${text(wanted)}`]
}
