/**
 * Problems of a configuration that its schema cannot say: files that are not there, and rules for
 * tables that do not fit together.
 */
import { resolve } from 'node:path'
import { ConfigError } from '../model/errors.ts'
import type { FileSystem } from '../runtime/file-system.ts'
import { settingsOf } from '../sinks/hive/hive.ts'
import type { HiveVersion } from '../sinks/hive/target-table.ts'
import type { Path, Problem } from './config.ts'
import { type FormatName, formats, needRegistry, takeRegistry } from './formats.ts'
import { suggestion } from './suggestion.ts'

/** A configuration before it is checked: anything may be missing, or of another type. */
interface Unchecked {
  readonly source?: {
    readonly type?: unknown
    readonly path?: unknown
    readonly format?: unknown
    readonly registry?: UncheckedRegistry | null
    readonly ordering?: unknown
    readonly keyedBy?: unknown
    readonly dropRepeats?: unknown
  } | null
  readonly processingGuarantee?: unknown
  readonly connectors?: unknown
  readonly tables?: unknown
  readonly warehouse?: {
    readonly type?: unknown
    readonly path?: unknown
    readonly settings?: unknown
    readonly version?: unknown
  } | null
  readonly staging?: { readonly type?: unknown; readonly path?: unknown } | null
}

interface UncheckedRegistry {
  readonly type?: unknown
  readonly path?: unknown
  readonly username?: unknown
  readonly password?: unknown
  readonly token?: unknown
}

interface UncheckedTable {
  readonly from?: unknown
  readonly to?: unknown
  readonly merge?: unknown
  readonly columns?: { readonly include?: unknown; readonly exclude?: unknown } | null
}

type LineAt = (path: Path) => number

/** Of whatever is there to look at. */
export async function semanticProblems(
  given: unknown,
  folder: string,
  fileSystem: FileSystem,
  lineAt: LineAt,
): Promise<Problem[]> {
  const { source, tables, warehouse, staging, processingGuarantee, connectors } = (
    typeof given === 'object' ? given : {}
  ) as Unchecked
  const problems: Problem[] = []
  if (source?.type === 'file' && processingGuarantee === 'at_least_once') {
    const message =
      'processingGuarantee: with a file source each commit is atomic; at_least_once is for Kafka'
    problems.push({ line: lineAt(['processingGuarantee']), message })
  }
  if (source?.type === 'file' && connectors !== undefined) {
    const message = 'connectors: a file has none; they are for `source.type: kafka`'
    problems.push({ line: lineAt(['connectors']), message })
  }
  const files = [
    ['source', 'path'],
    ['source', 'registry', 'path'],
  ] as const
  for (const place of files) {
    const given = place.length === 2 ? source?.path : source?.registry?.path
    if (typeof given !== 'string') continue
    const path = resolve(folder, given)
    const found = await fileSystem.stat(path)
    if (found === null || found.isDirectory) {
      const what = found === null ? 'does not exist' : 'is a folder'
      problems.push({ line: lineAt(place), message: `${place.join('.')}: ${path} ${what}` })
    }
  }
  problems.push(...registryProblems(source, lineAt))
  if (typeof warehouse?.path === 'string') {
    const path = resolve(folder, warehouse.path)
    const found = await fileSystem.stat(path)
    if (found?.isDirectory === false) {
      const message = `warehouse.path: ${path} is a file, not a folder`
      problems.push({ line: lineAt(['warehouse', 'path']), message })
    }
  }
  if (staging?.type === 'webhdfs' && warehouse?.type === 'embedded') {
    const message =
      'staging.type: the embedded warehouse stages in a local folder; webhdfs is for hive'
    problems.push({ line: lineAt(['staging', 'type']), message })
  }
  if (warehouse?.type === 'hive') problems.push(...hiveProblems(warehouse, staging, lineAt))
  if (source?.ordering === 'position' && source.dropRepeats === false) {
    const message =
      'source.dropRepeats: with `ordering: position` what is older than the last change of its row is ' +
      'always dropped; leave it out, or use `ordering: log`'
    problems.push({ line: lineAt(['source', 'dropRepeats']), message })
  }
  problems.push(...formatProblems(source ?? {}, lineAt))
  if (source?.keyedBy === 'primary-key') {
    problems.push(...withoutHopProblems(source.ordering, listOf(tables), lineAt))
  }
  return [...problems, ...ruleProblems(listOf(tables), lineAt)]
}

