/**
 * A store in memory: a map from keys to places in an arena of bytes, and its keys sorted in runs.
 * Values lie side by side in large slabs: an object each would cost more than the bytes, and be copied
 * about by the garbage collector. A value that fits where the one before lay is written over it; what
 * was left behind elsewhere is given back when there is much of it.
 */
import { KeyRuns } from './key-runs.ts'
import type { StateStore, StateStoreSupplier } from './state-store.ts'

/** Entries that go out at once, so that a long window leaves room for other work between. */
const entriesAtOnce = 1000
/** A key and its place in the map, beside their bytes. */
const overheadBytes = 100
const slabBytes = 1024 * 1024
/** Length and capacity before each value, four bytes each. */
const headBytes = 8
/** Values that grow a little stay where they are. */
const roundTo = 16

export function inMemory(): StateStoreSupplier {
  return { name: 'memory', open: () => Promise.resolve(new MemoryStore()) }
}

class MemoryStore implements StateStore {
  /** Number of the slab times its size, and the place in it. */
  #places = new Map<string, number>()
  /** Null once a key was deleted: then they are sorted when they are read. A window deletes none. */
  #keys: KeyRuns | null = new KeyRuns()
  readonly #arena = new Arena()
  #sizeBytes = 0

  get count(): number {
    return this.#places.size
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get(key: string): Uint8Array | undefined {
    const place = this.#places.get(key)
    return place === undefined ? undefined : this.#arena.at(place)
  }

  update(key: string, change: (before: Uint8Array | undefined) => Uint8Array): void {
    const place = this.#places.get(key)
    if (place === undefined) {
      const value = change(undefined)
      this.#sizeBytes += key.length + overheadBytes + value.length
      this.#places.set(key, this.#arena.add(value))
      this.#keys?.add(key)
      return
    }
    const before = this.#arena.at(place)
    const value = change(before)
    this.#sizeBytes += value.length - before.length
    const moved = this.#arena.replace(place, value)
    if (moved !== place) this.#places.set(key, moved)
    if (this.#arena.isWasteful) this.#compact()
  }

  delete(key: string): void {
    const place = this.#places.get(key)
    if (place === undefined) return
    this.#sizeBytes -= key.length + overheadBytes + this.#arena.at(place).length
    this.#places.delete(key)
    this.#keys = null
    this.#arena.drop(place)
    if (this.#arena.isWasteful) this.#compact()
  }

  settle(): Promise<void> {
    return Promise.resolve()
  }

  async *entries(): AsyncGenerator<readonly (readonly [string, Uint8Array])[]> {
    const keys = this.#keys ?? runsOf(this.#places.keys())
    for (const part of keys.parts(entriesAtOnce)) {
      yield part.map(key => [key, this.get(key)!] as const)
      await Promise.resolve()
    }
  }

  clear(): Promise<void> {
    this.#places = new Map()
    this.#keys = new KeyRuns()
    this.#arena.clear()
    this.#sizeBytes = 0
    return Promise.resolve()
  }

  close(): Promise<void> {
    return this.clear()
  }

  #compact(): void {
    const slabs = this.#arena.take()
    for (const [key, place] of this.#places) {
      this.#places.set(key, this.#arena.add(valueAt(slabs, place)))
    }
  }
}

function runsOf(keys: Iterable<string>): KeyRuns {
  const runs = new KeyRuns()
  for (const key of keys) runs.add(key)
  return runs
}

/** Places count from the beginning of all slabs; a value larger than a slab has one that is. */
class Arena {
  #slabs: Buffer[] = []
  #end = slabBytes
  #usedBytes = 0
  #wastedBytes = 0

  /** Whether more was left behind than is in use, and that is much. */
  get isWasteful(): boolean {
    return this.#wastedBytes > this.#usedBytes && this.#wastedBytes > 4 * slabBytes
  }

  at(place: number): Buffer {
    return valueAt(this.#slabs, place)
  }

  add(value: Uint8Array): number {
    const capacity = Math.ceil(value.length / roundTo) * roundTo
    const needed = headBytes + capacity
    if (this.#end + needed > slabBytes) {
      this.#slabs.push(Buffer.allocUnsafeSlow(Math.max(slabBytes, needed)))
      this.#end = 0
    }
    const slab = this.#slabs.at(-1)!
    const start = this.#end
    // The place of the next value must lie in this slab.
    this.#end = Math.min(slabBytes, start + needed)
    this.#usedBytes += needed
    slab.writeUInt32LE(capacity, start + 4)
    write(slab, start, value)
    return (this.#slabs.length - 1) * slabBytes + start
  }

  /** Where the value is from now on. */
  replace(place: number, value: Uint8Array): number {
    const slab = this.#slabs[Math.floor(place / slabBytes)]!
    const start = place % slabBytes
    const capacity = slab.readUInt32LE(start + 4)
    if (value.length <= capacity) {
      write(slab, start, value)
      return place
    }
    this.drop(place)
    return this.add(value)
  }

  /** The value is not there any more. */
  drop(place: number): void {
    const slab = this.#slabs[Math.floor(place / slabBytes)]!
    const bytes = headBytes + slab.readUInt32LE((place % slabBytes) + 4)
    this.#usedBytes -= bytes
    this.#wastedBytes += bytes
  }

  /** The slabs as they are; the arena is empty afterwards. */
  take(): readonly Buffer[] {
    const slabs = this.#slabs
    this.clear()
    return slabs
  }

  clear(): void {
    this.#slabs = []
    this.#end = slabBytes
    this.#usedBytes = 0
    this.#wastedBytes = 0
  }
}

function write(slab: Buffer, start: number, value: Uint8Array): void {
  slab.writeUInt32LE(value.length, start)
  slab.set(value, start + headBytes)
}

function valueAt(slabs: readonly Buffer[], place: number): Buffer {
  const slab = slabs[Math.floor(place / slabBytes)]!
  const start = (place % slabBytes) + headBytes
  return slab.subarray(start, start + slab.readUInt32LE(start - headBytes))
}
