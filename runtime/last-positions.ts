/**
 * The place of the last change of each key of a window task, for `ordering: position`. It outlives the
 * window, so it has a changelog: a compacted topic with a record a key, in the partition of the task.
 *
 * What an open window changed is written in that window's transaction, never before: else a window that
 * is read again after a crash would take its own changes for older ones. The store itself is never
 * trusted over a restart; it is restored from the changelog whenever the task is opened, and so stands
 * exactly at the committed offset.
 */
import type { ProducerRecord, TopicPartition } from '../log/log.ts'
import { ByteReader, ByteWriter } from '../model/bytes.ts'
import { assert } from '../model/errors.ts'
import type { HopChangeCursor } from '../model/hop-frame.ts'
import type { ComparablePosition } from '../model/position.ts'
import { readPosition, writePosition } from '../model/position-bytes.ts'
import type { KnownKey } from '../processors/order-by-position.ts'
import { standingOf, standingOfReplayed } from '../processors/order-by-position.ts'
import type { StateStore } from '../state/state-store.ts'
import { readAll } from './read-all.ts'
import type { TaskContext } from './task.ts'

/** A deleted key is known for so long: a change that comes later than that brings its row back. */
export const deletedKeysMs = 14 * 24 * 60 * 60 * 1000
/** Keys that one window may change: their records are in memory when it closes. */
export const maxChangedKeys = 100_000

const sweepIntervalMs = 60 * 60 * 1000
const maxForgottenAtOnce = 10_000
const restoredAtOnce = 1000
const progressMs = 10_000
const version = 1

/** What was dropped since the last report, by target. */
interface Drops {
  count: number
  readonly from: string
  to: string
}

export class LastPositions {
  readonly #context: TaskContext
  readonly #task: string
  readonly #changelog: TopicPartition
  readonly #store: StateStore
  readonly #writer = new ByteWriter()
  /** Of the open window; null: the key is forgotten. */
  readonly #changed = new Map<string, Uint8Array | null>()
  readonly #drops = new Map<string, Drops>()
  readonly #prefixes = new Map<string, string>()
  #sweptAtMs: number

  constructor(
    context: TaskContext,
    task: string,
    changelog: TopicPartition,
    /** Empty. */
    store: StateStore,
  ) {
    this.#context = context
    this.#task = task
    this.#changelog = changelog
    this.#store = store
    this.#sweptAtMs = context.clock.now() - sweepIntervalMs
  }

  /** Whether the open window changed as many keys as it may. */
  get isFull(): boolean {
    return this.#changed.size >= maxChangedKeys
  }

