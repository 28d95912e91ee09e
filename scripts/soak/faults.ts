/**
 * When a soak hurts its processes, and how: in the first third they are ended again and again; then one life lasts
 * to the end, long enough to see a slow leak, and is only suspended now and then.
 */
import type { Random } from '../../runtime/random.ts'

export interface Fault {
  /** Since the soak began. */
  readonly atMs: number
  readonly kind: 'kill' | 'stop' | 'pause'
  /** Which of the instances. */
  readonly slot: number
  /** How long it is suspended, or how long it takes until it is started again. */
  readonly forMs: number
}

export interface FaultOptions {
  readonly random: Random
  readonly durationMs: number
  readonly instances: number
  /** After which a member of a group that is silent loses its partitions. */
  readonly sessionMs: number
}

const betweenEndsMs = 40_000
const betweenPausesMs = 75_000

/** In the order of their times. A process is killed at least once, stopped at least once, and suspended. */
export function planFaults(options: FaultOptions): readonly Fault[] {
  const { random, durationMs, instances, sessionMs } = options
  const oneThird = durationMs / 3
  const spread = (from: number, until: number, count: number) =>
    Array.from({ length: count }, (_, index) => {
      const share = (index + 0.3 + 0.6 * random.next()) / count
      const slot = Math.floor(random.next() * instances)
      return { atMs: from + share * (until - from), slot }
    })
  const ends = spread(0.1 * oneThird, oneThird, Math.max(2, Math.round(oneThird / betweenEndsMs)))
  const pauses = spread(
    oneThird,
    durationMs,
    Math.max(1, Math.round((2 * oneThird) / betweenPausesMs)),
  )
  return [
    ...ends.map((fault, index): Fault => {
      const isKill = index < 2 ? index === 0 : random.next() < 0.7
      return { ...fault, kind: isKill ? 'kill' : 'stop', forMs: Math.floor(random.next() * 3000) }
    }),
    ...pauses.map((fault): Fault => {
      // A half of them within a session, a half beyond it.
      const sessions = 0.2 + 1.6 * random.next()
      return { ...fault, kind: 'pause', forMs: Math.min(sessions * sessionMs, durationMs / 10) }
    }),
  ]
}
