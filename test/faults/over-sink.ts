/** Faults of a warehouse and of staging: a sink whose parts are replaced when it is opened. */
import type { NetChange } from '../../model/net-change.ts'
import type { TableSchema } from '../../model/table-schema.ts'
import type { Staging } from '../../sinks/staging.ts'
import type { SinkContext, WarehouseSink } from '../../sinks/warehouse.ts'
import { over } from './over.ts'

type Opened = ReturnType<WarehouseSink['open']>

export function overOpened(
  sink: WarehouseSink,
  change: (opened: Opened, context: SinkContext) => Partial<Opened>,
): WarehouseSink {
  return over(sink, {
    open: context => {
      const opened = sink.open(context)
      return { ...opened, ...change(opened, context) }
    },
  })
}

/** `change` gets a net change that is about to be staged, and the schema of its batch. */
export function overStaged(
  sink: WarehouseSink,
  change: (one: NetChange, schema: TableSchema) => NetChange,
): WarehouseSink {
  return overOpened(sink, ({ staging }) => ({ staging: changing(staging, change) }))
}

function changing(
  staging: Staging,
  change: (one: NetChange, schema: TableSchema) => NetChange,
): Staging {
  return over(staging, {
    openWindow: async (owner, range) => {
      const window = await staging.openWindow(owner, range)
      return over(window, {
        write: (table, schema, changes) => {
          return window.write(
            table,
            schema,
            mapped(changes, one => change(one, schema)),
          )
        },
      })
    },
  })
}

async function* mapped<T>(
  parts: AsyncIterable<readonly T[]>,
  change: (one: T) => T,
): AsyncGenerator<readonly T[]> {
  for await (const part of parts) yield part.map(change)
}
