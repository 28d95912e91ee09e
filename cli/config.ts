/**
 * Reading the configuration: every problem at once, each with its line, unknown keys with the nearest
 * known name. Paths in it are relative to its folder.
 */
import { dirname, resolve } from 'node:path'
import type { Document, LineCounter as Lines } from 'yaml'
import { LineCounter, parseDocument, visit } from 'yaml'
import { z } from 'zod'
import { ConfigError, type ForagerError } from '../model/errors.ts'
import type { FileSystem } from '../runtime/file-system.ts'
import { semanticProblems } from './config-problems.ts'
import type { Config } from './config-schema.ts'
import { configSchema } from './config-schema.ts'
import type { Environment } from './config-secrets.ts'
import { insertSecrets } from './config-secrets.ts'
import { suggestion } from './suggestion.ts'

export interface Problem {
  /** From 1; 0 when the file itself is the problem. */
  readonly line: number
  readonly message: string
}

export interface LoadedConfig {
  readonly path: string
  /** Folder that relative paths begin at. */
  readonly folder: string
  readonly config: Config
  /** Keys whose secrets are too short to be hidden wherever they stand. */
  readonly shortSecrets: readonly string[]
}

/**
 * The configuration, or every problem that it has. With an environment its secrets are put in; without,
 * they stay as they are written.
 */
export async function readConfig(
  fileSystem: FileSystem,
  path: string,
  env?: Environment,
): Promise<{ readonly loaded: LoadedConfig | null; readonly problems: readonly Problem[] }> {
  const failed = (problems: readonly Problem[]) => ({ loaded: null, problems })
  let text: string
  try {
    text = (await fileSystem.readFile(path)).toString('utf8')
  } catch (error) {
    return failed([{ line: 0, message: (error as ForagerError).message }])
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  if (document.errors.length > 0) {
    return failed(syntaxProblems(document, text))
  }
  let given: unknown
  try {
    given = document.toJS() ?? {}
  } catch (error) {
    // An alias (`*name`, also an unquoted pattern) whose anchor is not there.
    return failed([{ line: aliasLine(document, lines), message: (error as Error).message }])
  }
  const folder = dirname(resolve(path))
  const lineAt = (at: Path): number => lineOf(document, at, lines)
  const context = { fileSystem, folder, lineAt }
  const secrets =
    env === undefined
      ? { problems: [], short: [] }
      : await insertSecrets(given, { ...context, env })
  const result = configSchema.safeParse(given)
  const issues = result.success ? [] : result.error.issues
  const problems = [
    ...issues.flatMap(issue => describeIssue(issue, document, lines, text)),
    ...secrets.problems,
    ...(await semanticProblems(given, folder, fileSystem, lineAt)),
  ].toSorted((a, b) => a.line - b.line)
  if (!result.success || problems.length > 0) return failed(problems)
  return { loaded: { path, folder, config: result.data, shortSecrets: secrets.short }, problems }
}

/** What YAML does not read. Where braces are the cause, everything else follows from them. */
function syntaxProblems({ errors }: Document, text: string): Problem[] {
  const bare = new Map<number, Problem>()
  const problems = errors.map(({ code, message, pos, linePos }): Problem => {
    const line = linePos?.[0].line ?? 0
    const target = unquotedTarget(text, line)
    if (target !== null) bare.set(line, { line, message: quoteIt(target) })
    const key = /^[^\s:,}]*/.exec(text.slice(pos[0]))?.[0]
    if (code === 'DUPLICATE_KEY') return { line, message: `the key ${key} is given twice` }
    return { line, message: message.split('\n')[0]!.replace(/ at line \d+.*$/, '') }
  })
  return bare.size === 0 ? problems : [...bare.values()]
}

/** The target of a rule as it stands in a line without quotes: YAML reads its braces as a mapping. */
function unquotedTarget(text: string, line: number): string | null {
  const unquoted = text.split('\n')[line - 1]?.replaceAll(/"[^"]*"|'[^']*'|#.*/g, '') ?? ''
  return /\bto:\s*((?:[\w.$-]|\{[a-z]*\})*\{[a-z]*\}[\w.$-]*)/.exec(unquoted)?.[1] ?? null
}

function quoteIt(target: string): string {
  return `quote the target, because YAML reads braces as a mapping: to: "${target}"`
}

function aliasLine(document: Document, lines: Lines): number {
  let offset: number | undefined
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) === undefined) offset ??= alias.range?.[0]
    },
  })
  return offset === undefined ? 0 : lines.linePos(offset).line
}

/** All problems of a configuration, a line each. */
export class ConfigProblems extends ConfigError {
  constructor(path: string, problems: readonly Problem[]) {
    const list = problems.map(problem => `\n  ${formatProblem(path, problem)}`).join('')
    super('config-invalid', `the configuration is wrong:${list}`)
  }
}

