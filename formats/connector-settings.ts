/**
 * Settings of the tool that writes the messages which they do not tell, by its names: Debezium's connectors
 * and their transforms, the JVM of canal, Maxwell. With the values that it knows; null: any text. Debezium
 * takes its values in any case; here they have one form.
 */
export const connectorSettings = {
  'decimal.handling.mode': ['precise', 'string', 'double'],
  'time.precision.mode': [
    'adaptive',
    'adaptive_time_microseconds',
    'connect',
    'isostring',
    'microseconds',
    'nanoseconds',
    'structured',
  ],
  'bigint.unsigned.handling.mode': ['long', 'precise'],
  'interval.handling.mode': ['numeric', 'string'],
  'hstore.handling.mode': ['json', 'map'],
  'binary.handling.mode': ['bytes', 'base64', 'base64-url-safe', 'hex'],
  'unavailable.value.placeholder': null,
  'include.schema.changes': ['true', 'false'],
  'add.fields': null,
  'add.fields.prefix': null,
  'user.timezone': null,
  ddl_kafka_topic: null,
  output_nulls: ['true', 'false'],
} as const satisfies Readonly<Record<string, readonly string[] | null>>

/** By Debezium's names. A setting that is absent is inferred from the values where that is safe. */
export type ConnectorSettings = Readonly<Record<string, string>>
