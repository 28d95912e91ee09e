/**
 * What is looked at when the offset of a source task is decided: each change that it passes was handed on to the
 * hop, by this transaction or by one before it, or is staged by this one, or is a repeat of a change that it passed before.
 */
import type { TopicPartition } from '../../log/log.ts'
import { partitionName } from '../../log/log.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { decodeHopFrame } from '../../model/hop-frame.ts'
import type { StagedBatch } from '../../model/staged-batch.ts'
import type { MemorySource } from '../memory-source.ts'
import { ddlTopic } from './dropped-tables.ts'
import { tableOfTopic } from './workload.ts'

export class SourceJudge {
  readonly #source: MemorySource
  /** Offsets of changes that were handed on, by partition. */
  readonly #handedOn = new Map<string, Set<number>>()
  /** Changes that were passed, as they were sent, by partition. */
  readonly #passed = new Map<string, Set<string>>()

  readonly #ids = new Map<string, string>()

  constructor(source: MemorySource) {
    this.#source = source
  }

  /** Records of a transaction. */
  handOn(records: readonly LogRecord[]): void {
    for (const { topic, value } of records) {
      if (topic.endsWith('-repartition')) for (const at of handedOnBy(value!)) this.#note(at)
    }
  }

  /** What is wrong with an offset that moves from there to `offset`; null: nothing. */
  unhanded(
    at: TopicPartition & { readonly offset: number },
    from: number,
    batches: readonly StagedBatch[],
  ): string | null {
    const lacking = this.pass(at, from)
    if (lacking.length === 0) return null
    const table = tableOfTopic(at.topic)
    const own = batches.filter(batch => batch.table === table)
    const staged = own.reduce((sum, { eventCount }) => sum + eventCount, 0)
    if (staged >= lacking.length) return null
    return `it passes ${lacking.length - staged} changes that were not handed on, of ${lacking.join(', ')}`
  }

  /** Offsets that nobody has heard of. */
  pass(at: TopicPartition & { readonly offset: number }, from: number): readonly number[] {
    // That a table was made may be known of its rows already.
    if (!this.#source.has(at.topic) || at.topic === ddlTopic) return []
    if (this.#isOfAnother(at.topic)) return []
    const name = partitionName(at)
    const known = this.#passed.get(name) ?? new Set()
    this.#passed.set(name, known)
    const lacking: number[] = []
    for (const { offset, key, value } of this.#source.records(at)) {
      // A tombstone says nothing.
      if (offset < from || offset >= at.offset || value === null) continue
      const text = `${key?.toString() ?? ''} ${value.toString()}`
      const isThere = known.has(text) || this.#handedOn.get(name)?.has(offset) === true
      known.add(text)
      if (!isThere) lacking.push(offset)
    }
    return lacking
  }

  /** Whether offsets of before are of a topic that was deleted, and made anew. */
  #isOfAnother(topic: string): boolean {
    const id = this.#source.topics.find(({ name }) => name === topic)!.id
    const known = this.#ids.get(topic) ?? id
    this.#ids.set(topic, known)
    return known !== id
  }

  #note(at: TopicPartition & { readonly offset: number }): void {
    const name = partitionName(at)
    const offsets = this.#handedOn.get(name) ?? new Set()
    this.#handedOn.set(name, offsets.add(at.offset))
  }
}

/** Places of changes in their source. */
function* handedOnBy(bytes: Uint8Array): Generator<TopicPartition & { readonly offset: number }> {
  const frame = decodeHopFrame(bytes)
  if (frame.kind === 'truncate') yield frame.marker
  if (frame.kind !== 'changes') return
  const { topic, partition, changes } = frame
  while (changes.next()) yield { topic, partition, offset: changes.offset }
}
