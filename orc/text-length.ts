/** The lengths of varchar and char, which count code points. */
import type { OrcType } from './types.ts'

/** Cuts to the length of varchar and char, and pads to that of char. */
export function fitText(type: OrcType, text: string): string {
  if (type.kind === 'varchar') return cutText(text, type.length)
  if (type.kind !== 'char') return text
  // Predicates compare with padded text, so statistics and values have to be padded as well.
  const cut = cutText(text, type.length)
  return cut + ' '.repeat(type.length - countCodePoints(cut))
}

function cutText(text: string, maxCodePoints: number): string {
  if (text.length <= maxCodePoints) return text
  let at = 0
  for (let count = 0; count < maxCodePoints && at < text.length; count++) {
    at += text.codePointAt(at)! > 0xffff ? 2 : 1
  }
  return text.slice(0, at)
}

function countCodePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}
