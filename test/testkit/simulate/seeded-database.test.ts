/** The made-up source: what its connector sends is what its rows are. */
import { describe, expect, it } from 'vitest'
import { debeziumJson } from '../../../formats/debezium/debezium-json.ts'
import type { ChangeEvent, LogRecord } from '../../../model/change-event.ts'
import type { Row } from '../../../model/value.ts'
import { SeededDatabase } from '../../../testkit/simulate/seeded-database.ts'
import type { Workload } from '../../../testkit/simulate/workload.ts'
import { checkWorkload, rowText } from '../../../testkit/simulate/workload.ts'

const workload: Workload = {
  tables: {
    'shop.user': {
      key: ['id'],
      columns: {
        id: { type: 'int' },
        status: { type: 'string', values: ['active', 'closed'] },
        about: { type: 'string', nullable: true, isLarge: true },
      },
      partitions: 1,
    },
    'shop.item': {
      key: ['order', 'line'],
      columns: {
        order: { type: 'bigint' },
        line: { type: 'string' },
        price: { type: 'decimal(10,2)' },
        exact: { type: 'decimal(38,4)', values: [-1n, 0, 12_345_678_901_234_567_890_123n] },
        rate: { type: 'double' },
        small: { type: 'smallint', nullable: true },
        day: { type: 'date', nullable: true },
        at: { type: 'timestamp' },
        isPaid: { type: 'boolean' },
      },
      partitions: 1,
    },
  },
}
const numbers = Array.from({ length: 200 }, (_, index) => index + 1)

function run(seed: number, given: Workload = workload, statements = numbers, resends = false) {
  const story: string[] = []
  const checked = checkWorkload(given)
  const tell = (line: string) => story.push(line)
  const database = new SeededDatabase({ seed, workload: checked, statements, tell })
  for (let number = 1; number <= statements.at(-1)!; number += 1) {
    database.step()
    if (resends) database.mayResend()
  }
  const records = Object.fromEntries(
    checked.tables.map(({ name, topic }) => [
      name,
      database.source.records({ topic, partition: 0 }),
    ]),
  )
  return { database, story, records }
}

/** What a naive reader of the messages has at the end: the key as text, the row. */
function folded(records: readonly LogRecord[]): Map<string, Row> {
  const decoder = debeziumJson().createDecoder({
    hintsOf: () => ({}),
    connectorSettings: {},
    incarnation: '',
  })
  const rows = new Map<string, Row>()
  for (const record of records) {
    const decoded = decoder.decode(record)
    const events: readonly ChangeEvent[] = decoded.kind === 'changes' ? decoded.events : []
    for (const { op, key, after } of events) {
      const name = JSON.stringify(key)
      if (op === 't') rows.clear()
      else if (op === 'd') rows.delete(name)
      else rows.set(name, { ...rows.get(name), ...after })
    }
  }
  return rows
}

describe('a made-up database', () => {
  it('sends each change of each type as it is', () => {
    const kinds = new Set<string>()
    let rowCount = 0
    for (let seed = 1; seed <= 10; seed += 1) {
      const { database, records, story } = run(seed)
      for (const line of story) kinds.add(/: (\w+)/.exec(line)![1]!)
      if (story.some(line => line.includes('not sent'))) kinds.add('partial')
      for (const [table, own] of Object.entries(records)) {
        const rows = database.states.at(-1)![table]!
        rowCount += rows.length
        expect(sorted(folded(own).values())).toEqual(sorted(rows))
      }
    }
    expect(rowCount).toBeGreaterThan(50)
    expect([...kinds].sort()).toEqual(
      ['change', 'delete', 'insert', 'partial', 'truncate', 'update'].sort(),
    )
  })

  it('sends blocks again', () => {
    const { story, records } = run(1, workload, numbers, true)
    const again = story.filter(line => line.includes('are sent again'))
    expect(again.length).toBeGreaterThan(3)
    const places = records['shop.user']!.map(({ timestampMs }) => timestampMs)
    expect(places.some((place, index) => place < (places[index - 1] ?? 0))).toBe(true)
  })

  it('is the same for the same seed', () => {
    expect(run(3).story).toEqual(run(3).story)
    expect(run(3).story).not.toEqual(run(4).story)
  })

  it('tries the same row with the same values when other statements are left out', () => {
    const some = numbers.filter(number => number % 3 === 0)
    const inserts = (story: readonly string[]) => {
      const lines = story.filter(line => line.includes(': insert'))
      return new Map(lines.map(line => [/^source (\d+)/.exec(line)![1]!, line]))
    }
    let shared = 0
    for (let seed = 1; seed <= 5; seed += 1) {
      const whole = inserts(run(seed).story)
      const left = run(seed, workload, some).story
      expect(left).toHaveLength(some.length)
      for (const [number, line] of inserts(left)) {
        // What was another statement there was about a row that others had made.
        if (!whole.has(number)) continue
        expect(line).toBe(whole.get(number))
        shared += 1
      }
    }
    expect(shared).toBeGreaterThan(20)
  })

  it('makes no statement whose weight is nothing', () => {
    const weights = { truncate: 0, changeKey: 0, delete: 0 }
    const { story } = run(1, { ...workload, weights })
    expect(story.every(line => /: (insert|update)/.test(line))).toBe(true)
  })
})

describe('a workload that cannot run', () => {
  const column = { type: 'int' }
  const table = { key: ['id'], columns: { id: column } }

  it.each<[string, Workload]>([
    ['it has no tables', { tables: {} }],
    ['user is no name of a table', { tables: { user: table } }],
    ['d.t has no column id, which its key names', { tables: { 'd.t': { ...table, columns: {} } } }],
    ['d.t has no key', { tables: { 'd.t': { ...table, key: [] } } }],
    [
      'd.t has a column x of type uuid: the simulator knows boolean, smallint',
      { tables: { 'd.t': { ...table, columns: { id: column, x: { type: 'uuid' } } } } },
    ],
    [
      'd.t has a key column id of type double: the simulator knows smallint, int, bigint, string',
      { tables: { 'd.t': { ...table, columns: { id: { type: 'double' } } } } },
    ],
    [
      'd.t has a key column id that may be null',
      { tables: { 'd.t': { ...table, columns: { id: { ...column, nullable: true } } } } },
    ],
    [
      'd.t has a column id without values',
      { tables: { 'd.t': { ...table, columns: { id: { ...column, values: [] } } } } },
    ],
    [
      'd.t has a column id with a value that is no int: "x"',
      { tables: { 'd.t': { ...table, columns: { id: { ...column, values: ['x'] } } } } },
    ],
    [
      'two tables have the topic t',
      { tables: { 'd.a': { ...table, topic: 't' }, 'd.b': { ...table, topic: 't' } } },
    ],
    ['d.t has 0 partitions', { tables: { 'd.t': { ...table, partitions: 0 } } }],
    ['it has 1.5 statements', { tables: { 'd.t': table }, statements: 1.5 }],
    ['the weight of update is -1', { tables: { 'd.t': table }, weights: { update: -1 } }],
  ])('says so: %s', (problem, given) => {
    expect(() => checkWorkload(given)).toThrow(
      expect.objectContaining({
        code: 'config-invalid',
        message: expect.stringContaining(problem),
      }),
    )
  })
})

function sorted(rows: Iterable<Row>): Row[] {
  return [...rows].sort((a, b) => (rowText(a) < rowText(b) ? -1 : 1))
}
