import { describe, expect, it } from 'vitest'
import { configText, inFolder } from './program.ts'
import { changeLine, fileOf, goodLines } from './recorded.ts'

const rule = (text: string) => configText().replace(/ {2}- .*/, `  - ${text}`)
const keyless = { ...changeLine(1, 'c', 1, '{"id":1,"name":"x"}'), key: null }
const other = {
  ...changeLine(1, 'c', 1, '{"id":1,"name":"x"}'),
  topic: 's.shop.user',
}
const otherUser = { ...other, value: other.value!.replace('"db":"demo"', '"db":"shop"') }

describe('a configuration that turns out wrong when it runs', () => {
  it.each([
    ['no-primary-key', '{ from: demo.user, to: ods.user }', [keyless]],
    ['key-column-missing', '{ from: demo.user, to: ods.user, key: [nokey] }', goodLines()],
    [
      'partition-column-missing',
      '{ from: demo.user, to: ods.user, partitionBy: nothing }',
      goodLines(),
    ],
  ])('(%s) ends with 2', async (code, text, lines) => {
    await inFolder(async program => {
      await program.write('forager.yaml', rule(text))
      await program.write('events.jsonl', fileOf(lines))
      const failed = await program.run(['run', 'forager.yaml'])
      expect(failed.stderr).toContain(`[${code}]`)
      expect([failed.code, failed.stdout]).toEqual([2, ''])
    })
  })

  it('(two source tables into one target) ends with 2', async () => {
    await inFolder(async program => {
      const text =
        '{ from: "demo.*", to: "ods.{table}" }\n  - { from: "shop.*", to: "ods.{table}" }'
      await program.write('forager.yaml', rule(text))
      await program.write('events.jsonl', fileOf([...goodLines(), otherUser]))
      const failed = await program.run(['run', 'forager.yaml'])
      expect(failed.stderr).toMatch(
        /^error: (demo|shop)\.user and (demo|shop)\.user would both go to ods\.user, .*\[target-shared\]/,
      )
      expect([failed.code, failed.stdout]).toEqual([2, ''])
    })
  })
})
