/** Where a search for new seeds begins: far from those that tests have, and other ones each second. */

export function freshSeed(nowMs: number): number {
  return 1_000_000_000 + (Math.floor(nowMs / 1000) % 1_000_000_000)
}
