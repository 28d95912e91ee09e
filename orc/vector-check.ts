/** Whether a vector is one that its column can be written from: checked before any of it is taken. */
import { OrcError } from './errors.ts'
import type { OrcColumn } from './types.ts'
import {
  type BytesVector,
  type ListVector,
  type MapVector,
  type OrcVector,
  type StructVector,
  type UnionVector,
  vectorKindOf,
} from './vectors.ts'
import { maxInt64 } from './zigzag.ts'

/** Throws `value-invalid`. `slots` is how many the vector must have at least. */
export function checkVector(column: OrcColumn, vector: OrcVector | undefined, slots: number): void {
  const problem = vectorProblem(column, vector, slots)
  if (problem === null) return
  throw new OrcError('value-invalid', problem, `column ${column.path}, ${column.type.kind}`)
}

function vectorProblem(
  column: OrcColumn,
  vector: OrcVector | undefined,
  slots: number,
): string | null {
  const kind = vectorKindOf(column.type)
  if (vector?.kind !== kind) return `a vector of ${vector?.kind} is not one of ${kind}`
  const wrong = wrongArray(vector)
  if (wrong !== null) return wrong
  const { present } = vector
  if (present !== null && present.length < slots) return `\`present\` has fewer than ${slots} slots`
  if (present !== null && !areBits(present, slots)) return '`present` has other than 0 and 1'
  const isValue = (slot: number): boolean => present === null || present[slot] === 1
  switch (vector.kind) {
    case 'boolean':
      if (vector.values.length >= slots && areBits(vector.values, slots)) return null
      return eachValid(vector.values, slots, isValue, value => value <= 1, '0 or 1')
    case 'integer':
      return checkIntegers(column, vector.values, slots, isValue)
    case 'long':
      if (vector.values instanceof BigInt64Array) return hasRoom(vector.values, slots)
      if (areIntegersWithin(vector.values, slots, Number.MAX_SAFE_INTEGER)) return null
      return eachValid(vector.values, slots, isValue, Number.isSafeInteger, 'a safe integer')
    case 'double':
      return hasRoom(vector.values, slots)
    case 'decimal': {
      const { precision } = column.type as { precision: number }
      const limit = 10n ** BigInt(precision)
      const most = Number(limit)
      const greatest = Math.min(most - 1, Number.MAX_SAFE_INTEGER)
      if (areIntegersWithin(vector.values, slots, greatest)) return null
      const isWithin = (value: number | bigint): boolean =>
        typeof value === 'number'
          ? Number.isSafeInteger(value) && Math.abs(value) < most
          : value < limit && value > -limit
      const expected = 'an unscaled integer within the precision'
      return eachValid<number | bigint>(vector.values, slots, isValue, isWithin, expected)
    }
    case 'bytes':
      return checkBytes(vector, slots, isValue)
    case 'timestamp': {
      const areSeconds = areIntegersWithin(vector.seconds, slots, maxSeconds)
      if (areSeconds && areNanos(vector.nanos, slots)) return null
      const isTime = (value: number): boolean =>
        Number.isInteger(value) && Math.abs(value) <= maxSeconds
      return (
        eachValid(vector.seconds, slots, isValue, isTime, 'whole seconds of 292,000 years') ??
        eachValid(vector.nanos, slots, isValue, value => value >= 0 && value < 1e9, 'nanoseconds')
      )
    }
    default:
      return compoundProblem(column, vector, slots, isValue)
  }
}

const arrays: Readonly<Record<OrcVector['kind'], Readonly<Record<string, readonly ArrayClass[]>>>> =
  {
    boolean: { values: [Uint8Array] },
    integer: { values: [Int32Array] },
    long: { values: [Float64Array, BigInt64Array] },
    double: { values: [Float64Array] },
    decimal: { values: [Float64Array, BigInt64Array, Array] },
    bytes: { bytes: [Uint8Array], starts: [Int32Array], lengths: [Int32Array] },
    timestamp: { seconds: [Float64Array], nanos: [Int32Array] },
    list: { offsets: [Int32Array] },
    map: { offsets: [Int32Array] },
    struct: { fields: [Array] },
    union: { tags: [Uint8Array], variants: [Array] },
  }

type ArrayClass = abstract new (...args: never[]) => object

/** Of callers whose types were not checked: other arrays would be refused in the middle of a batch. */
function wrongArray(vector: OrcVector): string | null {
  const fields = vector as unknown as Readonly<Record<string, unknown>>
  if (vector.present !== null && !(vector.present instanceof Uint8Array)) {
    return '`present` is neither null nor a Uint8Array'
  }
  for (const [name, classes] of Object.entries(arrays[vector.kind])) {
    if (classes.some(one => fields[name] instanceof one)) continue
    return `\`${name}\` is no ${classes.map(one => one.name).join(' or ')}`
  }
  return null
}

