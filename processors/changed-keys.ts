/**
 * The halves of a changed key among the batches of a table (`model/changed-key.ts`): which batches have to be
 * applied together, and what the second half, where it is partial, takes of the row under the old key:
 *
 *     what changed it in batches before its delete  over  what the table has of it
 *
 * The first is found here, the second by the warehouse (`NetChange.movedFrom`), which sees both in one statement.
 */
import type { ChangedKey } from '../model/changed-key.ts'
import { WarehouseError } from '../model/errors.ts'
import type { NetChange } from '../model/net-change.ts'
import { alignValues } from '../model/net-change.ts'
import type { StagedBatch } from '../model/staged-batch.ts'
import type { TableSchema } from '../model/table-schema.ts'
import { foldChange } from './fold-change.ts'

interface OfBatch {
  readonly batch: Pick<StagedBatch, 'changedKeys'>
}

/** One half: where it is among the batches. */
interface Place {
  readonly at: number
  readonly half: ChangedKey
}

/** A second half and the batch of its first one; null: that is not among them. */
interface Pair extends Place {
  readonly oldAt: number | null
}

export function hasHalves(batches: readonly OfBatch[]): boolean {
  return batches.some(({ batch }) => batch.changedKeys !== undefined)
}

/**
 * How many of the batches an apply takes, of which it would take `count`: more, where the other half of a changed
 * key is behind them, or less, where it has yet to come and is waited for (`waits`, of the batch that has the one
 * half).
 */
export function untornCount<T extends OfBatch>(
  batches: readonly T[],
  count: number,
  waits: (one: T) => boolean,
): number {
  if (!hasHalves(batches)) return count
  const needs = needsOf(batches)
  let end = count
  for (let at = 0; at < end; at += 1) {
    for (const needed of needs[at]!) end = Math.max(end, (needed ?? 0) + 1)
  }
  const isTorn = (one: T, at: number): boolean => {
    return at < end && needs[at]!.some(needed => (needed === null ? waits(one) : needed >= end))
  }
  for (;;) {
    const torn = batches.findIndex(isTorn)
    if (torn < 0) return end
    end = torn
  }
}

/**
 * Of each batch: the batches that have the other halves of its changed keys; null: none has. A half needs the other
 * one whatever it lacks itself: which of the two comes first is not known.
 */
function needsOf(batches: readonly OfBatch[]): readonly (readonly (number | null)[])[] {
  const needs = batches.map((): (number | null)[] => [])
  const { pairs, alone } = pairsOf(batches)
  for (const { at, oldAt } of pairs) {
    needs[at]!.push(oldAt)
    if (oldAt !== null) needs[oldAt]!.push(at)
  }
  for (const { at } of alone) needs[at]!.push(null)
  return needs
}

interface Pairs {
  readonly pairs: readonly Pair[]
  /** First halves of which there is no second one. */
  readonly alone: readonly Place[]
}

/** Where a key went the same way several times, one after the other. */
function pairsOf(batches: readonly OfBatch[]): Pairs {
  const olds = Map.groupBy(halvesOf(batches, 'old'), ({ half }) => nameOf(half))
  const pairs = halvesOf(batches, 'new').map(place => {
    return { ...place, oldAt: olds.get(nameOf(place.half))?.shift()?.at ?? null }
  })
  return { pairs, alone: [...olds.values()].flat() }
}

function halvesOf(batches: readonly OfBatch[], which: ChangedKey['half']): readonly Place[] {
  return batches.flatMap(({ batch }, at) => {
    return (batch.changedKeys ?? []).flatMap(half => (half.half === which ? { at, half } : []))
  })
}

/** Key bytes hold no such character: they are bytes. One half of a change may be gone, and the key go that way again. */
export function nameOf({ oldKey, newKey, at = '' }: ChangedKey): string {
  return `${oldKey}\u{100}${newKey}\u{100}${at}`
}

/**
 * The patch of a partial half under a schema that holds its own. It is of a new row, which has nothing to keep of
 * columns that its source does not have; only what was not sent is left open.
 */
export function asNewRow(patch: NetChange, schema: TableSchema): NetChange {
  return { ...patch, schema, row: alignValues({ ...patch, kind: 'upsert' }, schema) }
}

export type Changes = AsyncIterable<readonly NetChange[]>

export interface MovedOptions<T> {
  /** Of the table. */
  readonly schema: TableSchema
  /** The changes of a batch. It may be asked for twice. */
  readonly read: (source: T) => Changes
  /**
   * A statement of an attempt before may have taken effect: a row that is found under an old key is the one that was
   * there only where no other has come there since.
   */
  readonly isInDoubt: boolean
  /** The operator knows that values are missing: they are null. */
  readonly isLossAccepted: boolean
}

