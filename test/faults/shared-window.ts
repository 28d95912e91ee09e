/** A fault to plant: the open windows of all tasks of a process are one store. */
import { dirname } from 'node:path'
import type { StateStore, StateStoreSupplier } from '../../state/state-store.ts'

export function sharedWindow(inner: StateStoreSupplier): StateStoreSupplier {
  const stores = new Map<string, Promise<StateStore>>()
  return {
    name: inner.name,
    open: folder => {
      // The stores of a process lie side by side.
      const place = dirname(folder)
      const store = stores.get(place) ?? inner.open(folder)
      stores.set(place, store)
      return store
    },
  }
}
