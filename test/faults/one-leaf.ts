/** A fault to plant: of the partitions that a row may be leaving one is kept. */
import type { WarehouseSink } from '../../sinks/warehouse.ts'
import { overStaged } from './over-sink.ts'

export function oneLeaf(sink: WarehouseSink): WarehouseSink {
  return overStaged(sink, change => {
    const { leaves } = change
    return leaves === 'unknown' ? change : { ...change, leaves: leaves.slice(-1) }
  })
}
