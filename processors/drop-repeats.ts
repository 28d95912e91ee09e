/**
 * Which events of a source partition are repeats. A producer that crashed sends a contiguous block
 * again: A B A B C. The order of changes is the log's; positions only tell the second A and B from
 * something new. What is kept is small, and travels beside the committed offset:
 *
 * - the highest position of a streamed event, and the first events that share it: the delete and the
 *   insert of a changed key do, the tables of one truncate, the rows of a page that PostgreSQL's COPY
 *   wrote. A block that is sent again passes the first of them first, so that these are enough to
 *   prove a run; one beyond them is applied in doubt;
 * - of snapshots their latest time alone: a row of one never raises the highest position.
 *
 * In doubt an event is applied: a wrong apply is mended by the next event of its row, a wrong drop is
 * a loss. A run of drops is therefore not committed before it is proven, by the event at exactly the
 * highest position coming again unchanged. If something higher comes first, the source's log was
 * restored or reset, and the run was no run of repeats.
 */
import { hash } from 'node:crypto'
import type { ChangeEvent } from '../model/change-event.ts'
import { SourceError } from '../model/errors.ts'
import { fromJson, toJson } from '../model/json.ts'
import type { Position } from '../model/position.ts'
import { compareInStream, isInOnePayload } from '../model/position.ts'

/**
 * - `new`: it follows what came before;
 * - `in-doubt`: it cannot be compared or told from another, or is a snapshot's: apply, but trust nothing
 *   that it says of before;
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

/** What is kept of all that came before, beside the events at the highest position. */
interface Memory {
  readonly highest: Position | null
  /** The latest time of the source that any event carried. */
  readonly latestMs: number
  /** The latest time that a row of a snapshot carried, incremental ones aside. */
  readonly snapshotMs: number
  /** Events up to this time of the source may be old ones: see `forget`. */
  readonly doubtUntilMs: number
}

/** An event at the highest position: bytes, as chars of a binary string. */
interface Seen {
  /** Of table and key: wide, because another key of one identity would be taken for it. */
  readonly identity: string
  /** Of the operation, the row and the transaction's global id. */
  readonly fingerprint: string
}

/**
 * The first bit of a fingerprint, which is that of the key's first event: different ones share the position.
 * MySQL's compressed transactions and Maxwell's rows without `xoffset` do so, and the third of them may look as
 * the first did.
 */
const several = 0x80

const empty: Memory = { highest: null, latestMs: 0, snapshotMs: -1, doubtUntilMs: 0 }
const identityBytes = 8
const fingerprintBytes = 4
/** With the rest they fit into the metadata of an offset: Kafka takes 4096 bytes by default. */
const maxSeen = 128
/** More drops than this in a row are no replay that a producer would make. */
const maxRunEvents = 10_000_000
/** How far the clocks of two database servers may be apart. */
export const maxSkewMs = 24 * 60 * 60 * 1000

export class RepeatFilter {
  #memory: Memory
  /** Fingerprints by identity, of the first events at the highest position. */
  #seen: Map<string, string>
  /** The first event at the highest position, not yet in `seen`: it is seldom asked for. */
  #unhashed: ChangeEvent | null = null
  #run: RepeatRun | null = null

  /** `saved` is what `save()` gave at the committed offset; empty when there is none. */
  constructor(saved = '') {
    const { seen = '', ...memory } = (saved === '' ? empty : fromJson(saved)) as Memory & {
      readonly seen?: string
    }
    this.#memory = memory
    this.#seen = unpack(seen)
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
    this.#memory = { ...this.#memory, highest: null, doubtUntilMs }
    this.#seen = new Map()
    this.#unhashed = null
    this.#run = null
  }

  /** Lets go of the message behind the last event: its bytes are its batch's. */
  settle(): void {
    this.#hashed()
  }

