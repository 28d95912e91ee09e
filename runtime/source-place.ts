/** Where a source task begins, and what it keeps beside its offset. */
import type { Log, TopicPartition } from '../log/log.ts'
import { partitionName } from '../log/log.ts'
import type { StartPosition } from '../topology/nodes.ts'

/** Of a partition that was never read before. */
export async function beginningOf(
  log: Log,
  input: TopicPartition,
  { at, offsets }: StartPosition,
): Promise<number> {
  const stated = offsets.get(partitionName(input))
  if (stated !== undefined) return stated
  if (typeof at === 'object') return await log.offsetOfTime(input, at.timeMs)
  const { start, end } = await log.offsets(input)
  return at === 'earliest' ? start : end
}

export interface SourceState {
  readonly repeats: string
  readonly decoder: string
  readonly doubtful: readonly string[]
}

/** See `RepeatFilter.save`, `Decoder.memory`, `DoubtfulTables.save`. */
export function sourceStateText({ repeats, decoder, doubtful }: SourceState): string {
  return JSON.stringify([repeats, decoder, doubtful])
}

export function parseSourceState(text: string): SourceState {
  type Parts = readonly [string?, string?, (readonly string[])?]
  const [repeats = '', decoder = '', doubtful = []] = JSON.parse(text || '[]') as Parts
  return { repeats, decoder, doubtful }
}
