/** What a decoder made of a record, as text: two decoders that agree give the same. */
import type { Decoded, Decoder } from '../../formats/decoder.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { plainEvent } from '../../model/encoded-event.ts'
import { ForagerError } from '../../model/errors.ts'
import { toJson } from '../../model/json.ts'
import { netChangeValues } from '../../model/net-change.ts'
import { keyEvent } from '../../processors/key-events.ts'

export function decodedBy(decoder: Decoder, record: LogRecord): Decoded | Error {
  try {
    return decoder.decode(record)
  } catch (error) {
    return error as Error
  }
}

/** All that a record became, with what the hop would carry. */
export function textOf(decoded: Decoded | Error): string {
  if (decoded instanceof Error) {
    return decoded instanceof ForagerError ? decoded.describe() : String(decoded)
  }
  if (decoded.kind !== 'changes') return toJson(decoded)
  const events = decoded.events.map(event => {
    const change = event.op === 't' || event.key === null ? null : keyEvent(event, null)
    const keyed = change === null ? null : [change.kind, change.key, netChangeValues(change)]
    return [Object.entries(plainEvent(event)).sort(([a], [b]) => (a < b ? -1 : 1)), keyed]
  })
  return toJson([events, decoded.isKeyOrdered])
}
