/** Reads the recorded events: one JSON line for each Kafka record, plain or compressed. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { RecordedLine } from './naive-fold.ts'

export function readRecordedLines(path: string): RecordedLine[] {
  const bytes = readFileSync(path)
  const text = path.endsWith('.gz') ? gunzipSync(bytes).toString('utf8') : bytes.toString('utf8')
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as RecordedLine)
}
