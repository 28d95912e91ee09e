/**
 * Paths on the way to HDFS. Names are escaped to letters, digits, `_`, `-`, `=`, `.` and `~`, because
 * what stands between cannot be trusted with others: HDFS has no `:` in names, DataNodes of Hadoop 3.1
 * decode a `%` once too often (HDFS-14423), those of others take a `+` for a space. A byte of another
 * character is `~` and two digits. So no URL has anything that is encoded, and none is decoded wrongly.
 */

const unsafe = /[^A-Za-z0-9_=.-]/u

/** A path as HDFS has it, which is also how it stands in a URL. */
export function hdfsPath(path: string): string {
  return path.split('/').map(escapedName).join('/')
}

function escapedName(name: string): string {
  if (!unsafe.test(name)) return name
  return [...Buffer.from(name, 'utf8')]
    .map(byte => {
      const char = String.fromCharCode(byte)
      return unsafe.test(char) ? `~${byte.toString(16).padStart(2, '0')}` : char
    })
    .join('')
}

/** The inverse, of a name in a folder. */
export function nameOfHdfs(name: string): string {
  if (!name.includes('~')) return name
  const bytes = name.replaceAll(/~([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
