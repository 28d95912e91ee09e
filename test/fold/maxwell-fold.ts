/**
 * A fold of Maxwell's messages that knows nothing of types: the last `data` of each key, value by value in
 * the words of the message. It is what the tables of a run are held against.
 */
export interface MaxwellMessage {
  readonly key: string | null
  readonly value: string
}

/** A number by its digits, text as it is, anything else as JSON text. */
type Word = { readonly number: string } | { readonly text: string } | null
type FoldedRow = ReadonlyMap<string, Word>

/** Rows by table and by the values of the key. Tables without a key are left out. */
export function foldMaxwell(
  messages: readonly MaxwellMessage[],
  /** New names of columns by their old ones, of each table. */
  renamed: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): ReadonlyMap<string, ReadonlyMap<string, FoldedRow>> {
  const tables = new Map<string, Map<string, FoldedRow>>()
  for (const { key, value } of messages) {
    const { database, table, type, data, old } = words(value)
    if (!/^(insert|update|delete|bootstrap-insert)$/.test(String(type))) continue
    const columns = Object.keys(words(key!)).flatMap(name => /^pk\.(.*)$/.exec(name)?.[1] ?? [])
    if (columns.length === 0) continue
    const rows = tables.get(`${String(database)}.${String(table)}`) ?? new Map<string, FoldedRow>()
    tables.set(`${String(database)}.${String(table)}`, rows)
    const row = data as Record<string, unknown>
    const idOf = (from: object) =>
      JSON.stringify(columns.map(name => wordOf((from as Record<string, unknown>)[name])))
    rows.delete(idOf({ ...row, ...(old as object) }))
    if (type === 'delete') continue
    const newNames = renamed[`${String(database)}.${String(table)}`] ?? {}
    const named = Object.entries(row).map(
      ([name, one]) => [newNames[name] ?? name, wordOf(one)] as const,
    )
    rows.set(idOf(row), new Map(named))
  }
  return tables
}

class Digits {
  readonly digits: string
  constructor(digits: string) {
    this.digits = digits
  }
}

function words(json: string): Record<string, unknown> {
  const keep = (_key: string, value: unknown, { source }: { source?: string }) =>
    typeof value === 'number' ? new Digits(source!) : value
  return JSON.parse(json, keep as never) as Record<string, unknown>
}

function wordOf(value: unknown): Word {
  if (value === null || value === undefined) return null
  if (value instanceof Digits) return { number: plainNumber(value.digits) }
  return { text: typeof value === 'string' ? value : JSON.stringify(value) }
}

/** `-1.50E2` as `-15e1`: two numbers of one value have one text. */
export function plainNumber(digits: string): string {
  const [, sign, whole, fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(digits) ?? []
  if (whole === undefined) return `no number: ${digits}`
  const all = (whole + fraction).replace(/^0+/, '')
  const short = all.replace(/0+$/, '')
  const scale = Number(exponent) - fraction.length + (all.length - short.length)
  return short === '' ? '0' : `${sign}${short}e${scale}`
}

/** Differences between a fold and lines of `forager rows`, a sentence each. */
export function differencesFrom(
  rows: ReadonlyMap<string, FoldedRow>,
  lines: readonly string[],
): readonly string[] {
  const rest = lines.map(line => words(line))
  const problems: string[] = []
  for (const row of rows.values()) {
    const found = rest.findIndex(line => [...row].every(([name, word]) => isSame(word, line[name])))
    if (found < 0) problems.push(`no row ${JSON.stringify([...row])}`)
    else rest.splice(found, 1)
  }
  return [...problems, ...rest.map(line => `an extra row ${JSON.stringify(line)}`)]
}

function isSame(word: Word, found: unknown): boolean {
  if (word === null) return found === null
  if ('text' in word) return word.text === found
  return plainNumber(found instanceof Digits ? found.digits : String(found)) === word.number
}
