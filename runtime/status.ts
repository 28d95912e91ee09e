/**
 * Where an application stands, from the log alone: committed offsets, ends, the topics of owners and of
 * what is applied. It needs no instance to run, and says the same for one as for many.
 */

import { parseTopicMemory } from '../formats/decoder.ts'
import type { Log, TopicInfo, TopicPartition } from '../log/log.ts'
import { partitionName } from '../log/log.ts'
import { decodeStagedBatch } from '../model/staged-batch.ts'
import {
  appliedTopic,
  internalTopics,
  ownersTopic,
  repartitionTopic,
  stagedTopic,
} from '../topology/internal-topics.ts'
import type { Topology } from '../topology/topology.ts'
import type { Quarantine } from './applied.ts'
import { readApplied } from './applied.ts'
import type { Clock } from './clock.ts'
import { readDeadLetters } from './dead-letters.ts'
import { readOwners } from './owners.ts'
import { readAll } from './read-all.ts'
import type { SourceDrop } from './source-drops.ts'
import { parseSourceState } from './source-state.ts'
import { selectTopics } from './source-topics.ts'
import { stateBeside } from './task.ts'

/** A member of the group, as the log knows it. */
export interface StatusMember {
  readonly id: string
  readonly clientId: string
  readonly host: string
  readonly partitions: readonly TopicPartition[]
}

export interface TaskStatus extends TopicPartition {
  readonly task: string
  /** 0 reads a source, 1 has a window, 2 applies. */
  readonly subTopology: 0 | 1 | 2
  /** Id of the member that has it; null when none has. */
  readonly member: string | null
  /** Null when it never committed. */
  readonly committed: number | null
  readonly end: number
  /** Offsets that are not passed: of a window those that are in it. */
  readonly lagRecords: number
  /** Age of the first of them; null when there is none. */
  readonly lagSeconds: number | null
}

/** Of a source with `format: auto`. */
export interface TopicFormat {
  readonly topic: string
  /** Null: none of its messages told it yet. */
  readonly format: string | null
}

export interface TableStatus {
  readonly table: string
  /** When it was last applied, in milliseconds since the epoch; null when it never was. */
  readonly appliedAtMs: number | null
  readonly batchesWaiting: number
  readonly rowsWaiting: number
  /** Rows so far, while nothing but new rows was applied: its first snapshot. Null: that is over. */
  readonly newRows: number | null
  /** An attempt was claimed, and its end is not known yet. */
  readonly isApplying: boolean
  /** Why it is held back; null: it is not. */
  readonly quarantine: Quarantine | null
  /** Since when the source has no such table, as far as is known; null: it has one. */
  readonly sourceDrop: SourceDrop | null
}

export interface ApplicationStatus {
  readonly applicationId: string
  readonly members: readonly (Omit<StatusMember, 'partitions'> & { readonly tasks: number })[]
  readonly tasks: readonly TaskStatus[]
  readonly tables: readonly TableStatus[]
  /** Source topics that were read, or are named, and are not there. */
  readonly missingTopics: readonly string[]
  /** What was found out of each topic whose format is not named. */
  readonly formats: readonly TopicFormat[]
  /** Bad messages that were kept. */
  readonly deadLetters: number
}

export interface StatusOptions {
  readonly log: Log
  readonly applicationId: string
  readonly topology: Topology
  readonly clock: Clock
  readonly members: readonly StatusMember[]
}

/** Before the first run there are no tasks and no tables. */
export async function statusOf(options: StatusOptions): Promise<ApplicationStatus> {
  const { log, applicationId, topology, members } = options
  const topics = new Map((await log.topics()).map(topic => [topic.name, topic]))
  const hasRun = topics.has(ownersTopic(applicationId))
  const { layouts } = hasRun ? await readOwners(log, applicationId) : { layouts: new Map() }
  const internal = internalTopics(topology, applicationId)
  const tasks: TaskStatus[] = []
  const formats: TopicFormat[] = []
  const missing = new Set([...layouts.keys()].filter(name => !topics.has(name)))
  const candidates = new Map([...topics].filter(([name]) => !internal.has(name)))
  for (const { source, repartition, warehouse, firstSubTopology: first } of topology.pipelines) {
    const found = selectTopics(source.topics, candidates, name => void missing.add(name))
    for (const topic of found) {
      const name = (at: TopicPartition): string => `${first}_${partitionName(at)}`
      tasks.push(...(await tasksOf(topic, 0, name, options)))
      if (source.format.name === 'auto') formats.push(await formatOf(topic, options))
    }
    const inner = [
      { topic: topics.get(repartitionTopic(applicationId, repartition.name)), stage: 1 as const },
      { topic: topics.get(stagedTopic(applicationId, warehouse.name)), stage: 2 as const },
    ]
    for (const { topic, stage } of inner) {
      if (topic === undefined) continue
      const name = ({ partition }: TopicPartition): string => `${first + stage}_${partition}`
      tasks.push(...(await tasksOf(topic, stage, name, options)))
    }
  }
  return {
    applicationId,
    members: members.map(({ partitions, ...one }) => ({ ...one, tasks: partitions.length })),
    tasks,
    tables: topics.has(appliedTopic(applicationId)) ? await tablesOf(options, tasks) : [],
    missingTopics: [...missing].sort((a, b) => (a < b ? -1 : 1)),
    formats,
    deadLetters: await countOfLetters(log, applicationId),
  }
}

