/** Decimals as text, in plain notation: the form that statistics have. */

/** `formatDecimal(-1050n, 2)` is `-10.50`. */
export function formatDecimal(unscaled: number | bigint, scale: number): string {
  const sign = unscaled < 0 ? '-' : ''
  const digits = String(unscaled)
    .slice(sign.length)
    .padStart(scale + 1, '0')
  if (scale === 0) return sign + digits
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** The reverse; null for text that is not a decimal in plain notation. */
export function parseDecimal(text: string): { unscaled: bigint; scale: number } | null {
  const match = /^(-?)(\d{1,76})(?:\.(\d{0,76}))?$/.exec(text)
  if (match === null) return null
  const [, sign, whole, fraction = ''] = match
  const magnitude = BigInt(`${whole}${fraction}`)
  return { unscaled: sign === '-' ? -magnitude : magnitude, scale: fraction.length }
}
