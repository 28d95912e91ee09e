/**
 * Settings of a connector that its messages do not tell, by its names (Debezium's, or those of the JVM in
 * which another tool runs), with the values that it knows. Null: any text. Debezium takes its values in any
 * case; here they have one form.
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
  ],
  'binary.handling.mode': ['bytes', 'base64', 'base64-url-safe', 'hex'],
  'unavailable.value.placeholder': null,
  'user.timezone': null,
} as const satisfies Readonly<Record<string, readonly string[] | null>>
