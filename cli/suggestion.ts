/** The name that was probably meant. */
import { closest, distance } from 'fastest-levenshtein'

/** `; did you mean "x"?`, or all that is known when none is near. */
export function suggestion(name: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const near = nearest(name, known)
  return near === null ? `; known are ${known.join(', ')}` : `; did you mean "${near}"?`
}

/** Null when none is near. */
export function nearest(name: string, known: readonly string[]): string | null {
  if (known.length === 0) return null
  const found = closest(name, [...known])
  const isNear = distance(name.toLowerCase(), found.toLowerCase()) <= Math.max(2, name.length / 2)
  return isNear ? found : null
}
