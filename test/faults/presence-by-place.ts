/** A fault to plant: which columns a staged row has is told by their place, and not by their ids. */
import { netChangeValues } from '../../model/net-change.ts'
import type { WarehouseSink } from '../../sinks/warehouse.ts'
import { overStaged } from './over-sink.ts'

export function presenceByPlace(sink: WarehouseSink): WarehouseSink {
  return overStaged(sink, (change, schema) => {
    const values = netChangeValues(change)
    if (values === null || change.schema === schema) return change
    const missing = change.kind === 'patch' ? undefined : null
    const row = schema.columns.map((_, place) => {
      return place < values.length ? values[place] : missing
    })
    return { ...change, row, schema }
  })
}
