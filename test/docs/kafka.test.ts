import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { buildTopology } from '../../cli/application.ts'
import { readConfig } from '../../cli/config.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { mermaidOf } from '../../topology/mermaid.ts'
import { inTemporaryFolder } from '../log/logs.ts'

it('the diagram of docs/kafka.md is that of its configuration', async () => {
  const text = await readFile(join(import.meta.dirname, '../../docs/kafka.md'), 'utf8')
  const block = (language: string): string | undefined =>
    new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(text)?.[1]
  const diagram = await inTemporaryFolder(async folder => {
    const path = join(folder, 'forager.yaml')
    await writeFile(path, block('yaml')!)
    const { loaded, problems } = await readConfig(nodeFileSystem, path)
    expect(problems).toEqual([])
    return mermaidOf(buildTopology(loaded!).describe(loaded!.config.applicationId))
  })
  expect(block('mermaid')).toBe(`${diagram}\n`)
})
