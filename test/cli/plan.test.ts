/** What `forager plan` shows is what a run does then; and showing it changes nothing. */
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openApplication } from '../../cli/application.ts'
import { planOf, planText } from '../../cli/commands/plan.ts'
import { readConfig } from '../../cli/config.ts'
import { CounterRegistry } from '../../observe/metrics.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import type { ChangePlan } from '../../runtime/plan-changes.ts'
import type { Program } from './program.ts'
import { configText, fixtures, inFolder } from './program.ts'
import type { Field, Recorded } from './recorded.ts'
import { changeLine, fileOf, idAndName } from './recorded.ts'

const withAge: readonly Field[] = [...idAndName, { field: 'age', type: 'int32', optional: true }]
const withLargeAge: readonly Field[] = [
  ...idAndName,
  { field: 'age', type: 'int64', optional: true },
]

function row(offset: number, values: object, fields: readonly Field[] = idAndName): Recorded {
  return changeLine(offset, 'c', offset, JSON.stringify({ id: offset, ...values }), fields)
}

const before = [row(1, { name: 'a' }), row(2, { name: 'b' })]
const altered = [...before, row(3, { name: 'c', age: 7 }, withAge)]

function ruled(policy: string, more = ''): string {
  return configText({ more }).replace(
    /ods\.\{table\}" \}/,
    `ods.{table}", schemaChanges: ${policy} }`,
  )
}

/** Every file below, with what it holds and when it was written. */
async function filesOf(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  for (const name of names) {
    const path = join(folder, name)
    const { mtimeMs, size } = await stat(path)
    const isFile = (await stat(path)).isFile()
    const sum = isFile
      ? createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
      : 'folder'
    found[name] = isFile ? `${size} ${mtimeMs} ${sum}` : sum
  }
  return found
}

interface Shown {
  readonly plan: ChangePlan
  readonly text: string
}

/** In this process. Nothing below the folder changes by it. */
async function shown(program: Program, maxMessages = 100): Promise<Shown> {
  const files = await filesOf(program.folder)
  const { loaded } = await readConfig(nodeFileSystem, program.path('forager.yaml'))
  const plan = await planOf(loaded!, maxMessages)
  expect(await filesOf(program.folder)).toEqual(files)
  return { plan, text: planText(plan, maxMessages) }
}

async function run(program: Program): Promise<void> {
  expect((await program.runHere()).error).toBeNull()
}

/** Runs as an instance that does not end, until this is logged or reached; what was reached fails it. */
async function runUntil(program: Program, wanted: string): Promise<void> {
  const { loaded } = await readConfig(nodeFileSystem, program.path('forager.yaml'))
  const stop = new AbortController()
  const hear = (event: string): void => {
    if (event === wanted) stop.abort()
  }
  const { streams, close } = await openApplication(loaded!, {
    logger: { debug: hear, info: hear, warn: hear, error: hear },
    metrics: new CounterRegistry(),
    reach: point => {
      if (point === wanted) throw new Error(`crashed at ${point}`)
    },
  })
  const ended = await streams.run(stop.signal).then(
    () => 'stopped',
    (error: Error) => error.message,
  )
  await close()
  expect(ended).toBe(stop.signal.aborted ? 'stopped' : `crashed at ${wanted}`)
}

async function columnsOf(program: Program): Promise<readonly string[]> {
  const [first = '[]'] = (await program.tables())['ods.user'] ?? []
  return (JSON.parse(first) as [string, unknown][]).map(([name]) => name)
}

/** The recorded changes of `demo.user`, and those from before its column `email` was renamed. */
async function renamedUser(): Promise<{ readonly before: string; readonly all: string }> {
  const path = `${fixtures}/mariadb/m1_json_schema_true.jsonl`
  const lines = (await readFile(path, 'utf8')).split('\n')
  const of = (topic: string): string[] => lines.filter(line => line.includes(`"topic":"${topic}"`))
  const [schemas, rows] = [of('m1'), of('m1.demo.user')]
  const isAltered = (line: string): boolean => line.includes('change column email mail')
  const [altered, first] = [
    schemas.findIndex(isAltered),
    rows.findIndex(line => /mail\W+string|field\W+mail\W/.test(line)),
  ]
  expect(Math.min(altered, first)).toBeGreaterThan(0)
  const before = [...schemas.slice(0, altered), ...rows.slice(0, first)]
  return { before: `${before.join('\n')}\n`, all: `${[...schemas, ...rows].join('\n')}\n` }
}

/** What the connector told of tables, up to each of two statements. */
async function toldTables(): Promise<readonly string[]> {
  const path = `${fixtures}/mariadb/m1_json_schema_true.jsonl`
  const lines = (await readFile(path, 'utf8')).split('\n')
  const told = lines.filter(line => line.includes('"topic":"m1"'))
  return ['rename table late_table', 'create table user_bak'].map(text => {
    const end = told.findIndex(line => line.includes(text))
    expect(end).toBeGreaterThan(0)
    return `${told.slice(0, end).join('\n')}\n`
  })
}

