import { describe, expect, it } from 'vitest'
import { configText, inFolder } from '../program.ts'
import { changeLine, fileOf, goodLines } from '../recorded.ts'

describe('forager check', () => {
  it('looks at the messages of a file with --connect: what loses data is told, and what is wrong fails', async () => {
    await inFolder(async program => {
      await program.write('events.jsonl', fileOf(goodLines().slice(0, 6)))
      await program.write('forager.yaml', configText())
      const good = await program.run(['check', 'forager.yaml', '--connect'])
      expect(good.stdout.split('\n').slice(1)).toEqual([
        'ok    events: 6 messages of 1 topic were read.',
        '',
      ])
      expect([good.code, good.stderr]).toEqual([0, ''])
      const read = [changeLine(1, 'r', 1, '{"id":1,"name":"a"}')]
      await program.write('events.jsonl', fileOf(read))
      const noted = await program.run(['check', 'forager.yaml', '--connect'])
      expect(noted.stdout).toMatch(/^note {2}s\.demo\.user: .*\[events-of-snapshot\]\.$/m)
      expect(noted.code).toBe(0)
      await program.write('forager.yaml', configText().replace('debezium-json', 'canal-json'))
      const wrong = await program.run(['check', 'forager.yaml', '--connect'])
      expect(wrong.stdout).toMatch(
        /^WRONG s\.demo\.user: .*look like debezium-json.*\[events-format\]\.$/m,
      )
      expect(wrong.code).toBe(1)
    })
  })

  it('asks nobody without being told to, and refuses what is no address of Kafka Connect', async () => {
    await inFolder(async program => {
      await program.write('events.jsonl', fileOf(goodLines()))
      await program.write('forager.yaml', configText())
      const plain = await program.run(['check', 'forager.yaml'])
      expect(plain.stdout.trim().split('\n')).toHaveLength(1)
      const closed = ['check', 'forager.yaml', '--kafka-connect', 'http://127.0.0.1:1']
      const { code, stdout } = await program.run(closed)
      expect(stdout).toMatch(/^WRONG Kafka Connect: it does not answer: /m)
      expect(code).toBe(1)
      const bad = await program.run(['check', 'forager.yaml', '--kafka-connect', 'connect:8083'])
      expect(bad.stderr).toMatch(/must be an address like http:\/\/host:8083/)
      expect(bad.code).toBe(1)
    })
  })
})