/** A registry is there when the format needs one, and only then; and it is asked in one way. */
function registryProblems(source: Unchecked['source'], lineAt: LineAt): Problem[] {
  const { format, registry } = source ?? {}
  const isNeeded = (needRegistry as readonly unknown[]).includes(format)
  if (isNeeded && (registry === undefined || registry === null)) {
    const message =
      `source.registry: the messages of ${String(format)} name their schemas by an id; say where they are: ` +
      '`registry: { type: confluent, url: http://registry:8081 }`, or a file of them, ' +
      '`registry: { type: file, path: schemas.jsonl }`'
    return [{ line: lineAt(['source', 'format']), message }]
  }
  if (registry === undefined || registry === null) return []
  const line = lineAt(['source', 'registry'])
  if (typeof format === 'string' && !(takeRegistry as readonly string[]).includes(format)) {
    return [{ line, message: `source.registry: ${format} has no use for it; leave it out` }]
  }
  const { username, password, token } = registry
  if (token !== undefined && username !== undefined) {
    return [{ line, message: 'source.registry: give either username and password, or a token' }]
  }
  if ((username === undefined) !== (password === undefined)) {
    return [{ line, message: 'source.registry: username and password go together' }]
  }
  return []
}

/** What the format of the source does not go with. */
function formatProblems(
  { format: name, ordering, keyedBy }: NonNullable<Unchecked['source']>,
  lineAt: LineAt,
): Problem[] {
  if (typeof name !== 'string' || !Object.hasOwn(formats, name)) return []
  const format = formats[name as FormatName]({ registry: null })
  const problems: Problem[] = []
  if (ordering === 'position' && !format.hasPositions) {
    const message =
      name === 'auto'
        ? 'source.ordering: `position` needs messages with positions, which some formats lack: name yours ' +
          'instead of `format: auto`'
        : `source.ordering: \`position\` needs messages with positions, and those of ${name} have none`
    problems.push({ line: lineAt(['source', 'ordering']), message })
  }
  if (keyedBy === 'primary-key' && format.movesKeys === true) {
    const message =
      name === 'auto'
        ? 'source.keyedBy: in some formats a message may move a row to another key: name yours instead of ' +
          '`format: auto`'
        : `source.keyedBy: a message of ${name} may move a row to another key, whose changes come through ` +
          'another partition; leave it out'
    problems.push({ line: lineAt(['source', 'keyedBy']), message })
  }
  return problems
}

/** What `keyedBy: primary-key` does not go with. */
function withoutHopProblems(
  ordering: unknown,
  tables: readonly unknown[],
  lineAt: LineAt,
): Problem[] {
  const problems: Problem[] = []
  if (ordering === 'position') {
    const message =
      'source.keyedBy: `ordering: position` is for producers that spread a row’s changes over partitions; ' +
      'leave out one of them'
    problems.push({ line: lineAt(['source', 'keyedBy']), message })
  }
  for (const [index, table] of tables.entries()) {
    if ((table as UncheckedTable | null)?.merge !== true) continue
    const message =
      `tables[${index}].merge: several tables in one need the hop, and source.keyedBy takes it away; leave ` +
      'out one of them'
    problems.push({ line: lineAt(['tables', index, 'merge']), message })
  }
  return problems
}

interface Rule {
  readonly index: number
  readonly from: string
  readonly to: string
  readonly isMerge: boolean
}

function ruleProblems(tables: readonly unknown[], lineAt: LineAt): Problem[] {
  const problems: Problem[] = []
  const rules: Rule[] = []
  for (const [index, table] of tables.entries()) {
    const { from, to, merge, columns } = (table ?? {}) as UncheckedTable
    problems.push(...columnProblems(columns, index, lineAt))
    if (typeof from !== 'string' || typeof to !== 'string') continue
    const rule = { index, from, to, isMerge: merge === true }
    const at = lineAt(['tables', index, 'to'])
    const found = [
      ...placeholderProblems(rule),
      ...mergeProblems(rule, rules),
      ...folderProblems(rule, rules),
    ]
    problems.push(
      ...found.map(message => ({ line: at, message: `tables[${index}].to: ${message}` })),
    )
    const same = rules.find(other => other.from === from)
    if (same !== undefined) {
      const message = `tables[${index}].from: tables[${same.index}] takes all of ${from} before`
      problems.push({ line: lineAt(['tables', index, 'from']), message })
    }
    rules.push(rule)
  }
  return problems
}

