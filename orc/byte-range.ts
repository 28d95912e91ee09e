/** Order of byte strings that lie in one buffer: unsigned, a prefix before what it starts. */

export function compareSlices(
  bytes: Uint8Array,
  fromA: number,
  toA: number,
  fromB: number,
  toB: number,
): number {
  const common = Math.min(toA - fromA, toB - fromB)
  for (let k = 0; k < common; k++) {
    const difference = bytes[fromA + k]! - bytes[fromB + k]!
    if (difference !== 0) return difference
  }
  return toA - fromA - (toB - fromB)
}

/** The least and the greatest of some slices of one buffer, and their total length. */
export class SliceRange {
  readonly #bytes: Buffer
  #minimumFrom = 0
  #minimumTo = -1
  #maximumFrom = 0
  #maximumTo = -1

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  include(from: number, to: number): void {
    const bytes = this.#bytes
    const isFirst = this.#minimumTo < 0
    if (isFirst || compareSlices(bytes, from, to, this.#minimumFrom, this.#minimumTo) < 0) {
      this.#minimumFrom = from
      this.#minimumTo = to
    }
    if (isFirst || compareSlices(bytes, from, to, this.#maximumFrom, this.#maximumTo) > 0) {
      this.#maximumFrom = from
      this.#maximumTo = to
    }
  }

  /** Both ends as text, or null when one of them is longer than `maxBytes`, or no text. */
  texts(maxBytes: number): { minimum: string; maximum: string } | null {
    const longest = Math.max(
      this.#minimumTo - this.#minimumFrom,
      this.#maximumTo - this.#maximumFrom,
    )
    if (longest > maxBytes) return null
    const minimum = this.#text(this.#minimumFrom, this.#minimumTo)
    const maximum = this.#text(this.#maximumFrom, this.#maximumTo)
    return minimum === null || maximum === null ? null : { minimum, maximum }
  }

  /** Null for bytes that are no UTF-8: their text would be another value. */
  #text(from: number, to: number): string | null {
    const text = this.#bytes.toString('utf8', from, to)
    const isWhole =
      !text.includes('\ufffd') || Buffer.from(text).equals(this.#bytes.subarray(from, to))
    return isWhole ? text : null
  }
}
