/** The formats that a configuration can name. A new one gets a line here. */
import { debeziumJson } from '../formats/debezium-json.ts'
import type { Format } from '../formats/decoder.ts'

export const formats = {
  'debezium-json': debeziumJson,
} as const satisfies Readonly<Record<string, () => Format>>

export type FormatName = keyof typeof formats

export const formatNames = Object.keys(formats) as FormatName[]
