/** Reads the store once, in order, part by part; what a truncate left behind is passed over. */
export class EntryCursor {
  readonly #entries: AsyncIterator<readonly (readonly [string, Uint8Array])[]>
  #buffer: readonly (readonly [string, Uint8Array])[] = []

  constructor(entries: AsyncIterator<readonly (readonly [string, Uint8Array])[]>) {
    this.#entries = entries
  }

  /** Some entries whose keys begin with the prefix; null when there are no more. */
  async take(prefix: string): Promise<readonly (readonly [string, Uint8Array])[] | null> {
    for (;;) {
      const start = this.#buffer.findIndex(([key]) => key.slice(0, prefix.length) >= prefix)
      if (start >= 0) {
        this.#buffer = this.#buffer.slice(start)
        const end = this.#buffer.findIndex(([key]) => !key.startsWith(prefix))
        const taken = end < 0 ? this.#buffer : this.#buffer.slice(0, end)
        this.#buffer = end < 0 ? [] : this.#buffer.slice(end)
        return taken.length === 0 ? null : taken
      }
      const next = await this.#entries.next()
      if (next.done === true) return null
      this.#buffer = next.value
    }
  }
}
