/** Windows, what goes into them and what comes out. */
import type { HopFrame } from '../../model/hop-frame.ts'
import { decodeHopFrame, HopFrameWriter } from '../../model/hop-frame.ts'
import type { NetChange } from '../../model/net-change.ts'
import { netChangeValues } from '../../model/net-change.ts'
import type { Target } from '../../model/partition-by.ts'
import type { TruncateMarker } from '../../model/staged-batch.ts'
import { CounterRegistry } from '../../observe/metrics.ts'
import { OpenWindow } from '../../processors/compact.ts'
import { inMemory } from '../../state/memory-store.ts'
import type { StateStoreSupplier } from '../../state/state-store.ts'

const target = (table: string): Target => ({ table, partitionBy: null })

/** As it comes through the hop. */
export function frameOf(changes: readonly (readonly [string, NetChange])[]): HopFrame {
  const writer = new HopFrameWriter('shop', 0)
  for (const [table, change] of changes) {
    writer.add({ target: target(table), change, offset: 0 })
  }
  return decodeHopFrame(writer.take())
}

export const markerOf = (parts: Partial<TruncateMarker> = {}): TruncateMarker => ({
  topic: 'shop',
  partition: 0,
  offset: 9,
  partitions: 2,
  isOrdered: true,
  point: null,
  ...parts,
})

export const truncateOf = (table: string, marker: TruncateMarker): HopFrame => ({
  kind: 'truncate',
  target: target(table),
  marker,
})

export async function openWindow(from = 0, supplier: StateStoreSupplier = inMemory(), folder = '') {
  const metrics = new CounterRegistry()
  const store = await supplier.open(folder)
  return { window: new OpenWindow(store, metrics, from), metrics, store }
}

export interface Closed {
  readonly table: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly [string, string, unknown])[]
  readonly truncate: number | null
  readonly eventCount: number
  readonly sourceMs: { readonly first: number; readonly last: number }
}

/** What the window hands out when it closes. */
export async function closed(window: OpenWindow): Promise<Closed[]> {
  const parts: Closed[] = []
  for await (const {
    target: of,
    schema,
    truncate,
    eventCount,
    sourceMs,
    changes,
  } of window.close()) {
    const rows: [string, string, unknown][] = []
    for await (const some of changes) {
      for (const change of some) rows.push([change.key, change.kind, netChangeValues(change)])
    }
    parts.push({
      table: of.table,
      columns: schema.columns.map(({ name }) => name),
      rows,
      truncate: truncate?.offset ?? null,
      eventCount,
      sourceMs,
    })
  }
  return parts
}