const nothing = 'Nothing to change.\n'
const looked = (count: string): string => `Looked at: ${count} on the way to staging.\n`
const added = 'table ods.user: column age int is added (evolve)\n'
const soon = 'window: { maxAge: 10ms }\n'

describe('forager plan', () => {
  it('shows a column that was added while Forager was stopped; a run adds it, and then there is nothing', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(before))
      await run(program)
      expect((await shown(program)).text).toBe(nothing)
      await program.write('events.jsonl', fileOf(altered))
      const files = await filesOf(program.folder)
      const said = await program.run(['plan', 'forager.yaml'])
      expect(said).toEqual({ code: 0, stdout: added + looked('1 message'), stderr: '' })
      expect(await filesOf(program.folder)).toEqual(files)
      await run(program)
      expect(await columnsOf(program)).toEqual(['id', 'name', 'age'])
      expect((await shown(program)).text).toBe(nothing)
    })
  })

  it('before the first run shows the tables that are made, and makes no folder', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(altered))
      const made = 'table ods.user: the table is made: id int, name string, age int (evolve)\n'
      expect((await shown(program)).text).toBe(made + looked('3 messages'))
      await run(program)
      expect(await columnsOf(program)).toEqual(['id', 'name', 'age'])
    })
  })

  it('shows a table without rows that is made, and what becomes of one that is dropped', async () => {
    await inFolder(async program => {
      const [made, dropped] = await toldTables()
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', made!)
      const line = 'table ods.late_table: the table is made: id int, v string (evolve)\n'
      expect((await shown(program)).text).toContain(line)
      await run(program)
      expect((await program.tables())['ods.late_table']).toEqual([])
      await program.write('events.jsonl', dropped!)
      const { text } = await shown(program)
      const kept = 'the source dropped it: its rows stay (lenient)\n'
      expect(text).toContain(`table ods.late_table: ${kept}`)
      await run(program)
      expect((await shown(program)).text).toBe(nothing)
      const { stdout } = await program.run(['status', 'forager.yaml'])
      expect(stdout).toMatch(/ods\.late_table\b.*dropped at the source/)
    })
  })

  it('shows what `exception` refuses, in the words that a run then ends with', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', ruled('{ add: exception }'))
      await program.write('events.jsonl', fileOf(before))
      await run(program)
      await program.write('events.jsonl', fileOf(altered))
      const said = await program.run(['plan', 'forager.yaml', '--json'])
      expect([said.code, said.stderr]).toEqual([3, ''])
      const { refused } = (JSON.parse(said.stdout) as ChangePlan).tables[0]!
      expect(refused!.code).toBe('schema-change-refused')
      expect(refused!.reason).toMatch(/^the source has a new column age, and schemaChanges\.add is/)
      const held = `table ods.user would be held back: ${refused!.reason} [schema-change-refused]\n`
      expect((await shown(program)).text).toBe(held + looked('1 message'))
      expect((await program.runHere()).error).toContain(refused!.reason)
      expect(await columnsOf(program)).toEqual(['id', 'name'])
      // It is staged by now.
      const { plan, text } = await shown(program)
      expect(text).toBe(held)
      expect(plan.tables[0]).toMatchObject({ batchesWaiting: 1, refused, changes: [] })
    })
  })

  it.each([
    ['evolve', 0, 'table ods.user: column email is renamed to mail (evolve)'],
    ['exception', 3, 'table ods.user would be held back: the source has renamed email to mail'],
  ])('shows a rename, by the topic of schema changes: %s', async (mode, code, said) => {
    await inFolder(async program => {
      const { before: old, all } = await renamedUser()
      await program.write('forager.yaml', ruled(`{ rename: ${mode} }`))
      await program.write('events.jsonl', old)
      await run(program)
      await program.write('events.jsonl', all)
      const shownNow = await program.run(['plan', 'forager.yaml'])
      expect([shownNow.code, shownNow.stderr]).toEqual([code, ''])
      expect(shownNow.stdout).toContain(said)
    })
  })

  it.each([
    ['source.before-commit', 1, 0],
    ['window.sealed', 1, 0],
    ['merge.before-apply', 0, 1],
  ])('sees what a crash at %s left behind', async (point, messages, batches) => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText({ more: soon }))
      await program.write('events.jsonl', fileOf(before))
      await run(program)
      await program.write('events.jsonl', fileOf(altered))
      await runUntil(program, point)
      const { plan } = await shown(program)
      expect(plan).toMatchObject({
        messagesRead: messages,
        tables: [
          {
            batchesWaiting: batches,
            changes: [{ kind: 'add', mode: 'evolve', text: 'column age int is added' }],
            refused: null,
          },
        ],
      })
      await run(program)
      expect((await shown(program)).text).toBe(nothing)
    })
  })

  it('of a table that is held back shows why, and what comes when it is resumed', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', ruled('{ add: exception }', soon))
      await program.write('events.jsonl', fileOf(before))
      await run(program)
      await program.write('events.jsonl', fileOf(altered))
      await runUntil(program, 'table.failed')
      const held = await shown(program)
      expect(held.text).toMatch(
        /^table ods\.user is held back since [^ ]+, with 1 batch: the source has a new column age, .*\[schema-change-refused\]\n {2}when it is resumed:\ntable ods\.user would be held back: the source has .*\n$/,
      )
      expect(held.plan.tables[0]!.refused!.reason).toBe(held.plan.tables[0]!.heldBack!.reason)
      await program.write('forager.yaml', configText())
      expect((await shown(program)).text.split('\n').slice(1).join('\n')).toBe(
        `  when it is resumed:\n${added}`,
      )
      expect((await program.run(['resume', 'forager.yaml', '--all'])).code).toBe(0)
      await run(program)
      expect(await columnsOf(program)).toEqual(['id', 'name', 'age'])
      expect((await shown(program)).text).toBe(nothing)
    })
  })

  it('says what a policy leaves as it is', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', ruled('{ widen: ignore }'))
      await program.write('events.jsonl', fileOf(altered))
      await run(program)
      const wider = row(4, { name: 'd', age: 8 }, withLargeAge)
      await program.write('events.jsonl', fileOf([...altered, wider]))
      const stays =
        'table ods.user: column age stays int: the source has bigint, and a value that does not fit ' +
        'holds the table back (ignore)\n'
      expect((await shown(program)).text).toBe(stays + looked('1 message'))
      const dropped = row(5, { name: 'e' })
      await program.write('events.jsonl', fileOf([...altered, wider, dropped]))
      const kept =
        'table ods.user: column age stays, and is null in rows that come without it (lenient)\n'
      expect((await shown(program)).text).toBe(kept + stays + looked('2 messages'))
    })
  })

  it('leaves a column out with `ignore`, and one that a rule excludes without a word', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', ruled('ignore'))
      await program.write('events.jsonl', fileOf(altered))
      expect((await shown(program)).text).toContain(
        'table ods.user: the table is not made: its rows are passed over (ignore)\n',
      )
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(before))
      await run(program)
      await program.write('forager.yaml', ruled('ignore'))
      await program.write('events.jsonl', fileOf(altered))
      expect((await shown(program)).text).toBe(
        `table ods.user: column age int is left out (ignore)\n${looked('1 message')}`,
      )
      await program.write('forager.yaml', ruled('exception, columns: { exclude: [age] }'))
      expect((await shown(program)).text).toBe(nothing + looked('1 message'))
    })
  })

  it('sees the columns of all source tables that go to one target', async () => {
    await inFolder(async program => {
      const rule = '- { from: "demo.*", to: ods.all, merge: true }'
      await program.write('forager.yaml', configText().replace(/- \{.*\}/, rule))
      await program.write('events.jsonl', fileOf(before))
      await run(program)
      const one = row(4, { name: 'd', age: 7 }, withAge)
      const value = one.value!.replace('"table":"user"', '"table":"guest"')
      const other = { ...one, topic: 's.demo.guest', value }
      await program.write('events.jsonl', fileOf([...before, row(3, { name: 'c' }), other]))
      expect((await shown(program)).text).toBe(
        `table ods.all: column age int is added (evolve)\n${looked('2 messages')}`,
      )
      await run(program)
      expect((await shown(program)).text).toBe(nothing)
    })
  })

  it('reads as many messages as it is told to, and says what it did not read', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(altered))
      const short = await program.run(['plan', 'forager.yaml', '--max-messages', '2'])
      expect([short.code, short.stdout]).toEqual([
        0,
        'table ods.user: the table is made: id int, name string (evolve)\n' +
          's.demo.user-0 was not read from offset 3 to 4: --max-messages (2) was reached.\n' +
          looked('2 messages'),
      ])
    })
  })

  it('says where a run would fail, shows what is beside it, and ends with 1', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      const bad = { ...row(3, { name: 'c' }), topic: 's.demo.bad', value: 'nonsense' }
      await program.write('events.jsonl', fileOf([...before, bad]))
      const said = await program.run(['plan', 'forager.yaml'])
      expect(said.code).toBe(1)
      expect(said.stdout).toMatch(
        /^table ods\.user: the table is made: .*\ns\.demo\.bad-0 was not read from offset 3 to 4: a run would fail as well: the message is not JSON.*\[message-not-json\]/,
      )
    })
  })

  it('waits for no run that has the local log', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(before))
      await run(program)
      const lock = await nodeFileSystem.lock(program.path('.forager/shop/log/lock'))
      try {
        const said = await program.run(['plan', 'forager.yaml'])
        expect([said.code, said.stdout]).toEqual([1, ''])
        expect(said.stderr).toContain('a local log serves one process at a time')
      } finally {
        await lock.release()
      }
    })
  })
})
