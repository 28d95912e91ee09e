/**
 * The source database of a workload: one statement after the other, each made up from the seed and its
 * own number alone, so that leaving one out does not change what the others are about. It keeps what the
 * tables of the warehouse should be after each.
 */
import type { Row, Value } from '../../model/value.ts'
import { powerOfTen } from '../../model/value.ts'
import type { Random } from '../../runtime/random.ts'
import { seededRandom } from '../../runtime/random.ts'
import { MemorySource } from '../memory-source.ts'
import type { TopicOf } from './connector.ts'
import { Connector, keyOf, pick } from './connector.ts'
import type { CheckedColumn, CheckedWorkload, TableRows } from './workload.ts'
import { rowText } from './workload.ts'

export interface DatabaseOptions {
  readonly seed: number
  readonly workload: CheckedWorkload
  /** Those that are made, by their numbers from 1. The others are left out. */
  readonly statements: readonly number[]
  /** Told of each statement, in words. */
  readonly tell: (line: string) => void
}

interface Table extends TopicOf {
  readonly rows: Map<string, Row>
  /** How many values a column of the key has. */
  readonly keyValues: number
}

/** Of the statements. */
const resendShare = 0.06
/** 2026-01-01, in days and microseconds. */
const firstDay = 20_454
const firstMicros = firstDay * 86_400_000_000

export class SeededDatabase {
  readonly source: MemorySource
  /** What the warehouse should show: at first, and after each statement. */
  readonly states: TableRows[] = []
  readonly #options: DatabaseOptions
  readonly #tables: readonly Table[]
  readonly #connector: Connector
  #number = 0

