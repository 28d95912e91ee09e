/**
 * Values of one type of Hive read as another: what `CHANGE COLUMN` makes of rows that are there, and a
 * statement of what it writes. As Hive 4.0.1 does it (`docs/hive.md`): it also makes decimals narrower, and what has no
 * room is null, or rounded.
 */
import { assert } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import { powerOfTen, toInteger } from '../../model/value.ts'

const integerBits: Readonly<Record<string, number>> = {
  tinyint: 8,
  smallint: 16,
  int: 32,
  bigint: 64,
}

interface Decimal {
  readonly precision: number
  readonly scale: number
}

export function converted(value: Value, from: string, to: string): Value {
  if (value === null || from === to) return value
  const [own, wanted] = [decimalOf(from), decimalOf(to)]
  if (wanted !== null) return rescaled(BigInt(value as number | bigint), own?.scale ?? 0, wanted)
  const bits = integerBits[to]
  if (bits !== undefined && integerBits[from] !== undefined) {
    const whole = BigInt(value as number | bigint)
    return BigInt.asIntN(bits, whole) === whole ? value : null
  }
  if (from === 'float' && to === 'double') return value
  if (from === 'double' && to === 'float') return Math.fround(value as number)
  assert(false, `the simulated Hive makes no ${to} of a ${from}`)
}

/** Whether `CHANGE COLUMN` does it (`hive.metastore.disallow.incompatible.col.type.changes`). */
export function canBeChanged(from: string, to: string): boolean {
  if (from === to || (decimalOf(from) !== null && decimalOf(to) !== null)) return true
  const [own, wanted] = [integerBits[from], integerBits[to]]
  if (own !== undefined) return decimalOf(to) !== null || (wanted !== undefined && wanted >= own)
  return from === 'float' && to === 'double'
}

function decimalOf(type: string): Decimal | null {
  const match = /^decimal\((\d+),(\d+)\)$/.exec(type)
  return match === null ? null : { precision: Number(match[1]), scale: Number(match[2]) }
}

/** Unscaled: digits behind the point that have no place are rounded, half up; others make it null. */
function rescaled(unscaled: bigint, scale: number, to: Decimal): Value {
  const more = to.scale - scale
  const cut = powerOfTen(Math.max(0, -more))
  const sign = unscaled < 0n ? -1n : 1n
  const rounded = (unscaled * powerOfTen(Math.max(0, more)) + (sign * cut) / 2n) / cut
  const limit = powerOfTen(to.precision)
  return rounded >= limit || rounded <= -limit ? null : toInteger(rounded)
}
