/** Names of tables, tasks and partitions as names of files: none can leave its folder. */

import { createHash } from 'node:crypto'

/** File systems have 255, and a number may follow. */
const maxNameBytes = 200
const keptBytes = 120

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
  return shortName(escaped.replace(/^[._]/, first => (first === '.' ? '%2e' : '%5f')))
}

/** The name itself; of one that no file system takes its beginning, `~`, and a hash of all of it. */
export function shortName(name: string): string {
  const bytes = Buffer.from(name, 'utf8')
  if (bytes.length <= maxNameBytes) return name
  // Whole characters only.
  const kept = bytes.toString('utf8', 0, keptBytes).replace(/\ufffd+$/, '')
  return `${kept}~${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}`
}

/** Whether `fileNameOf` cut the name: then nothing but what lies there tells it. */
export function isCutName(fileName: string): boolean {
  return /~[\da-f]{32}$/.test(fileName)
}

/** The inverse of `fileNameOf`, of names that are not cut. */
export function nameOfFile(fileName: string): string {
  if (fileName === emptyName) return ''
  const bytes = fileName.replaceAll(/%([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
