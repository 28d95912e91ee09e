/**
 * What the compacted topic of owners says: which tasks have committed an offset, which topic each source
 * task read, and which growths of source topics were confirmed. It never expires, so that a group that
 * lost its offsets, a topic made anew and partitions that were added are noticed at any start.
 */
import type { Log, TopicPartition } from '../log/log.ts'
import { toJson } from '../model/json.ts'
import { ownersTopic } from '../topology/internal-topics.ts'
import { readAll } from './read-all.ts'

/** A source topic as a task that reads it saw it. */
export interface TopicLayout {
  readonly topicId: string
  readonly partitions: number
}

/**
 * Partitions were added to a source topic, and the operator confirmed them. Those before are read up to
 * their ends of that moment before anything else is.
 */
export interface TopicGrowth extends TopicLayout {
  /** Of the partitions before. */
  readonly ends: readonly number[]
}

/** The value of a task's record. */
export interface OwnerRecord {
  readonly hasOffset: boolean
  /** Of a task that reads a source. */
  readonly source?: TopicLayout & { readonly topic: string }
}

export interface Owners {
  /** Ids of the tasks that have committed an offset. */
  readonly tasks: ReadonlySet<string>
  /** Source topics, by name, as they were when they were last known to be right. */
  readonly layouts: ReadonlyMap<string, TopicLayout>
  readonly growths: ReadonlyMap<string, TopicGrowth>
  /** When a task of a source first committed; null when none has. */
  readonly firstCommitMs: number | null
}

/** No task and no topic has such a name. */
const growthPrefix = 'growth/'
const version = 1

export async function readOwners(log: Log, applicationId: string): Promise<Owners> {
  const tasks = new Set<string>()
  const layouts = new Map<string, TopicLayout>()
  const growths = new Map<string, TopicGrowth>()
  let firstCommitMs: number | null = null
  const at = { topic: ownersTopic(applicationId), partition: 0 }
  for await (const { key, value, timestampMs } of readAll(log, at)) {
    const name = Buffer.from(key!).toString()
    const found: unknown = JSON.parse(Buffer.from(value!.subarray(1)).toString())
    if (name.startsWith(growthPrefix)) {
      growths.set(name.slice(growthPrefix.length), found as TopicGrowth)
      continue
    }
    const { hasOffset, source } = found as OwnerRecord
    if (!hasOffset) continue
    tasks.add(name)
    if (source === undefined) continue
    firstCommitMs = Math.min(firstCommitMs ?? timestampMs, timestampMs)
    const known = layouts.get(source.topic)
    // Of tasks that saw it grow while they began, those that saw fewer partitions were first.
    if (known === undefined || source.partitions < known.partitions) {
      layouts.set(source.topic, source)
    }
  }
  for (const [topic, growth] of growths) layouts.set(topic, growth)
  return { tasks, layouts, growths, firstCommitMs }
}

export function encodeOwner(owner: OwnerRecord): Uint8Array {
  return encode(owner)
}

export function growthKey(topic: string): Uint8Array {
  return Buffer.from(`${growthPrefix}${topic}`)
}

export function encodeGrowth(growth: TopicGrowth): Uint8Array {
  return encode(growth)
}

/** The partition was added to a topic that was read before: nothing of it may be passed over. */
export function isAdded(
  { growths, layouts }: Owners,
  { topic, partition }: TopicPartition,
): boolean {
  // Ordered by position, a topic grows without a word: its layout stays that of before.
  const before = growths.get(topic)?.ends.length ?? layouts.get(topic)?.partitions
  return before !== undefined && partition >= before
}

function encode(value: unknown): Uint8Array {
  return Buffer.concat([Buffer.from([version]), Buffer.from(toJson(value))])
}
