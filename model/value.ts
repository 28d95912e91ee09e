/**
 * Values of columns: their forms (see the table in `column-type.ts`), what a type can hold, and decimals
 * as unscaled integers.
 */
import type { ColumnType } from './column-type.ts'
import { columnTypeText } from './column-type.ts'
import { DecodeError } from './errors.ts'

export type Value = null | boolean | number | bigint | string | Uint8Array | readonly Value[]

/** A row by column name. A column that is absent was not sent: the table keeps what it has. */
export type Row = Readonly<Record<string, Value>>

/** The one form of an integer: a number when it is exact, else a bigint. */
export function toInteger(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
    ? Number(value)
    : value
}

const bounds: Readonly<Record<string, readonly [bigint, bigint]>> = {
  tinyint: [-(2n ** 7n), 2n ** 7n - 1n],
  smallint: [-(2n ** 15n), 2n ** 15n - 1n],
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  bigint: [-(2n ** 63n), 2n ** 63n - 1n],
  ubigint: [0n, 2n ** 64n - 1n],
}

/** The integer, when the type can hold it. Throws DecodeError `value-invalid`. */
export function checkInteger(type: ColumnType, value: number | bigint): number | bigint {
  const range = bounds[type.kind]!
  if (value < range[0] || value > range[1]) throw misfit(type, value)
  return value
}

/** The text, when the type has room for it: lengths count characters. Throws DecodeError `value-invalid`. */
export function checkText(type: ColumnType, text: string): string {
  const isLong = (type.kind === 'varchar' || type.kind === 'char') && text.length > type.length
  if (isLong && Array.from(text).length > type.length) throw misfit(type, text)
  return text
}

export function misfit(type: ColumnType, value: unknown): DecodeError {
  const text = typeof value === 'bigint' ? value.toString() : jsonOf(value)
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text
  return new DecodeError('value-invalid', `the value ${shown} is not a ${columnTypeText(type)}`)
}

/** For people: JSON has no bigints, and a message about one must not become another error. */
function jsonOf(value: unknown): string {
  try {
    const text = JSON.stringify(value, (_key, one: unknown) =>
      typeof one === 'bigint' ? String(one) : one,
    )
    return text ?? 'undefined'
  } catch {
    // JSON.parse reads what is nested deeper than JSON.stringify can write.
    return 'that is nested too deep to be shown'
  }
}

const powersOfTen = Array.from({ length: 39 }, (_, exponent) => 10n ** BigInt(exponent))

export function powerOfTen(exponent: number): bigint {
  return powersOfTen[exponent] ?? 10n ** BigInt(exponent)
}

/** An unscaled integer at another scale. Digits that do not fit the precision are an error. */
export function rescale(
  unscaled: number | bigint,
  fromScale: number,
  to: { precision: number; scale: number },
): number | bigint {
  if (fromScale === to.scale) return checkPrecision(unscaled, to)
  const big = BigInt(unscaled)
  if (to.scale > fromScale) {
    return checkPrecision(toInteger(big * powerOfTen(to.scale - fromScale)), to)
  }
  const divisor = powerOfTen(fromScale - to.scale)
  if (big % divisor !== 0n) {
    throw new DecodeError(
      'value-invalid',
      `${unscaledText(unscaled, fromScale)} has more than ${to.scale} digits after the point`,
    )
  }
  return checkPrecision(toInteger(big / divisor), to)
}

function checkPrecision(
  unscaled: number | bigint,
  to: { precision: number; scale: number },
): number | bigint {
  const limit = powerOfTen(to.precision)
  if (unscaled >= limit || unscaled <= -limit) {
    throw new DecodeError(
      'value-invalid',
      `${unscaledText(unscaled, to.scale)} has more than ${to.precision} digits`,
    )
  }
  return unscaled
}

/** Reads `-12.340` as an unscaled integer at the scale. Throws DecodeError `value-invalid`. */
export function parseDecimal(
  text: string,
  to: { precision: number; scale: number },
): number | bigint {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text.trim())
  const whole = match?.[2] ?? ''
  const fraction = match?.[3] ?? ''
  if (match === null || whole.length + fraction.length === 0) {
    throw misfit({ kind: 'decimal', ...to }, text)
  }
  const digits = BigInt(whole + fraction)
  const scale = fraction.length - Number(match[4] ?? 0)
  const signed = match[1] === '-' ? -digits : digits
  return scale >= 0
    ? rescale(toInteger(signed), scale, to)
    : rescale(toInteger(signed * powerOfTen(-scale)), 0, to)
}

/** `-150` at scale 2 is `-1.50`. */
export function unscaledText(unscaled: number | bigint, scale: number): string {
  if (scale === 0) return unscaled.toString()
  const negative = unscaled < 0
  const digits = (negative ? -BigInt(unscaled) : BigInt(unscaled)).toString()
  const padded = digits.padStart(scale + 1, '0')
  const text = `${padded.slice(0, -scale)}.${padded.slice(-scale)}`
  return negative ? `-${text}` : text
}
