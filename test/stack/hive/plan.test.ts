/** The statements that `forager plan` shows are those that a run executes then, and no others. */
import { connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { planOf } from '../../../cli/commands/plan.ts'
import { readConfig } from '../../../cli/config.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { nodeFileSystem } from '../../../runtime/file-system.ts'
import { HiveSession } from '../../../sinks/hive/hive-session.ts'
import type { Program } from '../../cli/program.ts'
import { inFolder } from '../../cli/program.ts'
import type { Field } from '../../cli/recorded.ts'
import { changeLine, fileOf, idAndName } from '../../cli/recorded.ts'
import { newName } from '../instances.ts'

const database = newName('plan').replaceAll('-', '_')
/** What was said to HiveServer2: statements are in it as they are. */
let said = ''
let listener: Server

beforeAll(async () => {
  listener = createServer(client => {
    const server = connect(inject('hive'))
    client.on('data', chunk => {
      said += chunk.toString('latin1')
    })
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => undefined)
      one.pipe(other)
    }
  })
  await new Promise<void>(done => listener.listen(0, '127.0.0.1', done))
})

afterAll(async () => {
  listener.close()
  const session = new HiveSession(inject('hive'), systemClock)
  await session.execute(`DROP DATABASE IF EXISTS ${database} CASCADE`)
  await session.close()
})

function configText(): string {
  const { url, location } = inject('webhdfs')
  const { port } = listener.address() as { port: number }
  return `applicationId: ${database}
source: { type: file, path: events.jsonl, format: debezium-json }
tables:
  - { from: "demo.*", to: "${database}.{table}" }
warehouse: { type: hive, host: 127.0.0.1, port: ${port} }
staging: { type: webhdfs, urls: ["${url}"], location: "${location}", path: /forager, user: root }
`
}

/** Of statements that change a table, or make one that stays. */
const changing = /(?:CREATE (?:DATABASE|TABLE)|ALTER TABLE) (?!`forager_changes)/g

async function planAndRun(program: Program): Promise<readonly string[]> {
  const { loaded } = await readConfig(nodeFileSystem, program.path('forager.yaml'))
  said = ''
  const before = await planOf(loaded!, 100)
  expect(said.match(changing)).toBeNull()
  const [planned] = before.tables
  expect([before.tables.length, planned!.refused]).toEqual([1, null])
  const { error } = await program.runHere()
  expect(error).toBeNull()
  for (const statement of planned!.statements) expect(said).toContain(statement)
  expect(said.match(changing)).toHaveLength(planned!.statements.length)
  expect((await planOf(loaded!, 100)).tables).toEqual([])
  return planned!.statements
}

it('of a table that is made, and of one that is changed', async () => {
  const [id, name] = idAndName as [Field, Field]
  const count: Field = { field: 'count', type: 'int32', optional: true }
  const age: Field = { field: 'age', type: 'int32', optional: true }
  const line = (at: number, fields: readonly Field[], row: object) =>
    changeLine(at, 'c', at, JSON.stringify({ id: at, ...row }), fields)
  await inFolder(async program => {
    await program.write('forager.yaml', configText())
    const first = line(1, [id, name, count], { name: 'a', count: 1 })
    await program.write('events.jsonl', fileOf([first]))
    const made = await planAndRun(program)
    expect(made.map(statement => statement.split(' ', 2).join(' '))).toEqual([
      'CREATE DATABASE',
      'CREATE TABLE',
    ])
    const wide = { ...count, type: 'int64' }
    const second = line(2, [id, name, wide, age], { name: 'b', count: 5_000_000_000, age: 7 })
    await program.write('events.jsonl', fileOf([first, second]))
    const table = `\`${database}\`.\`user\``
    expect(await planAndRun(program)).toEqual([
      `ALTER TABLE ${table} CHANGE COLUMN \`count\` \`count\` bigint`,
      `ALTER TABLE ${table} ADD COLUMNS (\`age\` int)`,
    ])
  })
})
