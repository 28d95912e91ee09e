/**
 * The one error that this folder throws on purpose, and the closed list of its codes. A code is
 * frozen within a major version. What a source or a sink throws passes through unchanged.
 */

/** Each code with what it means. */
export const orcErrorCodes = {
  'file-not-orc': 'The bytes are not an ORC file: too short, or without its magic.',
  'file-corrupt': 'The file contradicts the format or itself, or ends too early.',
  'feature-unsupported':
    'The file, or the option, asks for something that is valid but not supported.',
  'limit-exceeded': 'Reading on would take more memory than the reader was allowed.',
  'schema-invalid': 'A schema, or the text of one, cannot be written as ORC.',
  'column-unknown': 'A projection or a predicate names a column that the file does not have.',
  'schema-incompatible': 'A column cannot be read as the type that is wanted of it.',
  'value-invalid': 'A value does not fit the type of its column. The row was not written.',
  'option-invalid': 'An option of the writer or the reader is out of its range.',
  'writer-closed': 'The writer was closed before.',
} as const satisfies Record<string, string>

export type OrcErrorCode = keyof typeof orcErrorCodes

/** What is wrong (`message`, which ends with `where`), of which kind (`code`), and where. */
export class OrcError extends Error {
  override readonly name = 'OrcError'
  readonly code: OrcErrorCode
  /** For example `stripe 2, column address.city, stream LENGTH`; empty when there is no place. */
  readonly where: string

  constructor(code: OrcErrorCode, message: string, where = '', options?: { cause: unknown }) {
    super(where === '' ? message : `${message} (${where})`, options)
    this.code = code
    this.where = where
  }
}

export function corrupt(message: string, where: string): OrcError {
  return new OrcError('file-corrupt', message, where)
}
