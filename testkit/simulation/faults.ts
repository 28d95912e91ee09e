/**
 * What goes wrong in a simulation. Each kind has random numbers of its own, so that to switch one off
 * changes no other, and neither the workload. Faults have names, the kind and a number: one that is skipped
 * keeps its name, and nothing happens.
 */
import type { Random } from '../../runtime/random.ts'
import { seededRandom } from '../../runtime/random.ts'

/** With how often each happens where nothing is said: of a hundred of its opportunities. */
export const faultKinds = {
  /** An instance ends at a call, before it takes effect or after; what it had not synced is lost, or a part of it. */
  crash: 0.15,
  /** All of them at once. */
  power: 0.01,
  /** An instance stands still; longer than its session, and the others take its tasks. */
  pause: 0.15,
  /** Its wall clock is set, forward or back. */
  'clock-jump': 0.1,
  /** A call is answered late. */
  slow: 0.3,
  /** Brokers or storage do not answer for a while, or say that they cannot. */
  transient: 0.1,
  /** A transaction is asked to commit; whether it is committed its owner is not told. */
  'lost-answer': 3,
  /** A transaction is decided, and its markers come later, one by one. */
  'late-marker': 10,
  /** The group gives a member up that is well. */
  rebalance: 0.05,
  /** Writing fails for a while. */
  'disk-full': 0.03,
  /** A statement of the warehouse goes on when its caller was told that nothing is known of it. */
  'statement-late': 8,
  /** It takes effect, and its answer is lost. */
  'statement-lost': 8,
  /** It is refused, and does nothing. */
  'statement-aborted': 5,
  /** Its session is gone before it is submitted. */
  'session-lost': 2,
  /** Topics that are compacted lose what later records of the same keys follow. */
  compaction: 10,
  /** A statement reaches its server long after its caller was told that nothing is known of it. */
  'statement-delayed': 5,
  /** A member is not told that the group has another generation, and goes on with what it had. */
  'late-assignment': 20,
  /** A client hands out records once more that it had handed out. */
  'fetched-again': 2,
  /** What a client has fetched is handed out by a later poll. */
  'fetched-late': 2,
  /** A change of a table's columns waits for its lock when its caller was told that nothing is known of it. */
  'ddl-late': 10,
  /** It reaches its server long after that. */
  'ddl-delayed': 5,
} as const

export type FaultKind = keyof typeof faultKinds

/** `false`: never; `true`: as often as it is by default; a number: of a hundred opportunities. */
export type FaultRates = { readonly [kind in FaultKind]?: boolean | number }

export interface FaultsOptions {
  readonly seed: number
  readonly rates: FaultRates
  /** Names of faults that are not injected: `crash-2`. */
  readonly skipped: readonly string[]
  readonly tell: (line: string) => void
}

/** So that most seeds meet a few kinds often, rather than all of them seldom. */
const shareOfKinds = 0.5

export class Faults {
  readonly #options: FaultsOptions
  readonly #chances = new Map<FaultKind, number>()
  readonly #randoms = new Map<FaultKind, Random>()
  readonly #counts = new Map<FaultKind, number>()
  /** In their order. */
  readonly injected: { readonly name: string; readonly kind: FaultKind }[] = []
  /** From here on nothing goes wrong. */
  isOver = false

  constructor(options: FaultsOptions) {
    this.#options = options
    const { seed, rates } = options
    for (const [index, [kind, usual]] of Object.entries(faultKinds).entries()) {
      const random = seededRandom(streamOf(seed, index))
      const given = rates[kind as FaultKind] ?? random.next() < shareOfKinds
      // Three times as often, or a tenth as often, as is usual.
      const swarm = given === true ? usual * 3 * random.next() ** 2 : 0
      const perHundred = typeof given === 'number' ? given : swarm
      this.#chances.set(kind as FaultKind, perHundred / 100)
      this.#randoms.set(kind as FaultKind, random)
    }
  }

  /** Whether it happens here. `where` says what it would hit. */
  strikes(kind: FaultKind, where: () => string): boolean {
    const chance = this.#chances.get(kind)!
    if (this.isOver || chance === 0) return false
    if (this.#randoms.get(kind)!.next() >= chance) return false
    return this.#inject(kind, where())
  }

  /** None of these kinds from here on. */
  end(...kinds: readonly FaultKind[]): void {
    for (const kind of kinds) this.#chances.set(kind, 0)
  }

  /** A number up to `most`, for what the kind needs: small ones are more frequent. */
  amount(kind: FaultKind, most: number): number {
    return most * this.#randoms.get(kind)!.next() ** 2
  }

  /** One of several ways in which it happens. */
  choose(kind: FaultKind, count: number): number {
    return Math.floor(this.#randoms.get(kind)!.next() * count)
  }

  #inject(kind: FaultKind, where: string): boolean {
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    const name = `${kind}-${count}`
    const isSkipped = this.#options.skipped.includes(name)
    this.#options.tell(`fault ${name}${isSkipped ? ' (skipped)' : ''}: ${where}`)
    if (!isSkipped) this.injected.push({ name, kind })
    return !isSkipped
  }
}

/** A seed of its own for each stream of random numbers. */
export function streamOf(seed: number, stream: number): number {
  return (Math.imul(seed, 0x9e37_79b1) ^ Math.imul(stream + 1, 0x85eb_ca6b)) | 0
}
