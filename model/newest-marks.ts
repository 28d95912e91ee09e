/**
 * Which rows of some batches were changed last, by what is kept of their positions (`markOf`). Places in one
 * log compare, so one row of each log tells of all: when a truncate came after that one, it came after every
 * other. The text alone does not say whose it is; numbers are PostgreSQL's or Oracle's, which compare by
 * different parts, so both are kept.
 */
import type { ChangeMark } from './net-change.ts'
import type { TruncatePoint } from './position.ts'
import { isBeforeTruncate } from './position.ts'

/** Logs and servers that are told apart; beyond it only the source's clock is known. */
const maxLogs = 16

type Part = number | bigint

interface Newest {
  /** From the first to the last. */
  order: readonly Part[]
  position: string
  sourceMs: number
}

/** A binlog whose places were noted last: rows come in thousands from one, and only their numbers differ. */
interface Binlog {
  readonly prefix: string
  readonly suffix: string
  readonly newest: Newest
}

export class NewestMarks {
  #byLog = new Map<string, Newest>()
  #last: ChangeMark | null = null
  #binlog: Binlog | null = null
  readonly #numbers: number[] = []

  constructor(marks: readonly ChangeMark[] = []) {
    for (const mark of marks) this.note(mark)
  }

  /** One for each log that rows have places in, and one for rows that have none: without a position. */
  get marks(): readonly ChangeMark[] {
    const marks = [...this.#byLog.values()].map(({ position, sourceMs }) => ({
      position,
      sourceMs,
    }))
    const texts = new Map(marks.map(mark => [toText(mark), mark]))
    return [...texts.values()]
  }

  note(mark: ChangeMark): void {
    const { position, sourceMs } = mark
    // Rows of one statement may share both.
    if (this.#last?.position === position && this.#last.sourceMs >= sourceMs) return
    this.#last = mark
    if (this.#raiseBinlog(mark)) return
    for (const [log, order] of placesOf(position)) this.#raise(log, order, mark)
    if (this.#byLog.size > maxLogs) this.#forgetPlaces()
  }

  /** False where it is no place of the binlog that was noted last, or one with other numbers. */
  #raiseBinlog(mark: ChangeMark): boolean {
    if (this.#binlog === null) return false
    const { prefix, suffix, newest } = this.#binlog
    const { position } = mark
    if (!position.startsWith(prefix) || !position.endsWith(suffix)) return false
    const end = position.length - suffix.length
    if (!readNumbers(position, prefix.length, end, this.#numbers)) return false
    raise(newest, this.#numbers, mark)
    return true
  }

  #raise(log: string, order: readonly Part[], mark: ChangeMark): void {
    const { position, sourceMs } = mark
    let known = this.#byLog.get(log)
    if (known === undefined) {
      known = { order, position: order.length === 0 ? '' : position, sourceMs }
      this.#byLog.set(log, known)
    } else raise(known, order, mark)
    const at = /\.\d+:\d+:\d+(?=@|#|$)/.exec(position)
    if (order.length < 3 || at === null) return
    const [prefix, suffix] = [
      position.slice(0, at.index + 1),
      position.slice(at.index + at[0].length),
    ]
    this.#binlog = { prefix, suffix, newest: known }
  }

  #forgetPlaces(): void {
    const sourceMs = Math.max(...[...this.#byLog.values()].map(newest => newest.sourceMs))
    this.#byLog = new Map([['', { order: [], position: '', sourceMs }]])
    this.#binlog = null
  }
}

function toText({ position, sourceMs }: ChangeMark): string {
  return `${sourceMs} ${position}`
}

/** Whether every row that the marks stand for was changed last before the truncate. */
export function areBeforeTruncate(marks: readonly ChangeMark[], point: TruncatePoint): boolean {
  return marks.every(mark =>
    // Of a row without a place nothing but the clock is known, and several changes have one time.
    mark.position === '' ? mark.sourceMs < point.sourceMs : isBeforeTruncate(mark, point),
  )
}

/** `position` by the logs that it may be a place of. See `isBeforeTruncate`, which reads the same forms. */
function placesOf(position: string): readonly (readonly [log: string, order: readonly Part[]])[] {
  const at = position.indexOf('#')
  const text = at < 0 ? position : position.slice(0, at)
  const incarnation = at < 0 ? '' : position.slice(at)
  const place = text.includes(':') ? /^(.+)\.(\d+):(\d+):(\d+)(?:@(\d+))?$/.exec(text) : null
  if (place !== null) {
    const [, log, file, offset, row, server = ''] = place
    return [[`${log}@${server}${incarnation}`, [file!, offset!, row!].map(partOf)]]
  }
  const lcr = /^l/i.test(text) ? /^lcr:([\da-f]+)$/i.exec(text) : null
  if (lcr !== null) {
    return [[`lcr${lcr[1]!.length}${incarnation}`, [BigInt(`0x${lcr[1]!}`)]]]
  }
  const [, first, rest, last] = /^(\d+)(\/(\d+)?.*)?$/.exec(text) ?? []
  if (first === undefined) return [['', []]]
  // What is no number is of Oracle's alone.
  const isOracles = rest !== undefined && rest !== `/${last}`
  if (isOracles) return [[`oracle${incarnation}`, [partOf(first)]]]
  return [
    [`first${incarnation}`, [partOf(first)]],
    [`last${incarnation}`, [partOf(last ?? first)]],
  ]
}

function partOf(digits: string): Part {
  return digits.length < 16 ? Number(digits) : BigInt(digits)
}

function raise(known: Newest, order: readonly Part[], { position, sourceMs }: ChangeMark): void {
  if (isAbove(order, known.order)) {
    known.order = [...order]
    known.position = position
  }
  if (sourceMs > known.sourceMs) known.sourceMs = sourceMs
}

const [zero, nine, colon] = [0x30, 0x39, 0x3a]

/** Reads `000001:12155:0` into three numbers. False for another form, and for numbers that are not exact. */
function readNumbers(text: string, start: number, end: number, into: number[]): boolean {
  let count = 0
  let digits = 0
  let number = 0
  for (let at = start; at <= end; at += 1) {
    const code = at === end ? colon : text.charCodeAt(at)
    if (code >= zero && code <= nine) {
      number = number * 10 + code - zero
      digits += 1
    } else if (code === colon && digits > 0 && digits < 16 && count < 3) {
      into[count] = number
      count += 1
      digits = 0
      number = 0
    } else return false
  }
  return count === 3
}

function isAbove(a: readonly Part[], b: readonly Part[]): boolean {
  for (const [index, part] of a.entries()) {
    const other = b[index]!
    if (part > other) return true
    if (part < other) return false
  }
  return false
}
