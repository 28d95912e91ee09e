/**
 * Random programs over a `LogStorage`, beside a model that knows what must be there: after each step,
 * and after a crash in the middle of one.
 */
import type { LogStorage, StoredAppend, StoredOffset } from '../../log/log-storage.ts'
import type { LogRecord } from '../../model/change-event.ts'
import type { Random } from '../../runtime/random.ts'

interface ModelPartition {
  readonly start: number
  readonly end: number
  readonly records: readonly LogRecord[]
}

/** Everything that a storage holds. Immutable: the state before a step and after it are both kept. */
export interface Model {
  readonly topics: ReadonlyMap<string, string>
  readonly partitions: ReadonlyMap<string, ModelPartition>
  readonly offsets: ReadonlyMap<string, string>
}

export const emptyModel: Model = { topics: new Map(), partitions: new Map(), offsets: new Map() }

export interface Step {
  readonly name: string
  readonly run: (storage: LogStorage) => Promise<void>
  /** What is there when the step is done. */
  readonly after: Model
}

export function below(random: Random, limit: number): number {
  return Math.floor(random.next() * limit)
}

/** One step that can follow the model's state. */
export function randomStep(random: Random, model: Model): Step {
  const topics = [...model.topics.keys()]
  const choice = random.next()
  if (topics.length === 0 || (choice < 0.1 && topics.length < 4)) return makeTopic(random, model)
  if (choice < 0.25) return deleteRecords(random, model)
  if (choice < 0.32) return rewrite(random, model)
  return commit(random, model)
}

const partitionsOfTopic = 2

function makeTopic(random: Random, model: Model): Step {
  const name = `topic${model.topics.size}`
  const id = random.id()
  const partitions = new Map(model.partitions)
  for (let partition = 0; partition < partitionsOfTopic; partition += 1) {
    partitions.set(`${name}-${partition}`, { start: 0, end: 0, records: [] })
  }
  return {
    name: `make ${name}`,
    run: storage =>
      storage.createTopic({ name, id, partitions: partitionsOfTopic, cleanup: 'delete' }),
    after: { ...model, topics: new Map(model.topics).set(name, id), partitions },
  }
}

function commit(random: Random, model: Model): Step {
  const partitions = new Map(model.partitions)
  const offsets = new Map(model.offsets)
  const appends: StoredAppend[] = []
  const committed: StoredOffset[] = []
  for (const [name, state] of model.partitions) {
    if (random.next() < 0.5) continue
    const at = placeOf(name)
    const records = Array.from({ length: 1 + below(random, 4) }, (_, index) =>
      randomRecord(random, at, state.end + index),
    )
    const nextOffset = state.end + records.length + 1
    appends.push({ ...at, records, nextOffset })
    partitions.set(name, { ...state, end: nextOffset, records: [...state.records, ...records] })
    if (random.next() < 0.5) continue
    const offset = { group: `group${below(random, 2)}`, offset: state.end, metadata: random.id() }
    committed.push({ ...at, ...offset })
    offsets.set(`${offset.group} ${name}`, `${offset.offset} ${offset.metadata}`)
  }
  return {
    name: `commit ${appends.length} appends`,
    run: storage => storage.commit(appends, committed),
    after: { ...model, partitions, offsets },
  }
}

function deleteRecords(random: Random, model: Model): Step {
  const [name, state] = pick(random, [...model.partitions])
  const before = state.start + below(random, state.end - state.start + 1)
  const records = state.records.filter(({ offset }) => offset >= before)
  return {
    name: `delete ${name} before ${before}`,
    run: storage => storage.deleteRecords(placeOf(name), before),
    after: changed(model, name, { ...state, start: before, records }),
  }
}

function rewrite(random: Random, model: Model): Step {
  const [name, state] = pick(random, [...model.partitions])
  const records = state.records.filter(() => random.next() < 0.4)
  return {
    name: `rewrite ${name} to ${records.length} records`,
    run: storage => storage.rewrite(placeOf(name), records),
    after: changed(model, name, { ...state, records }),
  }
}

function changed(model: Model, name: string, state: ModelPartition): Model {
  return { ...model, partitions: new Map(model.partitions).set(name, state) }
}

function randomRecord(random: Random, at: { topic: string; partition: number }, offset: number) {
  const bytes = (): Buffer | null => {
    const length = random.next() < 0.1 ? below(random, 5000) : below(random, 40)
    return random.next() < 0.15 ? null : Buffer.alloc(length, random.id())
  }
  const headers = random.next() < 0.3 ? [{ key: random.id(), value: Buffer.from(random.id()) }] : []
  return {
    ...at,
    offset,
    timestampMs: below(random, 2 ** 41),
    key: bytes(),
    value: bytes(),
    headers,
  }
}

function placeOf(name: string): { topic: string; partition: number } {
  const dash = name.lastIndexOf('-')
  return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)]!
}

/** A model as text, to compare: two that hold the same have the same text. */
export function modelText({ topics, partitions, offsets }: Model): string {
  const lines = [
    ...[...topics].map(([name, id]) => `topic ${name} ${id}`),
    ...[...partitions].flatMap(([name, { start, end, records }]) => [
      `partition ${name} ${start} to ${end}`,
      ...records.map(record => `  ${recordText(record)}`),
    ]),
    ...[...offsets].map(([key, value]) => `offset ${key} ${value}`).sort(),
  ]
  return lines.join('\n')
}

function recordText({ offset, timestampMs, key, value, headers }: LogRecord): string {
  const text = (bytes: Uint8Array | null): string =>
    bytes === null ? 'null' : `"${Buffer.from(bytes).toString('latin1')}"`
  const list = headers.map(header => `${header.key}=${text(header.value)}`)
  return [offset, timestampMs, text(key), text(value), ...list].join(' ')
}

/** Opens the storage, and reads all that it has, a few bytes at a time. */
export async function openModel(storage: LogStorage, random: Random): Promise<Model> {
  const state = await storage.open()
  const partitions = new Map<string, ModelPartition>()
  for (const { topic, partition, start, end } of state.partitions) {
    const records: LogRecord[] = []
    for (;;) {
      const next = records.length === 0 ? 0 : records.at(-1)!.offset + 1
      const found = await storage.read({ topic, partition }, next, 1 + below(random, 3000))
      if (found.length === 0) break
      for (const record of found) records.push(record)
    }
    partitions.set(`${topic}-${partition}`, { start, end, records })
  }
  const offsets = state.offsets.map(({ group, topic, partition, offset, metadata }) => {
    return [`${group} ${topic}-${partition}`, `${offset} ${metadata}`] as const
  })
  return {
    topics: new Map(state.topics.map(({ name, id }) => [name, id])),
    partitions,
    offsets: new Map(offsets),
  }
}
