/** A fault to plant: names below a folder are not made durable. */
import type { WarehouseSink } from '../../sinks/warehouse.ts'
import { over } from './over.ts'

export function unsyncedFolders(sink: WarehouseSink, below: string): WarehouseSink {
  return over(sink, {
    open: context => {
      const { fileSystem } = context
      const syncDirectory = async (path: string): Promise<void> => {
        if (!path.startsWith(below)) await fileSystem.syncDirectory(path)
      }
      return sink.open({ ...context, fileSystem: over(fileSystem, { syncDirectory }) })
    },
  })
}
