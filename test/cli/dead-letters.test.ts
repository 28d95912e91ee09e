import { describe, expect, it, vi } from 'vitest'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import { FileStorage } from '../../log/file-storage.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import type { Program } from './program.ts'
import { configText, inFolder } from './program.ts'
import { changeLine, fileOf, goodLines, keyText, record } from './recorded.ts'

// Each of them starts the program many times.
vi.setConfig({ testTimeout: 300_000 })

const config = configText({ more: 'onError: dead-letter' })

/** Good lines, one that is no JSON, and one whose value does not fit its column. */
async function runWithBadMessages(program: Program): Promise<void> {
  const long = `no JSON ${'and more '.repeat(40)}`
  const misfit = changeLine(12, 'c', 12, '{"id":"twelve","name":"x"}')
  const lines = [...goodLines(), record(10, keyText(10), long), misfit]
  await program.write('events.jsonl', fileOf(lines))
  await program.write('forager.yaml', config)
  const { code, stdout } = await program.run(['run', 'forager.yaml'])
  expect(code).toBe(0)
  expect(stdout).toContain('Kept as dead letters: 1 bad message (message-not-json).')
  expect(stdout).toContain('Kept as dead letters: 1 bad message (value-invalid).')
}

describe('forager dead-letters list', () => {
  it('prints where, why and when, the key and a shortened value, for people and as JSON', async () => {
    await inFolder(async program => {
      await runWithBadMessages(program)
      const list = (...args: string[]) => program.run(['dead-letters', 'list', ...args])
      const { code, stdout, stderr } = await list('forager.yaml')
      expect([code, stderr]).toEqual([0, ''])
      const blocks = stdout.split(/^(?=\d+ {2})/m)
      expect(blocks).toHaveLength(2)
      expect(blocks[0]).toMatch(/^0 {2}\d{4}-\d\d-\d\dT[\d:.]+Z {2}s\.demo\.user-0 at 10\n/)
      expect(blocks[0]).toMatch(/\n {4}message-not-json: .+\n {4}key {4}\{.+\}\n/)
      expect(blocks[0]).toMatch(/\n {4}value {2}no JSON (and more )+.*… \(\d+ bytes\)\n/)
      expect(blocks[1]).toMatch(/s\.demo\.user-0 at 12 \(demo\.user\)\n {4}value-invalid: /)
      expect(stdout).toMatch(/\n2 dead letters\.\n$/)

      const json = await list('forager.yaml', '--json')
      const lines = json.stdout.trimEnd().split('\n')
      expect(lines.map(line => JSON.parse(line) as unknown)).toMatchObject([
        { letter: 0, topic: 's.demo.user', offset: 10, table: null, key: keyText(10) },
        { letter: 1, topic: 's.demo.user', offset: 12, table: 'demo.user', code: 'value-invalid' },
      ])
      expect((await list('forager.yaml', '--table', 'demo.user')).stdout).toMatch(
        /^1 .*\n(.+\n)+1 dead letter of demo\.user\.\n$/,
      )
      expect((await list('forager.yaml', '--limit', '1')).stdout).toMatch(
        /^1 .*\n(.+\n)+2 dead letters\. Not shown: 1 older one \(--limit 2\)\.\n$/,
      )
      expect((await list('forager.yaml', '--limit', 'all')).stderr).toContain('whole number from 1')
      expect((await program.run(['run', 'forager.yaml'])).stdout).toMatch(/^Nothing new/)
    })
  })

  it('finds none where nothing ran yet, and makes nothing', async () => {
    await inFolder(async program => {
      await program.write('events.jsonl', fileOf(goodLines()))
      await program.write('forager.yaml', config)
      const outcome = await program.run(['dead-letters', 'list', 'forager.yaml'])
      expect(outcome).toEqual({ code: 0, stdout: '0 dead letters.\n', stderr: '' })
      expect(await nodeFileSystem.stat(program.path('.forager'))).toBe(null)
    })
  })

  it('says that a local log is in use while a run has it', async () => {
    await inFolder(async program => {
      await runWithBadMessages(program)
      const folder = program.path('.forager', 'shop', 'log')
      const log = await EmbeddedLog.open({ storage: new FileStorage(nodeFileSystem, folder) })
      const outcome = await program.run(['dead-letters', 'list', 'forager.yaml'])
      await log.close()
      expect(outcome.code).toBe(1)
      expect(outcome.stderr).toContain('try again when the run has ended')
      expect(outcome.stderr).toContain('[state-locked]')
    })
  })
})

