/** How the values of a column are read: its type, and from what came to a value of it. */
import type { ColumnType } from '../../model/column-type.ts'
import type { Convert } from './debezium-values.ts'

export interface Converter {
  readonly type: ColumnType
  /** From JSON to the column's value; null is not passed in. Throws DecodeError `value-invalid`. */
  readonly convert: Convert
  /**
   * The usual form of its values, which says without `convert` what they are: text as it is, a whole
   * number that the type can hold, a text of digits with as many behind the point as the type has, the
   * unscaled integer of such digits as bytes.
   */
  readonly plain?: 'text' | 'integer' | 'decimal' | 'unscaled'
}
