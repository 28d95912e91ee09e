/** A fault to plant: what stands in `before` is taken for the row as it was, whatever the source's identity is. */
import type { Format } from '../../formats/decoder.ts'
import { overDecoder } from './over-format.ts'

export function trustedBefore(format: Format): Format {
  return overDecoder(format, options => {
    return format.createDecoder({
      ...options,
      hintsOf: table => {
        const hints = options.hintsOf(table)
        return hints === null ? null : { ...hints, beforeImage: 'full' }
      },
    })
  })
}
