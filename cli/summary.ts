/** What a run did, from its counters, in a few lines. */
import type { CounterRegistry } from '../observe/metrics.ts'
import { formatTable, plural } from './output.ts'

const nothingNew = 'Nothing new: no record was read, and no table changed.'

/** `notes` are sentences on the rules of the configuration. */
export function formatSummary(metrics: CounterRegistry, notes: readonly string[] = []): string {
  const total = (name: Parameters<CounterRegistry['total']>[0]) => metrics.total(name)
  const events = total('forager_events_total')
  const changes = total('forager_net_changes_total')
  if (total('forager_records_consumed_total') + total('forager_batches_applied_total') === 0) {
    return [nothingNew, ...remarks(metrics), ...notes, ''].join('\n')
  }
  const lines = [
    `${plural(total('forager_records_consumed_total'), 'record')} read: ` +
      `${plural(events, 'change event')} in, ${plural(changes, 'net change')} out, ` +
      `${plural(total('forager_windows_closed_total'), 'window')} closed.`,
  ]
  const tables = tableRows(metrics)
  if (tables.length > 0) {
    const head = ['table', 'events in', 'net changes', 'inserted', 'updated', 'deleted']
    lines.push(formatTable(head, tables).trimEnd())
  }
  lines.push(...remarks(metrics), ...notes)
  return `${lines.join('\n')}\n`
}

function tableRows(metrics: CounterRegistry): (string | number)[][] {
  const tables = new Set(
    [
      ...metrics.series('forager_events_total'),
      ...metrics.series('forager_batches_applied_total'),
    ].map(({ labels }) => labels.table ?? ''),
  )
  return [...tables]
    .sort()
    .map(table => [
      table,
      metrics.total('forager_events_total', { table }),
      metrics.total('forager_net_changes_total', { table }),
      metrics.total('forager_rows_inserted_total', { table }),
      metrics.total('forager_rows_updated_total', { table }),
      metrics.total('forager_rows_deleted_total', { table }),
    ])
}

/** What was left out, and why: nothing is dropped without being said. */
function remarks(metrics: CounterRegistry): string[] {
  const lines: string[] = []
  for (const { labels } of metrics.series('forager_topics_recognised_total')) {
    lines.push(`Recognised: the topic ${labels.topic} has ${labels.format}.`)
  }
  const repeats = metrics.total('forager_repeats_dropped_total')
  if (repeats > 0)
    lines.push(`Dropped: ${plural(repeats, 'event')} that the producer had sent before.`)
  const superseded = metrics.total('forager_superseded_changes_total')
  if (superseded > 0)
    lines.push(`Dropped: ${plural(superseded, 'change')} older than what their rows already had.`)
  for (const { labels, value } of metrics.series('forager_messages_skipped_total')) {
    lines.push(`Skipped: ${plural(value, 'bad message')} (${labels.reason}).`)
  }
  for (const { labels, value } of metrics.series('forager_dead_letters_total')) {
    lines.push(`Kept as dead letters: ${plural(value, 'bad message')} (${labels.reason}).`)
  }
  for (const { labels, value } of metrics.series('forager_events_refused_total')) {
    const table = labels.table ?? ''
    lines.push(
      `Refused: ${plural(value, 'event')} of ${table}, which has no primary key. ` +
        'Name its key columns with `key`.',
    )
  }
  const nameless = metrics.total('forager_messages_total', { kind: 'no-table' })
  if (nameless > 0) lines.push(`Dropped: ${plural(nameless, 'message')} that name no table.`)
  const unwanted = metrics.total('forager_messages_total', { kind: 'unwanted' })
  if (unwanted > 0)
    lines.push(`Passed over: ${plural(unwanted, 'event')} of tables that no rule names.`)
  return lines
}
