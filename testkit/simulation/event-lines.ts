/** What a process tells of itself, as lines of the story. */
import { toJson } from '../../model/json.ts'
import type { StagedBatch } from '../../model/staged-batch.ts'
import { batchName } from '../../model/staged-batch.ts'
import type { StreamsEvent } from '../../runtime/streams-events.ts'

/** Null: what the story has otherwise, or need not have. */
export function lineOf(event: StreamsEvent): string | null {
  switch (event.type) {
    case 'task-opened':
      return `opened task ${event.task} at ${event.offset}`
    case 'tables-opened': {
      const tables = event.tables.map(({ table, through }) => `${table} through ${through}`)
      return `opened tables with token ${event.token}: ${tables.join(', ')}`
    }
    case 'source-committed':
      return `committed ${event.task} ${event.range.from} to ${event.range.to}: ${event.events} changes, ${event.repeats} repeats`
    case 'window-closed':
      return `closed window ${event.window} (${event.reason}): ${event.events} changes, ${event.netChanges} rows`
    case 'batch-staged':
      return `staged ${batchName(event.batch)} at ${event.partition} ${event.offset}: ${batchText(event.batch)}`
    case 'statement': {
      const { statement, from, through, state, outcome, error } = event
      const how = outcome ?? (error === undefined ? '' : `${error.code}: ${error.message}`)
      return `statement ${statement}, ${from} through ${through}: ${state} ${how}`
    }
    case 'table-held':
      return `table ${event.table} is ${event.reason === null ? 'resumed' : `held back: ${event.reason.message}`}`
    case 'repeats-dropped':
      return `dropped ${event.count} repeats of ${event.task}, ${event.from} to ${event.to}`
    default:
      return null
  }
}

function batchText({ rowCount, eventCount, truncate }: StagedBatch): string {
  const emptied = truncate === null ? '' : `, a truncate at ${toJson(truncate)}`
  return `${rowCount} rows of ${eventCount} changes${emptied}`
}