  save(): string {
    return toJson({ ...this.#memory, seen: pack(this.#hashed()) })
  }

  judge(event: ChangeEvent): Verdict {
    const { position } = event
    if (position === null) return this.#judgeUnplaced()
    if (event.snapshot === 'first' && !this.#isOfSeenSnapshot(event)) {
      return this.#beginAnew(event, position)
    }
    const { highest } = this.#memory
    if (highest === null) return this.#accept(event, position)
    const comparison = compareInStream(position, highest)
    if (comparison === undefined) {
      if (position.isSnapshot && this.#run === null) return this.#acceptSnapshot(event)
      return this.#beginAnew(event, position)
    }
    if (position.isSnapshot) {
      return comparison < 0 ? this.#judgeOldSnapshot(event, position) : this.#acceptSnapshot(event)
    }
    if (comparison === 0) return this.#judgeEqual(event, position)
    // It may be of the transaction's next statement: see `isInOnePayload`.
    const isUnknown = isInOnePayload(position, highest)
    if (comparison < 0) {
      return isUnknown && this.#run === null
        ? this.#beginAnew(event, position)
        : this.#drop(event, position)
    }
    if (isUnknown && this.#run !== null) return 'reread'
    if (this.#run !== null) throw this.#restarted(event, position)
    return this.#accept(event, position)
  }

  /**
   * It is applied, so what follows it has to be too: of a block that is sent again it must not be the
   * only one.
   */
  #judgeUnplaced(): Verdict {
    if (this.#run !== null) return 'reread'
    if (this.#memory.highest !== null) this.forget()
    return 'in-doubt'
  }

  /** The log or the connector began anew. What an open run dropped may have been new. */
  #beginAnew(event: ChangeEvent, position: Position): Verdict {
    if (this.#run !== null) return 'reread'
    if (this.#memory.highest !== null) this.forget()
    return this.#accept(event, position)
  }

  /** Was the snapshot taken anew, its rows would be later. */
  #isOfSeenSnapshot({ snapshot, sourceMs }: ChangeEvent): boolean {
    return snapshot !== 'incremental' && sourceMs <= this.#memory.snapshotMs
  }

  /**
   * A row of a snapshot below the highest position. A whole snapshot that was not seen before was
   * taken because the log began anew, of which its first row may have told another partition alone.
   *
   * An incremental row is a repeat only within a run. Elsewhere it never begins one: PostgreSQL gives
   * it a position by its LSN alone, which is below that of a transaction that began later and was
   * committed before, so that the row is new and its run would never be proven. If it is a repeat after
   * all, the block that it begins goes on with changes that were seen; dropping those would leave its
   * row as it was before. So all is forgotten, and the block is applied to its end. See
   * docs/adr/0008-rows-of-snapshots-below-the-highest-position.md.
   */
  #judgeOldSnapshot(event: ChangeEvent, position: Position): Verdict {
    const isOfRun = this.#run !== null && event.snapshot === 'incremental'
    const isRepeat = isOfRun || this.#isOfSeenSnapshot(event)
    return isRepeat ? this.#drop(event, position) : this.#beginAnew(event, position)
  }

  #acceptSnapshot({ snapshot, sourceMs }: ChangeEvent): Verdict {
    const { latestMs, snapshotMs } = this.#memory
    this.#memory = {
      ...this.#memory,
      latestMs: Math.max(latestMs, sourceMs),
      snapshotMs: snapshot === 'incremental' ? snapshotMs : Math.max(snapshotMs, sourceMs),
    }
    return 'in-doubt'
  }

  /** It is applied, and unless it is a snapshot's it is the highest now. */
  #accept(event: ChangeEvent, position: Position): Verdict {
    if (position.isSnapshot) return this.#acceptSnapshot(event)
    const latestMs = Math.max(this.#memory.latestMs, event.sourceMs)
    this.#memory = { ...this.#memory, highest: position, latestMs }
    if (this.#seen.size > 0) this.#seen = new Map()
    this.#unhashed = event
    return this.#trust(event)
  }

  #trust(event: ChangeEvent): Verdict {
    return event.sourceMs > this.#memory.doubtUntilMs ? 'new' : 'in-doubt'
  }

  #judgeEqual(event: ChangeEvent, position: Position): Verdict {
    const seen = this.#hashed()
    const { identity, fingerprint } = seenOf(event)
    const known = seen.get(identity)
    if (known !== undefined) {
      const isSeveral = known.charCodeAt(0) >= several
      const isFirst = fingerprint === withFirstBit(known, 0)
      if (!isFirst && this.#run !== null) {
        // At the end of a run it is the proof that there was none. Of several it may be a later one.
        if (isSeveral) return 'reread'
        throw this.#restarted(event, position)
      }
      this.#run = null
      if (isFirst && !isSeveral) return 'repeat'
      // Alone it proves nothing; and what was dropped last of several may not be what the row was last.
      seen.set(identity, withFirstBit(known, several))
      return 'in-doubt'
    }
    // Within a run nothing is learned: the run may be read again.
    if (this.#run !== null || seen.size >= maxSeen) return 'in-doubt'
    seen.set(identity, fingerprint)
    return this.#trust(event)
  }

  #hashed(): Map<string, string> {
    if (this.#unhashed !== null) {
      const { identity, fingerprint } = seenOf(this.#unhashed)
      this.#seen.set(identity, fingerprint)
      this.#unhashed = null
    }
    return this.#seen
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
    identity: digest([table, key], identityBytes),
    fingerprint: withFirstBit(digest([op, after, position?.gtid ?? null], fingerprintBytes), 0),
  }
}

function withFirstBit(fingerprint: string, bit: 0 | typeof several): string {
  const first = (fingerprint.charCodeAt(0) & ~several) | bit
  return String.fromCharCode(first) + fingerprint.slice(1)
}

function digest(value: unknown, bytes: number): string {
  return hash('sha256', toJson(value), 'buffer').toString('latin1', 0, bytes)
}

/** One text without quotes: what is kept beside an offset is text within text within text. */
function pack(seen: ReadonlyMap<string, string>): string {
  return Buffer.from([...seen].flat().join(''), 'latin1').toString('base64')
}

function unpack(packed: string): Map<string, string> {
  const bytes = Buffer.from(packed, 'base64').toString('latin1')
  const seen = new Map<string, string>()
  for (let start = 0; start < bytes.length; start += identityBytes + fingerprintBytes) {
    const end = start + identityBytes + fingerprintBytes
    seen.set(bytes.slice(start, start + identityBytes), bytes.slice(start + identityBytes, end))
  }
  return seen
}
