/**
 * Reading the configuration: every problem at once, each with its line, unknown keys with the nearest
 * known name. Paths in it are relative to its folder.
 */
import { dirname, resolve } from 'node:path'
import { closest, distance } from 'fastest-levenshtein'
import type { Document, LineCounter as Lines } from 'yaml'
import { LineCounter, parseDocument, visit } from 'yaml'
import { z } from 'zod'
import { ConfigError, type ForagerError } from '../model/errors.ts'
import type { FileSystem } from '../runtime/file-system.ts'
import type { Config } from './config-schema.ts'
import { configSchema } from './config-schema.ts'

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
}

/** The configuration, or every problem that it has. */
export async function readConfig(
  fileSystem: FileSystem,
  path: string,
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
    return failed(
      document.errors.map(error => ({
        line: error.linePos?.[0].line ?? 0,
        message: error.message.split('\n')[0]!.replace(/ at line \d+.*$/, ''),
      })),
    )
  }
  let given: unknown
  try {
    given = document.toJS() ?? {}
  } catch (error) {
    // An alias (`*name`, also an unquoted pattern) whose anchor is not there.
    return failed([{ line: aliasLine(document, lines), message: (error as Error).message }])
  }
  const folder = dirname(resolve(path))
  const result = configSchema.safeParse(given)
  const issues = result.success ? [] : result.error.issues
  const problems = [
    ...issues.flatMap(issue => describeIssue(issue, document, lines)),
    ...(await semanticProblems(given, folder, fileSystem, at => lineOf(document, at, lines))),
  ].toSorted((a, b) => a.line - b.line)
  if (!result.success || problems.length > 0) return failed(problems)
  return { loaded: { path, folder, config: result.data }, problems }
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
export async function loadConfig(fileSystem: FileSystem, path: string): Promise<LoadedConfig> {
  const { loaded, problems } = await readConfig(fileSystem, path)
  if (loaded === null) throw new ConfigProblems(path, problems)
  return loaded
}

export function formatProblem(path: string, { line, message }: Problem): string {
  return line === 0 ? `${path}: ${message}` : `${path}:${line}: ${message}`
}

type Path = readonly (string | number)[]

function describeIssue(issue: z.core.$ZodIssue, document: Document, lines: Lines): Problem[] {
  const path = issue.path as Path
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(path)
    return issue.keys.map(key => ({
      line: lineOf(document, [...path, key], lines),
      message: `unknown key ${pathText([...path, key])}${suggestion(key, known)}`,
    }))
  }
  const line = lineOf(document, path, lines)
  const isMissing = document.getIn(path) === undefined
  const what = isMissing ? 'is missing' : valueMessage(issue)
  return [{ line, message: `${pathText(path)} ${what}` }]
}

function valueMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union') return `must be ${kindsAt(issue.path as Path).join(' or ')}`
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

function suggestion(key: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const nearest = closest(key, [...known])
  const isNear = distance(key.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, key.length / 2)
  return isNear ? `; did you mean "${nearest}"?` : `; known are ${known.join(', ')}`
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
      return next === undefined ? [] : (next.oneOf ?? [next])
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

/** A configuration before it is checked: anything may be missing, or of another type. */
interface Unchecked {
  readonly source?: { readonly path?: unknown } | null
  readonly tables?: unknown
}

interface UncheckedTable {
  readonly from?: unknown
  readonly to?: unknown
  readonly columns?: { readonly include?: unknown; readonly exclude?: unknown } | null
}

/** What the schema cannot say, of whatever is there to look at. */
async function semanticProblems(
  given: unknown,
  folder: string,
  fileSystem: FileSystem,
  lineAt: (path: Path) => number,
): Promise<Problem[]> {
  const { source, tables } = (typeof given === 'object' ? given : {}) as Unchecked
  const problems: Problem[] = []
  if (typeof source?.path === 'string') {
    const path = resolve(folder, source.path)
    const found = await fileSystem.stat(path)
    if (found === null || found.isDirectory) {
      const what = found === null ? 'does not exist' : 'is a folder'
      problems.push({ line: lineAt(['source', 'path']), message: `source.path: ${path} ${what}` })
    }
  }
  for (const [index, table] of listOf(tables).entries()) {
    problems.push(...tableProblems((table ?? {}) as UncheckedTable, index, lineAt))
  }
  return problems
}

function tableProblems(
  { from, to, columns }: UncheckedTable,
  index: number,
  lineAt: (path: Path) => number,
): Problem[] {
  const problems: Problem[] = []
  const isPattern = String(from).includes('*')
  if (isPattern && typeof to === 'string' && !/\{(table|database|schema)\}/.test(to)) {
    problems.push({
      line: lineAt(['tables', index, 'to']),
      message:
        `tables[${index}].to: many tables of ${String(from)} would go to one; ` +
        'use {table}, or name the source table',
    })
  }
  const excluded = listOf(columns?.exclude)
  const both = listOf(columns?.include).filter(name => excluded.includes(name))
  if (both.length > 0) {
    problems.push({
      line: lineAt(['tables', index, 'columns']),
      message: `tables[${index}].columns: ${both.join(', ')} is both included and excluded`,
    })
  }
  return problems
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
