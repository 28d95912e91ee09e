/** A fault to plant: a statement is submitted while one of an attempt before may be under way. */
import type { WarehouseSink } from '../../sinks/warehouse.ts'
import { overApplies } from './over-applies.ts'

export function withoutDrain(sink: WarehouseSink): WarehouseSink {
  return overApplies(sink, () => ({ isInDoubt: false }))
}
