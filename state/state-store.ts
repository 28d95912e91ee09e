/**
 * A store of a task: bytes by key, in key order. Writing and reading are synchronous, because they are
 * on the path of every event; what has to wait (disks) waits in `settle`, which the runtime calls
 * between two slices of work.
 *
 * A window's store needs no changelog: the offsets of what it holds are not committed before the
 * window is, so after a crash it is emptied and filled again from the log. A store that outlives its
 * window is restored from a changelog (`runtime/last-positions.ts`).
 */
export interface StateStore {
  /** Entries. */
  readonly count: number
  /** Keys and values, about; on whichever medium. */
  readonly sizeBytes: number
  /** The bytes are the store's: do not change them. `key` is a binary string, one char a byte. */
  get(key: string): Uint8Array | undefined
  /** Writes a copy of what `change` makes of the value before, which it must not change. */
  update(key: string, change: (before: Uint8Array | undefined) => Uint8Array): void
  /** A key that is not there is left so. */
  delete(key: string): void
  /** Moves to disk what memory should not hold. */
  settle(): Promise<void>
  /** All entries in the order of the keys' bytes. Nothing may be written meanwhile. */
  entries(): AsyncIterable<readonly (readonly [string, Uint8Array])[]>
  clear(): Promise<void>
  close(): Promise<void>
}

/** Makes a task's store. A supplier gives each task its own. */
export interface StateStoreSupplier {
  readonly name: 'memory' | 'persistent'
  /** What an earlier process left in the folder is removed. */
  open(folder: string): Promise<StateStore>
}
