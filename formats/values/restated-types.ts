/**
 * A stated type (`columns.types`) of a column whose own type the source tells as well: the source's type
 * says how the value is written, the stated one as what it is kept.
 */
import type { ColumnType } from '../../model/column-type.ts'
import { isSameType, isText } from '../../model/column-type.ts'
import type { StatedType } from '../../model/stated-type.ts'
import { columnTypeOf } from '../../model/stated-type.ts'
import type { Value } from '../../model/value.ts'
import { checkInteger, parseDecimal } from '../../model/value.ts'
import { plainText } from '../../model/value-text.ts'
import type { ConnectorSettings } from '../connector-settings.ts'
import type { Converter } from './converter.ts'
import { statedConverter } from './stated-types.ts'

interface Options {
  readonly isUnsignedLong: boolean
  readonly settings?: ConnectorSettings
}

/** `own` is how the source's type is read. */
export function restatedConverter(own: Converter, stated: StatedType, options: Options): Converter {
  const type = columnTypeOf(stated)
  if (stated.kind === 'fail') return statedConverter(stated, options)
  if (own.plain === 'text') {
    // Text is a number's digits and never its bytes.
    const settings = { ...options.settings, 'decimal.handling.mode': 'string' }
    return statedConverter(stated, { ...options, settings })
  }
  if (isSameType(own.type, type)) return own
  if (!isReadByOwn(own.type, type)) return statedConverter(stated, options)
  return {
    type,
    convert: json => {
      const value = own.convert(json)
      return value === null ? null : retyped(own.type, type, value)
    },
  }
}

const moments = ['timestamp', 'timestamptz']

/** Whether the stated type says nothing of how the value is written. */
function isReadByOwn(own: ColumnType, stated: ColumnType): boolean {
  if (own.kind === 'decimal' || isText(own)) return true
  return (moments.includes(own.kind) && moments.includes(stated.kind)) || isDated(own, stated)
}

function isDated(own: ColumnType, stated: ColumnType): boolean {
  return isText(stated) && (moments.includes(own.kind) || own.kind === 'date')
}

function retyped(own: ColumnType, stated: ColumnType, value: Value): Value {
  if (moments.includes(own.kind) && moments.includes(stated.kind)) return value
  return valueOfText(stated, plainText(own, value))
}

/** From the text of a value, or of a default as SQL writes it: no text of it is ever base64. */
export function valueOfText(type: ColumnType, text: string): Value {
  switch (type.kind) {
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'ubigint':
      return checkInteger(type, parseDecimal(text, { precision: 20, scale: 0 }))
    case 'decimal':
      return parseDecimal(text, type)
    case 'binary':
      return Buffer.from(text)
    default:
      return statedConverter(type).convert(text)
  }
}
