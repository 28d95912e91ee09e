/**
 * A seeded program of statements on six tables, as an application would run them: inserts, updates, deletes,
 * changed keys, rows that move between partitions, a few statements a transaction. PostgreSQL keeps the bodies of two
 * tables apart from their rows, and leaves one that did not change out of its log, also where the key changes.
 */
import { parsePartitionBy } from '../../../model/partition-by.ts'
import type { TableRule } from '../../../processors/route-tables.ts'
import type { Random } from '../../../runtime/random.ts'
import type { DatabaseKind } from './databases.ts'
import { place, text, time } from './shop-site.ts'
import type { SiteTable } from './site.ts'

export function programTables(kind: DatabaseKind): readonly SiteTable[] {
  return [
    { name: 'plain', columns: [text(kind, 'id'), text(kind, 'v'), text(kind, 'n')] },
    { name: 'pairs', columns: [text(kind, 'a'), text(kind, 'b'), text(kind, 'v')] },
    { name: 'places', columns: [text(kind, 'id'), place(kind, 'region'), text(kind, 'v')] },
    { name: 'months', columns: [text(kind, 'id'), time(kind, 'at'), text(kind, 'v')] },
    { name: 'drafts', columns: [text(kind, 'id'), text(kind, 'v'), text(kind, 'body')] },
    {
      name: 'letters',
      columns: [text(kind, 'id'), place(kind, 'region'), text(kind, 'v'), text(kind, 'body')],
    },
  ]
}

export function programSchema(kind: DatabaseKind): readonly string[] {
  const time6 = kind === 'mariadb' ? 'DATETIME(6)' : 'TIMESTAMP(6)'
  return [
    'CREATE TABLE @S@.plain (id BIGINT PRIMARY KEY, v VARCHAR(40), n DECIMAL(20,4))',
    'CREATE TABLE @S@.pairs (a INT, b VARCHAR(10), v INT, PRIMARY KEY (a, b))',
    'CREATE TABLE @S@.places (id INT PRIMARY KEY, region VARCHAR(10), v INT)',
    `CREATE TABLE @S@.months (id INT PRIMARY KEY, at ${time6} NOT NULL, v VARCHAR(10))`,
    'CREATE TABLE @S@.drafts (id INT PRIMARY KEY, v INT, body TEXT)',
    'CREATE TABLE @S@.letters (id INT PRIMARY KEY, region VARCHAR(10), v INT, body TEXT)',
    ...(kind === 'postgres' ? ['drafts', 'letters'].map(keptApart) : []),
  ]
}

/** Without compression, which would make short what is the same again and again. */
function keptApart(table: string): string {
  return `ALTER TABLE @S@.${table} ALTER COLUMN body SET STORAGE EXTERNAL`
}

export const programRules = {
  letters: { partitionBy: 'region' },
  places: { partitionBy: 'region' },
  months: { partitionBy: 'year_month(at)' },
}

/** The same as a router has them, of all tables of the schema. */
export function programRulesOf(schema: string): readonly TableRule[] {
  const divided = Object.entries(programRules).map(([table, { partitionBy }]) => {
    const name = `${schema}.${table}`
    return { from: name, to: name, partitionBy: parsePartitionBy(partitionBy) }
  })
  return [...divided, { from: `${schema}.*`, to: `${schema}.{table}` }]
}

/** `statements` of them, in transactions of up to five. Rows are few, so that they are changed often. */
export function* program(random: Random, statements: number): Generator<readonly string[]> {
  for (let done = 0; done < statements; ) {
    const count = Math.min(statements - done, 1 + Math.floor(random.next() * 5))
    const body = Array.from({ length: count }, () => anyStatement(random))
    done += count
    // Some transactions are taken back: nothing of them may be seen.
    yield ['BEGIN', ...body, random.next() < 0.1 ? 'ROLLBACK' : 'COMMIT']
  }
}

function anyStatement(random: Random): string {
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(random.next() * of.length)]!
  return pick(onPlain, onPairs, onPlaces, onMonths, onDrafts, onLetters)(random)
}

const below = (random: Random, end: number): number => Math.floor(random.next() * end)

/** A key that is taken leaves the table as it is, so that the program never fails. */
function insert(table: string, columns: string, values: string, free: string): string {
  return `INSERT INTO @S@.${table} (${columns}) SELECT ${values} WHERE NOT EXISTS (SELECT 1 FROM @S@.${table} WHERE ${free})`
}

