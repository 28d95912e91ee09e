/** Maxwell's recording through the whole topology, and what may happen to it on the way. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ReadOnlySource } from '../../log/embedded-log.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { seededRandom } from '../../runtime/random.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { differencesFrom, foldMaxwell } from '../fold/maxwell-fold.ts'
import { MainRun } from './main-run.ts'
import { allRecords, openRecording } from './recordings.ts'

const path = join(import.meta.dirname, '../fixtures/maxwell/maxwell_1.22.6.jsonl')
const lines = readFileSync(path, 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as { topic: string; key: string; value: string })
const fold = foldMaxwell(lines)
/** Schema changes tell of it. */
const followed = foldMaxwell(lines, { 'canaldemo.user': { email: 'mail' } })

const format = 'maxwell-json'
const withDdl = { format, connector: { ddl_kafka_topic: 'maxwell_ddl' } }

/** A row whose key changed, which comes under its new key alone. */
const isKeyChanged = ({ value }: { readonly value: string | null }): boolean =>
  /"old":\{"(id|line_no)":/.test(value ?? '')

async function tablesOf(run: MainRun, expected: typeof fold): Promise<readonly string[]> {
  const problems: string[] = []
  expect([...(await run.tableNames())].sort()).toEqual([...expected.keys()].sort())
  for (const [name, rows] of expected) {
    const found = differencesFrom(rows, await run.lines(name))
    problems.push(...found.map(problem => `${name}: ${problem}`))
  }
  return problems
}

async function runOf(source: ReadOnlySource, config: object, seed = 1): Promise<MainRun> {
  const run = await MainRun.start({ source, seed, maxPollBytes: 4000, config: { ...config } })
  await run.finish()
  return run
}

describe('Maxwell’s recording', () => {
  it.each([
    ['inferred from values', { format }, fold],
    ['from schema changes', withDdl, followed],
  ])('ends as a fold of it, with types %s', async (_title, source, expected) => {
    expect(fold.size).toBe(11)
    const run = await runOf(await openRecording({ path }, 1), { source })
    expect(await tablesOf(run, expected)).toEqual([])
  })

  it.each([3, 8])('over %i partitions a changed key is refused', async partitions => {
    const source = await openRecording({ path }, partitions)
    const running = runOf(source, { source: { format } })
    await expect(running).rejects.toMatchObject({ code: 'changed-key-unordered' })
  })

  it.each([3, 8])('over %i partitions it is ordered by position', async partitions => {
    const source = await openRecording({ path }, partitions)
    // Maxwell has the schema changes of a database in one partition, which are spread here.
    const run = await runOf(source, { source: { format, ordering: 'position' } }, partitions)
    expect(await tablesOf(run, fold)).toEqual([])
  })

  it('has all columns and types of its tables', async () => {
    const run = await runOf(await openRecording({ path }, 1), { source: withDdl })
    const [first] = await run.lines('canaldemo.user')
    expect(first).toBe(
      '{"id":1,"name":"张三","sex":"M","age":31,"mail":"zhangsan@example.com",' +
        '"create_time":"2024-01-02 03:04:05","update_time":"2024-05-02 00:00:00",' +
        '"phone":"13800000000","vip":0}',
    )
  })
})

describe('Maxwell’s recording with blocks sent again', () => {
  it('ends equal, for 20 seeds', async () => {
    let repeatsDropped = 0
    for (let seed = 1; seed <= 20; seed += 1) {
      const { problems, run } = await replay(seed)
      expect(problems, `seed ${seed}`).toEqual([])
      repeatsDropped += run.metrics.total('forager_repeats_dropped_total')
    }
    expect(repeatsDropped).toBeGreaterThan(100)
  })
})

async function replay(seed: number) {
  const random = seededRandom(seed)
  const partitions = [1, 3, 8][seed % 3]!
  const records = [...(await allRecords(await openRecording({ path }, partitions))).values()].flat()
  const inOrder = sorted(records)
  const source = new MemorySource({ maxwell_demo: partitions, maxwell_ddl: partitions })
  const ordering = partitions === 1 ? 'log' : 'position'
  const config = { source: { format, ordering }, window: { maxAge: '2s', maxRows: 4 } }
  const run = await MainRun.start({ source, seed, maxPollBytes: 3000, config })
  for (const record of inOrder) {
    source.append(record)
    if (random.next() < 0.15) {
      const count = Math.min(source.records(record).length, 1 + Math.floor(random.next() * 15))
      source.resend(record, count)
    }
    if (random.next() < 0.3) await run.step(Math.floor(random.next() * 2000))
  }
  await run.finish()
  return { problems: await tablesOf(run, fold), run }
}

/** As Maxwell sent them: by the place in the recording. */
function sorted(records: readonly LogRecord[]): readonly LogRecord[] {
  const places = new Map(lines.map(({ value }, index) => [value, index]))
  const placeOf = ({ value }: LogRecord): number => places.get(Buffer.from(value!).toString())!
  return records.toSorted((a, b) => placeOf(a) - placeOf(b))
}

it('the recording has two changed keys', () => {
  expect(lines.filter(isKeyChanged)).toHaveLength(2)
})
