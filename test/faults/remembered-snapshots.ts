/** A fault to plant: the position of a snapshot's row is remembered as that of a streamed change is. */
import type { Format } from '../../formats/decoder.ts'
import type { ChangeEvent } from '../../model/change-event.ts'
import { plainEvent } from '../../model/encoded-event.ts'
import { overEvents } from './over-format.ts'

export function rememberedSnapshots(format: Format): Format {
  return overEvents(format, (event): ChangeEvent => {
    const { position } = event
    if (position?.isSnapshot !== true) return event
    const streamed = { ...position, isSnapshot: false }
    return { ...plainEvent(event), snapshot: 'no', position: streamed }
  })
}
