import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../cli/config.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { settingsOf } from '../../sinks/hive/hive.ts'
import { inTemporaryFolder } from '../log/logs.ts'

let text = ''

beforeAll(async () => {
  text = await readFile(join(import.meta.dirname, '../../docs/hive.md'), 'utf8')
})

describe('docs/hive.md', () => {
  it('has a configuration that is right', async () => {
    const sample = /```yaml\n(.*?)```/s.exec(text)![1]!
    const rest = [
      'applicationId: shop',
      'source: { type: kafka, brokers: ["k:9092"], topics: ["shop.*"], format: debezium-json }',
      'tables: [{ from: "shop.*", to: "ods.{table}" }]',
    ]
    await inTemporaryFolder(async folder => {
      const path = join(folder, 'forager.yaml')
      await writeFile(path, `${rest.join('\n')}\n${sample}`)
      const { loaded, problems } = await readConfig(nodeFileSystem, path)
      expect(problems).toEqual([])
      expect(loaded?.config.warehouse).toMatchObject({ type: 'hive', port: 10_000, sessions: 2 })
    })
  })

  it('tells every setting of a session, and no other', () => {
    const rows = [...text.matchAll(/^\| `((?:hive|orc)\.[a-z0-9.]+)` \| `([^`]+)` \|/gm)]
    const told = Object.fromEntries(rows.map(([, name, value]) => [name, value]))
    expect(told).toEqual(settingsOf({ host: 'hive', port: 10_000 }, '4.0'))
  })
})
