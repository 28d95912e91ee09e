/**
 * Which streams a column has, and how many numbers of a row index belong to each: where its bytes go on
 * (one number, or two with a codec), and behind that what is to be skipped in the run that starts there.
 *
 * Source: ORC v1, "Row Group Index".
 */
import { corrupt } from './errors.ts'
import type { ColumnEncoding, StreamKind } from './stripe-messages.ts'
import type { OrcColumn } from './types.ts'

/** A stream and how many numbers follow those of its bytes. */
export type StreamLayout = readonly [kind: StreamKind, skips: number]

/** A position in one stream. */
export interface StreamPosition {
  readonly bytes: readonly number[]
  readonly skips: readonly number[]
}

export const streamStart: StreamPosition = { bytes: [], skips: [] }

const bits = 2
const run = 1

/** The streams that row indexes know, in their order; a dictionary's own streams are read from the start. */
export function streamLayout(
  { type }: OrcColumn,
  encoding: ColumnEncoding,
  hasPresent: boolean,
): readonly StreamLayout[] {
  const own = ownLayout(type.kind, encoding.kind.startsWith('DICTIONARY'))
  return hasPresent ? [['PRESENT', bits], ...own] : own
}

function ownLayout(kind: OrcColumn['type']['kind'], isDictionary: boolean): StreamLayout[] {
  switch (kind) {
    case 'boolean':
      return [['DATA', bits]]
    case 'byte':
    case 'short':
    case 'int':
    case 'long':
    case 'date':
    case 'union':
      return [['DATA', run]]
    case 'float':
    case 'double':
      return [['DATA', 0]]
    case 'string':
    case 'varchar':
    case 'char':
    case 'binary':
      return isDictionary
        ? [['DATA', run]]
        : [
            ['DATA', 0],
            ['LENGTH', run],
          ]
    case 'decimal':
      return [
        ['DATA', 0],
        ['SECONDARY', run],
      ]
    case 'timestamp':
    case 'timestamp_instant':
      return [
        ['DATA', run],
        ['SECONDARY', run],
      ]
    case 'list':
    case 'map':
      return [['LENGTH', run]]
    case 'struct':
      return []
  }
}

/** The numbers of a row group, by stream. */
export function splitPositions(
  layout: readonly StreamLayout[],
  positions: readonly number[],
  isCompressed: boolean,
  where: string,
): Map<StreamKind, StreamPosition> {
  const found = new Map<StreamKind, StreamPosition>()
  const byteNumbers = isCompressed ? 2 : 1
  let at = 0
  for (const [kind, skips] of layout) {
    const end = at + byteNumbers + skips
    if (end > positions.length) throw corrupt('a row group has too few positions', where)
    found.set(kind, {
      bytes: positions.slice(at, at + byteNumbers),
      skips: positions.slice(at + byteNumbers, end),
    })
    at = end
  }
  return found
}
