import { expect, it } from 'vitest'
import { runWindow } from '../state/large-window.ts'

it('two million keys under a limit of 32 MiB add less than 100 MB, and the files are the same', async () => {
  const rows = 2_000_000
  const whole = await runWindow({ store: 'memory', rows, memoryMiB: 0 })
  const spilled = await runWindow({ store: 'persistent', rows, memoryMiB: 32 })
  expect(whole.rows).toBe(rows)
  expect(spilled.rows).toBe(rows)
  expect(spilled.sha256).toBe(whole.sha256)
  expect(spilled.addedMiB).toBeLessThan(100)
})
