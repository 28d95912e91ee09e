/**
 * The lines of statistics that `java/StatisticsPrinter.java` prints for two files with the same
 * rows, ours and Java's, without what the two writers state differently on purpose:
 *
 * - The lengths of lists and maps: Java's writer counts the slots of its vectors.
 * - Columns with NaN, for which we state nothing and Java the ends that it happens to find.
 * - The sign of zero, which Java does not look at.
 * - Sums of floating-point numbers where the row groups differ, as rounding depends on the order.
 * - Sums that do not fit: Java leaves those of integers out when any part of the sum overflows, and
 *   rounds those of decimals.
 */
import { listColumns, numberColumns, type OrcType } from '../../orc/types.ts'

interface Line {
  /** `file 1`, `stripe 0 1` or `group 0 1 3`. */
  readonly place: string
  readonly columnId: number
  readonly counts: string
  readonly minimum: string | undefined
  readonly maximum: string | undefined
  readonly sum: string | undefined
}

export function comparableStatistics(
  ours: readonly string[],
  javas: readonly string[],
  schema: OrcType,
  haveSameGroups: boolean,
): { ours: string[]; javas: string[] } {
  const types = listColumns(numberColumns(schema)).map(column => column.type)
  const isCompared = (line: Line): boolean => haveSameGroups || !line.place.startsWith('group')
  const left = ours.map(parseLine).filter(isCompared)
  const right = javas.map(parseLine).filter(isCompared)
  const texts = (lines: readonly Line[], others: readonly Line[]): string[] =>
    lines.map((line, k) => lineText(line, others[k], types[line.columnId]!, haveSameGroups))
  return { ours: texts(left, right), javas: texts(right, left) }
}

function parseLine(line: string): Line {
  const words = line.split(' ')
  const placeWords = { file: 2, stripe: 3, group: 4 }[words[0]!]!
  const [count, hasNull, minimum, maximum, sum] = words.slice(placeWords)
  return {
    place: words.slice(0, placeWords).join(' '),
    columnId: Number(words[words[0] === 'file' ? 1 : 2]),
    counts: `${count} ${hasNull}`,
    minimum,
    maximum,
    sum,
  }
}

function lineText(
  line: Line,
  other: Line | undefined,
  type: OrcType,
  haveSameGroups: boolean,
): string {
  const { place, counts, minimum, maximum, sum } = line
  const isOfNaN =
    [line.sum, other?.sum].includes('NaN') && [line, other].some(one => one?.minimum === undefined)
  const isLeftOut = type.kind === 'list' || type.kind === 'map' || isOfNaN
  if (minimum === undefined || isLeftOut) return `${place} ${counts}`
  const isFloat = type.kind === 'float' || type.kind === 'double'
  const isWide = type.kind === 'decimal' && type.precision > 18
  const isSumCompared =
    other?.sum !== undefined && sum !== undefined && !isWide && (haveSameGroups || !isFloat)
  const unsigned = (end: string | undefined): string | undefined => (end === '-0.0' ? '0.0' : end)
  return [place, counts, unsigned(minimum), unsigned(maximum), isSumCompared ? sum : ''].join(' ')
}
