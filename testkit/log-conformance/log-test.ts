/** What the cases of the log's conformance suite are made of: a context, a writer, waiting reads. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type {
  GroupMembership,
  Log,
  LogBatch,
  LogConsumer,
  LogProducer,
  ProducerRecord,
  TopicPartition,
  TopicSpec,
  Transaction,
} from '../../log/log.ts'
import { partitionName } from '../../log/log.ts'
import type { LogRecord } from '../../model/change-event.ts'

export interface LogTestContext {
  readonly log: Log
  /** Closes the log, and opens it again over what it has kept. The one before is not used any more. */
  reopen(): Promise<Log>
  /** A name that begins so and that no other case has, for a topic, a group or an id. */
  name(prefix: string): string
}

export interface LogConformanceCase {
  readonly title: string
  /**
   * What a client may lack and be of use all the same. `group-generation`: offsets are fenced by the
   * generation of the membership, not only by the transactional id.
   */
  readonly needs?: 'group-generation'
  run(context: LogTestContext): Promise<void>
}

export const manyBytes = 64 * 1024 * 1024
export const maxWaitMs = 250
const maxLooks = 2000
/** Of polls, until what is waited for has come: a group of a real broker takes its time. */
export const maxPolls = 200

export interface Written {
  readonly topic: string
  readonly partition?: number
  readonly key?: Uint8Array | string | null
  readonly value?: Uint8Array | string | null
  readonly headers?: ProducerRecord['headers']
  readonly timestampMs?: number
}

/** The only member of a group of its own, and a producer: what writes the records of a case. */
export class Writer {
  readonly group: string
  readonly membership: GroupMembership
  readonly #log: Log
  readonly #producer: LogProducer
  readonly #consumer: LogConsumer

  private constructor(
    log: Log,
    membership: GroupMembership,
    producer: LogProducer,
    consumer: LogConsumer,
  ) {
    this.group = membership.group
    this.membership = membership
    this.#log = log
    this.#producer = producer
    this.#consumer = consumer
  }

  static async open(context: LogTestContext, topics: readonly string[], log = context.log) {
    const group = context.name('writer')
    const consumer = await log.openConsumer({ group, topics })
    const { membership } = await assignment(consumer)
    return new Writer(log, membership, await log.openProducer(group), consumer)
  }

  async write(
    records: readonly Written[],
    offsets: Transaction['offsets'] = [],
  ): Promise<readonly number[]> {
    return await commitVisibly(
      this.#log,
      this.#producer,
      transactionOf(records, this.membership, offsets),
    )
  }

  async close(): Promise<void> {
    await this.#producer.close()
    await this.#consumer.close()
  }
}

/**
 * A commit is decided when it returns; readers may see it a moment later, all of a partition at once.
 * Only the next owner of the transactional id is made to wait for that.
 */
export async function commitVisibly(
  log: Log,
  producer: LogProducer,
  transaction: Transaction,
): Promise<readonly number[]> {
  const offsets = await producer.commit(transaction)
  const last = new Map(transaction.records.map((at, index) => [partitionName(at), { at, index }]))
  for (const { at, index } of last.values()) {
    for (let looks = 0; (await log.offsets(at)).end <= offsets[index]!; looks += 1) {
      assert.ok(looks < maxLooks, `what was written to ${partitionName(at)} is not seen`)
      await sleep(5)
    }
  }
  return offsets
}

export function transactionOf(
  records: readonly Written[],
  group: GroupMembership,
  offsets: Transaction['offsets'] = [],
): Transaction {
  return { records: records.map(toRecord), offsets, group }
}

export function toRecord({
  topic,
  partition,
  key,
  value,
  headers,
  timestampMs,
}: Written): ProducerRecord {
  const bytes = (text: Uint8Array | string): Uint8Array =>
    typeof text === 'string' ? Buffer.from(text) : text
  return {
    topic,
    partition: partition ?? 0,
    key: key === null || key === undefined ? null : bytes(key),
    value: value === null ? null : bytes(value ?? 'value'),
    timestampMs: timestampMs ?? 0,
    ...(headers === undefined ? {} : { headers }),
  }
}

export async function makeTopic(
  context: LogTestContext,
  partitions = 1,
  cleanup: TopicSpec['cleanup'] = 'delete',
): Promise<string> {
  const name = context.name('topic')
  await context.log.createTopic({ name, partitions, cleanup })
  return name
}