function onPlain(random: Random): string {
  const id = below(random, 60)
  const text = `'v${below(random, 1000)} ''q'' ü'`
  const number = `${below(random, 10_000) - 5000}.${below(random, 10_000)}`
  const kinds = [
    insert('plain', 'id, v, n', `${id}, ${text}, ${number}`, `id = ${id}`),
    `UPDATE @S@.plain SET v = ${text} WHERE id = ${id}`,
    `UPDATE @S@.plain SET n = NULL, v = NULL WHERE id BETWEEN ${id} AND ${id + 3}`,
    `DELETE FROM @S@.plain WHERE id = ${id}`,
    // Far away, and never onto another row.
    `UPDATE @S@.plain SET id = id + 1000 * (1 + ${below(random, 1_000_000)}) WHERE id = ${id}`,
  ]
  return kinds[below(random, kinds.length)]!
}

function onPairs(random: Random): string {
  const [a, b] = [below(random, 6), `'k${below(random, 6)}'`]
  const where = `a = ${a} AND b = ${b}`
  const kinds = [
    insert('pairs', 'a, b, v', `${a}, ${b}, ${below(random, 100)}`, where),
    `UPDATE @S@.pairs SET v = v + 1 WHERE a = ${a}`,
    `DELETE FROM @S@.pairs WHERE ${where}`,
    `UPDATE @S@.pairs SET a = a + 1000 + ${below(random, 1_000_000)} WHERE ${where}`,
  ]
  return kinds[below(random, kinds.length)]!
}

function onPlaces(random: Random): string {
  const id = below(random, 40)
  const region = ["'eu'", "'us'", "'a/b=c'", 'NULL'][below(random, 4)]!
  const kinds = [
    insert('places', 'id, region, v', `${id}, ${region}, ${below(random, 100)}`, `id = ${id}`),
    `UPDATE @S@.places SET region = ${region} WHERE id = ${id}`,
    `UPDATE @S@.places SET v = v + 1 WHERE id BETWEEN ${id} AND ${id + 5}`,
    `DELETE FROM @S@.places WHERE id = ${id}`,
  ]
  return kinds[below(random, kinds.length)]!
}

function onMonths(random: Random): string {
  const id = below(random, 40)
  const month = String(1 + below(random, 4)).padStart(2, '0')
  const at = `'2024-${month}-15 0${below(random, 10)}:00:00.00000${below(random, 10)}'`
  const kinds = [
    insert('months', 'id, at, v', `${id}, ${at}, 'm${below(random, 100)}'`, `id = ${id}`),
    `UPDATE @S@.months SET at = ${at} WHERE id = ${id}`,
    `UPDATE @S@.months SET v = 'w${below(random, 100)}' WHERE id BETWEEN ${id} AND ${id + 4}`,
    `DELETE FROM @S@.months WHERE id = ${id}`,
    `UPDATE @S@.months SET id = id + 1000 + ${below(random, 1_000_000)} WHERE id = ${id}`,
  ]
  return kinds[below(random, kinds.length)]!
}

/** Large enough to be kept apart, and like no other. */
const body = (random: Random): string => `repeat('${below(random, 1_000_000)} ', 600)`

const farAway = (random: Random): number => 1000 + below(random, 1_000_000)

function onDrafts(random: Random): string {
  const id = below(random, 30)
  const kinds = [
    insert('drafts', 'id, v, body', `${id}, 0, ${body(random)}`, `id = ${id}`),
    `UPDATE @S@.drafts SET v = v + 1 WHERE id BETWEEN ${id} AND ${id + 3}`,
    `UPDATE @S@.drafts SET body = ${body(random)} WHERE id = ${id}`,
    `UPDATE @S@.drafts SET id = id + ${farAway(random)} WHERE id BETWEEN ${id} AND ${id + 2}`,
    `DELETE FROM @S@.drafts WHERE id = ${id}`,
  ]
  return kinds[below(random, kinds.length)]!
}

function onLetters(random: Random): string {
  const id = below(random, 30)
  const region = ["'eu'", "'us'", 'NULL'][below(random, 3)]!
  const kinds = [
    insert('letters', 'id, region, v, body', `${id}, ${region}, 0, ${body(random)}`, `id = ${id}`),
    `UPDATE @S@.letters SET v = v + 1, region = ${region} WHERE id = ${id}`,
    `UPDATE @S@.letters SET id = id + ${farAway(random)} WHERE id BETWEEN ${id} AND ${id + 2}`,
    `UPDATE @S@.letters SET id = id + ${farAway(random)}, region = ${region} WHERE id = ${id}`,
    `DELETE FROM @S@.letters WHERE id = ${id}`,
  ]
  return kinds[below(random, kinds.length)]!
}
