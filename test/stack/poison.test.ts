/** A poison message on a real broker, under each policy. */
import { afterAll, expect, inject, it } from 'vitest'
import type { ProducerRecord } from '../../log/log.ts'
import { readDeadLetters } from '../../runtime/dead-letters.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import { Program } from '../cli/program.ts'
import { change } from '../main/messages.ts'
import { newName, openKafka, produce, untilApplied } from './instances.ts'
import { Running } from './running.ts'

const broker = inject('broker')
const log = openKafka(broker)
afterAll(() => log.close())

const poison = Buffer.from([0x7b, 0x00, 0xff])

const sourceOf = (topic: string) => ({
  type: 'kafka',
  brokers: [broker],
  topics: [topic],
  format: 'debezium-json',
  // One that was killed is given up soon.
  sessionTimeout: '6s',
})

/** A good message, a bad one, a good one, in one partition. Resolves to their topic. */
async function writeMessages(): Promise<string> {
  const topic = newName('poison')
  await log.createTopic({ name: topic, partitions: 1, cleanup: 'delete' })
  const at = { topic, partition: 0, offset: 0, headers: [] }
  const good = (id: number): ProducerRecord =>
    change('c', { after: { id, n: id } }, { pos: id * 100 })
  const bad = { key: Buffer.from('key'), value: poison, timestampMs: 1234 }
  await produce(log, [
    { ...good(1), ...at },
    { ...bad, ...at, headers: [{ key: 'trace', value: Buffer.from('abc') }] },
    { ...good(2), ...at },
  ])
  return topic
}

function configOf(topic: string, onError: string) {
  return {
    source: sourceOf(topic),
    tables: [{ from: 'shop.*', to: '{table}' }],
    warehouse: { type: 'embedded', path: 'warehouse' },
    window: { maxAge: '500ms' },
    commitInterval: '100ms',
    onError,
  }
}

async function underPolicy(
  onError: string,
  action: (running: Running, topic: string) => Promise<void>,
): Promise<void> {
  const topic = await writeMessages()
  const options = { name: 'poison', log, config: configOf(topic, onError) }
  await Running.use(options, running => action(running, topic))
}

async function idsIn(warehouse: string): Promise<number[]> {
  const table = await openTable(nodeFileSystem, warehouse, 'orders')
  const ids: number[] = []
  for await (const rows of table.rows()) ids.push(...rows.map(({ values }) => Number(values[0])))
  return ids
}

it('fail: the application ends with where it is, and has passed nothing', async () => {
  await underPolicy('fail', async (running, topic) => {
    const instance = running.start()
    expect((await instance.ended).code).toBe(1)
    expect(instance.stderr).toContain('[message-not-json]')
    expect(instance.stderr).toContain(`topic ${topic}, partition 0, offset 1`)
    const [committed] = await log.committed(running.applicationId, [{ topic, partition: 0 }])
    expect(committed?.offset ?? 0).toBeLessThanOrEqual(1)
  })
})

it('skip: it is counted and told, and the others are applied', async () => {
  await underPolicy('skip', async (running, topic) => {
    const { applicationId } = running
    const instance = running.start()
    await untilApplied(log, applicationId, [{ topic, partition: 0 }], { deadlineMs: 120_000 })
    expect((await instance.stop()).code).toBe(0)
    expect(await idsIn(running.warehouse)).toEqual([1, 2])
    const told = instance.lines.filter(({ event }) => event === 'message.skipped')
    expect(told).toHaveLength(1)
    const names = (await log.topics()).map(({ name }) => name)
    expect(names).not.toContain(`${applicationId}-dead-letters`)
  })
})

it('dead-letter: it is kept once, byte for byte, and listed while the application runs', async () => {
  await underPolicy('dead-letter', async (running, topic) => {
    const { applicationId } = running
    // Killed when the letter is written and its offset with it, and started again.
    const first = running.start({ FORAGER_CRASH_AT: 'source.committed:1' })
    expect((await first.ended).signal).toBe('SIGKILL')
    const second = running.start()
    await untilApplied(log, applicationId, [{ topic, partition: 0 }], { deadlineMs: 120_000 })
    const program = new Program(running.folder)
    const list = await program.run(['dead-letters', 'list', 'forager.yaml', '--json'])
    expect(list.stderr).toBe('')
    const line = JSON.parse(list.stdout) as Record<string, unknown>
    expect(line).toMatchObject({
      topic,
      partition: 0,
      offset: 1,
      timestampMs: 1234,
      code: 'message-not-json',
      key: 'key',
      valueBase64: poison.toString('base64'),
      headers: [{ name: 'trace', value: 'abc' }],
    })
    expect(second.isRunning).toBe(true)
    expect((await second.stop()).code).toBe(0)
    expect(await idsIn(running.warehouse)).toEqual([1, 2])
    const letters = await Array.fromAsync(readDeadLetters(log, applicationId))
    expect(letters).toHaveLength(1)
    expect(Buffer.from(letters[0]!.record.value!)).toEqual(poison)
  })
})

it('a letter is replayed into an application that runs, once its cause is mended', async () => {
  await underPolicy('dead-letter', async (running, topic) => {
    const { applicationId } = running
    const config = {
      ...configOf(topic, 'dead-letter'),
      source: { ...sourceOf(topic), ordering: 'position' },
    }
    const withTypes = { columns: { types: { id: 'bigint', n: 'int' } } }
    const untyped = change('c', { after: { id: 3, n: 3 } }, { pos: 300, isBare: true })
    const at = { topic, partition: 0, offset: 0, headers: [] }
    await produce(log, [{ ...untyped, ...at }])
    running.configure(config)
    const inputs = [topic, `${applicationId}-events-replay`].map(name => ({
      topic: name,
      partition: 0,
    }))
    const first = running.start()
    await untilApplied(log, applicationId, inputs.slice(0, 1), { deadlineMs: 120_000 })
    expect((await first.stop()).code).toBe(0)
    expect(await idsIn(running.warehouse)).toEqual([1, 2])
    running.configure({ ...config, tables: [{ from: 'shop.*', to: '{table}', ...withTypes }] })
    const second = running.start()
    const program = new Program(running.folder)
    const replay = await program.run(['dead-letters', 'replay', 'forager.yaml', '--all'])
    expect(replay).toEqual({ code: 0, stdout: 'Replayed 2 dead letters.\n', stderr: '' })
    await untilApplied(log, applicationId, inputs, { deadlineMs: 120_000 })
    expect((await second.stop()).code).toBe(0)
    expect(await idsIn(running.warehouse)).toEqual([1, 2, 3])
    // The other one is as bad as it was.
    const letters = await Array.fromAsync(readDeadLetters(log, applicationId))
    expect(letters).toMatchObject([{ code: 'message-not-json', record: { topic, offset: 1 } }])
  })
})
