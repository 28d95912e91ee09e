/**
 * Files whose content is written, and that wait for disks or servers to be durable. Each waits for tens or
 * hundreds of milliseconds; a window of many tables waits for all of them at once.
 */

const maxFiles = 16
/** Of what a file still holds in memory. */
const maxBytes = 16 * 1024 * 1024

export class ClosingFiles {
  readonly #closing = new Set<Promise<void>>()
  #bytes = 0
  #failure: { readonly error: unknown } | null = null

  /** Resolves when there is room for another file. Rejects with what an earlier one failed with. */
  async add(sizeBytes: number, close: () => Promise<void>): Promise<void> {
    const closing = close()
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => {
        this.#closing.delete(closing)
        this.#bytes -= sizeBytes
      })
    this.#closing.add(closing)
    this.#bytes += sizeBytes
    while (this.#closing.size >= maxFiles || this.#bytes > maxBytes) {
      await Promise.race(this.#closing)
    }
    this.#throwFailure()
  }

  /** Every file is durable. */
  async all(): Promise<void> {
    await Promise.all(this.#closing)
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error
  }
}
