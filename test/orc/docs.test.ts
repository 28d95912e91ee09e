import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

it('the example of the documentation runs as it stands', async () => {
  const text = await readFile(new URL('../../docs/orc.md', import.meta.url), 'utf8')
  const example = /```ts\n(.*?)```/s.exec(text)![1]!
  const folder = await mkdtemp(join(tmpdir(), 'orc-docs-'))
  try {
    const index = new URL('../../orc/index.ts', import.meta.url).href
    await writeFile(join(folder, 'example.ts'), example.replace("'forager/orc'", `'${index}'`))
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'example.ts')])
    expect(stdout.trim()).toBe("[ [ 'Ada' ], [ null ] ]")
  } finally {
    await rm(folder, { recursive: true })
  }
})
