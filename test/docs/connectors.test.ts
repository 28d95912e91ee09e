import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readConfig } from '../../cli/config.ts'
import { connectorFindings, mayFeed } from '../../cli/connect/connector-findings.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { inTemporaryFolder } from '../log/logs.ts'

it('docs/connectors.md has a configuration that is right, and whose connector loses nothing', async () => {
  const text = await readFile(join(import.meta.dirname, '../../docs/connectors.md'), 'utf8')
  await inTemporaryFolder(async folder => {
    const path = join(folder, 'forager.yaml')
    await writeFile(path, /```yaml\n(.*?)```/s.exec(text)![1]!)
    const { loaded, problems } = await readConfig(nodeFileSystem, path)
    expect(problems).toEqual([])
    const { config } = loaded!
    const connector = { name: 'shop', config: config.connectors!.configs.shop!, states: [] }
    expect(mayFeed(config, connector)).toBe(true)
    expect([...connectorFindings(config, connector)]).toEqual([])
  })
})
