/** Randomness. The only file that asks the system for it. */
import { randomUUID } from 'node:crypto'

export interface Random {
  /** 0 up to, not including, 1. */
  next(): number
  /** A new identity: of a topic, a member, an attempt. */
  id(): string
}

export const systemRandom: Random = {
  next: () => Math.random(),
  id: () => randomUUID(),
}

/** The same numbers for the same seed: for tests and the simulator. */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b_79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const word = (): string =>
    Math.floor(next() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0')
  return { next, id: () => word() + word() }
}
