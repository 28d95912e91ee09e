/**
 * A fault to plant: the store of last positions outlives its task, with what an open window changed in it: it is
 * ahead of the offset, and the window that is read again drops itself.
 *
 * By itself that does no harm: a change at the very last position of its key is applied, so that the window drops
 * only what it has a later change for. Where such a change is dropped too it is a loss.
 */
import { ByteReader, ByteWriter } from '../../model/bytes.ts'
import { readPosition, writePosition } from '../../model/position-bytes.ts'
import type { StateStore, StateStoreSupplier } from '../../state/state-store.ts'
import { over } from './over.ts'

export function positionsAhead(inner: StateStoreSupplier): StateStoreSupplier {
  const kept = new Map<string, StateStore>()
  return overPositions(inner, async (folder, open) => {
    const found = kept.get(folder)
    if (found !== undefined) return unrestored(found)
    const store = over(await open(), { close: () => Promise.resolve() })
    kept.set(folder, store)
    return store
  })
}

/** What is written before anything is asked for is of the changelog. */
function unrestored(store: StateStore): StateStore {
  let isRestored = false
  return over(store, {
    get: key => {
      isRestored = true
      return store.get(key)
    },
    update: (key, change) => {
      if (isRestored) store.update(key, change)
    },
    delete: key => {
      if (isRestored) store.delete(key)
    },
  })
}

/** A change at the last position of its key is one that is older. */
export function equalIsOlder(inner: StateStoreSupplier): StateStoreSupplier {
  return overPositions(inner, async (_, open) => {
    const store = await open()
    const get = (key: string): Uint8Array | undefined => {
      const bytes = store.get(key)
      return bytes === undefined ? undefined : raised(bytes)
    }
    return over(store, { get })
  })
}

function overPositions(
  inner: StateStoreSupplier,
  change: (folder: string, open: () => Promise<StateStore>) => Promise<StateStore>,
): StateStoreSupplier {
  const open = (folder: string): Promise<StateStore> => inner.open(folder)
  return {
    name: inner.name,
    open: folder => {
      return folder.endsWith('-positions') ? change(folder, () => open(folder)) : open(folder)
    },
  }
}

/** See `LastPositions`: version, position, and the rest. */
function raised(bytes: Uint8Array): Uint8Array {
  const reader = new ByteReader(bytes)
  const writer = new ByteWriter()
  writer.byte(reader.byte())
  const position = readPosition(reader)
  if (position === null) return bytes
  const order = position.order.map((part, index, { length }) => {
    return index === length - 1 ? Number(part) + 1 : part
  })
  writePosition(writer, { ...position, order })
  writer.integer(Number(reader.integer()))
  writer.integer(Number(reader.integer()))
  writePosition(writer, readPosition(reader))
  return writer.take()
}
