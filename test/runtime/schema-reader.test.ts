import { describe, expect, it } from 'vitest'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import { MemoryStorage } from '../../log/log-storage.ts'
import type { ChangeEvent, LogRecord } from '../../model/change-event.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SchemaReader } from '../../runtime/schema-reader.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { changeOf, mariadb, recordOf, renameOf, withSchema } from '../formats/samples.ts'

const topic = 'm1'

const rowAt = (pos: number, ...names: readonly string[]): LogRecord => {
  const after = Object.fromEntries([['id', 1], ...names.map(name => [name, 'x'])])
  const fields = Object.keys(after).map(field => ({
    type: field === 'id' ? 'int32' : 'string',
    optional: field !== 'id',
    field,
  }))
  const change = changeOf({ op: 'c', after, source: { ...mariadb, pos } })
  return recordOf({ id: 1 }, withSchema(change, fields))
}

/** A clock whose sleepers are woken by time that passes at once; `asleepMs` is what they slept. */
class HastyClock extends ManualClock {
  asleepMs = 0
  onSleep = (): void => undefined

  override async sleep(milliseconds: number): Promise<void> {
    this.asleepMs += milliseconds
    this.advance(milliseconds)
    this.onSleep()
    await Promise.resolve()
  }
}

async function readerOf(topics: Readonly<Record<string, number>>, end: 'finite' | 'open' = 'open') {
  const source = new MemorySource(topics, { isFinite: end === 'finite' })
  const clock = new HastyClock()
  const log = await EmbeddedLog.open({
    storage: new MemoryStorage(),
    clock,
    random: seededRandom(1),
    sources: [source],
    isSkewed: false,
  })
  const decoder = debeziumJson().createDecoder({
    hintsOf: () => ({}),
    incarnation: '',
    connectorSettings: {},
    followsRenames: true,
  })
  const reader = new SchemaReader(decoder, log, clock)
  const append = (record: LogRecord): void => source.append({ ...record, topic })
  const idsOf = async (record: LogRecord): Promise<string> => {
    const decoded = await reader.decode(record)
    const events = decoded.kind === 'changes' ? decoded.events : ([] as readonly ChangeEvent[])
    return events[0]!.schema.columns.map(({ id }) => id).join(' ')
  }
  return { reader, clock, append, idsOf }
}

/** The table with its columns, and by which statement. */
const changed = (pos: number, names: string, ddl = 'create table user (…)') =>
  recordOf({}, renameOf(names.split(' '), { ...mariadb, pos }, ddl))

describe('rows that tell their types', () => {
  it('have the ids that the topic of schema changes tells, which is read for the first of them', async () => {
    const { append, idsOf, clock, reader } = await readerOf({ [topic]: 1 })
    append(changed(100, 'id email'))
    append(changed(200, 'id mail', 'alter table user change email mail text'))
    expect(await idsOf(rowAt(300, 'mail'))).toBe('id email')
    expect(await idsOf(rowAt(150, 'email'))).toBe('id email')
    // Once it was read, nothing is waited for.
    expect(reader.decode(rowAt(301, 'mail'))).not.toBeInstanceOf(Promise)
    expect(clock.asleepMs).toBe(0)
  })

  it('wait for a change that is not there yet', async () => {
    const { append, idsOf, clock } = await readerOf({ [topic]: 1 })
    append(changed(100, 'id email'))
    expect(await idsOf(rowAt(150, 'email'))).toBe('id email')
    clock.onSleep = () => {
      if (clock.asleepMs === 1000) {
        append(changed(200, 'id mail', 'alter table user rename column email to mail'))
      }
    }
    expect(await idsOf(rowAt(300, 'mail'))).toBe('id email')
    expect(clock.asleepMs).toBe(1000)
  })

  it('wait shortly, and once, for a column that something else adds to them', async () => {
    const { append, idsOf, clock } = await readerOf({ [topic]: 1 })
    append(changed(100, 'id email'))
    append(changed(200, 'id mail', 'alter table user rename column email to mail'))
    expect(await idsOf(rowAt(300, 'mail', 'added'))).toBe('id email added')
    expect(clock.asleepMs).toBe(5000)
    append(changed(400, 'id post', 'alter table user rename column mail to post'))
    expect(await idsOf(rowAt(500, 'post', 'added', 'email'))).toBe('id email added email~2')
    expect(await idsOf(rowAt(501, 'added', 'post'))).toBe('id added email')
    expect(clock.asleepMs).toBe(10_000)
  })

  it('wait for nothing where nothing can come', async () => {
    const finite = await readerOf({ [topic]: 1 }, 'finite')
    finite.append(changed(100, 'id email'))
    expect(await finite.idsOf(rowAt(300, 'mail'))).toBe('id mail')
    const without = await readerOf({ other: 1 })
    expect(await without.idsOf(rowAt(300, 'mail'))).toBe('id mail')
    await without.reader.catchUp()
    const empty = await readerOf({ [topic]: 1 })
    expect(await empty.idsOf(rowAt(300, 'mail'))).toBe('id mail')
    for (const { clock } of [finite, without, empty]) expect(clock.asleepMs).toBe(0)
  })

  it('of a table whose changes have expired are known by what is left', async () => {
    const { append, idsOf, clock } = await readerOf({ [topic]: 1 })
    append(changed(500, 'id mail', 'alter table user change email mail text'))
    expect(await idsOf(rowAt(300, 'email'))).toBe('id email')
    expect(await idsOf(rowAt(600, 'mail'))).toBe('id email')
    expect(clock.asleepMs).toBe(0)
  })

  it('follow a column that was dropped and made again between two batches of rows', async () => {
    const { append, idsOf, reader } = await readerOf({ [topic]: 1 })
    append(changed(100, 'id x'))
    for (const pos of [101, 102, 103]) expect(await idsOf(rowAt(pos, 'x'))).toBe('id x')
    append(changed(200, 'id', 'alter table user drop x'))
    append(changed(210, 'id x', 'alter table user add x text'))
    await reader.catchUp()
    for (const pos of [300, 301, 302]) expect(await idsOf(rowAt(pos, 'x'))).toBe('id x~2')
    // Another partition may be behind.
    expect(await idsOf(rowAt(104, 'x'))).toBe('id x')
    expect(await idsOf(rowAt(303, 'x'))).toBe('id x~2')
  })

  it('are not held up by what is no schema change', async () => {
    const { append, idsOf } = await readerOf({ [topic]: 1 })
    append(recordOf({}, 'no JSON'))
    append(recordOf({}, { source: mariadb, tableChanges: [{ type: 'ALTER' }] }))
    append(recordOf({}, changeOf({ op: 'c', after: { id: 1 } })))
    append(changed(100, 'id email'))
    append(changed(200, 'id mail', 'alter table user change email mail text'))
    expect(await idsOf(rowAt(300, 'mail'))).toBe('id email')
  })
})

describe('readers at one time', () => {
  it('learn each change once, in its order, however many rows ask', async () => {
    const { append, idsOf } = await readerOf({ [topic]: 1 })
    append(changed(100, 'id a b'))
    for (let step = 1; step <= 20; step += 1) {
      append(changed(100 + step, 'id b a', 'alter table user change a b int, change b a int'))
    }
    append(changed(200, 'id c b', 'alter table user change a c text'))
    const found = await Promise.all(Array.from({ length: 10 }, () => idsOf(rowAt(300, 'c', 'b'))))
    expect(new Set(found)).toEqual(new Set(['id a b']))
  })
})