  /** Fills the store from the changelog. After the owner before was fenced. */
  async restore(): Promise<void> {
    const { log, clock, logger, metrics, rest } = this.#context
    const labels = { task: this.#task }
    const began = clock.monotonic()
    const { start, end } = await log.offsets(this.#changelog)
    if (start < end) logger.info('positions.restoring', { ...labels, offsets: end - start })
    let told = began
    let count = 0
    for await (const { offset, key, value } of readAll(log, this.#changelog)) {
      this.#restoreOne(Buffer.from(key!).toString('latin1'), value)
      count += 1
      if (count % restoredAtOnce !== 0) continue
      await this.#store.settle()
      await rest()
      const left = Math.max(0, end - offset - 1)
      metrics.set('forager_restore_remaining_records', left, labels)
      if (clock.monotonic() - told < progressMs) continue
      told = clock.monotonic()
      logger.info('positions.restoring', { ...labels, restored: count, offsets: left })
    }
    const seconds = (clock.monotonic() - began) / 1000
    metrics.forget('forager_restore_remaining_records', labels)
    metrics.count('forager_restored_records_total', count, labels)
    metrics.observe('forager_restore_duration_seconds', seconds, labels)
    const keys = this.#store.count
    if (count > 0) logger.info('positions.restored', { ...labels, records: count, keys, seconds })
  }

  /**
   * Whether the window takes the change; then it is the last of its key. `isReplayed`: it was a dead
   * letter.
   */
  accepts(changes: HopChangeCursor, isReplayed: boolean): boolean {
    const { change, position, of } = changes
    const { table } = of.target
    const key = this.#prefixOf(table) + change.key
    const bytes = this.#store.get(key)
    const known = bytes === undefined ? unknownKey : decode(bytes)
    const standing = isReplayed
      ? standingOfReplayed(position, known)
      : standingOf(position, change.sourceMs, known.last)
    if (standing === 'older' || (isReplayed && standing === 'unknown')) {
      this.#noteDrop(table, change.decode(of.schema).last.position)
      return false
    }
    if (position !== null) this.#note(key, known, position, changes)
    return true
  }

  /** The change is taken. */
  #note(
    key: string,
    known: KnownKey,
    position: ComparablePosition,
    { change, isIncremental }: HopChangeCursor,
  ): void {
    if (position.isSnapshot) {
      if (isIncremental) this.#put(key, { ...known, readAt: position })
      return
    }
    const deletedAtMs = change.kind === 'delete' ? this.#context.clock.now() : null
    this.#put(key, { ...known, last: { position, sourceMs: change.sourceMs, deletedAtMs } })
  }

  #put(key: string, known: KnownKey): void {
    const value = this.#encode(known)
    this.#store.update(key, () => value)
    this.#changed.set(key, value)
  }

  async settle(): Promise<void> {
    await this.#store.settle()
  }

  /** What the window changed, for its transaction. */
  async changes(): Promise<readonly ProducerRecord[]> {
    await this.#forgetDeleted()
    const timestampMs = this.#context.clock.now()
    return [...this.#changed].map(([key, value]) => {
      return { ...this.#changelog, key: Buffer.from(key, 'latin1'), value, timestampMs }
    })
  }

  /** The window's transaction is committed. */
  committed(): void {
    this.#changed.clear()
    for (const [table, { count, from, to }] of this.#drops) {
      const labels = { task: this.#task, table, count, from, to }
      this.#context.logger.info('changes.superseded', labels)
    }
    this.#drops.clear()
  }

  measure(): void {
    const { metrics } = this.#context
    const labels = { task: this.#task }
    metrics.set('forager_position_store_keys', this.#store.count, labels)
    metrics.set('forager_position_store_bytes', this.#store.sizeBytes, labels)
  }

  async close(): Promise<void> {
    const { metrics } = this.#context
    for (const name of gauges) metrics.forget(name, { task: this.#task })
    await this.#store.close()
  }

  #restoreOne(key: string, value: Uint8Array | null): void {
    // The buffer around it is a batch of the log.
    if (value === null) this.#store.delete(key)
    else this.#store.update(key, () => Buffer.from(value))
  }

  /** Once in a while, and not all at once: what is too many now goes with a later window. */
  async #forgetDeleted(): Promise<void> {
    const { clock, rest } = this.#context
    const now = clock.now()
    if (now - this.#sweptAtMs < sweepIntervalMs) return
    const old: string[] = []
    for await (const entries of this.#store.entries()) {
      for (const [key, value] of entries) {
        const deletedAtMs = decode(value).last?.deletedAtMs ?? null
        if (deletedAtMs !== null && now - deletedAtMs >= deletedKeysMs) old.push(key)
      }
      if (old.length >= maxForgottenAtOnce) break
      await rest()
    }
    for (const key of old) {
      this.#store.delete(key)
      this.#changed.set(key, null)
    }
    if (old.length < maxForgottenAtOnce) this.#sweptAtMs = now
  }

  #noteDrop(table: string, position: string): void {
    this.#context.metrics.count('forager_superseded_changes_total', 1, { table })
    const drops = this.#drops.get(table)
    if (drops === undefined) this.#drops.set(table, { count: 1, from: position, to: position })
    else {
      drops.count += 1
      drops.to = position
    }
  }

  /** Leads the keys of a table, as chars of a binary string. */
  #prefixOf(table: string): string {
    const known = this.#prefixes.get(table)
    if (known !== undefined) return known
    const prefix = `${Buffer.from(table).toString('latin1')}\0`
    this.#prefixes.set(table, prefix)
    return prefix
  }

  /** Version · position · source's clock · 0 or 1 + the time of its deletion · where it was read. */
  #encode({ last, readAt }: KnownKey): Uint8Array {
    const writer = this.#writer
    writer.reset()
    writer.byte(version)
    writePosition(writer, last?.position ?? null)
    writer.integer(last?.sourceMs ?? 0)
    writer.integer(last?.deletedAtMs == null ? 0 : last.deletedAtMs + 1)
    writePosition(writer, readAt)
    return writer.take()
  }
}

const gauges = [
  'forager_position_store_keys',
  'forager_position_store_bytes',
  'forager_restore_remaining_records',
] as const

const unknownKey: KnownKey = { last: null, readAt: null }

function decode(bytes: Uint8Array): KnownKey {
  const reader = new ByteReader(bytes)
  const found = reader.byte()
  assert(found === version, () => `a stored position has version ${found}, known is ${version}`)
  const position = readPosition(reader)
  const sourceMs = Number(reader.integer())
  const deleted = Number(reader.integer())
  const deletedAtMs = deleted === 0 ? null : deleted - 1
  const last = position === null ? null : { position, sourceMs, deletedAtMs }
  return { last, readAt: readPosition(reader) }
}
