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

/** The last change of a key; of snapshots none: a row written before one may be committed after it. */
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
