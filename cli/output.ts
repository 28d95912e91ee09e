/** What commands print: tables for people, and lines that a pipe may stop reading. */
import Table from 'cli-table3'
import { escapeControls, shownText } from '../model/shown-text.ts'

/** Writes to standard output and waits while the reader is slow. */
export async function writeOut(text: string): Promise<void> {
  // Within JSON what is escaped is the same text.
  if (process.stdout.write(shownText(text))) return
  await new Promise<void>(resolve => {
    process.stdout.once('drain', resolve)
  })
}

/** Lines on standard error. */
export function writeError(text: string): void {
  process.stderr.write(shownText(text))
}

/** A reader that went away (`| head`) is no error; a file that takes no more is one. */
export function endWithOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    process.stderr.write(`error: cannot write to standard output: ${error.message}\n`)
    process.exit(1)
  })
}

/** A table for people; numbers to the right, and text cut at so many characters. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  cellChars = maxCellChars,
): string {
  const isNumber = (index: number): boolean =>
    rows.length > 0 && rows.every(row => typeof row[index] === 'number')
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, index) => (isNumber(index) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  })
  table.push(...rows.map(row => row.map(cell => formatCell(cell, cellChars))))
  return `${table.toString()}\n`
}

const maxCellChars = 40

function formatCell(cell: string | number, cellChars: number): string {
  if (typeof cell === 'number') return formatCount(cell)
  // Before it is measured: as it will be shown.
  const line = escapeControls(cell.replaceAll(/[\r\n\t]/g, ' '))
  return line.length > cellChars ? `${line.slice(0, cellChars - 1)}…` : line
}

export function formatCount(value: number): string {
  return value.toLocaleString('en-US')
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`
}

export function plural(count: number, word: string, words = `${word}s`): string {
  return `${formatCount(count)} ${count === 1 ? word : words}`
}
