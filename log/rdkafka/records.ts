/** Records of librdkafka as those of the log. */
import type { LogHeader, LogRecord } from '../../model/change-event.ts'
import type { Message } from './library.ts'

const noHeaders: readonly LogHeader[] = []

export function toLogRecord({ timestamp, headers, ...message }: Message): LogRecord {
  const { topic, partition, offset, key, value } = message
  const timestampMs = timestamp
  return { topic, partition, offset, timestampMs, key, value, headers: toHeaders(headers) }
}

function toHeaders(headers: Message['headers']): readonly LogHeader[] {
  if (headers === undefined) return noHeaders
  return headers.flatMap(header => Object.entries(header).map(([key, value]) => ({ key, value })))
}
