/**
 * Protocol Buffers as fields without meaning, so that tests can change, drop and repeat them where
 * the reader's own decoder, which knows the messages, could not.
 */
const varintWire = 0
const fixed64Wire = 1
const bytesWire = 2
const fixed32Wire = 5

export interface Field {
  readonly number: number
  readonly wire: number
  /** A bigint for a varint, else the bytes. */
  readonly value: bigint | Uint8Array
}

/** Null when the bytes are not a message, which may be told by chance only. */
export function parseFields(bytes: Uint8Array): Field[] | null {
  const fields: Field[] = []
  let at = 0
  const varint = (): bigint | null => {
    let value = 0n
    for (let shift = 0n; shift < 70n && at < bytes.length; shift += 7n) {
      const byte = bytes[at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    return null
  }
  while (at < bytes.length) {
    const tag = varint()
    if (tag === null || tag < 8n || tag > 2n ** 32n) return null
    const wire = Number(tag & 7n)
    let value: bigint | Uint8Array | null = null
    if (wire === varintWire) {
      value = varint()
    } else {
      const length =
        wire === fixed64Wire ? 8n : wire === fixed32Wire ? 4n : wire === bytesWire ? varint() : null
      if (length === null || length > bytes.length - at) return null
      value = bytes.subarray(at, at + Number(length))
      at += value.length
    }
    if (value === null) return null
    fields.push({ number: Number(tag >> 3n), wire, value })
  }
  return fields
}

export function encodeFields(fields: readonly Field[]): Uint8Array {
  const pieces = fields.flatMap(({ number, wire, value }) => {
    const tag = encodeVarint(BigInt(number * 8 + wire))
    if (typeof value === 'bigint') return [tag, encodeVarint(value)]
    return wire === bytesWire ? [tag, encodeVarint(BigInt(value.length)), value] : [tag, value]
  })
  return Buffer.concat(pieces)
}

/** The fields with numbers in the place of those of the same name, which every one must have. */
export function withNumbers(
  fields: readonly Field[],
  numbers: Readonly<Record<number, number>>,
): Field[] {
  const kept = fields.filter(field => !(field.number in numbers))
  const set = Object.entries(numbers).map(([number, value]) => ({
    number: Number(number),
    wire: varintWire,
    value: BigInt(value),
  }))
  return [...set, ...kept]
}

function encodeVarint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let left = value
  while (left >= 0x80n) {
    bytes.push(Number(left & 0x7fn) | 0x80)
    left >>= 7n
  }
  return Uint8Array.of(...bytes, Number(left))
}