/** Throws ConfigProblems. */
export async function loadConfig(
  fileSystem: FileSystem,
  path: string,
  env?: Environment,
): Promise<LoadedConfig> {
  const { loaded, problems } = await readConfig(fileSystem, path, env)
  if (loaded === null) throw new ConfigProblems(path, problems)
  return loaded
}

export function formatProblem(path: string, { line, message }: Problem): string {
  return line === 0 ? `${path}: ${message}` : `${path}:${line}: ${message}`
}

export type Path = readonly (string | number)[]

function describeIssue(
  issue: z.core.$ZodIssue,
  document: Document,
  lines: Lines,
  text: string,
): Problem[] {
  const path = issue.path as Path
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(path)
    return issue.keys.map(key => ({
      line: lineOf(document, [...path, key], lines),
      message: `unknown key ${pathText([...path, key])}${suggestion(key, known)}`,
    }))
  }
  const inside = insideOf(issue)
  if (inside !== null) return inside.flatMap(one => describeIssue(one, document, lines, text))
  const line = lineOf(document, path, lines)
  const bare = path.at(-1) === 'to' ? unquotedTarget(text, line) : null
  if (bare !== null) return [{ line, message: `${pathText(path)}: ${quoteIt(bare)}` }]
  const isMissing = document.getIn(path) === undefined
  const what = isMissing ? 'is missing' : valueMessage(issue)
  return [{ line, message: `${pathText(path)} ${what}` }]
}

/** Where a value has one of several forms: the problems within the one that it has; null: it has none. */
function insideOf(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] | null {
  if (issue.code !== 'invalid_union') return null
  const isWithin = ({ path, code }: z.core.$ZodIssue): boolean => {
    return path.length > 0 || code === 'unrecognized_keys'
  }
  const form = issue.errors.find(found => found.length > 0 && found.every(isWithin))
  return form?.map(one => ({ ...one, path: [...issue.path, ...one.path] })) ?? null
}

function valueMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union') {
    const kinds = kindsAt(issue.path as Path)
    if (kinds.length > 0) return `must be ${kinds.join(' or ')}`
    if (issue.message !== 'Invalid input') return issue.message
    const forms = issue.errors.flatMap(([first]) =>
      first === undefined ? [] : [valueMessage(first)],
    )
    return forms.join(', or ').replaceAll(', or must be ', ', or ')
  }
  if (issue.code === 'invalid_value') return `must be ${issue.values.map(String).join(' or ')}`
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return `must be a ${typeWords[issue.expected] ?? issue.expected}`
  }
  if (issue.code === 'too_small' && issue.origin === 'array') return 'must not be empty'
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}`
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`
  return issue.message
}

const typeWords: Readonly<Record<string, string>> = {
  object: 'mapping of keys',
  record: 'mapping of keys',
  array: 'list',
  int: 'whole number',
}

/** Keys that the schema knows at a place. */
function keysAt(path: Path): readonly string[] {
  return [...new Set(schemasAt(path).flatMap(schema => Object.keys(schema.properties ?? {})))]
}

/** The values that tell the kinds of a place apart. */
function kindsAt(path: Path): readonly string[] {
  return schemasAt(path).flatMap(({ const: kind }) => (typeof kind === 'string' ? [kind] : []))
}

function schemasAt(path: Path): readonly JsonSchema[] {
  let schemas = [z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema]
  for (const step of path) {
    schemas = schemas.flatMap(schema => {
      const next = typeof step === 'number' ? schema.items : schema.properties?.[step]
      return next === undefined ? [] : (next.oneOf ?? next.anyOf ?? [next])
    })
  }
  return schemas
}

export interface JsonSchema {
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  /** One of these, told apart by their `type`. */
  readonly oneOf?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly additionalProperties?: unknown
}

function pathText(path: Path): string {
  if (path.length === 0) return 'the configuration'
  return path
    .map((step, index) =>
      typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`,
    )
    .join('')
}

/** The line of a node, or of the nearest one around it that is there. */
function lineOf(document: Document, path: Path, lines: Lines): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const offset = offsetAt(document, path.slice(0, length))
    if (offset !== null) return lines.linePos(offset).line
  }
  return 1
}

function offsetAt(document: Document, path: Path): number | null {
  const last = path.at(-1)
  if (last === undefined) return 0
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  // The key of a pair tells the line, also when its value begins on the next one.
  const items = (parent as { items?: unknown[] } | null)?.items ?? []
  for (const [index, item] of items.entries()) {
    const { key } = item as { key?: { value?: unknown; range?: [number, number, number] } }
    if (key !== undefined && String(key.value) === String(last)) return key.range?.[0] ?? null
    if (key === undefined && index === last) {
      return (item as { range?: [number, number, number] }).range?.[0] ?? null
    }
  }
  return null
}
