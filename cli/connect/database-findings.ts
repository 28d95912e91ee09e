/** Settings of the database by which changes are lost: of the server, and of each table that a rule takes. */
import type { PartitionBy } from '../../model/partition-by.ts'
import type { TableRouter, TableRule } from '../../processors/route-tables.ts'
import { routerOf } from '../application.ts'
import type { Config } from '../config-schema.ts'
import { formatCount, plural } from '../output.ts'
import type {
  LogFacts,
  ReplicaIdentity,
  SourceDatabase,
  SourceTable,
} from '../verify/source-database.ts'
import { keyOf } from '../verify/table-plan.ts'
import type { Finding } from './finding.ts'
import { ill, problem, well } from './finding.ts'
import { adviceOf } from './hive-findings.ts'

export interface DatabaseRules {
  readonly router: TableRouter
  readonly ordering: 'log' | 'position'
}

/** Returns whether it could be asked. */
export async function* databaseFindings(
  config: Config,
  database: SourceDatabase,
): AsyncGenerator<Finding, boolean> {
  const router = routerOf(config)
  const what = 'database'
  try {
    const names = await database.tables()
    const named = names.filter(name => router.lookUp(name) !== null)
    const text = `${database.address} answers, ${plural(names.length, 'table')}, ${formatCount(named.length)} of them by the rules`
    if (named.length === 0) {
      yield ill(what, `${text}: no rule names a table that is there`)
      return false
    }
    yield well(what, text)
    const facts = await database.logFacts()
    yield* serverFindings(what, facts)
    const rules = { router, ordering: config.source.ordering }
    for (const name of named) yield* tableFindings(await database.describe(name), facts, rules)
    return true
  } catch (error) {
    yield ill(what, adviceOf(error))
    return false
  }
}

const fewSeconds = 3 * 24 * 60 * 60

/** A setting that the server does not know is right. */
export function* serverFindings(what: string, { settings }: LogFacts): Generator<Finding> {
  const textOf = (name: string): string => (settings.get(name) ?? '').toUpperCase()
  const is = (name: string): string => `${name} is ${settings.get(name) || 'empty'}`
  const differs = (name: string, wanted: string): boolean =>
    settings.has(name) && textOf(name) !== wanted
  if (differs('log_bin', 'ON')) yield problem('binlog-off', what, is('log_bin'))
  if (differs('binlog_format', 'ROW')) yield problem('binlog-format', what, is('binlog_format'))
  if (differs('binlog_row_image', 'FULL')) {
    yield problem('binlog-row-image', what, is('binlog_row_image'))
  }
  if (textOf('binlog_row_value_options').includes('PARTIAL_JSON')) {
    yield problem('binlog-partial-json', what, is('binlog_row_value_options'))
  }
  // 0: they are kept.
  const seconds = Number(settings.get('binlog_expire_logs_seconds') ?? 0)
  if (seconds > 0 && seconds < fewSeconds) {
    yield problem('binlog-expires-soon', what, is('binlog_expire_logs_seconds'))
  }
  const allowed = ['NO_ZERO_DATE', 'NO_ZERO_IN_DATE'].filter(
    mode => !textOf('sql_mode').split(',').includes(mode),
  )
  if (settings.has('sql_mode') && allowed.length > 0) {
    yield problem('zero-dates', what, `sql_mode has no ${allowed.join(' and no ')}`)
  }
  if (differs('wal_level', 'LOGICAL')) yield problem('wal-level', what, is('wal_level'))
  if (differs('max_slot_wal_keep_size', '-1')) {
    yield problem('slot-limited', what, `${is('max_slot_wal_keep_size')} MB`)
  }
}

export function* tableFindings(
  table: SourceTable,
  { identities }: LogFacts,
  { router, ordering }: DatabaseRules,
): Generator<Finding> {
  const target = router.lookUp(table.name)
  if (target === null) return
  const { rule } = target
  if (keyOf(table, rule).length === 0) {
    const code = rule.from.includes('*') ? 'table-passed-over' : 'table-without-key'
    yield problem(code, table.name, 'it has no primary key')
    return
  }
  const partitionBy = router.partitionByOf(target.name)
  for (const identity of identities.filter(one => one.table === table.name)) {
    yield* identityFindings({ table, rule, identity, partitionBy, ordering })
  }
}

interface Identified {
  readonly table: SourceTable
  readonly rule: TableRule
  readonly identity: ReplicaIdentity
  readonly partitionBy: PartitionBy | null
  readonly ordering: DatabaseRules['ordering']
}

const identityTexts = {
  default: 'REPLICA IDENTITY is DEFAULT',
  nothing: 'REPLICA IDENTITY is NOTHING',
  index: 'REPLICA IDENTITY is that of an index',
  full: 'REPLICA IDENTITY is FULL',
} as const satisfies Readonly<Record<ReplicaIdentity['kind'], string>>

function* identityFindings({
  table,
  rule,
  identity,
  partitionBy,
  ordering,
}: Identified): Generator<Finding> {
  const { kind, columns } = identity
  if (kind === 'full') return
  const what = table.name
  const fact = identityTexts[kind]
  if (columns.length === 0) {
    const reason = kind === 'default' ? `${fact}, and there is no primary key` : fact
    yield problem('identity-nothing', what, reason)
    return
  }
  const key = keyOf(table, rule)
  const missing = key.filter(name => !columns.includes(name))
  if (missing.length > 0) {
    yield problem('identity-lacks-key', what, `${fact} and lacks ${missing.join(', ')} of the key`)
  }
  if (rule.beforeImage === 'full' && table.columns.some(({ name }) => !columns.includes(name))) {
    yield problem('identity-not-full', what, `${fact}, and its rule states \`beforeImage: full\``)
  }
  if (partitionBy !== null && !columns.includes(partitionBy.column)) {
    const text = `${fact}, and \`partitionBy\` names ${partitionBy.column}`
    yield problem('identity-partitions', what, text)
  }
  const large = table.columns
    .filter(({ name, declared }) => isLarge.test(declared) && !columns.includes(name))
    .map(({ name }) => name)
  if (large.length === 0) return
  const code = ordering === 'position' ? 'identity-partial-rows' : 'identity-large-values'
  yield problem(code, what, `${fact}, and values of ${large.join(', ')} may be kept apart (TOAST)`)
}

/** Types whose values are likely to be kept apart from their row. */
const isLarge =
  /^(text|bytea|jsonb?|xml|hstore|tsvector|geometry|geography|character varying$)|\[\]$/
