/**
 * JSON with every number exact: `JSON.parse` rounds integers beyond 2^53 in silence, and fractions to 17
 * digits. Most messages have no such integer but Debezium's own `ts_ns`, which nobody reads, so the exact
 * and slower way is taken only when it is needed.
 */
import { toInteger } from '../../model/value.ts'

const longIntegers = /(?:^|[:,[])\s*-?(\d{16,})/g
const largestSafe = String(Number.MAX_SAFE_INTEGER)

/** As `JSON.parse`; an integer that is not exact as a number is a bigint. Throws SyntaxError. */
export function parseLossless(text: string): unknown {
  const long = longIntegersIn(text)
  if (long !== 'some') {
    const found: unknown = JSON.parse(text)
    if (long === 'none' || !isInRow(found)) return found
  }
  return JSON.parse(text, keepInteger as never)
}

/** `times`: only numbers that are called `ts_ns`. */
function longIntegersIn(text: string): 'none' | 'times' | 'some' {
  let long: 'none' | 'times' = 'none'
  longIntegers.lastIndex = 0
  for (let found = longIntegers.exec(text); found !== null; found = longIntegers.exec(text)) {
    const digits = found[1]!
    if (digits.length === 16 && digits <= largestSafe) continue
    if (!text.endsWith('"ts_ns"', found.index)) return 'some'
    long = 'times'
  }
  return long
}

/** A column may be called `ts_ns` as well: of a key, or of a row in an envelope. */
function isInRow(found: unknown): boolean {
  const whole = found as { payload?: unknown } | null
  const body = (whole?.payload ?? whole) as Partial<Record<string, { ts_ns?: unknown }>> | null
  if (typeof body?.source !== 'object') return true
  return body.before?.ts_ns !== undefined || body.after?.ts_ns !== undefined
}

function keepInteger(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context.source ?? ''
  return /^-?\d+$/.test(source) ? toInteger(BigInt(source)) : value
}

/** A number with a fraction or an exponent, in its own digits: `0.10`, `1E-10`. */
export class DecimalText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toJSON(): unknown {
    return rawJson(this.text)
  }
}

/** TypeScript does not know it yet: text that `JSON.stringify` puts out as it is. */
const rawJson = (JSON as unknown as { rawJSON(this: void, text: string): unknown }).rawJSON

const fractions = /[:,[]\s*-?\d+[.eE]|^\s*-?\d+[.eE]/

/**
 * Such a number as the value of a member. The quote ends the name: one that begins a text never follows
 * a letter, and one within a text follows a backslash.
 */
const memberFractions = /(?<=\w":)-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)(?=[,}])/g
/** No text of JSON has it but escaped. */
const mark = '\u0001'
const escapedMark = '\\u0001'

/** As `parseLossless`; every number with a fraction or an exponent is a `DecimalText`. */
export function parseExact(text: string): unknown {
  if (!fractions.test(text)) return parseLossless(text)
  // A reviver, which is told each number's text, takes as long as all the rest of a message.
  if (!text.includes(escapedMark)) {
    const marked = text.replace(memberFractions, `"${escapedMark}$&"`)
    if (!fractions.test(marked)) return withDecimals(parseLossless(marked))
  }
  return JSON.parse(text, keepNumber as never)
}

/** Texts that are marked become numbers, in place. */
function withDecimals(json: unknown): unknown {
  if (typeof json === 'string') {
    return json.startsWith(mark) ? new DecimalText(json.slice(mark.length)) : json
  }
  if (typeof json !== 'object' || json === null) return json
  const members = json as Record<string, unknown>
  for (const name of Object.keys(members)) {
    const value = members[name]
    const isOther = typeof value === 'string' ? value.startsWith(mark) : typeof value === 'object'
    if (isOther) members[name] = withDecimals(value)
  }
  return json
}

function keepNumber(key: string, value: unknown, context: { source?: string }): unknown {
  const { source } = context
  // V8 loses it, and the name, where a name is one escaped letter.
  if (typeof value !== 'number' || source === undefined) return value
  return /^-?\d+$/.test(source) ? keepInteger(key, value, context) : new DecimalText(source)
}

/** What `parseExact` gave, as JSON without white space; its numbers have the digits that they had. */
export function exactJsonText(json: unknown): string {
  return JSON.stringify(json, (_key, value: unknown) =>
    typeof value === 'bigint' ? rawJson(value.toString()) : value,
  )
}
