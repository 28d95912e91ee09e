/** A store in memory: a map, sorted when it is read in order. */
import type { StateStore, StateStoreSupplier } from './state-store.ts'

/** Entries that go out at once, so that a long window leaves room for other work between. */
const entriesAtOnce = 1000
/** A key, a value and their places in the map, beside their bytes. */
const overheadBytes = 100

export function inMemory(): StateStoreSupplier {
  return { name: 'memory', open: () => Promise.resolve(new MemoryStore()) }
}

class MemoryStore implements StateStore {
  #entries = new Map<string, Uint8Array>()
  #sizeBytes = 0

  get count(): number {
    return this.#entries.size
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get(key: string): Uint8Array | undefined {
    return this.#entries.get(key)
  }

  update(key: string, change: (before: Uint8Array | undefined) => Uint8Array): void {
    const before = this.#entries.get(key)
    const value = change(before)
    const grown = before === undefined ? key.length + overheadBytes : -before.length
    this.#sizeBytes += grown + value.length
    this.#entries.set(key, value)
  }

  delete(key: string): void {
    const before = this.#entries.get(key)
    if (before === undefined) return
    this.#entries.delete(key)
    this.#sizeBytes -= before.length + key.length + overheadBytes
  }

  settle(): Promise<void> {
    return Promise.resolve()
  }

  async *entries(): AsyncGenerator<readonly (readonly [string, Uint8Array])[]> {
    // Chars are bytes, so the order of strings is the order of bytes.
    const keys = [...this.#entries.keys()].sort()
    for (let start = 0; start < keys.length; start += entriesAtOnce) {
      const part = keys.slice(start, start + entriesAtOnce)
      yield part.map(key => [key, this.#entries.get(key)!] as const)
      await Promise.resolve()
    }
  }

  clear(): Promise<void> {
    this.#entries = new Map()
    this.#sizeBytes = 0
    return Promise.resolve()
  }

  close(): Promise<void> {
    return this.clear()
  }
}
