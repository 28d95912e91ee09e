/** From an event at the end of its chain to what travels through the hop. */
import type { TopicInfo } from '../log/log.ts'
import type { ChangeEvent } from '../model/change-event.ts'
import type { HopChange } from '../model/hop-frame.ts'
import type { TruncateMarker } from '../model/staged-batch.ts'
import { changedKeyOf, keyEvent } from '../processors/key-events.ts'
import type { WarehouseSink } from '../sinks/warehouse.ts'
import { partialUnordered, truncateUnordered } from './source-errors.ts'

/** Throws ProcessingError, `partial-row-unordered` where changes are ordered by position. */
export function hopChangeOf(
  event: ChangeEvent,
  sink: WarehouseSink,
  isByPosition: boolean,
): HopChange {
  const target = sink.targetOf(event.table)
  const change = keyEvent(event, target.partitionBy)
  if (isByPosition && change.kind === 'patch') throw partialUnordered(event)
  const { origin, position, snapshot } = event
  const isIncremental = snapshot === 'incremental'
  const hopChange = { target, change, offset: origin.offset, position, isIncremental }
  // By position no row is partial: neither half needs the other.
  const changedKey = isByPosition ? null : changedKeyOf(event, change)
  return changedKey === null ? hopChange : { ...hopChange, changedKey }
}

/** Throws ProcessingError `truncate-unordered`. `partitions` are the hop's. */
export function truncateMarker(
  event: ChangeEvent,
  {
    isOrdered,
    partitions,
    source,
    isRefused,
  }: Required<Pick<TruncateMarker, 'isOrdered' | 'partitions' | 'isRefused'>> & {
    readonly source: TopicInfo
  },
): TruncateMarker {
  const { position, sourceMs, origin } = event
  if (!isOrdered && position === null) throw truncateUnordered(event, source.partitions)
  const point = position === null ? null : { position, sourceMs }
  return { ...origin, partitions, isOrdered, point, ...(isRefused ? { isRefused } : {}) }
}
