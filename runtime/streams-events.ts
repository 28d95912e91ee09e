/** What a running application tells: `streams.events` is an Observable of these. */

import type { ApplyReceipt, OffsetRange, StagedBatch } from '../model/staged-batch.ts'
import type { CloseReason } from '../processors/compact.ts'

export type StreamsEvent =
  | { readonly type: 'state'; readonly state: StreamsState }
  | {
      readonly type: 'progress'
      /** Source records read, and how many there are; null when there is no end. */
      readonly recordsRead: number
      readonly recordsTotal: number | null
    }
  | {
      readonly type: 'window-closed'
      readonly task: string
      readonly range: OffsetRange
      readonly reason: CloseReason
      readonly events: number
      readonly netChanges: number
    }
  | { readonly type: 'batch-staged'; readonly batch: StagedBatch }
  | {
      readonly type: 'batch-applied'
      readonly table: string
      readonly batches: number
      readonly through: number
      readonly receipt: ApplyReceipt
    }
  | {
      readonly type: 'repeats-dropped'
      readonly task: string
      readonly count: number
      readonly from: string
      readonly to: string
    }

/** As in Kafka Streams. */
export type StreamsState = 'created' | 'running' | 'rebalancing' | 'stopping' | 'stopped' | 'error'