/** As the tasks of its partitions keep it beside their offsets: any of them may have found it out. */
async function formatOf(
  topic: TopicInfo,
  { log, applicationId }: StatusOptions,
): Promise<TopicFormat> {
  const offsets = await log.committed(applicationId, partitionsOf(topic))
  const formats = offsets.map(committed => {
    const state = committed === null ? '' : stateBeside(committed)
    return parseTopicMemory(parseSourceState(state).decoder)?.format ?? null
  })
  return { topic: topic.name, format: formats.find(format => format !== null) ?? null }
}

function partitionsOf({ name, partitions }: TopicInfo): TopicPartition[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }))
}

async function tasksOf(
  topic: TopicInfo,
  subTopology: 0 | 1 | 2,
  nameOf: (at: TopicPartition) => string,
  { log, applicationId, clock, members }: StatusOptions,
): Promise<TaskStatus[]> {
  const partitions = partitionsOf(topic)
  const committed = await log.committed(applicationId, partitions)
  const tasks: TaskStatus[] = []
  for (const [index, at] of partitions.entries()) {
    const { start, end } = await log.offsets(at)
    const offset = committed[index]?.offset ?? null
    const next = Math.max(offset ?? start, start)
    const first = next < end ? (await log.read(at, next, 1)).records[0] : undefined
    const isOwn = (other: TopicPartition): boolean => partitionName(other) === partitionName(at)
    tasks.push({
      ...at,
      task: nameOf(at),
      subTopology,
      member: members.find(one => one.partitions.some(isOwn))?.id ?? null,
      committed: offset,
      end,
      lagRecords: Math.max(0, end - next),
      lagSeconds: first === undefined ? null : ageSeconds(clock.now(), first.timestampMs),
    })
  }
  return tasks
}

function ageSeconds(nowMs: number, thenMs: number): number {
  return Math.max(0, Math.round((nowMs - thenMs) / 100) / 10)
}

async function tablesOf(
  { log, applicationId }: StatusOptions,
  tasks: readonly TaskStatus[],
): Promise<TableStatus[]> {
  const tables = new Map<string, TableStatus>()
  const through = new Map<string, number>()
  for await (const found of readApplied(log, applicationId)) {
    const { table, appliedAtMs, claim, quarantine, newRows = null, sourceDrop = null } = found
    through.set(table, found.through?.offset ?? -1)
    tables.set(table, {
      ...noTable(table),
      appliedAtMs,
      newRows,
      isApplying: claim !== null,
      quarantine,
      sourceDrop,
    })
  }
  for (const { subTopology, topic, partition } of tasks) {
    if (subTopology !== 2) continue
    for await (const { value, offset } of readAll(log, { topic, partition })) {
      const { table, rowCount } = decodeStagedBatch(value!)
      if (offset <= (through.get(table) ?? -1)) continue
      const known = tables.get(table) ?? noTable(table)
      const { batchesWaiting, rowsWaiting } = known
      tables.set(table, {
        ...known,
        batchesWaiting: batchesWaiting + 1,
        rowsWaiting: rowsWaiting + rowCount,
      })
    }
  }
  return [...tables.values()].sort((a, b) => (a.table < b.table ? -1 : 1))
}

function noTable(table: string): TableStatus {
  return {
    table,
    appliedAtMs: null,
    batchesWaiting: 0,
    rowsWaiting: 0,
    newRows: null,
    isApplying: false,
    quarantine: null,
    sourceDrop: null,
  }
}

/** Those that are not replayed. */
async function countOfLetters(log: Log, applicationId: string): Promise<number> {
  let count = 0
  for await (const _ of readDeadLetters(log, applicationId)) count += 1
  return count
}
