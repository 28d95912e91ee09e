import { describe, expect, it } from 'vitest'
import { EmbeddedLog } from '../../log/embedded-log.ts'
import { FileStorage } from '../../log/file-storage.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import type { Program } from './program.ts'
import { configText, inFolder } from './program.ts'
import { changeLine, fileOf, goodLines, keyText, record } from './recorded.ts'

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
