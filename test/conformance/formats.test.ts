/**
 * Every format carries the same program of SQL, through the whole topology, to the same tables; what a
 * format itself loses is named (`scripts/formats/format-losses.ts`), and each name makes a difference.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FormatName } from '../../cli/formats.ts'
import { formatNames } from '../../cli/formats.ts'
import { columnTypeText } from '../../model/column-type.ts'
import { seededRandom } from '../../runtime/random.ts'
import type { FormatLoss } from '../../scripts/formats/format-losses.ts'
import { formatLosses } from '../../scripts/formats/format-losses.ts'
import { columnTypes } from '../../scripts/formats/formats-doc.ts'
import type { NewRecord } from '../../testkit/memory-source.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { Dice } from '../formats/random-columns.ts'
import { MainRun } from '../main/main-run.ts'
import type { Program } from './program.ts'
import { columns, makeProgram } from './program.ts'
import type { Message, Writer } from './writers.ts'
import { avroSchemas, writers } from './writers.ts'

interface Table {
  /** By column. */
  readonly types: Readonly<Record<string, string>>
  /** By id: what is shown of each column. */
  readonly rows: Readonly<Record<string, Readonly<Record<string, string>>>>
}

const folder = mkdtempSync(join(tmpdir(), 'forager-conformance-'))
beforeAll(() => writeFileSync(join(folder, 'schemas.jsonl'), avroSchemas))
afterAll(() => rmSync(folder, { recursive: true }))

const named = Object.entries(writers).filter(
  (entry): entry is [Exclude<FormatName, 'auto'>, Writer] => entry[1] !== 'any',
)
const changeCount = 120

/** The table as the format brings it. */
function expectedOf({ rows }: Program, losses: readonly FormatLoss[]): Table {
  const types: Record<string, string> = { id: 'int' }
  for (const { name, target } of columns) types[name] = target
  for (const loss of losses) if (loss.kind === 'type') types[loss.column] = loss.instead
  const shown = [...rows].map(([id, row]) => {
    const cells = [...row].map(([name, cell]) => {
      const loss = losses.find(
        one => one.kind === 'value' && one.column === name && one.from === cell.shown,
      )
      return [name, loss?.kind === 'value' ? loss.instead : cell.shown]
    })
    return [id, { id: String(id), ...Object.fromEntries(cells) } as Record<string, string>] as const
  })
  return { types, rows: Object.fromEntries(shown) }
}

