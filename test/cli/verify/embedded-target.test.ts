import { expect, it } from 'vitest'
import { EmbeddedTarget } from '../../../cli/verify/embedded-target.ts'
import { wholeTable } from '../../../cli/verify/source-database.ts'
import { configText, inFolder } from '../program.ts'
import { changeLine, fileOf } from '../recorded.ts'

it('gives the rows of a table in the order of its key, and null for a table that is not there', async () => {
  await inFolder(async program => {
    await program.write('forager.yaml', configText())
    const lines = [3, 1, 2].map((id, offset) =>
      changeLine(offset, 'c', id, `{"id":${id},"name":"n${id}"}`),
    )
    await program.write('events.jsonl', fileOf(lines))
    expect((await program.runHere()).error).toBeNull()
    const target = new EmbeddedTarget(program.path('warehouse'))
    expect(await target.find('ods.nothing')).toBeNull()
    const found = await target.find('ods.user')
    expect(found?.columns).toEqual([
      { name: 'id', declared: 'int' },
      { name: 'name', declared: 'string' },
    ])
    const [id, name] = found!.columns
    const rows: unknown[] = []
    for await (const part of found!.rows([name!, id!], [id!], wholeTable)) rows.push(...part)
    expect(rows).toEqual([
      ['n1', 1],
      ['n2', 2],
      ['n3', 3],
    ])
  })
})