const placeholders = ['table', 'database', 'schema']

function placeholderProblems({ to }: Rule): string[] {
  return [...to.matchAll(/\{([^{}]*)\}/g)].flatMap(([text, name = '']) => {
    return placeholders.includes(name)
      ? []
      : [`there is no ${text}${suggestion(name, placeholders).replaceAll(/"(\w+)"/g, '{$1}')}`]
  })
}

/** Rows of two tables in one are a mistake, but for shards: then the rules say so. */
function mergeProblems(rule: Rule, before: readonly Rule[]): string[] {
  const { from, to } = rule
  const [qualifier = '', table = ''] = from.split('.')
  const lost = [
    ...(qualifier.includes('*') && !/\{(database|schema)\}/.test(to) ? ['{database}'] : []),
    ...(table.includes('*') && !to.includes('{table}') ? ['{table}'] : []),
  ]
  if (lost.length > 0 && !rule.isMerge) {
    return [`many tables of ${from} would go to one; use ${lost.join(' and ')}, or ${orMerge}`]
  }
  const target = expanded(rule)
  const other = before.find(one => expanded(one) === target)
  if (target.includes('{') || other === undefined || other.from === from) return []
  if (rule.isMerge && other.isMerge) return []
  return [
    `${other.from} (tables[${other.index}]) goes to ${target} as well; give each its own, or in both ` +
      orMerge,
  ]
}

const orMerge = 'say `merge: true` when they are parts of one table and their keys do not overlap'

/** A table is a folder: it cannot lie within another one. */
function folderProblems(rule: Rule, before: readonly Rule[]): string[] {
  const target = expanded(rule)
  return before.flatMap(one => {
    const other = expanded(one)
    const [outer, inner] = target.length < other.length ? [target, other] : [other, target]
    if (outer.includes('{') || !inner.startsWith(`${outer}.`)) return []
    return [
      `the table ${inner} would lie in the folder of the table ${outer} (tables[${one.index}])`,
    ]
  })
}

/** The target's name, as far as the rule tells it. */
function expanded({ from, to }: Rule): string {
  if (from.includes('*')) return to
  const [qualifier = '', table = ''] = from.split('.')
  return to.replaceAll(/\{(?:database|schema)\}/g, qualifier).replaceAll('{table}', table)
}

function columnProblems(
  columns: UncheckedTable['columns'],
  index: number,
  lineAt: LineAt,
): Problem[] {
  const excluded = listOf(columns?.exclude)
  const both = listOf(columns?.include).filter(name => excluded.includes(name))
  if (both.length === 0) return []
  const message = `tables[${index}].columns: ${both.join(', ')} is both included and excluded`
  return [{ line: lineAt(['tables', index, 'columns']), message }]
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** What Hive reads must lie where Hive sees it, and its sessions must not be set so that tables are wrong. */
function hiveProblems(
  warehouse: NonNullable<Unchecked['warehouse']>,
  staging: Unchecked['staging'],
  lineAt: LineAt,
): Problem[] {
  const problems: Problem[] = []
  if (staging?.type !== 'webhdfs' && typeof staging?.path !== 'string') {
    const message =
      'staging: say where Hive reads what is staged: `type: webhdfs`, or `path` of a folder that Hive’s machines ' +
      'have at the same place'
    problems.push({ line: lineAt(['warehouse', 'type']), message })
  }
  const sessionSettings = (warehouse.settings ?? {}) as Readonly<Record<string, string>>
  try {
    settingsOf({ host: '', port: 0, sessionSettings }, (warehouse.version ?? '4.0') as HiveVersion)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const line = lineAt(['warehouse', 'settings'])
    problems.push({ line, message: `warehouse.settings: ${error.message}` })
  }
  return problems
}