async function tableOf(run: MainRun): Promise<Table> {
  const schema = await run.columns('demo.t')
  const rows = (await run.lines('demo.t')).map(line => {
    // By text: a number keeps all of its digits.
    const cells = [...line.matchAll(/"(\w+)":("(?:[^"\\]|\\.)*"|[^,}]+)/g)]
    const row = Object.fromEntries(cells.map(([, name, json]) => [name!, json!]))
    return [row.id!, row] as const
  })
  return {
    types: Object.fromEntries(schema.map(({ name, type }) => [name, columnTypeText(type)])),
    rows: Object.fromEntries(rows),
  }
}

/** One line for each cell, type or row in which they differ. */
function differences(actual: Table, expected: Table): string[] {
  const all = (
    one: Readonly<Record<string, unknown>>,
    other: Readonly<Record<string, unknown>>,
  ) => [...new Set([...Object.keys(one), ...Object.keys(other)])]
  const typed = all(actual.types, expected.types)
    .filter(name => actual.types[name] !== expected.types[name])
    .map(name => `type of ${name}: ${actual.types[name]}, expected ${expected.types[name]}`)
  const cells = all(actual.rows, expected.rows).flatMap(id => {
    const [one, other] = [actual.rows[id] ?? {}, expected.rows[id] ?? {}]
    return all(one, other)
      .filter(name => one[name] !== other[name])
      .map(name => `row ${id}, ${name}: ${one[name]}, expected ${other[name]}`)
  })
  return [...typed, ...cells]
}

interface Way {
  readonly format: FormatName
  readonly writer: Writer
  readonly partitions: number
  readonly seed: number
}

/** With blocks of a partition sent again. */
async function runOf(
  program: Program,
  { format, writer, partitions, seed }: Way,
): Promise<MainRun> {
  const random = seededRandom(seed)
  const { topic } = writer
  const source = new MemorySource({ [topic]: partitions })
  const registry =
    writer === writers['debezium-avro']
      ? { registry: { type: 'file', path: join(folder, 'schemas.jsonl') } }
      : {}
  const config = {
    source: { format, ...registry, ...writer.source },
    window: { maxAge: '2s', maxRows: 10 },
  }
  const run = await MainRun.start({ source, seed, config, maxPollBytes: 20_000 })
  for (const change of program.changes) {
    for (const message of writer.messages(change)) {
      const record = recordOf(message, topic, partitions)
      source.append(record)
      if (random.next() < 0.1) source.resend(record, 1 + Math.floor(random.next() * 8))
    }
    if (random.next() < 0.2) await run.step(Math.floor(random.next() * 2000))
  }
  await run.finish()
  return run
}

function recordOf(
  { id, key, value, headers = {} }: Message,
  topic: string,
  partitions: number,
): NewRecord {
  return {
    topic,
    partition: id % partitions,
    timestampMs: 0,
    key,
    value,
    headers: Object.entries(headers).map(([name, text]) => ({
      key: name,
      value: Buffer.from(text),
    })),
  }
}

function refusal(losses: readonly FormatLoss[], partitions: number) {
  return losses.find(
    one => one.kind === 'changed key' && (one.partitions === 'any' || partitions > 1),
  )
}

const ways = named.flatMap(([name, writer]) =>
  [1, 3, 8].map(partitions => ({ name, writer, partitions })),
)

describe.each(ways)('$name over $partitions partitions', ({ name, writer, partitions }) => {
  const losses = formatLosses[name]
  const refused = refusal(losses, partitions)

  it.each<FormatName>([name, 'auto'])(
    'ends as every other format, read as %s, for several seeds of changes and repeats',
    async format => {
      for (let seed = 1; seed <= (format === name ? 3 : 1); seed += 1) {
        const dice = new Dice(seededRandom(seed * 100 + partitions))
        const program = makeProgram(dice, changeCount, refused === undefined)
        const run = await runOf(program, { format, writer, partitions, seed })
        const found = differences(await tableOf(run), expectedOf(program, losses))
        expect(found, `seed ${seed}`).toEqual([])
      }
    },
  )

  it(`${refused === undefined ? 'takes' : 'refuses'} a changed key, as it is named`, async () => {
    const program = makeProgram(new Dice(seededRandom(7)), changeCount, true)
    expect(program.changes.some(({ id, oldId }) => id !== oldId)).toBe(true)
    const running = runOf(program, { format: name, writer, partitions, seed: 1 })
    if (refused?.kind !== 'changed key') await running
    else await expect(running).rejects.toMatchObject({ code: refused.code })
  })
})

describe('what a format loses', () => {
  const program = makeProgram(new Dice(seededRandom(1)), 400, false)

  it.each(named)('is what is named of %s, and no more', async (format, writer) => {
    const losses = formatLosses[format]
    const run = await runOf(program, { format, writer, partitions: 1, seed: 1 })
    const actual = await tableOf(run)
    expect(differences(actual, expectedOf(program, losses))).toEqual([])
    for (const loss of losses) {
      if (loss.kind === 'changed key') continue
      const others = losses.filter(one => one !== loss)
      const found = differences(actual, expectedOf(program, others))
      expect(found, JSON.stringify(loss)).not.toEqual([])
    }
  })
})

describe('the list of formats', () => {
  it('has every format that a configuration can name', () => {
    expect(Object.keys(writers)).toEqual(formatNames)
  })

  it('is documented with the types of its columns', () => {
    const lost = Object.values(formatLosses).flat()
    for (const loss of lost) {
      if (loss.kind === 'changed key') continue
      const { type } = columns.find(({ name }) => name === loss.column) ?? { type: 'int' }
      const shown = columnTypes[loss.column]!.toLowerCase()
      expect(shown.replaceAll(/\(\d+\)/g, '')).toBe(type.replaceAll(/\(\d+\)/g, ''))
    }
  })

  it('is carried through a program with every value of every column', () => {
    const { changes } = makeProgram(new Dice(seededRandom(1)), 400, true)
    for (const { name, cells } of columns) {
      const seen = new Set(changes.map(({ after }) => after?.get(name)))
      for (const cell of cells) expect(seen.has(cell), `${name} ${cell.shown}`).toBe(true)
    }
    expect(new Set(changes.map(({ op }) => op))).toEqual(new Set(['c', 'u', 'd']))
    expect(changes.some(({ unsent }) => unsent.length > 0)).toBe(true)
  })
})
