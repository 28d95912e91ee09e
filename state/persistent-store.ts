/**
 * A store on disk (LevelDB), for windows larger than memory. What was written last stays in memory
 * until it takes `memoryBytes`; `settle` then moves it to disk. Nothing is synced: a
 * window's store is emptied after a crash (`state-store.ts`).
 */
import { ClassicLevel } from 'classic-level'
import { KeyRuns } from './key-runs.ts'
import type { StateStore, StateStoreSupplier } from './state-store.ts'

const entriesAtOnce = 1000
const defaultMemoryBytes = 8 * 1024 * 1024
/** Of a key and a value in memory, beside their bytes. Measured with Node 24. */
const overheadBytes = 190

export function persistent(options: { readonly memoryBytes?: number } = {}): StateStoreSupplier {
  return {
    name: 'persistent',
    open: async folder => {
      await ClassicLevel.destroy(folder)
      return new PersistentStore(folder, options.memoryBytes ?? defaultMemoryBytes)
    },
  }
}

type Level = ClassicLevel<Buffer, Buffer>

class PersistentStore implements StateStore {
  readonly #folder: string
  readonly #memoryBytes: number
  /** Null: it is deleted, and may still be on disk. */
  #recent = new Map<string, Buffer | null>()
  #keys = new KeyRuns()
  #recentBytes = 0
  /** Opened when memory overflows for the first time: most windows never need a file. */
  #level: Level | null = null
  #count = 0
  #sizeBytes = 0

  constructor(folder: string, memoryBytes: number) {
    this.#folder = folder
    this.#memoryBytes = memoryBytes
  }

  get count(): number {
    return this.#count
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get(key: string): Uint8Array | undefined {
    const recent = this.#recent.get(key)
    if (recent !== undefined) return recent ?? undefined
    return this.#level?.getSync(Buffer.from(key, 'latin1'))
  }

  update(key: string, change: (before: Uint8Array | undefined) => Uint8Array): void {
    const before = this.get(key)
    const value = Buffer.from(change(before))
    this.#setRecent(key, value)
    this.#sizeBytes += value.length - (before === undefined ? -key.length : before.length)
    if (before === undefined) this.#count += 1
  }

  delete(key: string): void {
    const before = this.get(key)
    if (before === undefined) return
    this.#setRecent(key, null)
    this.#sizeBytes -= before.length + key.length
    this.#count -= 1
  }

  #setRecent(key: string, value: Buffer | null): void {
    const recent = this.#recent.get(key)
    this.#recent.set(key, value)
    if (recent === undefined) {
      this.#recentBytes += key.length + overheadBytes
      this.#keys.add(key)
    }
    this.#recentBytes += (value?.length ?? 0) - (recent?.length ?? 0)
  }

  async settle(): Promise<void> {
    if (this.#recentBytes >= this.#memoryBytes) await this.#spill()
  }

  async *entries(): AsyncGenerator<readonly (readonly [string, Uint8Array])[]> {
    if (this.#level === null) {
      for (const keys of this.#keys.parts(entriesAtOnce)) {
        const part = keys.filter(key => this.#recent.get(key) !== null)
        if (part.length === 0) continue
        yield part.map(key => [key, this.#recent.get(key)!] as const)
        await Promise.resolve()
      }
      return
    }
    await this.#spill()
    const iterator = this.#level.iterator()
    try {
      for (;;) {
        const entries = await iterator.nextv(entriesAtOnce)
        if (entries.length === 0) return
        yield entries.map(([key, value]) => [key.toString('latin1'), value] as const)
      }
    } finally {
      await iterator.close()
    }
  }

  async clear(): Promise<void> {
    this.#forgetRecent()
    this.#count = 0
    this.#sizeBytes = 0
    if (this.#level === null) return
    await this.#level.close()
    this.#level = null
    await ClassicLevel.destroy(this.#folder)
  }

  close(): Promise<void> {
    return this.clear()
  }

  async #spill(): Promise<void> {
    if (this.#recent.size === 0) return
    if (this.#level === null) {
      this.#level = new ClassicLevel(this.#folder, {
        keyEncoding: 'buffer',
        valueEncoding: 'buffer',
      })
      await this.#level.open()
    }
    // In order and in parts: disk likes it, and no part is long or takes memory again.
    for (const part of this.#keys.parts(entriesAtOnce)) {
      const batch = part.map(name => {
        const key = Buffer.from(name, 'latin1')
        const value = this.#recent.get(name) ?? null
        return value === null ? { type: 'del' as const, key } : { type: 'put' as const, key, value }
      })
      await this.#level.batch(batch)
    }
    this.#forgetRecent()
  }

  #forgetRecent(): void {
    this.#recent = new Map()
    this.#keys = new KeyRuns()
    this.#recentBytes = 0
  }
}