/**
 * The changes of each source, the partial halves in them with what they take of the row under the old key. Throws
 * WarehouseError `old-row-missing`.
 */
export async function withOldRows<T extends OfBatch>(
  sources: readonly T[],
  options: MovedOptions<T>,
): Promise<readonly Changes[]> {
  const pairs = hasHalves(sources)
    ? pairsOf(sources).pairs.filter(({ half }) => half.isPartial)
    : []
  const streams = sources.map(options.read)
  if (pairs.length === 0) return streams
  const moved = new MovedRows(pairs, await rowsUnder(sources, pairs, options.read), options)
  return streams.map((stream, at) => (moved.isIn(at) ? moved.completed(stream, at) : stream))
}

/** By source: its changes of the old keys. */
async function rowsUnder<T extends OfBatch>(
  sources: readonly T[],
  pairs: readonly Pair[],
  read: (source: T) => Changes,
): Promise<readonly ReadonlyMap<string, NetChange>[]> {
  const keys = new Set(pairs.map(({ half }) => half.oldKey))
  const found: Map<string, NetChange>[] = []
  for (const source of sources) {
    const own = new Map<string, NetChange>()
    found.push(own)
    for await (const part of read(source)) {
      for (const change of part) if (keys.has(change.key)) own.set(change.key, change)
    }
  }
  return found
}

class MovedRows {
  /** By source, then by new key. */
  readonly #pairs: ReadonlyMap<number, ReadonlyMap<string, Pair>>
  readonly #found: readonly ReadonlyMap<string, NetChange>[]
  readonly #options: Omit<MovedOptions<unknown>, 'read'>
  /** Under way: of halves that were sent again some may be missing, and others be taken for theirs. */
  readonly #open = new Set<Pair>()

  constructor(
    pairs: readonly Pair[],
    found: readonly ReadonlyMap<string, NetChange>[],
    options: Omit<MovedOptions<unknown>, 'read'>,
  ) {
    const bySource = Map.groupBy(pairs, ({ at }) => at)
    this.#pairs = new Map(
      bySource.entries().map(([at, own]) => [at, new Map(own.map(one => [one.half.newKey, one]))]),
    )
    this.#found = found
    this.#options = options
  }

  isIn(at: number): boolean {
    return this.#pairs.has(at)
  }

  async *completed(stream: Changes, at: number): AsyncGenerator<readonly NetChange[]> {
    for await (const part of stream) yield part.map(change => this.#complete(change, at))
  }

  /** A change of that source. A later one of its window may have taken the place of the half. */
  #complete(given: NetChange, at: number): NetChange {
    const pair = this.#pairs.get(at)?.get(given.key)
    if (pair === undefined || given.kind !== 'patch') return given
    const { half, oldAt } = pair
    const change = asNewRow(given, this.#options.schema)
    if (oldAt === null) {
      // Sent again without the delete it finds its row. Else the old one is gone, if it was ever there.
      return this.#options.isLossAccepted ? given : { ...change, movedFrom: change.key }
    }
    if (this.#open.has(pair)) return given
    this.#open.add(pair)
    const older = this.#before(half.oldKey, oldAt)
    this.#open.delete(pair)
    if (older === null) {
      // Nulls, or what the statement before wrote of the row.
      if (!this.#isAlone(half.oldKey)) return given
      return { ...change, movedFrom: half.oldKey }
    }
    // It was deleted before: both halves are sent again, and the row is there under its new key.
    if (older.kind === 'delete') return given
    const below = { ...older, key: change.key, leaves: change.leaves }
    const isOwn = older.kind === 'patch' && older.movedFrom === undefined
    return foldChange(
      isOwn && this.#isAlone(half.oldKey) ? { ...below, movedFrom: half.oldKey } : below,
      change,
    )
  }

  /** What the sources before that one make of the row; null: nothing. */
  #before(key: string, end: number): NetChange | null {
    return this.#found.slice(0, end).reduce<NetChange | null>((older, own, at) => {
      const found = own.get(key)
      if (found === undefined) return older
      const newer = this.#complete(found, at)
      return older === null ? newer : foldChange(older, newer)
    }, null)
  }

  /** In the end there is no row under the key, so that one that is there now is the one that was. */
  #isAlone(key: string): boolean {
    const last = this.#found.findLast(own => own.has(key))?.get(key)
    if (!this.#options.isInDoubt || last?.kind === 'delete') return true
    if (this.#options.isLossAccepted) return false
    throw new WarehouseError(
      'old-row-missing',
      'a row changed its key, not all of its values were sent, and its old key has another row since, which a ' +
        'statement before may have written',
    )
  }
}
