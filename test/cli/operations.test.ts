/** Looking at an application and beginning it anew, over files: what needs a cluster is in `test/stack`. */
import { describe, expect, it } from 'vitest'
import type { ApplicationStatus } from '../../runtime/status.ts'
import { configText, inFolder } from './program.ts'
import { changeLine, fileOf, goodLines } from './recorded.ts'

const lines = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    return changeLine(index, 'c', index + 1, JSON.stringify({ id: index + 1, name: `n${index}` }))
  })

describe('forager status', () => {
  it('before the first run says that there is nothing yet, and afterwards how far it is', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(lines(5)))
      const before = await program.run(['status', 'forager.yaml'])
      expect(before.code).toBe(0)
      expect(before.stdout).toContain('No table was applied yet.')
      await program.run(['run', 'forager.yaml'])
      await program.write('events.jsonl', fileOf(lines(8)))
      const after = await program.run(['status', 'forager.yaml', '--json'])
      const { applicationId, tasks, tables, members, formats } = JSON.parse(
        after.stdout,
      ) as ApplicationStatus
      expect([applicationId, members, formats]).toEqual(['shop', [], []])
      expect(tasks.map(({ task, lagRecords, committed }) => [task, lagRecords, committed])).toEqual(
        [
          ['0_s.demo.user-0', 3, 5],
          ['1_0', 0, expect.any(Number)],
          ['2_0', 0, expect.any(Number)],
        ],
      )
      expect(tasks[0]!.lagSeconds).toBeGreaterThan(0)
      expect(tasks.slice(1).map(({ lagSeconds }) => lagSeconds)).toEqual([null, null])
      expect(tables).toEqual([
        {
          table: 'ods.user',
          appliedAtMs: expect.any(Number),
          batchesWaiting: 0,
          rowsWaiting: 0,
          newRows: null,
          isApplying: false,
          quarantine: null,
          sourceDrop: null,
        },
      ])
      const text = await program.run(['status', 'forager.yaml'])
      expect(text.stdout).toMatch(/^shop: 0 members, 3 tasks\.\n/)
      expect(text.stdout).toMatch(/│ 0_s\.demo\.user-0\s+│\s+│ 5\s+│ 8\s+│\s+3 │ [\d.]+ s/)
    })
  })

  it('shows what was found out of each topic whose format is not named', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText().replace('debezium-json', 'auto'))
      const beat = { ...lines(1)[0]!, topic: 's.beats', value: '{"ts_ms":5}' }
      await program.write('events.jsonl', fileOf([...lines(2), beat]))
      await program.run(['run', 'forager.yaml'])
      const { stdout } = await program.run(['status', 'forager.yaml', '--json'])
      expect((JSON.parse(stdout) as ApplicationStatus).formats).toEqual([
        { topic: 's.beats', format: null },
        { topic: 's.demo.user', format: 'debezium-json' },
      ])
      const shown = await program.run(['status', 'forager.yaml'])
      expect(shown.stdout).toMatch(/│ s\.demo\.user\s+│ debezium-json\s+│/)
      expect(shown.stdout).toMatch(/│ s\.beats\s+│ not found out yet\s+│/)
    })
  })

  it('of an instance that is not there is one line', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(goodLines()))
      const url = 'http://127.0.0.1:9'
      const failed = await program.run(['status', 'forager.yaml', '--url', url])
      expect(failed.code).toBe(1)
      expect(failed.stderr).toMatch(
        /^error: http:\/\/127\.0\.0\.1:9\/status does not answer: .+\n$/,
      )
    })
  })
})

