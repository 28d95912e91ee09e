/** A source whose tables and columns are called as no one should, through the real program, into files. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configText, inFolder } from '../cli/program.ts'
import { changeOf, mariadb, withSchema } from '../formats/samples.ts'
import { hostileNames } from './hostile-names.ts'

/** `demo.*` takes names without a point. A lone surrogate is no text in UTF-8. */
const names = hostileNames.filter(
  name => !/^$|\./.test(name) && name.isWellFormed() && name.length <= 300,
)

/** What a terminal obeys, but for the ends of lines. */
const commands = /(?!\n)\p{Cc}|\u202e/u

/** A table of the name, with a column of the name. */
function lineOf(name: string, offset: number): string {
  const fields = [
    { type: 'int32', optional: false, field: 'id' },
    { type: 'string', optional: true, field: name },
  ]
  const source = { ...mariadb, table: name, pos: 1000 + offset, gtid: `0-1-${offset + 1}` }
  // A member of this name, and not what the object is made of.
  const after = Object.fromEntries([
    ['id', 1],
    [name, 'v'],
  ] as const)
  const keySchema = { type: 'struct', fields: [fields[0]] }
  return JSON.stringify({
    topic: 'm1.demo.t',
    partition: 0,
    offset,
    timestamp: 0,
    headers: [],
    key: JSON.stringify({ schema: keySchema, payload: { id: 1 } }),
    value: JSON.stringify(withSchema(changeOf({ op: 'c', after, source }), fields)),
  })
}

describe('tables and columns of any name', () => {
  it('are each a table of that name in the warehouse, and nothing lies elsewhere', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText({ more: 'onError: dead-letter' }))
      await program.write('events.jsonl', `${names.map(lineOf).join('\n')}\n`)
      const { code, stdout, stderr } = await program.run(['run', 'forager.yaml', '--log', 'json'])
      expect([code, stderr.includes('"level":"error"')]).toEqual([0, false])

      // A column of this name is refused, and its message kept; all others are there with their value.
      const expected = names.filter(name => name !== '__proto__')
      const tables = await program.tables()
      expect(Object.keys(tables).toSorted()).toEqual(expected.map(name => `ods.${name}`).toSorted())
      for (const name of expected) {
        expect(tables[`ods.${name}`]).toEqual([
          JSON.stringify([
            ['id', 1],
            [name, 'v'],
          ]),
        ])
      }

      const found = await readdir(program.folder)
      expect(found.toSorted()).toEqual(['.forager', 'events.jsonl', 'forager.yaml', 'warehouse'])
      const folders = await readdir(join(program.folder, 'warehouse', 'ods'))
      expect(folders).toHaveLength(expected.length)
      for (const folder of folders) expect(folder).toMatch(/^[A-Za-z0-9=%-][\w=.%~-]*$/)

      const lines = stderr.trim().split('\n')
      for (const line of lines) expect(JSON.parse(line)).toHaveProperty('event')
      expect(stderr).not.toMatch(commands)
      expect(stdout).not.toMatch(commands)

      for (const args of [
        ['tables', 'forager.yaml'],
        ['dead-letters', 'list', 'forager.yaml'],
      ]) {
        const shown = await program.run(args)
        expect([args, shown.code]).toEqual([args, 0])
        expect(shown.stdout).not.toMatch(commands)
      }
      const history = await program.run(['history', 'forager.yaml', "ods.'", '--json'])
      expect(JSON.parse(history.stdout)).toMatchObject({ batches: [{ tableName: "ods.'" }] })
    })
  }, 300_000)
})