it('a line that is no recorded message is passed and counted, and stays in its file', async () => {
  await inFolder(async program => {
    await program.write('events.jsonl', fileOf(['{"topic":', ...goodLines()]))
    await program.write('forager.yaml', config)
    const { code, stdout } = await program.run(['run', 'forager.yaml'])
    expect(code).toBe(0)
    expect(stdout).toContain('Skipped: 1 bad message (source-line-invalid).')
  })
})

describe('forager dead-letters replay', () => {
  const position = { source: ', ordering: position', more: 'onError: dead-letter' }

  /** Rows whose types nobody tells, until the configuration does. */
  async function runWithUntypedRows(program: Program, parts = position): Promise<void> {
    const lines = [1, 2, 3].map(id => untyped(id, JSON.stringify({ id, name: `name ${id}` })))
    await program.write('events.jsonl', fileOf(lines))
    await program.write('forager.yaml', configText(parts))
    const { stdout } = await program.run(['run', 'forager.yaml'])
    expect(stdout).toContain('Kept as dead letters: 3 bad messages (type-unknown).')
  }

  const mended = configText(position).replace(
    '" }\nwarehouse',
    '", columns: { types: { id: int, name: string } } }\nwarehouse',
  )

  it('brings letters back once the cause is mended, each once', async () => {
    await inFolder(async program => {
      await runWithUntypedRows(program)
      await program.write('forager.yaml', mended)
      const replay = async (...args: string[]) => {
        const outcome = await program.run(['dead-letters', 'replay', 'forager.yaml', ...args])
        return [outcome.code, outcome.stdout]
      }
      expect(await replay('--all', '--dry-run')).toEqual([0, 'Would replay 3 dead letters.\n'])
      expect(await replay('--offset', '0', '2')).toEqual([0, 'Replayed 2 dead letters.\n'])
      expect(await replay('--offset', '0')).toEqual([
        1,
        'Not 0: there is no such letter, or it was replayed before.\nReplayed 0 dead letters.\n',
      ])
      expect((await program.run(['run', 'forager.yaml'])).code).toBe(0)
      expect(Object.values(await program.tables())).toEqual([
        ['[["id",1],["name","name 1"]]', '[["id",3],["name","name 3"]]'],
      ])
      const list = await program.run(['dead-letters', 'list', 'forager.yaml'])
      expect(list.stdout).toMatch(/^1 .*\n(.+\n)+1 dead letter\.\n$/)
      expect(await replay('--all')).toEqual([0, 'Replayed 1 dead letter.\n'])
      expect((await program.run(['run', 'forager.yaml'])).code).toBe(0)
      expect(Object.values(await program.tables())[0]).toHaveLength(3)
      expect(await replay('--all')).toEqual([0, 'Replayed 0 dead letters.\n'])
    })
  })

  it('is refused where nothing tells what is older, with what to do instead', async () => {
    await inFolder(async program => {
      await runWithUntypedRows(program, { source: '', more: 'onError: dead-letter' })
      const replay = () => program.run(['dead-letters', 'replay', 'forager.yaml', '--all'])
      const refused = await replay()
      expect(refused.code).toBe(2)
      expect(refused.stderr).toContain('[replay-needs-position]')
      expect(refused.stderr).toContain('incremental snapshot')
      // Letters of before stay what they are.
      await program.write('forager.yaml', mended)
      const { code, stdout } = await replay()
      expect(code).toBe(1)
      expect(stdout).toMatch(/^Not 0: it was kept while `ordering` was not `position`\. Take an /)
      expect(stdout).toMatch(/\nReplayed 0 dead letters\.\n$/)
      const neither = await program.run(['dead-letters', 'replay', 'forager.yaml'])
      expect(neither.stderr).toBe('error: say which letters are replayed: --offset N …, or --all\n')
    })
  })
})

/** A change without a schema. */
function untyped(id: number, row: string) {
  const line = changeLine(id, 'c', id, row)
  const { payload } = JSON.parse(line.value!) as { payload: unknown }
  return { ...line, value: JSON.stringify(payload) }
}
