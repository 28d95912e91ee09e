import { expect, it } from 'vitest'
import { formatProblem, readConfig } from '../../cli/config.ts'
import { writeWholeFile } from '../../runtime/file-system.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'

it('of a value with several forms the problems are told within the form that it has', async () => {
  const text = `applicationId: a
source: { type: file, path: x, format: debezium-json }
tables:
  - { from: "d.*", to: "o.{table}", schemaChanges: { ad: evolve, drop: evolv, drop-tabl: lenient } }
  - { from: "d.b", to: "o.b", schemaChanges: evole }
warehouse: { type: embedded, path: w }`
  const files = new SimulatedFileSystem({ random: seededRandom(1) })
  await files.makeDirectory('/shop')
  await writeWholeFile(files, '/shop/f.yaml', Buffer.from(text))
  await writeWholeFile(files, '/shop/x', Buffer.from(''))
  const { problems } = await readConfig(files, '/shop/f.yaml')
  const modes = 'evolve or try_evolve or lenient or ignore or exception'
  expect(problems.map(problem => formatProblem('f.yaml', problem))).toEqual([
    `f.yaml:4: tables[0].schemaChanges.drop must be ${modes}`,
    'f.yaml:4: unknown key tables[0].schemaChanges.ad; did you mean "add"?',
    'f.yaml:4: unknown key tables[0].schemaChanges.drop-tabl; did you mean "drop-table"?',
    `f.yaml:5: tables[1].schemaChanges must be ${modes}, or a mapping of keys`,
  ])
})