  constructor(options: DatabaseOptions) {
    this.#options = options
    const random = randomOf(options.seed, 0)
    this.#tables = options.workload.tables.map(table => {
      const partitions = table.partitions ?? 1 + pick(random, 3)
      const isComposite = table.columns.filter(({ isKey }) => isKey).length > 1
      const keyValues = isComposite ? 2 + pick(random, 3) : 3 + pick(random, 12)
      return { table, partitions, rows: new Map<string, Row>(), keyValues }
    })
    this.source = new MemorySource(
      Object.fromEntries(this.#tables.map(({ table, partitions }) => [table.topic, partitions])),
      { isFinite: false },
    )
    this.#connector = new Connector(this.source)
    this.#remember()
  }

  /** One statement, unless it is left out. */
  step(): void {
    this.#number += 1
    this.#connector.next()
    if (!this.#options.statements.includes(this.#number)) return
    const random = randomOf(this.#options.seed, this.#number)
    const table = this.#tables[pick(random, this.#tables.length)]!
    this.#options.tell(`source ${this.#number}: ${this.#change(table, random)} ${table.table.name}`)
    this.#remember()
  }

  /** The producer may have crashed: it sends again what it sent last. */
  mayResend(): void {
    if (!this.#options.statements.includes(this.#number)) return
    const random = randomOf(this.#options.seed, -this.#number)
    if (random.next() >= resendShare) return
    const { table, partitions } = this.#tables[pick(random, this.#tables.length)]!
    const sent = this.#connector.resend({ table, partitions }, random)
    if (sent !== null) this.#options.tell(`source ${this.#number}: ${sent}`)
  }

  #remember(): void {
    const tables = this.#tables.map(({ table, rows }) => [table.name, [...rows.values()]] as const)
    this.states.push(this.#options.workload.expected(Object.fromEntries(tables)))
  }

  /** Tells what it did. */
  #change(table: Table, random: Random): string {
    const row = this.#newRow(table, random)
    const key = keyOf(table.table, row)!
    const before = table.rows.get(key)
    if (before === undefined) {
      this.#write(table, null, row)
      return `insert ${rowText(row)} into`
    }
    const { weights } = this.#options.workload
    const choice = random.next() * sumOf(Object.values(weights))
    if (choice < weights.truncate) return this.#truncate(table, random)
    if (choice < weights.truncate + weights.delete) {
      this.#write(table, before, null)
      return `delete ${key} from`
    }
    const isKeyChange = choice < weights.truncate + weights.delete + weights.changeKey
    const moved = isKeyChange ? this.#moved(table, before, random) : null
    if (moved !== null) {
      this.#write(table, before, moved)
      return `change key ${key} to ${keyOf(table.table, moved)} in`
    }
    return this.#update(table, before, row, random)
  }

  #truncate(table: Table, random: Random): string {
    table.rows.clear()
    this.#connector.sendTruncate(table, random)
    return 'truncate'
  }

  /** The row under a key that is free; null when it finds none. */
  #moved(table: Table, before: Row, random: Random): Row | null {
    const moved = { ...before, ...this.#newKey(table, random) }
    return table.rows.has(keyOf(table.table, moved)!) ? null : moved
  }

  /** Some columns change. A large one that does not may be left out. */
  #update(table: Table, before: Row, values: Row, random: Random): string {
    const others = table.table.columns.filter(({ isKey }) => !isKey)
    // One at least: a database that changes nothing tells nothing.
    const sure = others[pick(random, others.length)]
    const changed = others
      .filter(column => random.next() < 0.5 || column === sure)
      .map(({ name }) => name)
    const after = { ...before, ...only(values, changed) }
    const kept = others.filter(({ name, isLarge }) => isLarge === true && !changed.includes(name))
    const leftOut = kept.filter(() => random.next() < 0.5).map(({ name }) => name)
    this.#write(table, before, after, leftOut)
    const unsent = leftOut.length === 0 ? '' : ` (not sent: ${leftOut.join(', ')})`
    return `update ${keyOf(table.table, before)} to ${rowText(only(values, changed))}${unsent} in`
  }

  #write(table: Table, before: Row | null, after: Row | null, leftOut?: readonly string[]): void {
    if (before !== null) table.rows.delete(keyOf(table.table, before)!)
    if (after !== null) table.rows.set(keyOf(table.table, after)!, after)
    this.#connector.send(table, { before, after, leftOut: leftOut ?? [] })
  }

  #newRow(table: Table, random: Random): Row {
    const key = this.#newKey(table, random)
    const entries = table.table.columns.map(column => {
      const { name, isKey } = column
      return [name, isKey ? key[name]! : newValue(column, this.#number, random)] as const
    })
    return Object.fromEntries(entries)
  }

  #newKey({ table, keyValues }: Table, random: Random): Row {
    const columns = table.columns.filter(({ isKey }) => isKey)
    return Object.fromEntries(
      columns.map(({ name, values, parsed }) => {
        if (values !== undefined) return [name, values[pick(random, values.length)]!]
        const number = 1 + pick(random, keyValues)
        return [name, parsed.kind === 'string' ? `${name}-${number}` : number]
      }),
    )
  }
}

/** A value that tells which statement wrote it, where the type has room for that. */
function newValue(column: CheckedColumn, statement: number, random: Random): Value {
  const { name, values, nullable, parsed } = column
  const isNull = random.next() < 0.2
  const choice = random.next()
  if (nullable === true && isNull) return null
  if (values !== undefined) return values[Math.floor(choice * values.length)]!
  switch (parsed.kind) {
    case 'boolean':
      return choice < 0.5
    case 'double':
      return statement + 0.5
    case 'date':
      return firstDay + Math.floor(choice * 120)
    case 'timestamp':
      return firstMicros + statement * 1_000_001
    case 'decimal':
      return Number((BigInt(statement) * 101n) % powerOfTen(parsed.precision))
    case 'string':
      return `${name} ${statement}`
    default:
      return statement
  }
}

/** Numbers of their own for each statement. */
function randomOf(seed: number, statement: number): Random {
  return seededRandom(Math.imul(seed, 0x9e37_79b1) ^ Math.imul(statement, 0x85eb_ca6b))
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function only(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map(name => [name, row[name]!]))
}
