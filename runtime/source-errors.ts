/** What a source task refuses, and in which words. */
import type { TopicPartition } from '../log/log.ts'
import type { ChangeEvent, Origin } from '../model/change-event.ts'
import { ConfigError, ProcessingError, SourceError, StateError } from '../model/errors.ts'

export function truncateUnordered({ origin, table }: ChangeEvent, partitions: number) {
  return new ProcessingError(
    'truncate-unordered',
    `the topic has ${partitions} partitions, and a truncate without a position came through one of them`,
    { context: { ...origin, table } },
  )
}

/** Tasks have nothing in common by which the others could know when to expect it. */
export function truncateWithoutHop({ origin, table }: ChangeEvent, partitions: number) {
  return new ProcessingError(
    'truncate-unordered',
    `the topic has ${partitions} partitions, and without the hop (\`keyedBy\`) a truncate through one of ` +
      'them has no order among the others',
    { context: { ...origin, table } },
  )
}

/** Rows of other source tables would go with it. */
export function dropOfShared(table: string, target: string, origin: Origin) {
  return new ProcessingError(
    'truncate-shared-target',
    `${table} was dropped, schemaChanges.drop-table says that its rows go, and other source tables may go to ` +
      `${target} as well`,
    { context: { ...origin, table } },
  )
}

/** Windows of two topics would be staged in any order. */
export function targetOfTopics(table: string, topics: readonly [string, string]) {
  return new ConfigError(
    'target-shared',
    `${table} gets changes through the topics ${topics.join(' and ')}: without the hop (\`keyedBy\`) a ` +
      'target has one topic',
    { context: { table } },
  )
}

/** What is in it would be staged behind what came later, or never. */
export function hopUndrained(topic: string) {
  return new StateError(
    'hop-undrained',
    'the hop was written to after this instance found it drained',
    { context: { topic } },
  )
}

/** `events` are those of one message. */
export function keyUnordered(events: readonly ChangeEvent[], partitions: number) {
  const changed = events.find(({ oldKey }) => oldKey !== null)
  const { origin, table, schema } = changed ?? events[0]!
  const why =
    changed === undefined
      ? `the configured key (${schema.key.join(', ')}) of ${table} does not contain the key of its messages`
      : `a row of ${table} changed its key, and what else changes under its old one comes through another partition`
  return new ProcessingError(
    'changed-key-unordered',
    `${why}, and the topic has ${partitions} partitions`,
    { context: { ...origin, table } },
  )
}

/** What came late could not be put beneath it: which columns it leaves out is known to nobody later. */
export function partialUnordered({ origin, table, schema, after }: ChangeEvent) {
  const missing = schema.columns.filter(({ name }) => after?.[name] === undefined)
  return new ProcessingError(
    'partial-row-unordered',
    `the values of ${missing.map(({ name }) => name).join(', ')} were not sent`,
    { context: { ...origin, table } },
  )
}

/** Whether it is older than what its row has is not known. */
export function replayUnordered({ origin, table }: ChangeEvent) {
  return new ProcessingError('replay-unordered', 'a change that is replayed has no position', {
    context: { ...origin, table },
  })
}

/** Within a run of drops nothing can be committed, so what is applied meanwhile must be little. */
export function tooMuchHeldBack(input: TopicPartition, offset: number) {
  return new SourceError(
    'source-log-restarted',
    'new events come between repeats that do not end: the log of the source was reset or restored',
    { context: { ...input, offset } },
  )
}
