/** Names of tables, tasks and partitions as names of files: none can leave its folder. */

/** What no name is escaped to stands for the empty one, which is no path segment. */
const emptyName = '%'

/** One path segment: everything but letters, digits, `_`, `-`, `=` and inner points is escaped. */
export function fileNameOf(name: string): string {
  if (name === '') return emptyName
  const escaped = [...Buffer.from(name, 'utf8')]
    .map(byte => {
      const char = String.fromCharCode(byte)
      return /[A-Za-z0-9_=.-]/.test(char) ? char : `%${byte.toString(16).padStart(2, '0')}`
    })
    .join('')
  // Names that begin with `.` or `_` are hidden in Hive, and `.` and `..` are folders.
  return escaped.replace(/^[._]/, first => (first === '.' ? '%2e' : '%5f'))
}

/** The inverse of `fileNameOf`. */
export function nameOfFile(fileName: string): string {
  if (fileName === emptyName) return ''
  const bytes = fileName.replaceAll(/%([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