/** Polls until the member is told what it has. */
export async function assignment(consumer: LogConsumer) {
  for (let polls = 0; polls < maxPolls; polls += 1) {
    const result = await consumer.poll({ maxWaitMs, maxBytes: manyBytes })
    if (result.kind === 'assigned') return result.assignment
  }
  assert.fail('no assignment came')
}

/** Polls all members together until together they have every partition, each of them once. */
export async function settle(
  members: readonly LogConsumer[],
  partitions: number,
): Promise<string[][]> {
  const owned = members.map((): string[] | null => null)
  for (let polls = 0; polls < maxPolls; polls += 1) {
    await Promise.all(
      members.map(async (member, index) => {
        const result = await member.poll({ maxWaitMs: 20, maxBytes: manyBytes })
        if (result.kind === 'assigned') owned[index] = names(result.assignment.partitions)
      }),
    )
    const all = owned.flatMap(found => found ?? [])
    const isWhole = all.length === partitions && new Set(all).size === partitions
    if (isWhole && !owned.includes(null)) return owned as string[][]
  }
  assert.fail(`the members did not come to share the partitions: ${JSON.stringify(owned)}`)
}

export function names(partitions: readonly TopicPartition[]): string[] {
  return partitions.map(partitionName).sort()
}

/** Polls until so many records have come; more is an error. In the order of each partition. */
export async function take(consumer: LogConsumer, count: number, maxBytes = manyBytes) {
  const batches: LogBatch[] = []
  for (let polls = 0; polls < maxPolls; polls += 1) {
    const found = batches.reduce((sum, batch) => sum + batch.records.length, 0)
    assert.ok(found <= count, `${found} records came, ${count} were expected`)
    if (found === count) return { batches, records: batches.flatMap(batch => batch.records) }
    const result = await consumer.poll({ maxWaitMs, maxBytes })
    if (result.kind === 'records') batches.push(...result.batches)
  }
  assert.fail(`${count} records did not come`)
}

/** Every committed record, from the start or from an offset. Fails when reading does not advance. */
export async function readAll(log: Log, at: TopicPartition, from?: number, maxBytes = manyBytes) {
  const { start, end } = await log.offsets(at)
  const records: LogRecord[] = []
  let offset = from ?? start
  while (offset < end) {
    const batch = await log.read(at, offset, maxBytes)
    assert.ok(batch.nextOffset > offset, `reading stands at ${offset} of ${end}`)
    records.push(...batch.records)
    offset = batch.nextOffset
  }
  assertAscending(records)
  return records
}

export function assertAscending(records: readonly LogRecord[]): void {
  for (const [index, record] of records.entries()) {
    const before = records[index - 1]
    assert.ok(before === undefined || before.offset < record.offset, 'offsets do not ascend')
  }
}

export function texts(
  records: readonly { readonly value: Uint8Array | null }[],
): (string | null)[] {
  return records.map(({ value }) => (value === null ? null : Buffer.from(value).toString()))
}

export function values(count: number, prefix = 'v'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`)
}

/** Records of every kind: with binary, empty, null keys and values, headers, times. */
export function variousRecords(topic: string): readonly Written[] {
  const binary = Buffer.from([0, 1, 0xff, 0x0a, 0x80])
  const headers = [
    { key: 'same', value: Buffer.from('1') },
    { key: 'same', value: binary },
    { key: '', value: Buffer.alloc(0) },
    { key: 'naïve 😀', value: Buffer.from('x') },
  ]
  return [
    { topic, key: 'key', value: 'value', timestampMs: 1_600_000_000_123 },
    { topic, key: binary, value: binary, headers },
    { topic, key: Buffer.alloc(0), value: Buffer.alloc(0) },
    { topic, key: null, value: 'without a key' },
    { topic, key: 'gone', value: null },
  ]
}

export function assertAsWritten(
  found: readonly LogRecord[],
  written: readonly Written[],
  offsets: readonly number[],
): void {
  assert.deepEqual(
    found.map(({ offset }) => offset),
    offsets,
  )
  const plain = found.map(({ key, value, headers: own, timestampMs }) => {
    const list = own.map(header => [header.key, hex(header.value)])
    return [hex(key), hex(value), list, timestampMs]
  })
  const expected = written.map(toRecord).map(({ key, value, headers: own, timestampMs }) => {
    const list = (own ?? []).map(header => [header.key, hex(header.value)])
    return [hex(key), hex(value), list, timestampMs]
  })
  assert.deepEqual(plain, expected)
}

export async function assertFenced(action: Promise<unknown>): Promise<void> {
  await assert.rejects(action, { code: 'task-fenced' })
}

export function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex')
}
