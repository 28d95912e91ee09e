/** Whether two values of ORC are the same, and else where they differ. */
import { inspect } from 'node:util'
import type { OrcUnionValue, OrcValue } from '../../orc/index.ts'

/** Null when two values are the same (NaN with NaN, 0 apart from −0), else where they differ. */
export function difference(actual: OrcValue, expected: OrcValue, path = ''): string | null {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (actual.length !== expected.length)
      return `${path}: ${actual.length} items, not ${expected.length}`
    for (let k = 0; k < expected.length; k++) {
      const found = difference(actual[k]!, expected[k]!, `${path}[${k}]`)
      if (found !== null) return found
    }
    return null
  }
  if (expected instanceof Map && actual instanceof Map) {
    return difference([...actual].flat(), [...expected].flat(), `${path} map`)
  }
  if (expected instanceof Uint8Array && actual instanceof Uint8Array) {
    const isSame = Buffer.from(actual).equals(expected)
    return isSame ? null : `${path}: bytes ${actual.join()}, not ${expected.join()}`
  }
  if (isUnionValue(expected) && isUnionValue(actual)) {
    return difference([actual.tag, actual.value], [expected.tag, expected.value], `${path} union`)
  }
  return Object.is(actual, expected)
    ? null
    : `${path}: ${inspect(actual)}, not ${inspect(expected)}`
}

function isUnionValue(value: OrcValue): value is OrcUnionValue {
  return typeof value === 'object' && value !== null && 'tag' in value
}
