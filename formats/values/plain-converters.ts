/** Converters that a schema of Connect's and a column of a database have in common. */
import type { Value } from '../../model/value.ts'
import { misfit } from '../../model/value.ts'
import type { Converter } from './converter.ts'

export function floatingConverter(kind: 'float' | 'double'): Converter {
  return {
    type: { kind },
    convert: json => {
      if (typeof json === 'number' || typeof json === 'bigint') return Number(json)
      // JSON has no NaN or infinity: the converter writes them as text.
      if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json)
      throw misfit({ kind }, json)
    },
  }
}

/** A list of what the converter reads, or null. */
export function listConverter(element: Converter): Converter {
  const type = { kind: 'array', element: element.type } as const
  return {
    type,
    convert: json => {
      if (!Array.isArray(json)) throw misfit(type, json)
      return json.map((item: unknown): Value => (item === null ? null : element.convert(item)))
    },
  }
}
