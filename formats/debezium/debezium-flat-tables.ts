/**
 * Of which table a flattened message is, and of which log: told by the fields that were added to it, else
 * by its topic, `<prefix>.<database>.<table>`. A tombstone has no fields: for topics that were renamed
 * the table of their rows is remembered.
 */
import { DecodeError } from '../../model/errors.ts'
import type { FlatParts } from './debezium-flat-fields.ts'
import type { SourceBlock } from './debezium-position.ts'

/** A table of a topic, under the names that its source block has. */
interface TableName {
  readonly db?: string | undefined
  readonly schema?: string | undefined
  readonly table: string
}

/** Beyond this many nobody renamed them one by one. */
const maxRenamed = 100

export class FlatTables {
  /** Of topics that are not called as their table is; null: of several tables. */
  readonly #renamed = new Map<string, TableName | null>()
  /** What the topics of schema changes say of their connector, by its name. */
  readonly #connectors = new Map<string, string>()

  /** Beside the other memory, so that a tombstone is read the same way again. */
  save(others: string): string {
    return this.#renamed.size === 0
      ? others
      : JSON.stringify({ others, renamed: [...this.#renamed] })
  }

  /** Gives the other memory. */
  restore(memory: string): string {
    if (!memory.startsWith('{')) return memory
    const { others, renamed } = JSON.parse(memory) as {
      readonly others: string
      readonly renamed: readonly (readonly [string, TableName | null])[]
    }
    for (const [topic, table] of renamed) this.#renamed.set(topic, table)
    return others
  }

  /** Takes in the payload of a schema-change event. */
  learn(payload: unknown): void {
    const { source } = (payload ?? {}) as { readonly source?: SourceBlock | null }
    const { name, connector } = source ?? {}
    if (typeof name === 'string' && typeof connector === 'string') {
      this.#connectors.set(name, connector)
    }
  }

  /** The source block of the message before it was flattened, as far as it can be told. */
  sourceOf(topic: string, key: unknown, { source, op }: FlatParts): SourceBlock {
    const logical = routedTopic(key) ?? topic
    const named = this.#tableOf(topic, logical, source)
    const name = textOf(source.name) ?? prefixOf(logical, named)
    const connector = source.connector ?? this.#connectors.get(name) ?? connectorOf(source)
    // A row of a snapshot must not be taken for one of the stream, nor the other way round.
    const isPlaced = source.snapshot !== undefined || (op !== null && op !== 'r')
    return {
      ...source,
      ...named,
      name,
      connector: isPlaced ? connector : undefined,
      snapshot: source.snapshot ?? (op === 'r' ? 'true' : 'false'),
    }
  }

  #tableOf(topic: string, logical: string, source: SourceBlock): TableName {
    const byTopic = tableOfTopic(logical)
    const table = textOf(source.table ?? source.collection)
    if (table === undefined) {
      const known = logical === topic ? this.#renamed.get(topic) : undefined
      if (known !== undefined && known !== null) return known
      if (known === undefined && byTopic !== null) return byTopic
      throw new DecodeError(
        'message-unknown',
        `neither the message nor its topic ${topic} tells of which table it is: add the fields db, schema ` +
          'and table (add.fields), and delete by rewrite',
      )
    }
    const [schema, db] = [textOf(source.schema ?? source.keyspace), textOf(source.db)]
    if (byTopic?.table === table && isTopicOf(logical, byTopic, source)) {
      return db === undefined || db === byTopic.db ? byTopic : { db, schema: byTopic.db, table }
    }
    if (schema === undefined && db === undefined) {
      throw new DecodeError(
        'message-unknown',
        `the message names the table ${table}, and nothing its database or schema: add them (add.fields)`,
      )
    }
    const own = { db, schema, table }
    if (logical === topic) this.#remember(topic, own)
    return own
  }

  #remember(topic: string, table: TableName): void {
    const known = this.#renamed.get(topic)
    if (known === null || (known !== undefined && isSame(known, table))) return
    if (known === undefined && this.#renamed.size >= maxRenamed) return
    this.#renamed.set(topic, known === undefined ? table : null)
  }
}

function isSame(a: TableName, b: TableName): boolean {
  return a.table === b.table && a.schema === b.schema && a.db === b.db
}

/** Where ByLogicalTableRouter sent several tables to one topic, the key says which it was. */
export function routedTopic(key: unknown): string | null {
  const routed = (key as Readonly<Record<string, unknown>> | null)?.__dbz__physicalTableIdentifier
  return typeof routed === 'string' ? routed : null
}

/** `<prefix>.<database>.<table>`; a prefix may have points, and SQL Server's topics the schema. */
function tableOfTopic(topic: string): TableName | null {
  const [db = '', table = ''] = topic.split('.').slice(-2)
  return db === '' || table === '' ? null : { db, table }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/**
 * Whether a topic that ends as the table is called has its schema too, which may not have been added: a
 * topic can have been renamed, and then the database is not what it says.
 */
function isTopicOf(topic: string, byTopic: TableName, source: SourceBlock): boolean {
  const { connector = connectorOf(source) } = source
  const [schema, db] = [textOf(source.schema ?? source.keyspace), textOf(source.db)]
  if (schema !== undefined) return schema === byTopic.db
  if (db === undefined || db === byTopic.db) return true
  return topic.split('.').length > 2 && connector !== 'mysql' && connector !== 'mariadb'
}

/** The connector's name, which its topic of schema changes has. */
function prefixOf(topic: string, { db, schema, table }: TableName): string {
  const tails = [
    [db, schema, table],
    [schema ?? db, table],
  ].map(parts => `.${parts.join('.')}`)
  const tail = tails.find(one => topic.endsWith(one))
  return tail === undefined ? topic.replace(/\..*$/s, '') : topic.slice(0, -tail.length)
}

/** By the places that only some have. */
function connectorOf({ file, pos, lsn }: SourceBlock): string | undefined {
  if (typeof file === 'string' && pos !== undefined) return 'mysql'
  return lsn === undefined ? undefined : 'postgresql'
}
