/**
 * A fault to plant: all attempts of an owner of a table have one folder, so that a statement of one of them may read
 * what another one has written.
 */
import type { WarehouseSink } from '../../sinks/warehouse.ts'
import { over } from './over.ts'
import { overApplies } from './over-applies.ts'
import { overOpened } from './over-sink.ts'

export function oneFolder(sink: WarehouseSink): WarehouseSink {
  const named = overOpened(sink, (_, context) => {
    const random = over(context.random, { id: () => 'folder' })
    return { warehouse: sink.open({ ...context, random }).warehouse }
  })
  return overApplies(named, () => ({ attempt: 1 }))
}
