/**
 * Which events of a source partition are repeats. A producer that crashed sends a contiguous block
 * again: A B A B C. The order of changes is the log's; positions only tell the second A and B from
 * something new. What is kept is small, and travels beside the committed offset:
 *
 * - the highest position of a streamed event, and the few events that share it (the delete and the
 *   insert of a changed key do, and the tables of one truncate);
 * - nothing of snapshots: a row of a snapshot is a repeat only strictly below, and never raises it.
 *
 * In doubt an event is applied: a wrong apply is mended by the next event of its row, a wrong drop is
 * a loss. A run of drops is therefore not committed before it is proven, by the event at exactly the
 * highest position coming again unchanged. If something higher comes first, the source's log was
 * restored or reset, and the run was no run of repeats.
 */
import { crc32 } from 'node:zlib'
import type { ChangeEvent } from '../model/change-event.ts'
import { SourceError } from '../model/errors.ts'
import { fromJson, toJson } from '../model/json.ts'
import type { Position } from '../model/position.ts'
import { comparePositions } from '../model/position.ts'

/**
 * - `new`: it follows what came before;
 * - `in-doubt`: it cannot be compared, or is a snapshot's: apply, but trust nothing it says of before;
 * - `repeat`: drop it;
 * - `reread`: the drops since `run.fromOffset` were not proven: apply all of them, from there.
 */
export type Verdict = 'new' | 'in-doubt' | 'repeat' | 'reread'

/** Drops that are not proven yet. The offset stays before them. */
export interface RepeatRun {
  readonly fromOffset: number
  readonly fromPosition: string
  count: number
}

interface Seen {
  /** Of table, key and operation. */
  readonly identity: number
  /** Of the row and the transaction's global id. */
  readonly fingerprint: number
}

/** All that is kept, and saved beside the committed offset. */
interface Memory {
  readonly highest: Position | null
  readonly seen: readonly Seen[]
  /** The latest time of the source that any event carried. */
  readonly latestMs: number
  /** Events up to this time of the source may be old ones: see `forget`. */
  readonly doubtUntilMs: number
}

/** The tables of one truncate share a position; beyond this many, repeats are applied. */
const maxSeen = 100
/** More drops than this in a row are no replay that a producer would make. */
const maxRunEvents = 10_000_000
/** How far the clocks of two database servers may be apart. */
const maxSkewMs = 24 * 60 * 60 * 1000

export class RepeatFilter {
  #memory: Memory
  /** Events at the highest position that are not yet in `seen`: most are never asked for. */
  #unhashed: ChangeEvent[] = []
  #run: RepeatRun | null = null

  /** `saved` is what `save()` gave at the committed offset; empty when there is none. */
  constructor(saved = '') {
    this.#memory =
      saved === ''
        ? { highest: null, seen: [], latestMs: 0, doubtUntilMs: 0 }
        : (fromJson(saved) as Memory)
  }

  get run(): RepeatRun | null {
    return this.#run
  }

  /**
   * Forgets the highest position: what comes is applied. Some of it may be old, and then what it says
   * of the row before is not what the table has: it stays in doubt until the source's time has passed
   * all that was seen.
   */
  forget(): void {
    const { latestMs } = this.#memory
    const doubtUntilMs = latestMs === 0 ? 0 : latestMs + maxSkewMs
    this.#memory = { highest: null, seen: [], latestMs, doubtUntilMs }
    this.#unhashed = []
    this.#run = null
  }

  save(): string {
    this.#hash()
    return toJson(this.#memory)
  }

  judge(event: ChangeEvent): Verdict {
    const { position } = event
    if (position === null) return 'in-doubt'
    if (event.snapshot === 'first') {
      // The connector began anew before the run was proven: what was dropped may have been new.
      if (this.#run !== null) return 'reread'
      this.forget()
    }
    const { highest } = this.#memory
    if (highest === null) return this.#accept(event, position)
    const comparison = comparePositions(position, highest)
    if (comparison === undefined) {
      if (this.#run !== null) return 'reread'
      if (position.isSnapshot) return 'in-doubt'
      this.forget()
      return this.#accept(event, position)
    }
    if (comparison < 0) return this.#drop(event, position)
    if (position.isSnapshot) return 'in-doubt'
    if (comparison === 0) return this.#judgeEqual(event, position)
    if (this.#run !== null) throw this.#restarted(event, position)
    return this.#accept(event, position)
  }

  /** It is applied, and unless it is a snapshot's it is the highest now. */
  #accept(event: ChangeEvent, position: Position): Verdict {
    const latestMs = Math.max(this.#memory.latestMs, event.sourceMs)
    if (position.isSnapshot) {
      this.#memory = { ...this.#memory, latestMs }
      return 'in-doubt'
    }
    this.#memory = { ...this.#memory, highest: position, seen: [], latestMs }
    this.#unhashed = [event]
    return this.#trust(event)
  }

  #trust(event: ChangeEvent): Verdict {
    return event.sourceMs > this.#memory.doubtUntilMs ? 'new' : 'in-doubt'
  }

  #judgeEqual(event: ChangeEvent, position: Position): Verdict {
    this.#hash()
    const own = seenOf(event)
    const known = this.#memory.seen.find(seen => seen.identity === own.identity)
    if (known === undefined) {
      this.#unhashed = [event]
      return this.#trust(event)
    }
    if (known.fingerprint !== own.fingerprint) throw this.#restarted(event, position)
    this.#run = null
    return 'repeat'
  }

  #hash(): void {
    const seen = [...this.#memory.seen, ...this.#unhashed.map(seenOf)].slice(-maxSeen)
    this.#memory = { ...this.#memory, seen }
    this.#unhashed = []
  }

  #drop(event: ChangeEvent, position: Position): Verdict {
    this.#run ??= { fromOffset: event.origin.offset, fromPosition: position.text, count: 0 }
    this.#run.count += 1
    if (this.#run.count > maxRunEvents) throw this.#restarted(event, position)
    return 'repeat'
  }

  #restarted(event: ChangeEvent, position: Position): SourceError {
    const highest = this.#memory.highest!
    const from = this.#run?.fromOffset ?? event.origin.offset
    const start = this.#run?.fromPosition ?? position.text
    return new SourceError(
      'source-log-restarted',
      `positions went back from ${highest.text} to ${start} at offset ${from}, and up to ` +
        `${position.text} what was sent is not what was sent before: the log of ` +
        `"${highest.name}" was reset or restored`,
      { context: { ...event.origin, offset: from, table: event.table } },
    )
  }
}

function seenOf({ table, key, op, after, position }: ChangeEvent): Seen {
  return {
    identity: crc32(toJson([table, key, op])),
    fingerprint: crc32(toJson([after, position?.gtid ?? null])),
  }
}
