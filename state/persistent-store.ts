/**
 * A store on disk (LevelDB), for windows larger than memory. What was written last stays in memory
 * until it takes `memoryBytes`; `settle` then moves it to disk in one batch. Nothing is synced: a
 * window's store is emptied after a crash (`state-store.ts`).
 */
import { ClassicLevel } from 'classic-level'
import type { StateStore, StateStoreSupplier } from './state-store.ts'

const entriesAtOnce = 1000
const defaultMemoryBytes = 8 * 1024 * 1024
const overheadBytes = 100

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
  #recent = new Map<string, Uint8Array | null>()
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

  #setRecent(key: string, value: Uint8Array | null): void {
    const recent = this.#recent.get(key)
    this.#recent.set(key, value)
    if (recent === undefined) this.#recentBytes += key.length + overheadBytes
    this.#recentBytes += (value?.length ?? 0) - (recent?.length ?? 0)
  }

  async settle(): Promise<void> {
    if (this.#recentBytes >= this.#memoryBytes) await this.#spill()
  }

  async *entries(): AsyncGenerator<readonly (readonly [string, Uint8Array])[]> {
    if (this.#level === null) {
      const kept = [...this.#recent].flatMap(([key, value]) => (value === null ? [] : [key]))
      const keys = kept.sort()
      for (let start = 0; start < keys.length; start += entriesAtOnce) {
        const part = keys.slice(start, start + entriesAtOnce)
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
    this.#recent = new Map()
    this.#recentBytes = 0
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
    const batch = [...this.#recent].map(([name, value]) => {
      const key = Buffer.from(name, 'latin1')
      return value === null
        ? { type: 'del' as const, key }
        : { type: 'put' as const, key, value: toBuffer(value) }
    })
    await this.#level.batch(batch)
    this.#recent = new Map()
    this.#recentBytes = 0
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
