/** Faults of a decoder: what becomes of the events that the real one makes. */
import type { Decoder, DecoderOptions, Format } from '../../formats/decoder.ts'
import type { ChangeEvent } from '../../model/change-event.ts'
import { over } from './over.ts'

export function overEvents(format: Format, change: (event: ChangeEvent) => ChangeEvent): Format {
  return overDecoder(format, options => {
    const decoder = format.createDecoder(options)
    const decode: Decoder['decode'] = record => {
      const decoded = decoder.decode(record)
      if (decoded.kind !== 'changes') return decoded
      return { ...decoded, events: decoded.events.map(change) }
    }
    return over(decoder, { decode })
  })
}

export function overDecoder(
  format: Format,
  createDecoder: (options: DecoderOptions) => Decoder,
): Format {
  return over(format, { createDecoder })
}