describe('forager reset', () => {
  it('changes nothing unless it is told to, and then begins anew with the tables as they are', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(lines(5)))
      await program.run(['run', 'forager.yaml'])
      const rows = await program.tables()
      const dry = await program.run(['reset', 'forager.yaml'])
      expect(dry.code).toBe(0)
      expect(dry.stdout).toMatch(/^Nothing was changed\. With --execute this is deleted:\n/)
      expect(dry.stdout).toContain('  the topic shop-rows-repartition\n')
      expect(dry.stdout).toContain(`  the folder ${program.path('.forager/shop')}\n`)
      expect(dry.stdout).toContain('  1 table with all rows: ods.user\n')
      const unchanged = await program.run(['run', 'forager.yaml'])
      expect(unchanged.stdout).toContain('Nothing new')
      const done = await program.run(['reset', 'forager.yaml', '--execute'])
      expect([done.code, done.stderr]).toEqual([0, ''])
      expect(done.stdout).toMatch(/^Deleted:\n/)
      expect(await program.tables()).toEqual(rows)
      // A row that is gone by now, one that changed, and a new one.
      const changed = [
        ...lines(4),
        changeLine(4, 'd', 2, '{"id":2,"name":"n1"}'),
        changeLine(5, 'u', 1, '{"id":1,"name":"other"}'),
      ]
      await program.write('events.jsonl', fileOf(changed))
      const again = await program.run(['run', 'forager.yaml'])
      expect([again.code, again.stderr]).toEqual([0, ''])
      const ids = (await program.tables())['ods.user']!.map(row => row.slice(0, 40))
      // The fifth row was never deleted in what is read now: it stays, as reset says.
      expect(ids).toHaveLength(4)
      expect(ids[0]).toContain('other')
      const third = await program.run(['run', 'forager.yaml'])
      expect(third.stdout).toContain('Nothing new')
    })
  })

  it('works over a file that lost what was read from it', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(lines(5)))
      await program.run(['run', 'forager.yaml'])
      await program.write('events.jsonl', fileOf([{ ...lines(1)[0]!, topic: 'another.demo.user' }]))
      expect((await program.run(['run', 'forager.yaml'])).stderr).toContain('[source-replaced]')
      expect((await program.run(['reset', 'forager.yaml', '--execute'])).code).toBe(0)
      const again = await program.run(['run', 'forager.yaml'])
      expect([again.code, again.stderr]).toEqual([0, ''])
    })
  })

  it('leaves tables of other applications alone', async () => {
    await inFolder(async program => {
      await program.write('events.jsonl', fileOf(lines(5)))
      await program.write(
        'other.yaml',
        configText({ to: 'other.{table}' }).replace(/shop/, 'other'),
      )
      await program.write('forager.yaml', configText())
      await program.run(['run', 'other.yaml'])
      await program.run(['run', 'forager.yaml'])
      const done = await program.run(['reset', 'forager.yaml', '--execute'])
      expect(done.stdout).toContain('1 table with all rows: ods.user\n')
      const other = await program.run(['run', 'other.yaml'])
      expect(other.stdout).toContain('Nothing new')
    })
  })

  it('refuses --to over a file, and what is no time', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(goodLines()))
      const refused = await program.run(['reset', 'forager.yaml', '--to', 'latest'])
      expect([refused.code, refused.stderr]).toEqual([
        1,
        'error: --to is for Kafka: a file is read from its beginning\n',
      ])
      const wrong = await program.run(['reset', 'forager.yaml', '--to', 'yesterday'])
      expect(wrong.code).toBe(1)
      expect(wrong.stderr).toContain('must be earliest, latest, or a time with its zone')
    })
  })
})

describe('forager describe', () => {
  it('prints a Mermaid diagram as well', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(goodLines()))
      const { code, stdout } = await program.run(['describe', 'forager.yaml', '--mermaid'])
      expect(code).toBe(0)
      expect(stdout).toMatch(/^flowchart LR\n {2}subgraph sub0\["Sub-topology 0"\]\n/)
    })
  })
})

describe('a configuration with processingGuarantee: at_least_once', () => {
  it('over a file is refused', async () => {
    await inFolder(async program => {
      const text = configText({ more: 'processingGuarantee: at_least_once\n' })
      await program.write('forager.yaml', text)
      await program.write('events.jsonl', fileOf(goodLines()))
      const { code, stdout } = await program.run(['check', 'forager.yaml'])
      expect(code).toBe(2)
      expect(stdout).toMatch(/:6: processingGuarantee: with a file source each commit is atomic/)
    })
  })
})
