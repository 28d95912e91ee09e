/** Runs `window-program.ts`, with a store in memory and one that spills, for tests of any size. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { WindowReport } from './window-program.ts'

const run = promisify(execFile)

/** V8 fills what it may have before it collects: a bound of memory needs a bound of the heap. */
const boundedHeap = ['--max-old-space-size=96', '--max-semi-space-size=4']

export async function runWindow(options: {
  readonly store: 'memory' | 'persistent'
  readonly rows: number
  readonly memoryMiB: number
}): Promise<WindowReport> {
  const { store, rows, memoryMiB } = options
  const folder = await mkdtemp(join(tmpdir(), 'forager-window-'))
  try {
    const program = join(import.meta.dirname, 'window-program.ts')
    const flags = store === 'persistent' ? boundedHeap : ['--max-old-space-size=4096']
    const { stdout } = await run(process.execPath, [
      ...flags,
      program,
      store,
      String(rows),
      String(memoryMiB),
      folder,
    ])
    return JSON.parse(stdout) as WindowReport
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
