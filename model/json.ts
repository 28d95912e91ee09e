/**
 * JSON that keeps bigints, bytes and every double, for internal records and the embedded warehouse's
 * commits: `{"$int": "18446744073709551615"}`, `{"$bytes": "AP8="}`, `{"$double": "NaN"}`.
 */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, replacer, indent)
}

export function fromJson(text: string): unknown {
  return JSON.parse(text, reviver)
}

function replacer(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { $int: value.toString() }
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return { $double: Object.is(value, -0) ? '-0' : String(value) }
  }
  // Buffer.toJSON has run already: look at the holder for the value as it was.
  const original = (this as Record<string, unknown>)[key]
  if (original instanceof Uint8Array) return { $bytes: Buffer.from(original).toString('base64') }
  return value
}

function reviver(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('$int' in value) return BigInt(String(value.$int))
  if ('$double' in value) return Number(value.$double)
  if ('$bytes' in value) return Buffer.from(String(value.$bytes), 'base64')
  return value
}
