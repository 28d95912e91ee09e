import { execFile } from 'node:child_process'
import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import { inTemporaryFolder } from '../log/logs.ts'

const root = join(import.meta.dirname, '../..')
const example = join(root, 'examples/00-smallest.ts')

describe('the sample of the README', () => {
  it('is an example, which is compiled with all others', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8')
    const code = /```ts\n(.*?)```\n/s.exec(readme)?.[1]
    const [, whole] = (await readFile(example, 'utf8')).split('*/\n')
    expect(whole).toContain("from 'forager'")
    expect(code).toBe(whole)
  })

  it('runs as it stands, in a folder with the events', async () => {
    await inTemporaryFolder(async folder => {
      await copyFile(join(root, 'examples/shop/events.jsonl.gz'), join(folder, 'events.jsonl.gz'))
      const { stdout } = await promisify(execFile)(process.execPath, [example], { cwd: folder })
      expect(stdout).toMatch(/^Topologies:\n {3}Sub-topology: 0\n/)
      const { rows } = await openTable(nodeFileSystem, join(folder, 'warehouse'), 'ods.user')
      const ids: unknown[] = []
      for await (const part of rows()) ids.push(...part.map(({ values }) => Number(values[0])))
      expect(ids.length).toBeGreaterThan(2)
      expect(ids).not.toContain(3)
    })
  })
})
