/**
 * How a change stands to the last one of its key, where changes are ordered by their place in the
 * source's log (`ordering: position`) because the producer spreads a key over partitions.
 *
 * In doubt a change is applied: a wrong apply is mended by the next change of its row, a wrong drop is a
 * loss. At the same place it is applied too: it is the same change, and repeating it changes nothing.
 */
import type { ComparablePosition } from '../model/position.ts'
import { comparePositions } from '../model/position.ts'
import { maxSkewMs } from './drop-repeats.ts'

/** What is known of a key. */
export interface KnownKey {
  /** Its last change; of snapshots none: a row written before one may be committed after it. */
  readonly last: LastChange | null
  /** Where the last row of an incremental snapshot was: only what is replayed is held against it. */
  readonly readAt: ComparablePosition | null
}

export interface LastChange {
  readonly position: ComparablePosition
  /** By the source's clock. */
  readonly sourceMs: number
  /** When it was taken in, by ours, if it deleted the row; else null. */
  readonly deletedAtMs: number | null
}

/** `unknown`: the two do not compare. */
export type Standing = 'follows' | 'older' | 'unknown'

/** `last` is null for a key of which no change is known. */
export function standingOf(
  position: ComparablePosition | null,
  sourceMs: number,
  last: LastChange | null,
): Standing {
  if (position === null) return 'unknown'
  if (last === null) return 'follows'
  const comparison = comparePositions(position, last.position)
  if (comparison === undefined) return 'unknown'
  if (comparison >= 0) return 'follows'
  // Made more than a day later, and at a lower place: the log began anew, and nobody said so.
  return sourceMs > last.sourceMs + maxSkewMs ? 'unknown' : 'older'
}

/**
 * The same of a dead letter that is replayed. It is old for sure, so in doubt it is not applied; and a
 * row that was read by an incremental snapshot since has it already, or what came after it.
 */
export function standingOfReplayed(
  position: ComparablePosition | null,
  { last, readAt }: KnownKey,
): Standing {
  if (position === null) return 'unknown'
  const known = [last?.position ?? null, readAt].filter(one => one !== null)
  const comparisons = known.map(one => comparePositions(position, one))
  if (comparisons.includes(undefined)) return 'unknown'
  return comparisons.every(comparison => comparison! >= 0) ? 'follows' : 'older'
}
