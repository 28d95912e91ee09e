/**
 * Settings of a Debezium connector that its messages do not tell, by its names, with the values that it
 * knows. Null: any text. Debezium takes its values in any case; here they have one form.
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
} as const satisfies Readonly<Record<string, readonly string[] | null>>
