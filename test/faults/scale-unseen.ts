/** A fault to plant: a row of before is staged with columns that are wider by now, and its values stay as they were. */
import { netChangeValues } from '../../model/net-change.ts'
import type { WarehouseSink } from '../../sinks/warehouse.ts'
import { overStaged } from './over-sink.ts'

export function scaleUnseen(sink: WarehouseSink): WarehouseSink {
  return overStaged(sink, (change, schema) => {
    const values = netChangeValues(change)
    if (values === null || change.schema === schema) return change
    const row = schema.columns.map(({ id, initialDefault = null }) => {
      const place = change.schema.columns.findIndex(column => column.id === id)
      const missing = change.kind === 'patch' ? undefined : initialDefault
      return place < 0 ? missing : values[place]
    })
    return { ...change, row, schema }
  })
}