/** Their children are checked too, and throw. */
function compoundProblem(
  { children }: OrcColumn,
  vector: StructVector | ListVector | MapVector | UnionVector,
  slots: number,
  isValue: (slot: number) => boolean,
): string | null {
  switch (vector.kind) {
    case 'struct':
      if (vector.fields.length !== children.length) return `there are not ${children.length} fields`
      children.forEach((child, place) => {
        checkVector(child, vector.fields[place], slots)
      })
      return null
    case 'list':
    case 'map': {
      const parts = vector.kind === 'list' ? [vector.elements] : [vector.keys, vector.items]
      const problem = checkOffsets(vector.offsets, slots, isValue)
      if (problem !== null) return problem
      children.forEach((child, place) => {
        checkVector(child, parts[place], vector.offsets[slots]!)
      })
      return null
    }
    case 'union': {
      const counts = new Int32Array(256)
      for (let slot = 0; slot < slots; slot++) if (isValue(slot)) counts[vector.tags[slot]!]!++
      const known = eachValid(
        vector.tags,
        slots,
        isValue,
        tag => tag < children.length,
        'a variant',
      )
      if (known !== null) return known
      children.forEach((child, tag) => {
        checkVector(child, vector.variants[tag], counts[tag]!)
      })
      return null
    }
  }
}

/**
 * The checks of all slots, nulls among them, that most vectors pass: loops without a call for each value.
 * Only where one fails the slots are looked at one by one.
 */
function areBits(values: Uint8Array, slots: number): boolean {
  let all = 0
  for (let slot = 0; slot < slots; slot++) all |= values[slot]!
  return all <= 1
}

function areIntegersWithin(
  values: ArrayLike<number | bigint>,
  slots: number,
  greatest: number,
): boolean {
  if (!(values instanceof Float64Array) || values.length < slots) return false
  for (let slot = 0; slot < slots; slot++) {
    const value = values[slot]!
    if (!(value <= greatest && value >= -greatest) || Math.floor(value) !== value) return false
  }
  return true
}

function areNanos(values: Int32Array, slots: number): boolean {
  if (values.length < slots) return false
  for (let slot = 0; slot < slots; slot++) if (values[slot]! >>> 0 >= 1e9) return false
  return true
}

/** As many microseconds fit an int64. */
const maxSeconds = Number(maxInt64 / 1_000_000n)

function hasRoom(values: ArrayLike<unknown>, slots: number): string | null {
  return values.length < slots ? `there are ${values.length} values for ${slots} slots` : null
}

function eachValid<T extends number | bigint>(
  values: ArrayLike<T>,
  slots: number,
  isValue: (slot: number) => boolean,
  isValid: (value: T) => boolean,
  expected: string,
): string | null {
  const problem = hasRoom(values, slots)
  if (problem !== null) return problem
  for (let slot = 0; slot < slots; slot++) {
    if (isValid(values[slot]!) || !isValue(slot)) continue
    return `slot ${slot}: ${values[slot]} is not ${expected}`
  }
  return null
}

function checkIntegers(
  { type }: OrcColumn,
  values: Int32Array,
  slots: number,
  isValue: (slot: number) => boolean,
): string | null {
  if (type.kind !== 'byte' && type.kind !== 'short') return hasRoom(values, slots)
  const limit = type.kind === 'byte' ? 2 ** 7 : 2 ** 15
  const isWithin = (value: number): boolean => value >= -limit && value < limit
  return eachValid(values, slots, isValue, isWithin, 'an integer in range')
}

function checkBytes(
  { bytes, starts, lengths }: BytesVector,
  slots: number,
  isValue: (slot: number) => boolean,
): string | null {
  const problem = hasRoom(starts, slots) ?? hasRoom(lengths, slots)
  if (problem !== null) return problem
  const most = bytes.length
  for (let slot = 0; slot < slots; slot++) {
    const start = starts[slot]!
    const length = lengths[slot]!
    if (start >= 0 && length >= 0 && start + length <= most) continue
    if (isValue(slot)) return `slot ${slot}: ${length} bytes from ${start} on of ${most}`
  }
  return null
}

function checkOffsets(
  offsets: Int32Array,
  slots: number,
  isValue: (slot: number) => boolean,
): string | null {
  const problem = hasRoom(offsets, slots + 1)
  if (problem !== null) return problem
  if (offsets[0]! < 0) return 'the first offset is less than 0'
  for (let slot = 0; slot < slots; slot++) {
    const length = offsets[slot + 1]! - offsets[slot]!
    if (length < 0) return `slot ${slot}: its elements end before they begin`
    if (length > 0 && !isValue(slot)) return `slot ${slot}: a null has elements`
  }
  return null
}
