/** Faults of a merger: what its requests to the warehouse become. */
import type { ApplyRequest, WarehouseSink } from '../../sinks/warehouse.ts'
import { over } from './over.ts'
import { overOpened } from './over-sink.ts'

export function overApplies(
  sink: WarehouseSink,
  change: (request: ApplyRequest) => Partial<ApplyRequest>,
): WarehouseSink {
  return overOpened(sink, ({ warehouse }) => ({
    warehouse: over(warehouse, {
      apply: request => warehouse.apply({ ...request, ...change(request) }),
    }),
  }))
}
