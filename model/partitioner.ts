/** Which partition a key goes to: murmur2 as Kafka's producers compute it, over table and key. */

/** 0 to `partitions` − 1, the same for the same table and canonical key bytes for ever. */
export function partitionOfKey(table: string, key: string, partitions: number): number {
  if (partitions === 1) return 0
  const length = table.length + 1 + key.length
  if (scratch.length < length) scratch = Buffer.alloc(length * 2)
  copyChars(table, 0)
  scratch[table.length] = 0
  copyChars(key, table.length + 1)
  return (murmur2(scratch, length) & 0x7fff_ffff) % partitions
}

/** Every change passes here: a buffer each would cost more than its hash. */
let scratch: Uint8Array = Buffer.alloc(256)

/** One byte a char. */
function copyChars(text: string, start: number): void {
  for (let index = 0; index < text.length; index += 1) {
    scratch[start + index] = text.charCodeAt(index)
  }
}

/** As Kafka's default partitioner places a record that has a key. */
export function partitionOfBytes(bytes: Uint8Array, partitions: number): number {
  return (murmur2(bytes) & 0x7fff_ffff) % partitions
}

const multiplier = 0x5bd1_e995

/** Austin Appleby's MurmurHash2 with Kafka's seed; a signed 32-bit number. */
export function murmur2(bytes: Uint8Array, length = bytes.length): number {
  let hash = 0x9747_b28c ^ length
  let index = 0
  for (; index + 4 <= length; index += 4) {
    let word =
      bytes[index]! |
      (bytes[index + 1]! << 8) |
      (bytes[index + 2]! << 16) |
      (bytes[index + 3]! << 24)
    word = Math.imul(word, multiplier)
    word ^= word >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier)
  }
  const rest = length - index
  if (rest >= 3) hash ^= bytes[index + 2]! << 16
  if (rest >= 2) hash ^= bytes[index + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[index]!, multiplier)
  hash ^= hash >>> 13
  hash = Math.imul(hash, multiplier)
  return hash ^ (hash >>> 15)
}
