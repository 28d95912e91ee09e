/**
 * Signed integers as unsigned ones with the sign in the lowest bit (0, −1, 1, −2 … as 0, 1, 2, 3
 * …), and the line between the integers that are handled as numbers and those that need a bigint.
 */

/**
 * Integers of at most this magnitude are "narrow": their zig-zag form, and the difference of any
 * two of them, is still exact in a number. Narrow integers are never made a bigint.
 */
export const maxNarrow = 2 ** 52 - 1

export const minInt64 = -(2n ** 63n)
export const maxInt64 = 2n ** 63n - 1n

const maxSafe = BigInt(Number.MAX_SAFE_INTEGER)

/** For a narrow integer. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

/** For an unsigned integer up to 2^53. */
export function unzigzag(value: number): number {
  return (value & 1) === 0 ? value / 2 : -(value + 1) / 2
}

/** For a bigint of any size. */
export function bigZigzag(value: bigint): bigint {
  return value < 0n ? -2n * value - 1n : 2n * value
}

export function bigUnzigzag(value: bigint): bigint {
  return (value & 1n) === 0n ? value >> 1n : -((value + 1n) >> 1n)
}

/** The form of an integer outside this folder: a number when it is safe, else the bigint. */
export function toInteger(value: bigint): number | bigint {
  return value <= maxSafe && value >= -maxSafe ? Number(value) : value
}
