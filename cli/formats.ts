/** The formats that a configuration can name. A new one gets a line here. */
import { auto } from '../formats/auto.ts'
import type { SchemaRegistry } from '../formats/avro/schema-registry.ts'
import { emptyRegistry } from '../formats/avro/schema-registry.ts'
import { canalJson } from '../formats/canal/canal-json.ts'
import { canalRows } from '../formats/canal/canal-rows.ts'
import { debeziumAvro } from '../formats/debezium/debezium-avro.ts'
import { debeziumFlat } from '../formats/debezium/debezium-flat.ts'
import { debeziumJson } from '../formats/debezium/debezium-json.ts'
import type { Format } from '../formats/decoder.ts'
import { maxwellJson } from '../formats/maxwell/maxwell-json.ts'

/** What some formats need beside the messages. */
export interface FormatParts {
  /** Null where none is configured; the formats that `needRegistry` have one. */
  readonly registry: SchemaRegistry | null
}

export const formats = {
  'debezium-json': () => debeziumJson(),
  'debezium-avro': ({ registry }) => debeziumAvro({ registry: registry ?? emptyRegistry }),
  'debezium-flat': () => debeziumFlat(),
  'canal-json': () => canalJson(),
  'canal-rows': () => canalRows(),
  'maxwell-json': () => maxwellJson(),
  auto: ({ registry }) => auto({ registry }),
} as const satisfies Readonly<Record<string, (parts: FormatParts) => Format>>

export type FormatName = keyof typeof formats

export const formatNames = Object.keys(formats) as FormatName[]

/** Formats whose messages name schemas that a registry has. */
export const needRegistry: readonly FormatName[] = ['debezium-avro']

/** Formats that make use of a registry where there is one. */
export const takeRegistry: readonly FormatName[] = [...needRegistry, 'auto']
