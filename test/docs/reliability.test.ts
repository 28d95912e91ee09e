import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { mergingFaults } from '../simulation/planted/merging-faults.ts'
import { readingFaults } from '../simulation/planted/reading-faults.ts'
import { taskFaults } from '../simulation/planted/task-faults.ts'

it('docs/reliability.md tells every planted fault, and within how many seeds it is found', async () => {
  const text = await readFile(join(import.meta.dirname, '../../docs/reliability.md'), 'utf8')
  const section = /\n## Planted faults\n(.*?)(?=\n## |$)/s.exec(text)![1]!
  const rows = [...section.matchAll(/^\| (.+?) \| .+? \| (\d+)(?: .+?)? \| .+? \|$/gm)]
  const told = Object.fromEntries(rows.map(([, name, seeds]) => [name, Number(seeds)]))
  const faults = [...readingFaults, ...taskFaults, ...mergingFaults]
  const planted = Object.fromEntries(faults.map(({ name, foundWithin }) => [name, foundWithin]))
  expect(told).toEqual(planted)
})
