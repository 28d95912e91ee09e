/** A fault to plant: how far tables are applied is not restored, so that older batches are applied beneath later ones. */
import type { Log } from '../../log/log.ts'
import { over } from './over.ts'

export function forgottenApplied(log: Log): Log {
  const read: Log['read'] = async (at, offset, maxBytes) => {
    const batch = await log.read(at, offset, maxBytes)
    return at.topic.endsWith('-applied') ? { ...batch, records: [] } : batch
  }
  return over(log, { read })
}
